"""`go-prefetch fill` where there is a Go: what a cache or a proxy brought is compared with go.sum, and healed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_hostile_zips import CASES, vast
from tests.support.fakes.go_on_path import HANG, GoOnPath, go_with_another_root
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, layout
from tests.support.notices import facts
from tests.support.same_process import prefetch
from tests.support.waiting import wait_for_end
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for go")

TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16", padding=100_000)
LIB = FakeModule("example.com/lib", "v1.2.3", requires=((TOML.path, TOML.version),))
OLDER_LIB = FakeModule("example.com/lib", "v1.0.0")
# Only its go.mod takes part, and not in what `go mod download` reads.
PRUNED = [FakeModule(f"example.com/pruned{number}", "v1.0.0") for number in range(6)]
MODULES = (TOML, LIB, OLDER_LIB, *PRUNED)
ZIP, MOD = "example.com/lib/@v/v1.2.3.zip", "example.com/lib/@v/v1.2.3.mod"
OLDER_ZIP = "example.com/lib/@v/v1.0.0.zip"
PRUNED_MODS = [f"{module.path}/@v/v1.0.0.mod" for module in PRUNED]


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as server:
        yield server


@pytest.fixture
def project(bench: Workbench) -> Workbench:
    pruned = "".join(f"{module.path} {module.version}/go.mod {module.h1_mod}\n" for module in PRUNED)
    bench.write_project((TOML, LIB), extra_go_sum=pruned)
    return bench


def fill(bench: Workbench, goproxy: str, *arguments: str, **variables: str) -> Result:
    report_file = ("--report-file", str(bench.report_file))
    return prefetch(bench, "fill", "filled", *report_file, *arguments, GOPROXY=goproxy, **variables)


def without_go(bench: Workbench) -> str:
    """A PATH on which there is nothing."""
    return str(bench.folder / "home")


def poison(bench: Workbench, *names: str) -> None:
    """As if somebody had written to the cache: valid files of these versions, with something else in them."""
    for name in names:
        path = bench.project / "filled" / name
        path.write_bytes(damaged(name, path.read_bytes()))


def assert_right(bench: Workbench, without: tuple[str, ...] = ()) -> None:
    """Every file of the folder is the authors', and Go alone is content with it."""
    folder = bench.project / "filled"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {".gitignore"}
    expected = layout(MODULES)
    assert names == {name for name in expected if is_planned(name)} - set(without)
    assert {name for name in names if not name.endswith(".info") if read(bench, name) != expected[name]} == set()
    done = bench.go("mod", "download", GOPROXY=f"{folder.as_uri()},off")
    assert done.status == 0, done.text


def is_planned(name: str) -> bool:
    return "v1.0.0" not in name or name in PRUNED_MODS


def rejections(done: Result) -> list[tuple[str, int, str]]:
    """What became of files that Go rejected, how many they were, and where they had come from."""
    found = [facts(notice) | {"case": notice.case} for notice in done.notices if notice.slug == "files-rejected"]
    return sorted((one["case"], one["count"], one["source"]) for one in found)


def read(bench: Workbench, name: str) -> bytes:
    return (bench.project / "filled" / name).read_bytes()


def test_what_is_right_is_verified_and_said(project: Workbench, proxy: ModuleProxy) -> None:
    """Cold and warm; the second time nobody is asked and nothing is written."""
    cold = fill(project, proxy.url)
    assert cold.status == 0, cold.text
    assert_right(project)
    count = 2 * 2 + len(PRUNED)
    assert " by go1." in cold.stdout
    assert (project.report["complete"]["verified"], project.report["warnings"]) == (count, [])
    proxy.clear()
    before = {path: path.stat().st_mtime_ns for path in (project.project / "filled").rglob("*")}
    warm = fill(project, "off")
    assert warm.status == 0, warm.text
    assert project.report["complete"]["verified"] == count
    assert {path: path.stat().st_mtime_ns for path in (project.project / "filled").rglob("*")} == before
    assert proxy.paths() == []
    assert_right(project)


