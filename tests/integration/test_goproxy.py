"""A module proxy that people run, as upstream: goproxy in front of the proxies of this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.workbench import Workbench

SOURCE = Path(__file__).parents[1] / "programs" / "goproxy_upstream"

pytestmark = [pytest.mark.network, pytest.mark.nightly]  # it compiles goproxy


@pytest.fixture
def upstream(bench: Workbench, tmp_path: Path) -> Iterator[str]:
    """Its address. What it takes is its own module cache and folder, apart from the bench's."""
    program, goproxy = tmp_path / "upstream", bench.go("env", "GOPROXY", cwd=SOURCE, GOPROXY="").stdout.strip()
    own = {**bench.environ, "GOPROXY": goproxy, "GOMODCACHE": str(tmp_path / "upstream-modcache")}
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=SOURCE, env=own, check=True, timeout=300)
    with subprocess.Popen(
        [str(program), str(tmp_path / "kept")], env=own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout
        yield server.stdout.readline().strip()
        server.terminate()


def test_a_run_through_goproxy(bench: Workbench, upstream: str) -> None:
    """Every file comes from it, Go accepts all, and a build needs no network; what it lacks it answers with 404."""
    shutil.copytree(SOURCE, bench.project)
    result = bench.prefetch(goproxy=upstream)
    assert result.status == 0, result.text
    assert bench.outputs["cache-result"] == "miss"
    assert [source["name"] for source in bench.report["download"]["sources"]] == [upstream]
    assert bench.go("build", "-o", str(bench.folder / "built"), ".").status == 0
    bench.forget_modcache()
    assert bench.prefetch(goproxy="off").status == 0
    assert bench.outputs["cache-result"] == "exact"
