"""`go-prefetch docker --output DIR`: the same bytes, modes and times whatever the files came from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.repacked_proxy import RepackedProxy
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16", padding=100_000)
LIB = FakeModule("example.com/lib", "v1.2.3", requires=((TOML.path, TOML.version),))
NEWER_LIB = FakeModule("example.com/lib", "v1.3.0", requires=((TOML.path, TOML.version),))
PRIVATE = FakeModule("corp.example/private", "v0.1.0")


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((TOML, LIB, NEWER_LIB, PRIVATE)) as server:
        yield server


def output(bench: Workbench, goproxy: str, folder: str = "gomod", *arguments: str, **variables: str) -> Result:
    """`docker --output` with the bench's pool and no program on PATH: neither Go nor git."""
    nothing = str(bench.folder / "home")
    store = ("--store", f"dir:{bench.pool}")
    return prefetch(bench, "docker", "--output", folder, *store, *arguments, GOPROXY=goproxy, PATH=nothing, **variables)


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, time and bytes of everything below a folder, itself included."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            int(path.stat().st_mtime),
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


def test_same_bytes_whatever_the_source(bench: Workbench, proxy: ModuleProxy) -> None:
    """One proxy, another that packs otherwise, the module cache, the pool: the folders cannot be told apart."""
    bench.write_project((LIB, TOML))
    assert output(bench, proxy.url, "a").status == 0
    with RepackedProxy((TOML, LIB)) as other:
        assert output(bench, other.url, "b").status == 0
    assert bench.go("mod", "download", GOPROXY=proxy.url).status == 0
    assert output(bench, "off", "c").status == 0
    assert bench.prefetch(goproxy=proxy.url).status == 0
    bench.forget_modcache()
    bench.prefetch(goproxy=proxy.url)
    bench.forget_modcache()
    assert output(bench, "off", "d").status == 0
    expected = state(bench.project / "a")
    assert len(expected) > 8
    for name in "bcd":
        assert state(bench.project / name) == expected, name


def test_second_time_changes_nothing(bench: Workbench, proxy: ModuleProxy) -> None:
    """A folder that holds the plan is left as it is; nobody is asked."""
    bench.write_project((LIB, TOML))
    first, asked = output(bench, proxy.url), len(proxy.requests)
    assert first.status == 0, first.text
    before = {path: path.stat().st_ino for path in (bench.project / "gomod").rglob("*.zip")}
    second = output(bench, proxy.url)
    assert (second.status, len(proxy.requests)) == (0, asked)
    assert {path: path.stat().st_ino for path in (bench.project / "gomod").rglob("*.zip")} == before


def test_only_the_difference_is_downloaded(bench: Workbench, proxy: ModuleProxy) -> None:
    """After one dependency has changed, the proxy is asked for that one; the old one is gone from the folder."""
    bench.write_project((LIB, TOML))
    output(bench, proxy.url)
    bench.write_project((NEWER_LIB, TOML))
    asked = len(proxy.requests)
    assert output(bench, proxy.url).status == 0
    assert {request.path.rpartition("@v/")[0] for request in proxy.requests[asked:]} == {"example.com/lib/"}
    assert not list((bench.project / "gomod").rglob("v1.2.3.zip"))


def test_go_reads_it_offline(bench: Workbench, proxy: ModuleProxy) -> None:
    """With GOPROXY=file://DIR,off Go downloads and verifies against go.sum: to it the rewritten zips are the same."""
    bench.write_project((LIB, TOML))
    output(bench, proxy.url)
    offline = f"{(bench.project / 'gomod').as_uri()},off"
    for arguments in (("mod", "download"), ("mod", "verify"), ("list", "-deps", "./...")):
        done = bench.go(*arguments, GOPROXY=offline)
        assert done.status == 0, done.text


def test_go_finds_a_wrong_byte_from_the_pool(bench: Workbench, proxy: ModuleProxy) -> None:
    """Nothing in the folder was verified; the rewriting keeps a wrong file wrong, and Go refuses it."""
    bench.write_project((LIB, TOML))
    wrong = FakeModule(
        LIB.path, LIB.version, requires=LIB.requires, files={"lib.go": "package lib\n\nconst Evil = 1\n"}
    )
    with ModuleProxy((TOML, wrong)) as poisoned:
        assert output(bench, poisoned.url).status == 0
    done = bench.go("mod", "download", GOPROXY=f"{(bench.project / 'gomod').as_uri()},off")
    assert done.status != 0
    assert "checksum mismatch" in done.text


def test_pool_is_left_as_it_is(bench: Workbench, proxy: ModuleProxy) -> None:
    """Hard links lead into the pool: neither its bytes nor its modes nor its times change."""
    bench.write_project((LIB, TOML))
    bench.prefetch(goproxy=proxy.url)
    bench.forget_modcache()
    for path in bench.pool.rglob("*"):
        if path.is_file():
            os.utime(path, (1_600_000_000, 1_600_000_000))
    before = state(bench.pool)
    assert output(bench, "off").status == 0
    assert state(bench.pool) == before


