"""A module proxy in a process of its own, over TLS and HTTP/2: the Go program of tests/programs/module_proxy."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

_SOURCE = Path(__file__).parents[2] / "programs" / "module_proxy"


def built(folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Build the program into `folder`."""
    program = folder / "module_proxy"
    plain = {**environ, "GOENV": "off", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    subprocess.run(["go", "build", "-o", str(program), "."], cwd=_SOURCE, env=plain, check=True, timeout=300)
    return program


class GoProxy:
    """Serves `folder`, which is in GOPROXY layout, inside its `with` block. `flags` are those of main.go."""

    def __init__(self, program: Path, folder: Path, *flags: str) -> None:
        self._command = [str(program), "-dir", str(folder), *flags]

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
