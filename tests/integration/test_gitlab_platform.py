"""go-prefetch in a GitLab job: sections, report files, what stays in the folder, and the note of the merge request."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.go_on_path import GoOnPath
from tests.support.fakes.loopback import LoopbackServer, LoopbackService, Quiet
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", padding=100_000)
LIB = FakeModule("example.com/lib", "v1.2.3")
CORP = FakeModule("corp.example/lib", "v0.1.0")
TOKEN = "glpat-averysecrettoken"
SECTION = re.compile(r"\x1b\[0Ksection_(start|end):\d+:(\w+)(\[collapsed=true\])?\r\x1b\[0K")


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy((TOML, LIB, CORP)) as server:
        yield server


def job(bench: Workbench, *arguments: str, **variables: str) -> Result:
    """A command in a job of the project."""
    environ = {
        "CI_PROJECT_DIR": str(bench.project),
        "CI_JOB_ID": "7",
        "CI_JOB_URL": "https://gitlab.example.com/org/app/-/jobs/7",
        "CI_PROJECT_VISIBILITY": "public",
        "GO_PREFETCH_REPORTS": ".reports",
        "NO_COLOR": "1",
    }
    return prefetch(bench, *arguments, **{**environ, **variables})


def fill(bench: Workbench, proxy: ModuleProxy, *arguments: str, **variables: str) -> Result:
    return job(bench, "fill", ".go-prefetch", *arguments, **{"GOPROXY": proxy.url, **variables})


def outputs(bench: Workbench) -> dict[str, str]:
    lines = (bench.project / ".reports" / "outputs.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_sections_are_opened_and_closed_in_pairs(bench: Workbench, proxy: ModuleProxy) -> None:
    """GitLab folds what lies between; the result stands outside. A step with one line needs no section."""
    bench.write_project((LIB, TOML))
    for module in (LIB, TOML):
        proxy.fault(f"*/{module.version}.zip", Fault.SERVER_ERROR, times=1)
    done = fill(bench, proxy)
    assert done.status == 0, done.text
    marks = SECTION.findall(done.stdout)
    assert [mark[:2] for mark in marks] == [
        ("start", "go_prefetch_failed_attempts"),
        ("end", "go_prefetch_failed_attempts"),
    ]
    assert "go-prefetch: miss" in done.stdout[done.stdout.rindex("section_end") :]


def test_fill_measures_the_time_saved(bench: Workbench, proxy: ModuleProxy) -> None:
    """By notes in the folder that GitLab keeps. Nothing is written by a fill that downloads nothing."""
    bench.write_project((LIB, TOML))
    assert fill(bench, proxy).status == 0
    assert outputs(bench)["GO_PREFETCH_SECONDS_SAVED"] == ""
    folder = bench.project / ".go-prefetch"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert any(path.parent.name == "runs" for path in before)
    assert fill(bench, proxy).status == 0
    assert outputs(bench)["GO_PREFETCH_SECONDS_SAVED"] != ""
    assert "is not counted" in " ".join((bench.project / ".reports" / "summary.md").read_text().split())
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_fill_of_a_folder_that_is_not_kept_has_no_notes(bench: Workbench, proxy: ModuleProxy) -> None:
    """A folder that is put into an image or an archive has the same bytes each time."""
    bench.write_project((LIB,))
    assert job(bench, "fill", str(bench.folder / "elsewhere"), GOPROXY=proxy.url).status == 0
    assert not (bench.folder / "elsewhere" / ".go-prefetch").exists()


def test_fill_reports_what_run_would(bench: Workbench, proxy: ModuleProxy) -> None:
    """Miss, exact, partial, by what the folder held; the summary and its link."""
    bench.write_project((LIB,))
    results = []
    for modules in ((LIB,), (LIB,), (LIB, TOML)):
        bench.write_project(modules)
        assert fill(bench, proxy).status == 0
        results.append(outputs(bench)["GO_PREFETCH_CACHE_RESULT"])
    assert results == ["miss", "exact", "partial"]
    assert outputs(bench)["GO_PREFETCH_MODULES_FROM_CACHE"] == "1"
    assert "partial" in (bench.project / ".reports" / "summary.md").read_text()
    (link,) = json.loads((bench.project / ".reports" / "annotations.json").read_text())["go-prefetch"]
    assert link["external_link"]["url"].endswith("/-/jobs/7/artifacts/file/.reports/summary.md")


def test_reports_that_cannot_be_written_are_a_warning(bench: Workbench, proxy: ModuleProxy) -> None:
    """A file in the folder's place."""
    bench.write_project((LIB,))
    (bench.project / ".reports").write_text("mine")
    done = fill(bench, proxy)
    assert done.status == 0, done.text
    assert "[reports-unwritable]" in done.stdout


