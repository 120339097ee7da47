"""`go-prefetch plan`: what it prints, and what moves the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.fakes.modules import FakeModule, layout, write_proxy_folder
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3", requires=(("github.com/BurntSushi/toml", "v1.4.0"),))
TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0")
UNPLANNED = FakeModule("example.com/lib", "v1.2.2")
ZIP_OF_UNPLANNED = UNPLANNED.go_sum.splitlines(keepends=True)[0]


@pytest.fixture
def project(bench: Workbench) -> Path:
    bench.write_project((LIB, TOML))
    return bench.project


def planned(bench: Workbench, *arguments: str, **variables: str) -> dict[str, Any]:
    """The plan as JSON; nothing else may be printed."""
    done = prefetch(bench, "plan", "--format", "json", *arguments, **variables)
    assert (done.status, done.stderr) == (0, "")
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def test_a_misspelt_variable_is_told_and_changes_nothing(bench: Workbench, project: Path) -> None:
    """With the name that was meant, never with its value, and not on stdout."""
    done = prefetch(bench, "plan", "--format", "json", GO_PREFETCH_GO_PROXY="https://me:s3cr3t@example.com")
    assert json.loads(done.stdout) == planned(bench)
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("[unknown-variable]\n")
    assert "s3cr3t" not in done.stderr
    assert done.status == 0


def test_json_names_key_modules_and_files(bench: Workbench, project: Path) -> None:
    """The key stands beside its parts, the modules beside their files, each file with whether it is there."""
    plan = planned(bench)
    assert plan["schema"] == 1
    assert plan["disabled_because"] == ""
    parts = plan["key_parts"]
    assert parts["cache_name"] == "example.com/app"
    assert parts["gosum_lines"] == 4
    assert plan["key"].startswith("go-prefetch-1-")
    assert plan["key"].endswith(f"-{parts['gosum_digest']}")
    assert plan["modules"] == ["example.com/lib@v1.2.3", "github.com/BurntSushi/toml@v1.4.0"]
    assert {file["name"] for file in plan["files"]} == set(layout((LIB, TOML)))
    assert not any(file["present"] for file in plan["files"])
    assert plan["gomodcache"] == str(bench.modcache)
    assert plan["folder"] == str(bench.download_folder)
    assert plan["definitions"] == [
        {"file": str(project / "go.mod"), "modules": ["example.com/app"], "explicit": False},
    ]


def test_files_of_the_module_cache_are_marked_present(bench: Workbench, project: Path) -> None:
    """A file counts as there if it is there and not empty; a module only with all three of its files."""
    write_proxy_folder(bench.download_folder, (LIB, TOML))
    toml = bench.download_folder / "github.com/!burnt!sushi/toml/@v"
    (toml / "v1.4.0.info").unlink()
    (toml / "v1.4.0.mod").write_bytes(b"")
    absent = {file["name"] for file in planned(bench)["files"] if not file["present"]}
    assert absent == {f"github.com/!burnt!sushi/toml/@v/v1.4.0.{kind}" for kind in ("info", "mod")}
    text = bench.run("plan", "--modules").stdout
    assert "modules      2, of which 1 are present" in text
    assert "files        2 .zip, 2 .mod, 2 .info; 2 missing" in text
    assert "  example.com/lib@v1.2.3 (present)\n" in text
    assert "  github.com/BurntSushi/toml@v1.4.0\n" in text


def test_text_explains_the_key_part_by_part(bench: Workbench, project: Path) -> None:
    """Whoever wonders why a key changed sees the format, the cache name and the digest of the go.sum lines."""
    key = planned(bench)["key"]
    done = bench.run("plan")
    assert (done.status, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["key", key]
    explained = "\n".join(lines[1:4])
    assert "go-prefetch-1 " in explained
    assert "'example.com/app'" in explained
    assert f"4 lines for planned files, sorted, each once: {key.rpartition('-')[2][:16]}" in explained
    assert str(bench.modcache) in done.stdout
    assert str(project / "go.mod") in done.stdout
    assert "toml@v1.4.0" not in done.stdout  # only with --modules


SAME_KEY: dict[str, Callable[[bytes], bytes]] = {
    "CRLF": lambda gosum: gosum.replace(b"\n", b"\r\n"),
    "other order": lambda gosum: b"".join(reversed(gosum.splitlines(keepends=True))),
    "every line twice": lambda gosum: gosum + gosum,
    "no newline at the end": lambda gosum: gosum.rstrip(b"\n"),
    "blank lines": lambda gosum: gosum.replace(b"\n", b"\n\n"),
    "other blanks": lambda gosum: gosum.replace(b" ", b" \t "),
    "a zip line that is not planned": lambda gosum: ZIP_OF_UNPLANNED.encode() + gosum,
}

OTHER_KEY: dict[str, Callable[[bytes], bytes]] = {
    "the hash of a zip": lambda gosum: gosum.replace(LIB.h1_zip.encode(), UNPLANNED.h1_zip.encode()),
    "the hash of a go.mod": lambda gosum: gosum.replace(LIB.h1_mod.encode(), UNPLANNED.h1_zip.encode()),
    "one more go.mod": lambda gosum: gosum + UNPLANNED.go_sum.splitlines(keepends=True)[1].encode(),
    "one line less": lambda gosum: gosum.partition(b"\n")[2],
}


@pytest.mark.parametrize("edit", [pytest.param(edit, id=name) for name, edit in SAME_KEY.items()])
def test_key_stands_on_content_alone(bench: Workbench, project: Path, edit: Callable[[bytes], bytes]) -> None:
    """However go.sum is written, the same lines make the same key."""
    before = planned(bench)["key"]
    gosum = project / "go.sum"
    gosum.write_bytes(edit(gosum.read_bytes()))
    assert planned(bench)["key"] == before


@pytest.mark.parametrize("edit", [pytest.param(edit, id=name) for name, edit in OTHER_KEY.items()])
def test_key_moves_with_every_planned_line(bench: Workbench, project: Path, edit: Callable[[bytes], bytes]) -> None:
    """One changed hash, one line more or less: another key under the same cache name."""
    before = planned(bench)
    gosum = project / "go.sum"
    gosum.write_bytes(edit(gosum.read_bytes()))
    after = planned(bench)
    assert after["key"] != before["key"]
    assert after["key_parts"]["cache_name"] == before["key_parts"]["cache_name"]


def test_cache_name_changes_the_first_part_of_the_key_only(bench: Workbench, project: Path) -> None:
    """Another cache name is another lineage of the same go.sum lines."""
    before, after = planned(bench), planned(bench, "--cache-name", "afresh")
    assert after["key_parts"] == {**before["key_parts"], "cache_name": "afresh"}
    digest = before["key_parts"]["gosum_digest"]
    assert after["key"] != before["key"]
    assert len(after["key"]) == len(before["key"])
    assert after["key"].endswith(digest)


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"GOOS": "windows", "GOARCH": "arm64"}, id="another platform"),
        pytest.param({"GITHUB_REF": "refs/heads/x", "GITHUB_WORKFLOW": "w", "GITHUB_RUN_ID": "7"}, id="another run"),
        pytest.param({"GOFLAGS": "-tags=x"}, id="other flags"),
    ],
)
def test_surroundings_are_not_part_of_the_key(bench: Workbench, project: Path, variables: dict[str, str]) -> None:
    """No operating system, branch, workflow or flag: one entry serves all of them."""
    assert planned(bench, **variables)["key"] == planned(bench)["key"]


def test_warnings_go_to_stderr_and_into_the_json(bench: Workbench, project: Path) -> None:
    """An ignored line is told by file and number; the JSON on stdout stays whole."""
    with (project / "go.sum").open("a") as gosum:
        gosum.write("example.com/lib v1.2.3 h2:abc=\n")
    done = bench.run("plan", "--format", "json")
    assert done.status == 0
    (warning,) = json.loads(done.stdout)["warnings"]
    assert warning.startswith(f"{project / 'go.sum'}:5: ")
    assert done.stderr == f"warning: {warning}\n"


def test_private_modules_are_left_to_go(bench: Workbench, project: Path) -> None:
    """What GOPRIVATE matches is planned, and told as Go's own business."""
    assert planned(bench, GOPRIVATE="example.com")["left_to_go"] == ["example.com/lib@v1.2.3"]
    assert planned(bench, GOPRIVATE="example.com", GONOPROXY="none")["left_to_go"] == []