@pytest.mark.parametrize(
    "names", [[ZIP], [MOD], [ZIP, MOD], PRUNED_MODS, [ZIP, *PRUNED_MODS]], ids=["zip", "mod", "both", "mods", "much"]
)
def test_poisoned_folder_is_healed(project: Workbench, proxy: ModuleProxy, names: list[str]) -> None:
    """Go alone would end at a wrong file in each pipeline: it is replaced, said, and the next run finds nothing."""
    fill(project, proxy.url)
    poison(project, *names)
    proxy.clear()
    done = fill(project, proxy.url)
    assert done.status == 0, done.text
    assert_right(project)
    assert set(names) <= set(proxy.paths()) | {MOD}
    assert ("replaced" in [case for case, _, _ in rejections(done)]) == (names != [MOD])
    if ZIP in names:
        rejected = {(one["file"], one["source"]) for one in project.report["complete"]["rejected"]}
        assert (ZIP, f"folder {project.project / 'filled'}") in rejected
    again = fill(project, "off")
    assert again.status == 0, again.text
    assert project.report["warnings"] == []


def test_poisoned_folder_without_go_names_the_way_out(project: Workbench, proxy: ModuleProxy) -> None:
    """It says that nothing was verified; what Go says then is found in errors.md, with the ways to clear a cache."""
    fill(project, proxy.url)
    poison(project, ZIP)
    done = fill(project, proxy.url, PATH=without_go(project))
    assert done.status == 0, done.text
    assert done.notice("go-not-found")
    assert (project.report["complete"]["verified"], project.report["warnings"]) == (None, [])
    assert project.report["complete"]["unverified_because"] != ""
    reader = project.go("mod", "download", GOPROXY=f"{(project.project / 'filled').as_uri()},off")
    assert reader.status != 0
    errors = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
    (section,) = (part for part in errors.split("\n### ") if part.startswith("checksum-mismatch\n"))
    for words in ("checksum mismatch", "SECURITY ERROR"):
        assert words in reader.text
        assert words in section
    for way_out in ("Clear runner caches", "`cache-name`", "golang:"):
        assert way_out in section
    assert fill(project, proxy.url).status == 0  # where there is a Go
    assert_right(project)


@pytest.mark.parametrize("name", [ZIP, MOD, PRUNED_MODS[0]])
def test_wrong_bytes_of_one_proxy_are_taken_from_another(project: Workbench, proxy: ModuleProxy, name: str) -> None:
    with ModuleProxy(MODULES) as evil:
        evil.fault(name, Fault.WRONG_BYTES)
        done = fill(project, f"{evil.url}|{proxy.url}")
        assert done.status == 0, done.text
        assert proxy.paths() == [name]
        assert (project.warnings, rejections(done)) == (["files-rejected"], [("replaced", 1, evil.url)])
    assert_right(project)


@pytest.mark.parametrize("name", [ZIP, MOD])
@pytest.mark.parametrize("on_failure", ["fail", "warn"])
def test_wrong_bytes_everywhere_are_a_security_error(
    project: Workbench, proxy: ModuleProxy, name: str, on_failure: str
) -> None:
    """Status 5 whatever `on-failure` says; nothing wrong stays in the folder, and what Go found right does."""
    with ModuleProxy(MODULES) as evil:
        for server in (evil, proxy):
            server.fault(name, Fault.WRONG_BYTES)
        done = fill(project, f"{evil.url}|{proxy.url}", "--on-failure", on_failure)
        assert done.status == 5, done.text
    mismatch = facts(done.notice("checksum-mismatch"))
    assert (mismatch["module_file"].name, mismatch["sources"]) == (name, (evil.url, proxy.url))
    folder = project.project / "filled"
    assert not (folder / name).exists()
    assert read(project, "github.com/!burnt!sushi/toml/@v/v1.4.0.zip") == TOML.zip
    for path in folder.rglob("*.*"):
        name = path.relative_to(folder).as_posix()
        if path.suffix in (".mod", ".zip"):
            assert path.read_bytes() == layout(MODULES)[name], name


