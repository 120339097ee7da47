"""A module proxy in a process of its own, over TLS and HTTP/2: the Go program of tests/programs/module_proxy."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from tests.support.made_once import built_once

_SOURCE = Path(__file__).parents[2] / "programs" / "module_proxy"


def program() -> Path:
    """Return the program, built once for each version of its source."""
    environ = {**os.environ, "GOENV": "off", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    return built_once(_SOURCE, "go", "build", "-o", "module_proxy", ".", environ=environ) / "module_proxy"


class GoProxy:
    """Serves `folder`, which is in GOPROXY layout, inside its `with` block. `flags` are those of main.go."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._command = [str(program()), "-dir", str(folder), *flags]

    def __enter__(self) -> GoProxy:
        self._scratch = tempfile.TemporaryDirectory()
        self.certificate = Path(self._scratch.name) / "certificate.pem"
        command = [*self._command, "-cert-out", str(self.certificate)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        assert self.url, "it did not start: what it printed is above"
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._log.extend, args=(self._process.stdout,))
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._reader.join()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()
        self._scratch.cleanup()

    @property
    def requests(self) -> list[tuple[str, str]]:
        """With the flag `-log`: protocol and path of each request, once the `with` block has ended."""
        return [(line.split()[0], line.split()[1]) for line in self._log]
