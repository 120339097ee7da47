"""A machine full of secrets, each another one, and servers that quote what they were sent: every command, every output.

What is looked at: what is printed with all details, each file that is written or left behind, and the arguments and the
environment of every program that is started. Its ancestors are looked at too, for a supervisor has the same arguments.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.quoting import quoting, spelled
from tests.support.fakes.raw_server import RawServer
from tests.support.workbench import Result, Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
PROGRAMS = ("go", "git", "gh", "zstd")

pytestmark = pytest.mark.slow


def secret(name: str) -> str:
    """One for each place, so that a failure names the place."""
    return f"s3cr3t-{name}-0123456789"


def header(name: str) -> str:
    """The same as the login of a request."""
    return b64encode(f"user:{secret(name)}".encode()).decode()


# Variables that are a token as they are.
TOKENS = (
    "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN",
    "CI_JOB_TOKEN", "GO_PREFETCH_NOTE_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_TOKEN", "GOOGLE_BEARER_TOKEN",
)  # fmt: skip
# Those that programs other than Go may not get. Go gets those of the user, for its own requests.
OF_GO_PREFETCH = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GO_PREFETCH_NOTE_TOKEN", "store-login")
LOGINS = ("goproxy", "http-proxy", "netrc", "store-login", "git-header", "git-url", "remote", "sumdb")
SIGNATURES = ("amz", "sas")
EVERY = tuple(map(secret, (*TOKENS, *LOGINS, *SIGNATURES)))
HEADERS = tuple(header(one) for one in (*TOKENS, *LOGINS, *SIGNATURES))
SPELLINGS = tuple({form for one in (*EVERY, *HEADERS) for form in spelled(one)})

WORKFLOW = f"""\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - uses: actions/setup-go@v6
      - run: git clone https://user:{secret("remote")}@git.example/x && curl 'https://files.example/?sig={secret("sas")}'
      - run: go build ./...