def test_only_proxy_that_is_wrong_is_asked_twice(project: Workbench, proxy: ModuleProxy) -> None:
    """A single wrong answer is replaced by the same proxy's next; a folder's wrong file and its wrong file are two."""
    proxy.fault(ZIP, Fault.WRONG_BYTES, times=1)
    assert fill(project, proxy.url).status == 0
    assert_right(project)
    poison(project, ZIP)
    proxy.fault(ZIP, Fault.WRONG_BYTES)
    done = fill(project, proxy.url)
    assert done.status == 5, done.text
    sources = (f"folder {project.project / 'filled'}", proxy.url)
    assert facts(done.notice("checksum-mismatch"))["sources"] == sources
    assert not (project.project / "filled" / ZIP).exists()


def test_mod_that_nobody_reads_is_only_taken_away(project: Workbench, proxy: ModuleProxy) -> None:
    """As `run` has it: `go mod download` alone would not fail."""
    proxy.fault(PRUNED_MODS[0], Fault.WRONG_BYTES)
    done = fill(project, proxy.url)
    assert done.status == 0, done.text
    assert (project.warnings, rejections(done)) == (["files-rejected"], [("removed", 1, proxy.url)])
    assert_right(project, without=(PRUNED_MODS[0],))


def test_wrong_file_that_no_proxy_replaces_is_missing(project: Workbench, proxy: ModuleProxy) -> None:
    """It does not stay; the run fails as for any file that could not be had, and says why."""
    fill(project, proxy.url)
    poison(project, ZIP)
    done = fill(project, "off")
    assert done.status == 5, done.text
    assert [failure.file.name for failure in facts(done.notice("proxy-unavailable"))["failures"]] == [ZIP]
    assert rejections(done) == [("removed", 1, f"folder {project.project / 'filled'}")]
    assert not (project.project / "filled" / ZIP).exists()
    assert fill(project, proxy.url).status == 0
    assert_right(project)


def test_many_wrong_files_without_a_proxy_keep_right_ones(project: Workbench, proxy: ModuleProxy) -> None:
    """What cannot be replaced is not given up on suspicion: each file goes or stays by Go's verdict on it."""
    fill(project, proxy.url)
    wrong = PRUNED_MODS[1:]
    poison(project, *wrong)
    done = fill(project, "off")
    assert done.status == 5, done.text
    assert_right(project, without=tuple(wrong))


def test_several_versions_of_a_path_are_verified(bench: Workbench, proxy: ModuleProxy) -> None:
    """A workspace may need two versions of one module, which one go.mod cannot require."""
    for name, lib in (("a", LIB), ("b", OLDER_LIB)):
        bench.project = bench.folder / "project" / name
        bench.write_project((lib, TOML), path=f"example.com/{name}")
    bench.project = bench.folder / "project"
    scope = ("--working-directory", "a\nb")
    assert fill(bench, proxy.url, *scope).status == 0
    poison(bench, ZIP, OLDER_ZIP)
    proxy.clear()
    done = fill(bench, proxy.url, *scope)
    assert done.status == 0, done.text
    assert sorted(path for path in proxy.paths() if path.endswith(".zip")) == [OLDER_ZIP, ZIP]
    assert (read(bench, ZIP), read(bench, OLDER_ZIP)) == (LIB.zip, OLDER_LIB.zip)


def test_two_hashes_are_for_the_reader_to_judge(bench: Workbench, proxy: ModuleProxy) -> None:
    """Which one counts is not for us to say: the file stays, and is not counted as verified."""
    other = f"{LIB.path} {LIB.version} {TOML.h1_zip}\n"
    bench.write_project((TOML, LIB), extra_go_sum=other)
    done = fill(bench, proxy.url)
    assert done.status == 0, done.text
    assert (bench.report["complete"]["verified"], bench.report["complete"]["unverified_because"]) == (3, "")
    assert read(bench, ZIP) == LIB.zip


