"""A module proxy of Go's own net/http, over TLS: the one fake that speaks HTTP/2 (tests/programs/http2_proxy)."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import trustme

from tests.support.fakes.modules import FakeModule, write_proxy_folder

_SOURCE = Path(__file__).parents[2] / "programs" / "http2_proxy"
_AUTHORITY = trustme.CA()


def built(folder: Path, gocache: Path) -> Path:
    """The program, built into `folder`."""
    program = folder / "http2proxy"
    environ = {**os.environ, "GOCACHE": str(gocache), "GOFLAGS": "", "GOENV": "off", "GOTOOLCHAIN": "local"}
    command = ["go", "build", "-o", str(program), "."]
    subprocess.run(command, cwd=_SOURCE, env=environ, check=True, timeout=300)
    return program


class Http2Proxy:
    """Serves `modules` inside its `with` block; the files that end in `name` meet `fault` (see its main.go)."""

    def __init__(
        self, program: Path, modules: Iterable[FakeModule], name: str, fault: str, times: int | None = None
    ) -> None:
        self._command = [str(program), name, fault, str(-1 if times is None else times)]
        self._modules = list(modules)

    def __enter__(self) -> Http2Proxy:
        self._folder = tempfile.TemporaryDirectory()
        here = Path(self._folder.name)
        write_proxy_folder(here / "files", self._modules)
        self.bundle = here / "authority.pem"
        _AUTHORITY.cert_pem.write_to_path(str(self.bundle))
        own = _AUTHORITY.issue_cert("127.0.0.1")
        own.cert_chain_pems[0].write_to_path(str(here / "certificate.pem"))
        own.private_key_pem.write_to_path(str(here / "key.pem"))
        program, *rest = self._command
        given = [program, str(here / "files"), str(here / "certificate.pem"), str(here / "key.pem"), *rest]
        self._process = subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._said.extend, args=(self._process.stdout,))
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._reader.join()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()
        self._folder.cleanup()

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Protocol and path of each request, once the `with` block has ended."""
        return [(said.split()[0], said.split()[1]) for said in self._said]
