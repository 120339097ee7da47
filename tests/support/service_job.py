"""A job on a hosted runner: it starts with an empty module cache, and has a cache service."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.support.fakes.cache_service import CacheService, Token
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Result, Workbench

MAIN = Token("main-token")
# How archives can be encoded, by what a runner has: Python's own zstd, the zstd program, neither.
ENCODINGS = ("zstd in Python", pytest.param("zstd program", marks=pytest.mark.system), "no zstd")


class Job:
    """Runs of go-prefetch, one after the other."""

    def __init__(self, bench: Workbench, service: CacheService, proxy: ModuleProxy) -> None:
        self._bench = bench
        self._service = service
        self._proxy = proxy

    def __call__(
        self,
        *modules: FakeModule,
        protocol: str = "v2",
        token: Token = MAIN,
        run: int = 1,
        flags: Iterable[str] = (),
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> Result:
        """Run for a project that requires these modules; it must succeed, and leave what Go finds complete."""
        self._bench.write_project(modules)
        self._bench.forget_modcache()
        self._service.clear()
        self._proxy.clear()
        offered = getattr(self._service, protocol)(token.text, run=str(run))
        arguments = ("run", "--store", "github", "--report-file", str(self._bench.report_file), *flags)
        result = self._bench.quickly(*arguments, **{"GOPROXY": self._proxy.url, **offered, **environ})
        assert result.status == 0, result.text
        assert self._bench.go("mod", "download").status == 0
        assert self._bench.go("mod", "verify").stdout == "all modules verified\n"
        assert not self._bench.leftovers()
        return result

    def only(self, encoding: str) -> dict[str, str]:
        """Variables with which a run finds just this of ENCODINGS."""
        if encoding == "zstd in Python":
            return {}
        shadow = self._bench.folder / "shadow"
        (shadow / "backports").mkdir(parents=True, exist_ok=True)
        (shadow / "backports" / "__init__.py").touch()  # in the way of backports.zstd
        programs = self._bench.folder / "programs"
        programs.mkdir(exist_ok=True)
        for name in ("go", "git", *(("zstd",) if encoding == "zstd program" else ())):
            found = shutil.which(name, path=self._bench.environ["PATH"])
            assert found, f"no {name} on PATH"
            if not (programs / name).exists():
                (programs / name).symlink_to(Path(found).resolve())
        return {"PYTHONPATH": str(shadow), "PATH": os.fspath(programs)}