def with_password(proxy: ModuleProxy) -> str:
    return proxy.url.replace("http://", "http://user:word@")


def test_reports_outside_the_project_have_no_link(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """No artifact can show them, and that is no reason to fail."""
    bench.write_project([LIB])
    done = fill(bench, proxy, GO_PREFETCH_REPORTS=str(tmp_path / "reports"))
    assert done.status == 0, done.text
    assert {path.name for path in (tmp_path / "reports").iterdir()} >= {"summary.md", "outputs.env"}
    assert not (tmp_path / "reports" / "annotations.json").exists()


@pytest.mark.parametrize(
    ("visibility", "flags", "kept"),
    [
        ("private", (), True),
        ("internal", (), False),
        ("public", (), False),
        ("public", ("--save-private", "true"), True),
        ("private", ("--save-private", "false"), False),
    ],
)
def test_files_of_a_proxy_with_credentials_stay_private(
    bench: Workbench, proxy: ModuleProxy, visibility: str, flags: tuple[str, ...], kept: bool
) -> None:
    """The cache is for everyone who can run a pipeline."""
    bench.write_project((CORP,))
    done = fill(bench, proxy, *flags, GOPROXY=with_password(proxy), CI_PROJECT_VISIBILITY=visibility)
    assert done.status == 0, done.text
    assert bool(bench.module_files(bench.project / ".go-prefetch")) is kept
    assert ("[credentialed-not-kept]" in done.stdout) is not kept
    assert "word" not in done.text.replace("password", "")


@pytest.mark.parametrize(("visibility", "kept"), [("private", True), ("public", False)])
def test_modules_without_checksum_database_too(
    bench: Workbench, proxy: ModuleProxy, visibility: str, kept: bool
) -> None:
    """GONOSUMDB marks them as private; they go even if an earlier job has left them there."""
    bench.write_project((CORP, LIB))
    assert fill(bench, proxy).status == 0
    done = fill(bench, proxy, GONOSUMDB="corp.example", CI_PROJECT_VISIBILITY=visibility)
    assert done.status == 0, done.text
    names = bench.module_files(bench.project / ".go-prefetch")
    assert ("corp.example/lib/@v/v0.1.0.zip" in names) is kept
    assert "example.com/lib/@v/v1.2.3.zip" in names


def test_folder_outside_the_project_is_nobodys_cache(bench: Workbench, proxy: ModuleProxy) -> None:
    """What GitLab does not carry may hold everything."""
    bench.write_project((CORP,))
    done = job(bench, "fill", str(bench.folder / "volume"), GOPROXY=with_password(proxy))
    assert done.status == 0, done.text
    assert bench.module_files(bench.folder / "volume")


def test_run_keeps_a_carried_pool_to_the_plan(bench: Workbench, proxy: ModuleProxy) -> None:
    """A pool in the project folder is the cache: it must not grow, nor be seen by git. One outside it is shared."""
    pools = {"carried": bench.project / ".go-prefetch", "shared": bench.folder / "pool"}
    for pool in pools.values():
        for modules in ((LIB, TOML), (LIB,)):
            bench.write_project(modules)
            bench.forget_modcache()
            done = job(bench, "run", "--store", f"dir:{pool}", GOPROXY=proxy.url)
            assert done.status == 0, done.text
    toml = "github.com/!burnt!sushi/toml/@v/v1.4.0.zip"
    assert toml not in bench.module_files(pools["carried"])
    assert "example.com/lib/@v/v1.2.3.zip" in bench.module_files(pools["carried"])
    assert len(list(pools["carried"].glob(".go-prefetch/runs/*"))) == 1  # it measured a file that is still there
    assert (pools["carried"] / ".gitignore").read_text().endswith("\n*\n")
    assert toml in bench.module_files(pools["shared"])


def test_exact_run_writes_nothing_into_a_carried_pool(bench: Workbench, proxy: ModuleProxy) -> None:
    """Or the runner would upload it again."""
    bench.write_project((LIB, TOML))
    pool = bench.project / ".go-prefetch"
    times = []
    for _ in range(2):
        bench.forget_modcache()
        assert job(bench, "run", "--store", f"dir:{pool}", GOPROXY=proxy.url).status == 0
        times.append({str(path): path.stat().st_mtime_ns for path in [pool, *pool.rglob("*")]})
    assert times[0] == times[1]
    assert outputs(bench)["GO_PREFETCH_CACHE_RESULT"] == "exact"


def test_pool_with_other_things_is_left_as_it_is(bench: Workbench, proxy: ModuleProxy) -> None:
    """In the project folder, but not made by us: nothing goes."""
    bench.write_project((LIB,))
    (bench.project / "pool").mkdir()
    (bench.project / "pool" / "notes.txt").write_text("mine")
    assert job(bench, "run", "--store", "dir:pool", GOPROXY=proxy.url).status == 0
    assert (bench.project / "pool" / "notes.txt").read_text() == "mine"


class Notes(LoopbackService):
    """The notes of one merge request, as GitLab's API has them."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: dict[int, str] = {1: "a word from somebody"}
        self.authorizations: set[str | None] = set()
        self.status = 0  # answered instead, if set

    def serve(self) -> LoopbackServer[Notes]:
        return LoopbackServer(self, _NotesHandler)

    @property
    def variables(self) -> dict[str, str]:
        """Of a job that is to leave a note."""
        return {
            "GO_PREFETCH_MERGE_REQUEST_NOTE": "true",
            "GO_PREFETCH_NOTE_TOKEN": TOKEN,
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "3",
        }


class _NotesHandler(Quiet, BaseHTTPRequestHandler):
    server: LoopbackServer[Notes]

    def do_GET(self) -> None:
        bodies = self.server.owner.bodies if "page=1" in self.path.split("&")[-1:] else {}
        self._answer(200, [{"id": number, "body": body} for number, body in bodies.items()])

    def do_POST(self) -> None:
        bodies = self.server.owner.bodies
        bodies[max(bodies) + 1] = self._body()
        self._answer(201, {})

    def do_PUT(self) -> None:
        self.server.owner.bodies[int(self.path.rpartition("/")[2])] = self._body()
        self._answer(200, {})

    def _body(self) -> str:
        said: dict[str, str] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return said["body"]

    def _answer(self, status: int, values: Any) -> None:
        notes = self.server.owner
        notes.authorizations.add(self.headers.get("Authorization"))
        self.say(notes.status or status, b"<html>" if notes.status == 200 else json.dumps(values).encode())


@pytest.fixture
def notes() -> Iterator[Notes]:
    with Notes() as served:
        yield served


def test_one_note_is_written_and_renewed(bench: Workbench, proxy: ModuleProxy, notes: Notes) -> None:
    """Not one for each pipeline; other people's stay."""
    bench.write_project((LIB,))
    first = fill(bench, proxy, **notes.variables)
    assert sorted(notes.bodies) == [1, 2]
    again = fill(bench, proxy, **notes.variables)
    assert sorted(notes.bodies) == [1, 2]
    assert notes.bodies[1] == "a word from somebody"
    assert "exact" in notes.bodies[2]
    assert notes.authorizations == {f"Bearer {TOKEN}"}
    assert TOKEN not in first.text + again.text


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_refused_note_is_one_line_of_the_log(bench: Workbench, proxy: ModuleProxy, notes: Notes, status: int) -> None:
    """Also where the answer is a web page."""
    notes.status = status
    bench.write_project((LIB,))
    done = fill(bench, proxy, **notes.variables)
    assert done.status == 0, done.text
    assert done.stdout.count("[merge-request-note]") == 1
    assert list(notes.bodies) == [1]


@pytest.mark.parametrize(
    ("missing", "case"), [("CI_MERGE_REQUEST_IID", "no-merge-request"), ("GO_PREFETCH_NOTE_TOKEN", "no-token")]
)
def test_note_that_cannot_be_is_explained(
    bench: Workbench, proxy: ModuleProxy, notes: Notes, missing: str, case: str
) -> None:
    """In one line of the log, and without a request."""
    bench.write_project((LIB,))
    done = fill(bench, proxy, **{**notes.variables, missing: ""})
    assert done.stdout.count("[merge-request-note]") == 1
    assert done.notice("merge-request-note").case == case
    assert notes.authorizations == set()


def test_no_note_without_being_asked(bench: Workbench, proxy: ModuleProxy, notes: Notes) -> None:
    """A token alone is no request."""
    bench.write_project((LIB,))
    assert fill(bench, proxy, **{**notes.variables, "GO_PREFETCH_MERGE_REQUEST_NOTE": "false"}).status == 0
    assert notes.authorizations == set()


@pytest.mark.skipif(sys.platform == "win32", reason="the spy is a shell script")
def test_note_token_is_not_in_the_environment_of_go(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """Nor is any other variable that go has no use for."""
    bench.write_project((LIB,))
    spy = GoOnPath(tmp_path / "bin", on_download='env >> "$HERE/seen"', on_env='env >> "$HERE/seen"')
    done = job(bench, "run", "--store", "none", GOPROXY=proxy.url, PATH=spy.path, GO_PREFETCH_NOTE_TOKEN=TOKEN)
    assert done.status == 0, done.text
    seen = spy.folder / "seen"
    assert "GOPROXY" in seen.read_text()
    assert TOKEN not in seen.read_text()
