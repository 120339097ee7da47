"""The shell part of the GitLab template: how go-prefetch reaches a job, in every shell that a job may have."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme

from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.loopback import LoopbackServer, LoopbackService, Quiet
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.fakes.tls import server_tls
from tests.support.workbench import Result

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="runners there have PowerShell"),
]  # starts shells and servers

TOOL = Path(__file__).parents[2] / "tools" / "template_script.py"
FUNCTIONS = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True, check=True).stdout
SHELLS = [
    pytest.param(["bash"], id="bash"),
    pytest.param(["sh"], id="sh"),
    pytest.param(["busybox", "sh"], id="busybox", marks=pytest.mark.system),
]
TOOLS = ("sha256sum", "mktemp", "mkdir", "cat")


class Mirror(LoopbackService):
    """Serves the archive, remembers who asked, and sends `/moved` on to another host's name."""

    def __init__(self, content: bytes, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.content = content
        self.tokens: dict[str, str | None] = {}

    def serve(self) -> LoopbackServer[Mirror]:
        return LoopbackServer(self, _MirrorHandler)


class _MirrorHandler(Quiet, BaseHTTPRequestHandler):
    server: LoopbackServer[Mirror]

    def do_GET(self) -> None:
        mirror = self.server.owner
        mirror.tokens[self.path] = self.headers.get("JOB-TOKEN")
        if self.path == "/api/v4/moved":
            self.say(302, Location=mirror.url.replace("127.0.0.1", "localhost") + "/stored")
        else:
            self.say(404 if "gone" in self.path else 200, mirror.content)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small program in the form of a release."""
    path = tmp_path_factory.mktemp("release") / "small.pyz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "__main__.py", "import sys\nprint('ran with', sys.argv[1:], 'in isolation', sys.flags.isolated)\n"
        )
    return path


@pytest.fixture(scope="module")
def mirror(archive: Path) -> Iterator[Mirror]:
    with Mirror(archive.read_bytes()) as served:
        yield served


class Job:
    """A shell in an image of its own: nothing is on PATH but what the test puts there."""

    def __init__(self, folder: Path, shell: list[str], archive: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.folder = folder
        self._shell = [str(shutil.which(shell[0])), *shell[1:]]
        self.digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        for name in TOOLS:
            if shell[0] == "busybox":
                self.program(name, f'exec {self._shell[0]} {name} "$@"')
            else:
                (self.programs / name).symlink_to(str(shutil.which(name)))

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def python(self, name: str = "python3") -> None:
        self.program(name, f'exec {sys.executable} "$@"')

    def __call__(self, place: str, *, lines: str = 'go_prefetch fill "a b"', **variables: str) -> Result:
        """The template's script, then `lines`, as strict as a job can be."""
        script = f"set -eu\n{FUNCTIONS}\ngo_prefetch_load || exit\n{lines}\n"
        environ = {
            "PATH": str(self.programs), "GO_PREFETCH_ARCHIVE": place, "GO_PREFETCH_ARCHIVE_SHA256": self.digest,
            "RUNNER_TEMP_PROJECT_DIR": str(self.folder / "app.tmp"), **variables,
        }  # fmt: skip
        done = subprocess.run(
            [*self._shell, "-c", script], env=environ, cwd=self.folder, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(params=SHELLS)
def job(request: pytest.FixtureRequest, tmp_path: Path, archive: Path) -> Job:
    return Job(tmp_path, request.param, archive)


RAN = "ran with ['fill', 'a b'] in isolation 1\n"


def test_archive_is_downloaded_once_checked_and_run(job: Job, mirror: Mirror) -> None:
    """A machine that is kept asks once; Python is isolated from the repository."""
    job.python()
    mirror.tokens.clear()
    for _ in range(2):
        done = job(f"{mirror.url}/small.pyz")
        assert (done.status, done.stdout) == (0, RAN), done.text
        assert list(mirror.tokens) == ["/small.pyz"]
        mirror.tokens = {"/small.pyz": None}
    assert len(list((job.folder / "app.tmp").iterdir())) == 1


def test_archive_server_with_gitlab_authority_is_trusted(job: Job, archive: Path, tmp_path: Path) -> None:
    """The runner writes that authority to a file."""
    job.python()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with Mirror(archive.read_bytes(), server_tls(authority)) as mirror:
        refused = job(f"{mirror.url}/small.pyz", GO_PREFETCH_ARCHIVE_SECONDS="60")
        assert refused.status == 75
        assert mirror.tokens == {}
        done = job(f"{mirror.url}/small.pyz", CI_SERVER_TLS_CA_FILE=str(tmp_path / "authority.pem"))
        assert (done.status, done.stdout) == (0, RAN), done.text


def test_file_in_the_image_is_run_where_it_is(job: Job, archive: Path) -> None:
    """No network at all."""
    job.python("python")
    done = job(str(archive))
    assert (done.status, done.stdout) == (0, RAN), done.text


@pytest.mark.parametrize("place", ["http", "file"])
def test_other_bytes_are_not_run(job: Job, mirror: Mirror, archive: Path, place: str) -> None:
    """Status 70, said in words."""
    job.python()
    done = job(f"{mirror.url}/x" if place == "http" else str(archive), GO_PREFETCH_ARCHIVE_SHA256="0" * 64)
    assert (done.status, done.stdout) == (70, ""), done.text
    assert "was not run, because its SHA-256 is not 000" in done.stderr


def test_damaged_copy_on_the_machine_is_replaced(job: Job, mirror: Mirror) -> None:
    """What lies there from an earlier job is believed by its digest only."""
    job.python()
    kept = job.folder / "app.tmp" / f"go-prefetch-{job.digest}.pyz"
    kept.parent.mkdir()
    kept.write_bytes(b"half")
    assert job(f"{mirror.url}/small.pyz").stdout == RAN


@pytest.mark.parametrize("has", ["nothing", "an old one", "Python 2"])
def test_no_python_is_said_in_words(job: Job, archive: Path, has: str) -> None:
    """Status 69, and what to do."""
    if has != "nothing":
        job.program("python3" if has == "an old one" else "python", "exit 1")
    done = job(str(archive))
    assert (done.status, done.stdout) == (69, ""), done.text
    assert "needs Python 3.10 or newer, and this image has none" in done.stderr
    assert "apk add python3" in done.stderr


def test_named_python_comes_first(job: Job, archive: Path) -> None:
    """The input `python` may be a path."""
    job.program("python3", "exit 1")
    job.python("mine")
    assert job(str(archive), GO_PREFETCH_PYTHON=str(job.programs / "mine")).stdout == RAN


def test_unreachable_archive_is_status_75(job: Job) -> None:
    """The job may fail with that: the pipeline goes on, and the proxies are asked."""
    job.python()
    job.program("sleep", "exit 0")
    with refusing_port() as port:
        done = job(f"http://127.0.0.1:{port}/small.pyz")
    assert done.status == 75, done.text
    assert "could not be downloaded" in done.stderr
    assert "Traceback" not in done.stderr


def drips_a_body(request: RawRequest, line: Line) -> None:
    line.say(answer(b"", length=1 << 20))
    line.drip(b"x" * (1 << 20), seconds=0.1)


def drips_headers(request: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\nX-Filler: ")
    line.drip(b"x" * (1 << 20), seconds=0.1)


def says_nothing(request: RawRequest, line: Line) -> None:
    line.wait()


@pytest.mark.parametrize("respond", [drips_a_body, drips_headers, says_nothing])
def test_server_that_holds_the_job_is_left_after_the_limit(job: Job, respond: Respond) -> None:
    """One limit for all attempts together, whatever the server does; status 75, so that the pipeline goes on."""
    job.python()
    with RawServer(respond) as server:
        done = job(f"{server.url}/small.pyz", GO_PREFETCH_ARCHIVE_SECONDS="1")
    assert (done.status, done.stdout) == (75, ""), done.text
    assert "was not downloaded within 1 s (GO_PREFETCH_ARCHIVE_SECONDS)" in done.stderr
    assert "could not be downloaded" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((job.folder / "app.tmp").iterdir()) == []


@pytest.mark.parametrize("seconds", ["soon", "-1", "1e9", "999999999999"])
def test_limit_that_is_no_number_is_named(job: Job, mirror: Mirror, seconds: str) -> None:
    """Nothing is asked for then: status 75."""
    job.python()
    mirror.tokens.clear()
    done = job(f"{mirror.url}/small.pyz", GO_PREFETCH_ARCHIVE_SECONDS=seconds)
    assert (done.status, mirror.tokens) == (75, {}), done.text
    assert f"GO_PREFETCH_ARCHIVE_SECONDS is '{seconds}', which is not a number of seconds." in done.stderr


def test_archive_without_an_end_is_not_read_to_it(job: Job) -> None:
    """Its size has a limit, and what is larger is no archive of ours, nor is its beginning."""
    job.python()
    part = b"x" * (1 << 20)

    def respond(request: RawRequest, line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while not line.stopped.is_set():
            line.say(part)

    with RawServer(respond) as server:
        done = job(f"{server.url}/small.pyz")
    assert (done.status, len(server.requests)) == (75, 1), done.text
    assert "is larger than 64 MiB" in done.stderr


def test_job_token_goes_to_gitlab_and_no_further(job: Job, mirror: Mirror) -> None:
    """GitLab's own package registry needs it; where that redirects to, and any other server, must not see it."""
    job.python()
    mirror.tokens.clear()
    token = {"CI_API_V4_URL": f"{mirror.url}/api/v4", "CI_JOB_TOKEN": "secret"}
    assert job(f"{mirror.url}/api/v4/moved", **token).stdout == RAN
    shutil.rmtree(job.folder / "app.tmp")
    assert job(f"{mirror.url}/elsewhere", **token).stdout == RAN
    assert mirror.tokens == {"/api/v4/moved": "secret", "/stored": None, "/elsewhere": None}


def test_without_a_temporary_folder_of_the_runner(job: Job, mirror: Mirror) -> None:
    """Then one of its own, which nobody else can write to."""
    job.python()
    done = job(f"{mirror.url}/small.pyz", RUNNER_TEMP_PROJECT_DIR="", TMPDIR=os.fspath(job.folder))
    assert done.stdout == RAN, done.text


def test_template_of_no_release_says_so(job: Job) -> None:
    """The template of the main branch has neither archive nor digest."""
    job.python()
    done = job("", GO_PREFETCH_ARCHIVE_SHA256="")
    assert done.status == 70
    assert "does not belong to a release" in done.stderr
