"""`go-prefetch fill`: a folder that stands in for every proxy, made without Go."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.render.record import parse_record
from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, old_user_of
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16", padding=100_000)
LIB = FakeModule("example.com/lib", "v1.2.3", requires=((TOML.path, TOML.version),))
NEWER_LIB = FakeModule("example.com/lib", "v1.3.0", requires=((TOML.path, TOML.version),))
MAJOR = FakeModule("example.com/major/v2", "v2.0.1")
PRIVATE = FakeModule("corp.example/private", "v0.1.0")
CHAIN = old_user_of(TOML)


class WatchedProxy(ModuleProxy):
    """A proxy that says when the first zip is asked for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.zip_asked = threading.Event()

    def receive(self, path: str, *headers: str | None) -> Any:
        try:
            return super().receive(path, *headers)
        finally:
            if path.endswith(".zip"):
                self.zip_asked.set()


MODULES = (TOML, LIB, NEWER_LIB, MAJOR, PRIVATE, CHAIN)


@pytest.fixture
def proxy() -> Iterator[WatchedProxy]:
    with WatchedProxy(MODULES) as server:
        yield server


def fill(bench: Workbench, goproxy: str, *arguments: str, folder: str = "filled", **variables: str) -> Result:
    """`go-prefetch fill` in the project with no program at all on PATH: neither Go nor git."""
    nothing = str(bench.folder / "home")
    return prefetch(bench, "fill", folder, *arguments, GOPROXY=goproxy, PATH=nothing, **variables)


def planned_names(bench: Workbench) -> set[str]:
    return {file["name"] for file in json.loads(prefetch(bench, "plan", "--format", "json").stdout)["files"]}


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def as_only_proxy(folder: Path) -> str:
    """GOPROXY for this folder and nothing else (never alone: Go would skip its check of toolchains)."""
    return f"{folder.as_uri()},off"


def assert_whole(proxy: ModuleProxy, folder: Path) -> None:
    """Every file under a final name is what the proxy serves (.info less what Go does not need)."""
    for name in files_in(folder) - {".gitignore"}:
        content = (folder / name).read_bytes()
        if name.endswith(".info"):
            assert json.loads(content) == json.loads(proxy.files[name])
        else:
            assert content == proxy.files[name], name


def test_folder_holds_the_plan_and_serves_go(bench: Workbench, proxy: WatchedProxy) -> None:
    """Exactly the planned files and a .gitignore of `*`; with nothing else Go downloads, verifies and builds."""
    bench.write_project((LIB, TOML, MAJOR))
    done = bench.run("fill", "filled", GOPROXY=proxy.url, PATH=str(bench.folder / "home"))
    assert done.status == 0, done.text
    folder = bench.project / "filled"
    assert files_in(folder) == planned_names(bench) | {".gitignore"}
    assert (folder / ".gitignore").read_text().endswith("\n*\n")
    assert_whole(proxy, folder)
    assert sorted(proxy.paths()) == sorted(planned_names(bench))
    assert not bench.modcache.exists()
    assert bench.go("mod", "download", GOPROXY=as_only_proxy(folder)).status == 0
    assert bench.go("mod", "verify").stdout == "all modules verified\n"
    assert bench.go("build", "-o", "app", "./...").status == 0


def old_module(bench: Workbench) -> list[str]:
    bench.write_project((TOML, CHAIN), go="1.16", requires=[CHAIN])
    return ["./..."]


def workspace(bench: Workbench) -> list[str]:
    for name, lib in (("a", LIB), ("b", NEWER_LIB)):
        bench.project = bench.project.parent / "project" / name
        bench.write_project((lib, TOML), path=f"example.com/{name}")
        bench.project = bench.project.parent
    (bench.project / "go.work").write_text("go 1.21\n\nuse (\n\t./a\n\t./b\n)\n")
    return ["./a/...", "./b/..."]


@pytest.mark.parametrize("write", [pytest.param(old_module, id="go 1.16"), pytest.param(workspace, id="go.work")])
def test_folder_serves_a_build_where_go_would_download_far_more(
    bench: Workbench, proxy: WatchedProxy, write: Any
) -> None:
    """Under a go.work and with `go` 1.16 the folder has what builds need; plain `go mod download` would want `all`."""
    packages = write(bench)
    done = fill(bench, proxy.url, folder=str(bench.folder / "filled"))
    assert done.status == 0, done.text
    assert files_in(bench.folder / "filled") == planned_names(bench) | {".gitignore"}
    built = bench.go(
        "build", "-o", str(bench.folder / "out") + "/", *packages, GOPROXY=as_only_proxy(bench.folder / "filled")
    )
    assert built.status == 0, built.text