def test_private_modules_of_the_module_cache_come_too(bench: Workbench, proxy: ModuleProxy) -> None:
    """No proxy is asked for them, but what Go has put into the module cache is put into the folder."""
    bench.write_project((TOML, PRIVATE))
    left = output(bench, proxy.url, GOPRIVATE="corp.example/*")
    assert "[private-left-to-go]" in left.stderr
    assert bench.go("mod", "download", GOPROXY=proxy.url).status == 0
    held = output(bench, proxy.url, GOPRIVATE="corp.example/*")
    assert held.stderr == ""
    assert list((bench.project / "gomod").rglob("corp.example/private/@v/*.zip"))


def test_workspace_gets_a_list_of_modules(bench: Workbench, proxy: ModuleProxy) -> None:
    """A bare `go mod download` would want more than the plan under go.work: the folder says what to ask for."""
    bench.write_project((LIB, TOML))
    (bench.project / "go.work").write_text("go 1.21\n\nuse .\n")
    assert "xargs -r go mod download < /gomod/modules.txt" in output(bench, proxy.url).stdout
    listed = (bench.project / "gomod" / "modules.txt").read_text().split()
    assert listed == [f"{each.path}@{each.version}" for each in (LIB, TOML)]
    (bench.project / "go.work").unlink()
    output(bench, proxy.url)
    assert not (bench.project / "gomod" / "modules.txt").exists()


def test_list_of_other_modules_has_another_date(bench: Workbench, proxy: ModuleProxy) -> None:
    """BuildKit keeps the file that it has if size and date are the same, and would download the old version."""
    dates, sizes = set(), set()
    for module in (LIB, NEWER_LIB, NEWER_LIB):
        bench.write_project((module, TOML))
        gomod = bench.project / "go.mod"
        gomod.write_text(re.sub(r"(?m)^go .*", "go 1.16", gomod.read_text()))
        assert output(bench, proxy.url).status == 0
        found = (bench.project / "gomod" / "modules.txt").stat()
        dates.add(found.st_mtime)
        sizes.add(found.st_size)
    assert (len(dates), len(sizes)) == (2, 1)


def test_nothing_is_written_through_a_link_in_the_folder(bench: Workbench, proxy: ModuleProxy) -> None:
    """What the module cache has of a module whose folder is a link elsewhere: the link goes, elsewhere is untouched."""
    bench.write_project((LIB, TOML))
    assert bench.go("mod", "download", GOPROXY=proxy.url).status == 0
    assert output(bench, proxy.url).status == 0
    expected, outside = state(bench.project / "gomod"), bench.folder / "outside"
    (bench.project / "gomod" / "example.com").rename(outside)
    (outside / "lib" / "@v" / "v1.2.3.mod").unlink()
    before = state(outside)
    (bench.project / "gomod" / "example.com").symlink_to(outside)
    done = output(bench, "off")
    assert done.status == 0, done.text
    assert state(bench.project / "gomod") == expected
    assert state(outside) == before


def test_what_lies_in_the_folder_by_another_kind(bench: Workbench, proxy: ModuleProxy) -> None:
    """A pipe, a link and folders where files of ours would be are no reason to stop: what is in them goes."""
    bench.write_project((LIB, TOML))
    assert output(bench, proxy.url).status == 0
    folder = bench.project / "gomod"
    expected = state(folder)
    versions = folder / "example.com" / "lib" / "@v"
    (folder / "modules.txt" / "below").mkdir(parents=True)
    (folder / "modules.txt" / "below" / "file").write_text("x")
    for path in versions.iterdir():
        path.unlink()
    os.mkfifo(versions / "v1.2.3.zip")
    (versions / "v1.2.3.mod").symlink_to(bench.project / "go.mod")
    (versions / "v1.2.3.info").mkdir()
    assert output(bench, proxy.url).status == 0
    assert state(folder) == expected


def test_folder_given_as_a_link(bench: Workbench, proxy: ModuleProxy) -> None:
    """It is filled where the link leads, and stays a link."""
    bench.write_project((TOML,))
    (bench.folder / "disk").mkdir()
    (bench.project / "gomod").symlink_to(bench.folder / "disk")
    assert output(bench, proxy.url).status == 0
    assert (bench.project / "gomod").is_symlink()
    assert list((bench.folder / "disk").rglob("v1.4.0.zip"))


@pytest.mark.parametrize("mark", ["", "*\n"], ids=["no mark", "a .gitignore of theirs"])
def test_foreign_folder_is_refused(bench: Workbench, proxy: ModuleProxy, mark: str) -> None:
    """As `fill`: what others have put somewhere is not taken away, be it a build's output that git is to ignore."""
    bench.write_project((TOML,))
    (bench.project / "gomod").mkdir()
    (bench.project / "gomod" / "theirs").write_text("x")
    if mark:
        (bench.project / "gomod" / ".gitignore").write_text(mark)
    before = state(bench.project / "gomod")
    done = output(bench, proxy.url)
    assert (done.status, "[folder-not-ours]" in done.stderr) == (2, True)
    assert state(bench.project / "gomod") == before
