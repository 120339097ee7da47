"""Words of others in what we print: no command to a CI system, no control characters, no secret put together again."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from go_prefetch.platforms.console import Loudness
from go_prefetch.platforms.github import GitHub
from tests.support.fakes.modules import FakeModule
from tests.support.same_process import prefetch
from tests.support.workbench import Result, Workbench

COMMAND = "::warning::not ours"
ON_GITHUB = {"GITHUB_ACTIONS": "true"}


def assert_no_command(result: Result) -> None:
    """The runner takes a line for a command that begins with `::`, after blanks, or has `##[` anywhere."""
    lines = result.stdout.splitlines()
    assert [line for line in lines if line.lstrip().startswith(COMMAND) or ("##[" in line and "::" not in line)] == []
    assert "Traceback" not in result.text


@pytest.fixture
def named(bench: Workbench) -> str:
    """A repository with a folder whose name holds a command, and a module without requirements in it."""
    name = f"lib\n{COMMAND}\n##[error]x"
    folder = bench.project / name
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example.com/lib\n\ngo 1.21\n")
    for argv in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *argv], cwd=bench.project, check=True)
    return name


@pytest.mark.parametrize("command", [["run"], ["plan"], ["plan", "--format", "github"], ["fill", "out"]])
@pytest.mark.usefixtures("named")
def test_the_name_of_a_folder_is_no_command(bench: Workbench, command: list[str]) -> None:
    result = bench.run(*command, GOPROXY="off", **ON_GITHUB)
    assert result.status == 0, result.text
    assert_no_command(result)


VARIABLES = (
    "GOPROXY", "GOFLAGS", "GOPRIVATE", "GOMODCACHE", "GOSUMDB", "HTTP_PROXY", "NO_PROXY", "NETRC", "REQUESTS_CA_BUNDLE",
    "XDG_CACHE_HOME", "GO_PREFETCH_STORE", "GO_PREFETCH_CACHE_NAME", "GO_PREFETCH_GOPROXY", "GO_PREFETCH_TRACE",
    "GO_PREFETCH_WORKING_DIRECTORY", "GO_PREFETCH_JOBBS",
)  # fmt: skip


@pytest.mark.parametrize(
    ("command", "variable"), [*(("run", name) for name in VARIABLES), ("doctor", "GOPROXY"), ("doctor", "GOFLAGS")]
)
def test_a_newline_in_a_variable_brings_no_command(bench: Workbench, command: str, variable: str) -> None:
    """Whoever sets one variable of a job is not to speak to the runner, nor to break us."""
    bench.write_project([FakeModule("example.com/lib", "v1.0.0")])
    beginning = {
        "GOPROXY": "http://127.0.0.1:1",
        "GOFLAGS": "-modcacherw",
        "GO_PREFETCH_STORE": "dir:",
        "GOSUMDB": "off",
    }
    value = f"{beginning.get(variable, str(bench.folder))}\n{COMMAND}\n##[error]x\n"
    quick = {"GOPROXY": "http://127.0.0.1:1", "GO_PREFETCH_ATTEMPTS": "1", "GO_PREFETCH_STORE": "none"}
    result = prefetch(bench, command, **ON_GITHUB, **(quick | {variable: value}))
    assert result.status in (0, 1, 2, 4, 5), result.text
    assert_no_command(result)


def test_a_dockerfile_prints_no_command(bench: Workbench) -> None:
    """JSON can hold newlines in one word."""
    bench.project.mkdir()
    (bench.project / "Dockerfile").write_text(f"""FROM golang:1.26
COPY ["cmd/\\n{COMMAND}", "./"]
RUN go mod download
RUN go build ./...
""")
    result = bench.run("docker", "--check", "Dockerfile", **ON_GITHUB)
    assert result.status == 1, result.text
    assert "copy-before-download" in result.stdout
    assert_no_command(result)


def test_a_file_name_that_is_no_text_is_printed_all_the_same(bench: Workbench) -> None:
    folder = Path(f"{bench.project}/\udce9t\udce9")
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example.com/lib\n\ngo 1.21\n")
    for command in ("run", "plan"):
        result = bench.run(command, "--working-directory", "*", GOPROXY="off", PYTHONIOENCODING="utf-8:strict")
        assert (result.status, "Traceback" in result.text) == (0, False), result.text


@pytest.mark.parametrize("variables", [{}, ON_GITHUB], ids=["here", "github"])
@pytest.mark.parametrize("command", [("plan",), ("plan", "-C", "b\udce9b"), ("run", "--report-file", "r\udce9.json")])
def test_a_locale_without_these_characters_is_no_error(
    bench: Workbench, command: tuple[str, ...], variables: dict[str, str]
) -> None:
    """The module cache, the folder of the project and a file of the report are all named in UTF-8 and Latin-1."""
    folder = bench.project / "\udce9t\udce9日"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text("module example.com/lib\n\ngo 1.21\n")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
    cache = str(bench.folder / "c\udce9日")
    done = bench.run(*command, cwd=folder, GOPROXY="off", GOMODCACHE=cache, **locale, **variables)
    assert (done.status, "Traceback" in done.text) == (2 if "-C" in command else 0, False), done.text


@pytest.mark.parametrize(
    "text", [f"\0{COMMAND}", f"\x1b[31m{COMMAND}", f"x\n \x07{COMMAND}", "#\0#[error]x", "\x1b[0m##\x1b[1m[group]x"]
)
def test_no_control_character_hides_a_command(text: str) -> None:
    out = io.StringIO()
    platform = GitHub(out, Loudness(verbose=True), "")
    for say in (platform.info, platform.detail, lambda text: platform.show(text, out)):
        say(text)
    lines = out.getvalue().splitlines()
    assert not [line for line in lines if line.lstrip().startswith("::") or "##[" in line]
    assert "\x1b" not in out.getvalue()
    assert "[31m" not in out.getvalue()


@pytest.mark.parametrize("text", ["s3c\0ret!", "s\x1b[31m3cret!", "s3\rcret!", "s3\u202ecret!", "s3c\u2066ret!\u2069"])
def test_no_control_character_brings_a_secret_through(text: str) -> None:
    platform = GitHub(io.StringIO(), Loudness(), "")
    platform.hide(frozenset({"s3cret!"}))
    assert platform.clean(text) == "xxxxx"


def test_a_secret_is_hidden_as_json_spells_it_too() -> None:
    platform = GitHub(io.StringIO(), Loudness(), "")
    platform.hide(frozenset({'pä"s\\s'}))
    assert platform.clean('{"host": "p\\u00e4\\"s\\\\s@x"}') == '{"host": "xxxxx@x"}'


def test_a_strange_event_payload_says_nothing_of_the_repository(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    for text in ("[" * 100_000, '{"repository": {"private": "true"}}', "[]", "\0", "9" * 5000, '{"repository": 1}'):
        event.write_text(text)
        assert GitHub(io.StringIO(), Loudness(), str(event)).repository_is_private is False