def test_private_module_that_is_wrong_goes_and_is_left_to_go(project: Workbench, proxy: ModuleProxy) -> None:
    """No proxy may be asked for it; Go, which reads the folder, fetches it itself."""
    fill(project, proxy.url)
    poison(project, ZIP)
    proxy.clear()
    done = fill(project, proxy.url, GOPRIVATE="example.com/lib")
    assert done.status == 0, done.text
    assert proxy.paths() == []
    assert not (project.project / "filled" / ZIP).exists()
    assert list(map(str, facts(done.notice("private-left-to-go"))["modules"])) == ["example.com/lib@v1.2.3"]


LIARS = {
    "content": 'echo "all modules verified"; exit 0',
    "silent": "exit 0",
    "silent-and-status-1": "exit 1",
    "names-all-but-the-canary": '"$GO" "$@" 2>&1 | grep -v zzzz >&2; exit 1',
    "names-the-canary-for-another-reason": '"$GO" "$@" 2>&1 | sed "s/zip has/dir has/" >&2; exit 1',
    "a-reason-of-another-kind": '"$GO" "$@" 2>&1 | sed "s/^\\(ex.*\\): zip .*/\\1: no such file/" >&2; exit 1',
    "another-line": 'echo "a line" >&2',
    "a-module-that-is-not-there": 'echo "example.com/x v1.0.0: zip has been modified (/x)" >&2',
    "status-0-with-the-right-words": '"$GO" "$@"; exit 0',
    "killed": '"$GO" "$@"; kill -9 $$',
}
OF_VERIFY = {name: f'if [ "$2" = verify ]; then {script}; fi' for name, script in LIARS.items()}
OF_LIST = {
    "lists-nothing": 'case "$*" in *Version*all) exit 0;; esac',
    "lists-no-canary": 'case "$*" in *Version*all) "$GO" "$@" | grep -v zzzz; exit 0;; esac',
    "fails-at-all": "exit 3",
}


@pytest.fixture(params=OF_VERIFY | OF_LIST)
def liar(request: pytest.FixtureRequest) -> str:
    script: str = (OF_VERIFY | OF_LIST)[request.param]
    return script


def test_go_that_does_not_prove_itself_is_not_believed(
    project: Workbench, proxy: ModuleProxy, tmp_path: Path, liar: str
) -> None:
    """No verdict: the files stay, poisoned as one is, with a warning that they were not verified; status 0."""
    fill(project, proxy.url)
    poison(project, ZIP)
    wrong = read(project, ZIP)
    go = go_with_another_root(tmp_path / "bin", liar)
    done = fill(project, proxy.url, PATH=go.path)
    assert done.status == 0, done.text
    assert project.warnings == ["folder-not-verified"]
    assert facts(done.notice("folder-not-verified"))["cause"] == done.notice("inconclusive")
    assert project.report["complete"]["unverified_because"] != ""
    assert read(project, ZIP) == wrong