def test_second_call_writes_nothing_and_asks_nobody(bench: Workbench, proxy: WatchedProxy) -> None:
    """Same inode, size and time of every file and folder, so that a CI cache has nothing to upload."""
    bench.write_project((LIB, TOML, MAJOR))
    fill(bench, proxy.url)
    folder = bench.project / "filled"
    before = state(folder)
    proxy.clear()
    done = fill(bench, proxy.url)
    assert done.status == 0, done.text
    assert proxy.paths() == []
    assert state(folder) == before
    assert fill(bench, "off").status == 0


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    stats = {str(path): path.lstat() for path in [folder, *folder.rglob("*")]}
    return {name: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def test_changed_gosum_brings_the_new_and_takes_away_the_old(bench: Workbench, proxy: WatchedProxy) -> None:
    """The folder follows the plan: only what is new is asked for, what nobody names any more goes, folders too."""
    bench.write_project((LIB, TOML, MAJOR))
    fill(bench, proxy.url)
    proxy.clear()
    bench.write_project((NEWER_LIB, TOML))
    done = fill(bench, proxy.url)
    assert done.status == 0, done.text
    folder = bench.project / "filled"
    assert files_in(folder) == planned_names(bench) | {".gitignore"}
    assert {path.partition("/@v/")[2] for path in proxy.paths()} == {
        f"v1.3.0.{kind}" for kind in ("info", "mod", "zip")
    }
    assert not (folder / "example.com" / "major").exists()


def test_damaged_file_is_no_longer_there_after_its_removal(bench: Workbench, proxy: WatchedProxy) -> None:
    """An empty file counts as missing and is brought again; the others stay."""
    bench.write_project((LIB, TOML))
    fill(bench, proxy.url)
    proxy.clear()
    (bench.project / "filled/example.com/lib/@v/v1.2.3.zip").write_bytes(b"")
    assert fill(bench, proxy.url).status == 0
    assert proxy.paths() == ["example.com/lib/@v/v1.2.3.zip"]
    assert_whole(proxy, bench.project / "filled")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"notes.txt": "mine"}, id="a file"),
        pytest.param({".gitignore": "*.zip\n"}, id="another .gitignore"),
        pytest.param({"example.com/lib/@v/v9.9.9.zip": "mine"}, id="somebody's proxy folder"),
    ],
)
def test_folder_with_other_things_is_left_alone(bench: Workbench, proxy: WatchedProxy, content: dict[str, str]) -> None:
    """`fill` removes files, so it works in no folder that it did not make: status 2, nothing touched, nothing asked."""
    bench.write_project((LIB, TOML))
    folder = bench.folder / "theirs"
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    before = state(folder)
    done = fill(bench, proxy.url, folder=str(folder))
    assert done.status == 2
    assert done.stdout.startswith("go-prefetch: failed: ")
    assert "[folder-not-ours]" in done.stderr
    assert state(folder) == before
    assert proxy.paths() == []


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory, and sparse files")
def test_folder_with_an_endless_mark_is_refused(bench: Workbench, proxy: WatchedProxy) -> None:
    """A cache may bring gigabytes of zeros as the file that says whose folder it is: they are not read."""
    bench.write_project((LIB, TOML))
    (bench.project / "filled").mkdir()
    (bench.project / "filled/.gitignore").touch()
    os.truncate(bench.project / "filled/.gitignore", 3 << 30)
    limited = ["prlimit", f"--data={1 << 30}", *bench.command, "fill", "filled", "--goproxy", proxy.url]
    done = bench.program(limited)
    assert done.status == 2, done.text
    assert "[folder-not-ours]" in done.stderr


def test_empty_folder_is_taken(bench: Workbench, proxy: WatchedProxy) -> None:
    """An empty folder, as a CI system may have made it, is as good as none."""
    bench.write_project((LIB, TOML))
    (bench.project / "filled").mkdir()
    assert fill(bench, proxy.url).status == 0
    assert files_in(bench.project / "filled") == planned_names(bench) | {".gitignore"}