"""
DOCKERFILE = f"""\
FROM golang:1.26
RUN git clone https://user:{secret("remote")}@git.example/x
COPY . .
RUN curl 'https://files.example/?X-Amz-Signature={secret("amz")}' && go build ./...
"""


class Machine:
    """`variables` are those of a job, without a platform. `quoted` is the place of a server that refuses."""

    def __init__(self, bench: Workbench, server: RawServer, proxy: ModuleProxy) -> None:
        self.bench, self.server, self.proxy, port = bench, server, proxy, server.port
        self.quoted = f"http://user:{secret('goproxy')}@127.0.0.1:{port}"
        self.inputs: dict[Path, str] = {}
        self.started = bench.folder / "started"
        self.started.mkdir()
        bench.write_project([LIB])
        self._write(bench.folder / "home" / ".netrc", f"machine 127.0.0.1 login user password {secret('netrc')}\n")
        for name in ("Dockerfile", ".github/workflows/ci.yml"):
            self._write(bench.project / name, DOCKERFILE if name == "Dockerfile" else WORKFLOW)
        remote = f"https://user:{secret('remote')}@git.example/org/name.git"
        for argv in (["init", "-q"], ["remote", "add", "origin", remote], ["add", "."]):
            subprocess.run(["git", *argv], cwd=bench.project, check=True, capture_output=True)
        config = bench.project / ".git" / "config"
        self.inputs[config] = config.read_text()
        self._put_programs(bench.folder / "programs")
        api = f"http://127.0.0.1:{port}"
        self.variables = {
            **{name: secret(name) for name in TOKENS},
            "PATH": os.pathsep.join([str(bench.folder / "programs"), bench.environ["PATH"]]),
            "TMPDIR": str(bench.folder / "temporary"),
            "GOPROXY": self.quoted,
            "GOSUMDB": f"sum.golang.org https://user:{secret('sumdb')}@127.0.0.1:{port}",
            "https_proxy": f"http://user:{secret('http-proxy')}@127.0.0.1:{port}",
            "GO_PREFETCH_STORE_LOGIN": f"user:{secret('store-login')}",
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": f"url.https://user:{secret('git-url')}@git.example/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://git.example/",
            "GIT_CONFIG_KEY_1": "http.extraHeader",
            "GIT_CONFIG_VALUE_1": f"Authorization: Basic {header('git-header')}",
            "ACTIONS_CACHE_URL": f"{api}/",
            "ACTIONS_RESULTS_URL": f"{api}/",
            "ACTIONS_CACHE_SERVICE_V2": "1",
        }
        (bench.folder / "temporary").mkdir()

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.inputs[path] = text

    def _put_programs(self, folder: Path) -> None:
        """Programs that note how they were started, before the real ones."""
        folder.mkdir()
        for name in PROGRAMS:
            real = shutil.which(name, path=self.bench.environ["PATH"]) or "/bin/false"
            script = folder / name
            script.write_text(
                f"#!{sys.executable}\nimport os, pathlib, sys\npid, found = os.getpid(), []\n"
                "while pid > 1:\n"
                "    process = pathlib.Path('/proc') / str(pid)\n"
                "    found.append((process / 'cmdline').read_bytes().replace(b'\\0', b' '))\n"
                "    pid = int((process / 'stat').read_text().rpartition(')')[2].split()[1])\n"
                f"note = pathlib.Path({str(self.started)!r}, f'{name}.{{os.getpid()}}')\n"
                "note.with_suffix(note.suffix + '.argv').write_bytes(b'\\n'.join(found))\n"
                "note.with_suffix(note.suffix + '.env').write_bytes(pathlib.Path('/proc/self/environ').read_bytes())\n"
                f"os.execv({real!r}, [{name!r}, *sys.argv[1:]])\n"
            )
            script.chmod(0o755)

    def __call__(self, place: str, *arguments: str, **variables: str) -> Result:
        """Run a command there. Nothing of what it made may have a secret."""
        given = {**self.variables, **self._place(place), **variables}
        result = self.bench.run(*arguments, **given)
        assert "Traceback" not in result.text or "[internal-error]" in result.text, result.text
        texts = {"output": result.text, **self._written(), **self._started()}
        assert [(where, form) for where, text in texts.items() for form in SPELLINGS if form in text] == []
        return result

    def _place(self, name: str) -> dict[str, str]:
        api = self.variables["ACTIONS_CACHE_URL"]
        if name == "GitLab":
            return {
                "CI_JOB_ID": "1", "CI_PROJECT_DIR": str(self.bench.project), "GO_PREFETCH_REPORTS": "reports",
                "CI_DEBUG_TRACE": "true", "CI_API_V4_URL": f"{api}api/v4", "CI_PROJECT_PATH": "o/r",
                "CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "1", "GO_PREFETCH_MERGE_REQUEST_NOTE": "true",
            }  # fmt: skip
        files = {what: self.bench.folder / what.lower() for what in ("STEP_SUMMARY", "OUTPUT", "STATE", "ENV", "PATH")}
        for path in files.values():
            path.touch()
        return {
            "GITHUB_ACTIONS": "true", "RUNNER_DEBUG": "1", "GITHUB_API_URL": f"{api}api/v3", "GITHUB_REPOSITORY": "o/r",
            **{f"GITHUB_{what}": str(path) for what, path in files.items()},
        }  # fmt: skip

    def _written(self) -> dict[str, str]:
        """Every file but those of this test, and what is Go's own."""
        own = (self.bench.modcache, self.started, self.bench.folder / "programs")
        paths = [path for path in self.bench.folder.rglob("*") if path.is_file() and path not in self.inputs]
        return {str(path): path.read_text(errors="replace") for path in paths if not any(map(path.is_relative_to, own))}

    def _started(self) -> dict[str, str]:
        """Arguments of each program and its ancestors, and what it has in its environment that it may not have."""
        found = {}
        for note in self.started.iterdir():
            text = note.read_text(errors="replace")
            if note.suffix == ".argv":
                found[f"arguments of {note.name}"] = text
            elif not note.name.startswith("go."):
                found[f"environment of {note.name}"] = text
            else:
                hidden = [one for one in map(secret, OF_GO_PREFETCH) if one in text]
                found[f"environment of {note.name}"] = " ".join(hidden)
        return found


@pytest.fixture
def machine(bench: Workbench) -> Iterator[Machine]:
    with RawServer(quoting) as server, ModuleProxy([LIB]) as proxy:
        yield Machine(bench, server, proxy)