def test_nothing_to_plan_is_said_in_one_line(bench: Workbench) -> None:
    """A module without requirements has a plan without files that says why."""
    bench.write_project(())
    plan = planned(bench)
    assert plan["disabled_because"] == f"{bench.project / 'go.mod'} requires no modules"
    assert plan["files"] == plan["modules"] == plan["definitions"] == []
    assert bench.run("plan").stdout == f"nothing to do: {plan['disabled_because']}\n"


def test_plan_asks_no_proxy_and_makes_no_folder(bench: Workbench, project: Path) -> None:
    """A plan is a look: no module cache, no pool and no file comes into being."""
    before = sorted(bench.folder.rglob("*"))
    planned(bench, GOPROXY="http://127.0.0.1:1")
    assert sorted(path for path in bench.folder.rglob("*") if "home" not in path.parts) == [
        path for path in before if "home" not in path.parts
    ]


def test_unknown_directive_ends_plan_and_run_alike(bench: Workbench, project: Path) -> None:
    with (project / "go.mod").open("a") as file:
        file.write("frobnicate x\n")
    write_proxy_folder(bench.folder / "proxy", (LIB, TOML))
    plan, run = bench.run("plan"), bench.run("run", "--goproxy", (bench.folder / "proxy").as_uri())
    assert plan.status == run.status == 4
    assert "unknown directive: frobnicate" in plan.stderr
    assert plan.stderr.splitlines()[-1].endswith("#go-failed")


def test_directive_that_go_knows_is_no_error(bench: Workbench, project: Path) -> None:
    with (project / "go.mod").open("a") as file:
        file.write("retract (\n\tv1.0.0 // frobnicate\n)\n")
    assert bench.run("plan").status == 0


def test_without_go_the_way_out_is_named(bench: Workbench, project: Path) -> None:
    """`plan` asks Go for its variables: without one it ends with status 4 and names what needs none."""
    done = bench.run("plan", PATH=str(bench.folder))
    assert (done.status, done.stdout) == (4, "")
    assert "[go-not-found]" in done.stderr
    assert "fill" in done.stderr