def test_private_modules_are_told_and_not_asked(bench: Workbench, proxy: WatchedProxy) -> None:
    """What GOPRIVATE matches never reaches a public proxy; the rest is filled, and Go has to get them itself."""
    bench.write_project((LIB, TOML, PRIVATE))
    done = fill(bench, proxy.url, GOPRIVATE="corp.example")
    assert done.status == 0, done.text
    assert list(map(str, facts(done.notice("private-left-to-go"))["modules"])) == ["corp.example/private@v0.1.0"]
    assert not [path for path in proxy.paths() if "private" in path]
    assert not (bench.project / "filled" / "corp.example").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("fault", [Fault.STALL_BEFORE_HEADERS, Fault.STALL_IN_BODY])
def test_interruption_leaves_whole_files_only(bench: Workbench, proxy: WatchedProxy, name: str, fault: Fault) -> None:
    """Status 130, no temporary file, no half file; the next call brings the rest."""
    bench.write_project((LIB, TOML, MAJOR))
    proxy.fault("*.zip", fault)
    process = bench.start("fill", "filled", GOPROXY=proxy.url)
    assert proxy.zip_asked.wait(timeout=30)
    process.send_signal(getattr(signal, name))
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert bench.leftovers() == []
    folder = bench.project / "filled"
    assert files_in(folder) <= planned_names(bench) | {".gitignore"}
    assert_whole(proxy, folder)
    with ModuleProxy(MODULES) as healthy:
        again = fill(bench, healthy.url)
    assert again.status == 0, again.text
    assert files_in(folder) == planned_names(bench) | {".gitignore"}


@pytest.fixture
def gone() -> Iterator[str]:
    """An address that refuses connections."""
    with refusing_port() as port:
        yield f"http://127.0.0.1:{port}"


def test_dead_proxies_are_named_one_by_one(bench: Workbench, proxy: WatchedProxy, gone: str) -> None:
    """No proxy answers: status 5 and every attempt; with `on-failure: warn` the same as a warning and status 0."""
    bench.write_project((LIB,), requires=[LIB])
    proxy.fault("*", Fault.SERVER_ERROR)
    arguments = ("--attempts", "2", "--fallback", "any")
    done = fill(bench, f"{gone}|{proxy.url}", *arguments)
    assert done.status == 5, done.text
    assert "error: " in done.stderr
    mild = fill(bench, f"{gone}|{proxy.url}", *arguments, "--on-failure", "warn")
    assert mild.status == 0, mild.text
    assert "warning: " in mild.stderr
    for ended in (done, mild):
        failures = facts(ended.notice("proxy-unavailable"))["failures"]
        tried = {tuple((one.source, one.words) for one in failure.attempts) for failure in failures}
        refused, broken = (gone, "connection refused"), (proxy.url, "500 Internal Server Error")
        assert (len(failures), tried) == (3, {(refused, broken) * 2})


def test_first_proxy_dead_and_second_alive_is_a_success(bench: Workbench, proxy: WatchedProxy, gone: str) -> None:
    """The list is walked as Go would walk it: past `|` after any error."""
    bench.write_project((LIB, TOML))
    done = fill(bench, f"{gone}|{proxy.url}", "--attempts", "2")
    assert done.status == 0, done.text
    assert files_in(bench.project / "filled") == planned_names(bench) | {".gitignore"}


def test_stale_gosum_line_is_a_warning(bench: Workbench, proxy: WatchedProxy) -> None:
    """A line that nobody serves and no go.mod requires fails nothing: Go will not ask for it."""
    stale = FakeModule("example.com/gone", "v0.9.0")
    bench.write_project((LIB, TOML), extra_go_sum=stale.go_sum)
    done = fill(bench, proxy.url)
    assert done.status == 0, done.text
    (failure,) = facts(done.notice("go-sum-stale"))["failures"]
    assert (failure.file.name, failure.not_found) == ("example.com/gone/@v/v0.9.0.mod", True)
    folder = bench.project / "filled"
    assert bench.go("mod", "download", GOPROXY=as_only_proxy(folder)).status == 0