@pytest.mark.parametrize("links", [True, False], ids=["links", "copies"])
def test_wrong_file_hidden_while_go_looks_is_still_replaced(
    project: Workbench, proxy: ModuleProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    """Go has names of its own for the zips, in a private folder: it reads the wrong one all the same."""
    if not links:

        def no_links(*names: object, **options: object) -> None:
            raise OSError

        monkeypatch.setattr("os.link", no_links)
    fill(project, proxy.url)
    poison(project, ZIP)
    place = project.project / "filled" / ZIP
    hidden = f'mv "{place}" "{tmp_path}/away"; cp "{tmp_path}/right" "{place}"'
    (tmp_path / "right").write_bytes(LIB.zip)
    go = go_with_another_root(
        tmp_path / "bin",
        f'if [ "$2" = verify ]; then {hidden}; "$GO" "$@"; status=$?; mv "{tmp_path}/away" "{place}"; exit $status; fi',
    )
    done = fill(project, proxy.url, PATH=go.path)
    assert done.status == 0, done.text
    assert rejections(done) == [("replaced", 1, f"folder {project.project / 'filled'}")]


@pytest.mark.slow
def test_go_that_hangs_holds_nothing(project: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """It has four times `stall-timeout`; it is ended with its children, and the files stay."""
    go = go_with_another_root(tmp_path / "bin", f'HERE={tmp_path}/bin; if [ "$2" = verify ]; then {HANG}; fi')
    done = fill(project, proxy.url, "--stall-timeout", "1s", PATH=go.path)
    assert done.status == 0, done.text
    assert (project.warnings, done.notice("inconclusive").case) == (["folder-not-verified"], "not-ended")
    assert go.pids()
    for pid in go.pids():
        wait_for_end(pid)


@pytest.mark.parametrize(
    ("on_env", "slug"),
    [
        ('echo \'{"GOROOT": "/x", "GOVERSION": "go1.20.14"}\'; exit 0', "go-too-old"),
        ("echo broken >&2; exit 2", "go-failed"),
        ("echo '{}'; exit 0", "go-failed"),
    ],
    ids=["too old", "broken", "says nothing"],
)
def test_go_that_is_of_no_use_is_said_once(
    project: Workbench, proxy: ModuleProxy, tmp_path: Path, on_env: str, slug: str
) -> None:
    go = GoOnPath(tmp_path / "bin", on_env=on_env)
    done = fill(project, proxy.url, PATH=go.path)
    assert done.status == 0, done.text
    assert project.warnings == ["folder-not-verified"]
    assert facts(done.notice("folder-not-verified"))["cause"].slug == slug
    assert project.report["complete"]["verified"] is None
    assert_right(project)


def test_variables_that_go_heeds_change_nothing(project: Workbench, proxy: ModuleProxy) -> None:
    """GOFLAGS, GOWORK or a GONOSUMDB of the job do not bend what Go says of the folder."""
    fill(project, proxy.url)
    poison(project, ZIP)
    bent = {"GOWORK": "off", "GOFLAGS": "-mod=mod", "GONOSUMCHECK": "1", "GONOSUMDB": "*"}
    done = fill(project, proxy.url, "--save-private", "true", **bent)
    assert read(project, ZIP) == LIB.zip, done.text


def test_summary_says_whether_go_has_verified(project: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """In GitLab's summary too, which is what people look at."""
    reports = {"CI_JOB_ID": "1", "CI_PROJECT_DIR": str(project.project), "GO_PREFETCH_REPORTS": "reports"}
    fill(project, proxy.url, **reports)
    summary = (project.project / "reports" / "summary.md").read_text()
    assert "verified: `10 files by go1." in summary
    fill(project, proxy.url, PATH=without_go(project), **reports)
    summary = (project.project / "reports" / "summary.md").read_text()
    assert re.search("verified: `+no: ", summary)


def test_report_is_json_of_its_schema(project: Workbench, proxy: ModuleProxy) -> None:
    import jsonschema

    schema = json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text())
    for variables in ({}, {"PATH": without_go(project)}):
        fill(project, proxy.url, **variables)
        jsonschema.validate(project.report, schema)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, make in CASES.items() if make is not vast])
def test_hostile_zip_in_the_folder_never_reaches_a_reader(bench: Workbench, name: str) -> None:
    """However it is made: it is replaced, or it is what go.sum says and plain Go takes it too."""
    lib = FakeModule("example.com/lib", "v1.2.3")
    bench.write_project([lib])
    with ModuleProxy([lib]) as honest:
        assert fill(bench, honest.url).status == 0
        (bench.project / "filled" / ZIP).write_bytes(CASES[name]().data)
        done = fill(bench, honest.url)
    assert done.status == 0, done.text
    assert project_reads(bench).status == 0


def project_reads(bench: Workbench) -> Result:
    return bench.go("mod", "download", GOPROXY=f"{(bench.project / 'filled').as_uri()},off")