FILES = ("--report-file", "report.json", "--trace", "trace.json", "--verbose")
COMMANDS = {
    "run": ("run", *FILES, "--store", "github", "--build-cache", "true", "--attempts", "1"),
    "run, warning only": ("run", *FILES, "--store", "none", "--attempts", "1", "--on-failure", "warn"),
    "run with a pool on a server": ("run", *FILES, "--store", "https://127.0.0.1:1/pool", "--attempts", "1"),
    "plan": ("plan", "--verbose"),
    "plan, JSON": ("plan", "--format", "json"),
    "fill": ("fill", "modules", *FILES, "--attempts", "1"),
    "sync": ("sync", "--store", "dir:pool", "--verbose"),
    "verify": ("verify", "--verbose"),
    "doctor": ("doctor", "--samples", "1", "--verbose"),
    "doctor, JSON": ("doctor", "--samples", "1", "--format", "json"),
    "doctor, Markdown": ("doctor", "--samples", "1", "--format", "markdown", "--summary", "true"),
    "docker": ("docker", "--check", "Dockerfile", "--verbose"),
    "docker, folder": ("docker", "--output", "gomod", "--dockerfile", "--attempts", "1"),
    "init": ("init",),
    "init, check": ("init", "--check"),
    "report": ("report",),
    "prune": ("prune",),
    "prune of a pool": ("prune", "--pool", "--store", "dir:pool"),
    "cache": ("cache", "dir", "--store", "github"),
    "build cache": ("build-cache", "restore", "--store", "github", "--build-cache", "true"),
    "build cache, save": ("build-cache", "save", "--store", "github"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_no_output_of_a_command_has_a_secret(machine: Machine, arguments: tuple[str, ...]) -> None:
    assert machine("GitHub", *arguments).text


@pytest.mark.parametrize("command", ["run", "fill", "doctor"])
def test_no_output_of_a_gitlab_job_has_a_secret(machine: Machine, command: str) -> None:
    """The server has quoted secrets, and programs have noted their start: there was something to find."""
    machine("GitLab", *COMMANDS[command])
    sent = [value for request in machine.server.requests for value in request.headers.values()]
    assert any(header("goproxy") in value for value in sent)
    assert any(note.name.startswith("go.") for note in machine.started.iterdir())


def test_commands_that_succeed_write_no_secret(machine: Machine) -> None:
    """The modules come from a proxy with a login, so that each step has something to say."""
    proxy = machine.proxy.url_with("user", secret("goproxy"))
    common = {"GOPROXY": proxy, "GOSUMDB": "off"}
    for arguments in (
        ("run", *FILES, "--store", "dir:pool", "--save-private", "true"),
        ("run", *FILES, "--store", "dir:pool", "--check-present"),
        ("fill", "modules", *FILES),
        ("docker", "--output", "gomod", "--dockerfile"),
        ("sync", "--store", "dir:other", "--verbose"),
        ("verify",),
    ):
        result = machine("GitHub", *arguments, **common)
        assert result.status == 0, result.text


VALUES = {
    "signature in a store": {"GO_PREFETCH_STORE": f"https://files.example/pool?X-Amz-Signature={secret('amz')}"},
    "signature in a proxy": {"GOPROXY": f"https://files.example/go?sig={secret('sas')}"},
    "login in a store": {"GO_PREFETCH_STORE": f"s3://user:{secret('store-login')}@bucket/pool"},
    "login in a list that is wrong": {"GOPROXY": f"htps://user:{secret('goproxy')}@proxy.example"},
    "login of a checksum database": {"GOSUMDB": f"sum.example+1+a https://user:{secret('sumdb')}@[x"},
    "login in a deadline": {"GO_PREFETCH_DEADLINE": f"https://user:{secret('goproxy')}@proxy.example"},
    "login in a folder": {"GO_PREFETCH_WORKING_DIRECTORY": f"https://user:{secret('remote')}@git.example/x"},
    "login of an HTTP proxy": {"https_proxy": f"http://user:{secret('http-proxy')}@[x"},
}


@pytest.mark.parametrize("variables", VALUES.values(), ids=VALUES)
def test_errors_about_a_value_do_not_quote_its_secret(machine: Machine, variables: dict[str, str]) -> None:
    for command in ("run", "doctor"):
        machine("GitHub", command, "--verbose", **variables)


CRASH = """\
import os
import go_prefetch.cli.commands.plan as plan

def crash(invocation):
    raise ValueError(f"a mistake about {os.environ['GOPROXY']} and {os.environ['GITHUB_TOKEN']}")

plan.plan = crash
"""


def test_no_crash_has_a_secret(machine: Machine, tmp_path: Path) -> None:
    """A mistake of the program itself, whose error quotes what it had in its hands."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(CRASH)
    result = machine("GitHub", "plan", PYTHONPATH=str(tmp_path / "broken"))
    assert result.status == 1
    assert "[internal-error]" in result.text
    assert "user:xxxxx@127.0.0.1" in result.text