@pytest.mark.parametrize("go", ["1.21", "1.16"])
def test_required_module_that_nobody_has_fails(bench: Workbench, proxy: WatchedProxy, go: str) -> None:
    """A module that go.mod requires is no stale line: status 5, named; the others are there for the next attempt."""
    missing = FakeModule("example.com/gone", "v0.9.0")
    bench.write_project((LIB, TOML, missing), go=go)
    done = fill(bench, proxy.url)
    assert done.status == 5, done.text
    lacking = {failure.file.name for failure in facts(done.notice("module-not-found"))["failures"]}
    assert "example.com/gone/@v/v0.9.0.zip" in lacking
    assert "example.com/lib/@v/v1.2.3.zip" in files_in(bench.project / "filled")


def test_required_module_no_proxy_has_is_left_to_direct(bench: Workbench, proxy: WatchedProxy, gone: str) -> None:
    """Go clones it. A proxy that fails otherwise is no answer about a module."""
    missing = FakeModule("example.com/gone", "v0.9.0")
    bench.write_project((LIB, TOML, missing))
    done = fill(bench, f"{proxy.url},direct")
    assert done.status == 0, done.text
    assert list(map(str, facts(done.notice("direct-left-to-go"))["modules"])) == ["example.com/gone@v0.9.0"]
    assert "example.com/lib/@v/v1.2.3.zip" in files_in(bench.project / "filled")


@pytest.mark.parametrize(
    ("before", "status", "why"),
    [
        ("{gone}|", 0, "Go goes on after any error"),
        ("{gone},", 5, "Go does not go on after a comma"),
        ("{alive},{gone}|", 0, "the first says not found, and that passes a comma"),
        ("file://{empty},{gone}|", 0, "so does a folder without the file"),
        ("{gone},{alive}|", 5, "Go ends at the first"),
        ("{wrong}|", 5, "Go ends at a wrong file"),
    ],
    ids=lambda value: value.replace("/", "") if isinstance(value, str) else "",
)
def test_dead_proxy_is_passed_to_direct_as_in_go(
    bench: Workbench, proxy: WatchedProxy, gone: str, tmp_path: Path, before: str, status: int, why: str
) -> None:
    missing = FakeModule("example.com/gone", "v0.9.0")
    bench.write_project((missing,))
    with ModuleProxy([missing]) as wrong:
        wrong.fault("*.zip", Fault.HTML)
        goproxy = before.format(gone=gone, alive=proxy.url, empty=tmp_path, wrong=wrong.url) + "direct"
        done = fill(bench, goproxy, "--attempts", "1", "--fallback", "go")
    assert done.status == status, (why, done.text)
    assert any(notice.slug == "direct-left-to-go" for notice in done.notices) == (status == 0)


@pytest.mark.parametrize("goproxy", ["off", "direct"])
def test_list_without_a_proxy_is_refused(bench: Workbench, proxy: WatchedProxy, goproxy: str) -> None:
    """`fill` has no Go to go direct: it says so, status 2, and makes no folder."""
    bench.write_project((LIB, TOML))
    done = fill(bench, goproxy)
    assert done.status == 2
    assert done.stdout.startswith("go-prefetch: failed: ")
    assert "[goproxy-invalid]" in done.stderr
    assert not (bench.project / "filled").exists()


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("ours", id="relative, in the repository"),
        pytest.param("deep/er/ours", id="relative, parents missing"),
        pytest.param("./a/../ours", id="with dots"),
        pytest.param("../beside", id="beside the repository"),
        pytest.param("with blank ü", id="with a blank and an umlaut"),
    ],
)
def test_folder_may_lie_anywhere(bench: Workbench, proxy: WatchedProxy, folder: str) -> None:
    """A relative folder is meant from where the job runs; inside a repository git does not see it, nor does Go."""
    bench.write_project((LIB, TOML))
    (bench.project / "a").mkdir()
    git = ("git", "-c", "init.defaultBranch=main")
    bench.program([*git, "init", "-q"])
    bench.program([*git, "add", "."])
    done = fill(bench, proxy.url, folder=folder)
    assert done.status == 0, done.text
    target = (bench.project / folder).resolve()
    assert bench.module_files(target) == planned_names(bench)
    assert bench.program([*git, "ls-files", "--others", "--exclude-standard"]).stdout == ""
    assert bench.go("mod", "download", GOPROXY=as_only_proxy(target)).status == 0
    assert bench.go("list", "./...").stdout == "example.com/app\n"


