"""A server program on loopback ports that were free."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.support.waiting import wait_until
from tests.support.workbench import wheel_program_folders

Server = TypeVar("Server", bound="ServerProcess")
_ATTEMPTS = 3  # another program may take a port before the server does
_opener = build_opener(ProxyHandler({}))


class ServerProcess:
    """Runs inside its `with` block. A subclass gives the command, and says when the server answers.

    `folder` has the server's files and its log. `kill` and `start` may be called in the block: the ports stay.
    """

    port_count = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: tuple[int, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return the command line; `ports` are known."""
        raise NotImplementedError

    def environ(self) -> Mapping[str, str]:
        """Return the environment of the server."""
        return {**_passed_on(), "HOME": str(self.folder), "TMPDIR": str(self.folder)}

    def is_ready(self) -> bool:
        """Return whether the server does what tests ask of it."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        command = self.command()
        with self._log.open("wb") as log:
            process = self._process = subprocess.Popen(
                command, cwd=self.folder, env=self.environ(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until(lambda: process.poll() is not None or self._answers(), f"the server {command[0]}")
        except BaseException:
            self.kill()
            raise
        if process.returncode is not None:
            raise RuntimeError(self._log.read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        """End the server at once; its files stay."""
        if self._process:
            self._process.kill()
            self._process.wait(timeout=30)
            self._process = None

    def __enter__(self: Server) -> Server:
        self.folder.mkdir(parents=True, exist_ok=True)
        for attempt in range(_ATTEMPTS):
            self.ports = _free_ports(self.port_count)
            try:
                self.start()
                break
            except RuntimeError:
                if attempt == _ATTEMPTS - 1:
                    raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def url(self, number: int = 0) -> str:
        """Return the address of a port."""
        return f"http://127.0.0.1:{self.ports[number]}"

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.is_ready()
        return False

    @property
    def _log(self) -> Path:
        return self.folder / "log"


def program(name: str) -> str:
    """Return the path of a program, from a wheel of the `test` extra or PATH."""
    places = os.pathsep.join([*map(str, wheel_program_folders()), os.environ["PATH"]])
    found = shutil.which(name, path=places)
    assert found, f"{name} is not installed"
    return found


def skip_without_client() -> None:
    """Skip a test that needs a bucket where the client of buckets cannot be installed."""
    pytest.importorskip("obstore", reason="the client of buckets needs Python 3.11")


def request(method: str, url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Return status and body of an answer; `_` in names of headers is `-`. Raises OSError."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with _opener.open(Request(url, body, named, method=method), timeout=30) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def _passed_on() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMP") if name in os.environ}


def _free_ports(count: int) -> tuple[int, ...]:
    with contextlib.ExitStack() as closing:
        sockets = [closing.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(each.getsockname()[1] for each in sockets)
