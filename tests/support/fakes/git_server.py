"""A real git server on loopback: git's own http-backend behind a small CGI server, with a login if wanted."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.fakes.loopback import LoopbackServer, LoopbackService, Quiet
from tests.support.fakes.modules import FakeModule

_AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.com")


def make_repository(folder: Path, module: FakeModule) -> None:
    """A bare repository with one commit and the module's version as its tag."""
    work = folder.with_name(f"{folder.name}.work")
    work.mkdir(parents=True)
    for name, content in module.contents.items():
        (work / name.removeprefix(f"{module.path}@{module.version}/")).write_bytes(content)
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    for command in (
        ("init", "-q"),
        ("add", "."),
        (*_AUTHOR, "commit", "-qm", "All"),
        ("tag", module.version),
        ("clone", "-q", "--bare", ".", str(folder)),
    ):
        subprocess.run(["git", *command], cwd=work, env=environ, check=True, capture_output=True)


class GitServer(LoopbackService):
    """Serves the bare repositories below `folder` inside its `with` block. `login` is `user:password`."""

    def __init__(self, folder: Path, *, login: str = "") -> None:
        super().__init__()
        self.folder = folder
        self.login = login
        self.is_silent = False  # take requests and never answer
        self.refusals: list[int] = []  # statuses of the first answers
        self.requests: list[str] = []

    def serve(self) -> LoopbackServer[GitServer]:
        """See LoopbackService."""
        return LoopbackServer(self, _Handler)


class _Handler(Quiet, BaseHTTPRequestHandler):
    server: LoopbackServer[GitServer]

    def do_GET(self) -> None:
        """One request to git http-backend (RFC 3875)."""
        owner = self.server.owner
        owner.requests.append(self.path)
        if owner.is_silent:
            owner.stopped.wait()
            return
        if owner.refusals:
            self.say(owner.refusals.pop(0))
            return
        expected = f"Basic {base64.b64encode(owner.login.encode()).decode()}"
        if owner.login and self.headers["Authorization"] != expected:
            self.say(401, WWW_Authenticate='Basic realm="git"')
            return
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        variables = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(owner.folder), "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": parts.path, "QUERY_STRING": parts.query, "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers["Content-Type"] or "", "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers["Content-Encoding"] or "",
            "GIT_PROTOCOL": self.headers["Git-Protocol"] or "", "REMOTE_USER": "me", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
        }  # fmt: skip
        said = subprocess.run(
            [shutil.which("git") or "git", "http-backend"], env=variables, input=body, capture_output=True, check=False
        ).stdout
        head, _, content = said.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - the name http.server uses