def test_folder_that_is_a_file_is_refused(bench: Workbench, proxy: WatchedProxy) -> None:
    """A file in the folder's place is the user's: status 2, and it stays."""
    bench.write_project((LIB, TOML))
    (bench.project / "filled").write_text("mine")
    done = fill(bench, proxy.url)
    assert done.status == 2, done.text
    assert "[folder-not-ours]" in done.stderr
    assert (bench.project / "filled").read_text() == "mine"
    assert proxy.paths() == []


def test_unwritable_folder_is_told_in_three_lines(bench: Workbench, proxy: WatchedProxy) -> None:
    """A folder that cannot be made (here: below a file, which stops root too): status 5, short, nothing asked."""
    bench.write_project((LIB, TOML))
    (bench.project / "file").write_text("in the way")
    done = fill(bench, proxy.url, folder="file/filled")
    assert done.status == 5, done.text
    assert "[folder-unwritable]" in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert proxy.paths() == []


def test_several_folders_fill_one(bench: Workbench, proxy: WatchedProxy) -> None:
    """One folder serves every module in scope."""
    root = bench.project
    for name, modules in (("a", (LIB, TOML)), ("b", (MAJOR,))):
        bench.project = root / name
        bench.write_project(modules, path=f"example.com/{name}")
    bench.project = root
    done = fill(bench, proxy.url, "--working-directory", "a", "--working-directory", "b")
    assert done.status == 0, done.text
    for name in ("a", "b"):
        offline = bench.go("mod", "download", cwd=root / name, GOPROXY=as_only_proxy(root / "filled"))
        assert offline.status == 0, offline.text


def test_nothing_to_fill_is_said_in_one_line(bench: Workbench, proxy: WatchedProxy) -> None:
    """A module without requirements: status 0, why, and no folder."""
    bench.write_project(())
    done = fill(bench, proxy.url)
    assert (done.status, done.stderr) == (0, "")
    assert facts(done.notice("no-requirements"))["definition"] == bench.project / "go.mod"
    _, record = done.stdout.splitlines()
    assert parse_record(record)
    assert not (bench.project / "filled").exists()


def test_without_git_all_modules_below_are_found(bench: Workbench, proxy: WatchedProxy) -> None:
    """A `.` without go.mod stands for what git tracks below it; without git, for what is there."""
    bench.project = bench.project / "sub"
    bench.write_project((LIB, TOML))
    bench.project = bench.project.parent
    done = bench.run("fill", "filled", GOPROXY=proxy.url, PATH=str(bench.folder / "home"))
    assert done.status == 0, done.text
    assert list((bench.project / "filled").rglob("*.zip"))


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x01
    path.write_bytes(data)


def entry_data(path: Path) -> int:
    """The offset of a byte of the first entry's content."""
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
        return first.header_offset + 30 + len(first.filename) + first.compress_size // 2


def link_to_renamed(path: Path) -> None:
    path.rename(path.with_name("x"))
    path.symlink_to("x")


def put_folder_in_place(path: Path) -> None:
    path.unlink()
    (path / "deep").mkdir(parents=True)


DAMAGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a bit of a zip's content": ("v1.2.3.zip", lambda path: flip(path, entry_data(path))),
    "a zip cut off": ("v1.2.3.zip", lambda path: path.write_bytes(path.read_bytes()[:-40])),
    "a zip that is a web page": ("v1.2.3.zip", lambda path: path.write_bytes(b"<html>")),
    "a bit of a go.mod": ("v1.2.3.mod", lambda path: path.write_bytes(path.read_bytes().replace(b"1.4.0", b"1.4.1"))),
    "an .info of another version": ("v1.2.3.info", lambda path: path.write_bytes(b'{"Version":"v9.9.9"}')),
    "a symbolic link": ("v1.2.3.zip", link_to_renamed),
    "a folder": ("v1.2.3.zip", put_folder_in_place),
}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_is_replaced(bench: Workbench, proxy: WatchedProxy, damage: str) -> None:
    """Only that one is asked for; what Go reads is whole again."""
    bench.write_project((LIB, TOML))
    fill(bench, proxy.url)
    proxy.clear()
    name, harm = DAMAGES[damage]
    harm(bench.project / "filled/example.com/lib/@v" / name)
    done = fill(bench, proxy.url)
    assert done.status == 0, done.text
    assert proxy.paths() == [f"example.com/lib/@v/{name}"]
    assert_whole(proxy, bench.project / "filled")
    assert files_in(bench.project / "filled") == planned_names(bench) | {".gitignore"}


INFOS = {
    "another time": b'{"Version":"v1.2.3","Time":"yesterday"}',
    "an origin that is none": b'{"Version":"v1.2.3","Origin":5}',
    "a name in another case": b'{"Version":"v1.2.3","version":7}',
    "a version twice": b'{"Version":["x"],"Version":"v1.2.3"}',
    "blanks": b'{"Version": "v1.2.3"}',
}


@pytest.mark.parametrize("info", INFOS)
def test_info_that_is_not_as_it_was_written_is_replaced(bench: Workbench, proxy: WatchedProxy, info: str) -> None:
    """No hash protects an .info, and Go ends at one that it cannot read: what we did not write ourselves goes."""
    bench.write_project((LIB, TOML))
    fill(bench, proxy.url)
    folder = bench.project / "filled"
    place = folder / "example.com/lib/@v/v1.2.3.info"
    written = place.read_bytes()
    place.write_bytes(INFOS[info])
    proxy.clear()
    done = fill(bench, proxy.url)
    assert done.status == 0, done.text
    assert proxy.paths() == ["example.com/lib/@v/v1.2.3.info"]
    assert place.read_bytes() == written
    read = bench.go("mod", "download", GOPROXY=as_only_proxy(folder))
    assert read.status == 0, read.text


@pytest.mark.parametrize("damage", ["a bit of a zip's content", "a zip cut off"])
def test_damaged_file_goes_even_where_nobody_can_replace_it(bench: Workbench, proxy: WatchedProxy, damage: str) -> None:
    """A reader asks its next proxy for a file that is not there; over a damaged one it would stumble."""
    bench.write_project((LIB, TOML))
    fill(bench, proxy.url)
    name, harm = DAMAGES[damage]
    harm(bench.project / "filled/example.com/lib/@v" / name)
    done = fill(bench, "off")
    assert done.status == 2
    assert not (bench.project / "filled/example.com/lib/@v" / name).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_nothing_is_written_through_a_link_that_a_cache_brought(bench: Workbench, proxy: WatchedProxy) -> None:
    """A folder of a module's path that leads elsewhere: the link goes, elsewhere stays as it was."""
    bench.write_project((LIB, TOML))
    fill(bench, proxy.url)
    elsewhere = bench.folder / "elsewhere"
    (bench.project / "filled/example.com").rename(elsewhere)
    (bench.project / "filled/example.com").symlink_to(elsewhere)
    before = state(elsewhere)
    assert fill(bench, proxy.url).status == 0
    assert state(elsewhere) == before
    assert not (bench.project / "filled/example.com").is_symlink()
    assert files_in(bench.project / "filled") == planned_names(bench) | {".gitignore"}


def test_folders_nested_deeper_than_python_nests_calls_go(bench: Workbench, proxy: WatchedProxy) -> None:
    bench.write_project((LIB, TOML))
    fill(bench, proxy.url)
    deepest = str(bench.project / "filled/example.com")
    for _ in range(1500):
        deepest += "/a"
        Path(deepest).mkdir()
    assert fill(bench, proxy.url).status == 0
    assert files_in(bench.project / "filled") == planned_names(bench) | {".gitignore"}
    assert not (bench.project / "filled/example.com/a").exists()


def test_whatever_else_a_cache_brought_goes(bench: Workbench, proxy: WatchedProxy) -> None:
    """Lists of versions, toolchains, hashes, half files: a reader would take them for a proxy's word."""
    bench.write_project((LIB, TOML))
    fill(bench, proxy.url)
    for name in ("example.com/lib/@v/list", "golang.org/toolchain/@v/v0.0.1-go1.99.0.linux-amd64.zip", "x/@latest"):
        path = bench.project / "filled" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("v9.9.9\n")
    assert fill(bench, proxy.url).status == 0
    assert files_in(bench.project / "filled") == planned_names(bench) | {".gitignore"}
