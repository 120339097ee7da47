"""Go in a small, isolated GOMODCACHE: no variable, go.env or GOFLAGS of the user changes what it does there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from go_prefetch.base import process_group
from go_prefetch.base.retry import Deadline
from go_prefetch.base.windows_names import IS_WINDOWS
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.golang.module import ModuleVersion

# A valid hash that no file has.
WRONG_HASH = "h1:" + "A" * 43 + "="

GoOutput = subprocess.CompletedProcess[str]


class IsolatedGo:
    """The go of `goroot`, with `root` as its module cache and the main module in `root/main`."""

    def __init__(self, root: Path, goroot: Path, *, writable_trees: bool = True) -> None:
        self.folder = ModuleFolder.of_cache(root)
        self.main = root / "main"
        self._root = root
        self._goroot = goroot
        self._writable = writable_trees
        self._go = goroot / "bin" / ("go.exe" if sys.platform == "win32" else "go")
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_stopped = False

    def run(self, *arguments: str, deadline: Deadline, main: Path | None = None) -> GoOutput | None:
        """Run Go in the main module, or in another one.

        Return None if it could not be started, had no time left or was stopped. Thread-safe.
        """
        argv, folder = (str(self._go), *arguments), main or self.main
        try:
            with process_group.started(argv, folder, self._environment(), stdout=subprocess.PIPE) as process:
                try:
                    if not self._is_to_run(process):
                        return None
                    output, errors = process.communicate(timeout=max(0.1, deadline.left()))
                finally:
                    with self._lock:
                        self._running.discard(process)
                    for pipe in filter(None, (process.stdout, process.stderr)):
                        pipe.close()
        except (OSError, ValueError, subprocess.TimeoutExpired):  # ValueError: `stop` closed a pipe
            return None
        texts = (stream.decode("utf-8", errors="replace") for stream in (output, errors))
        return subprocess.CompletedProcess(argv, process.returncode, *texts)

    def _is_to_run(self, process: subprocess.Popen[bytes]) -> bool:
        with self._lock:
            if not self._is_stopped:
                self._running.add(process)
            return not self._is_stopped

    def stop(self) -> None:
        """End every Go in this cache now, and start no other."""
        with self._lock:
            self._is_stopped = True
            running = list(self._running)
        for process in running:
            process_group.kill(process)

    def _environment(self) -> dict[str, str]:
        own = {name: str(self._root / name.lower()) for name in ("GOPATH", "GOCACHE", "TMPDIR")}
        own |= dict.fromkeys(("TMP", "TEMP") if IS_WINDOWS else (), own["TMPDIR"])
        (self._root / "tmpdir").mkdir(exist_ok=True)
        return {
            **own,
            "PATH": str(self._go.parent),
            "GOROOT": str(self._goroot),
            "HOME": os.devnull,  # in a folder, Go would write telemetry by a process that outlives it
            "GOMODCACHE": str(self._root),
            "GOENV": "off",
            "GOFLAGS": "-mod=mod -modcacherw" if self._writable else "-mod=mod",
            "GOGC": "400",  # less CPU for more memory: there are tens of megabytes to collect
            "GO111MODULE": "on",
            "GOWORK": "off",
            "GOPROXY": "off",
            "GOSUMDB": "off",
            "GOTOOLCHAIN": "local",
        }


def new_canary() -> ModuleVersion:
    """Return a module that sorts after every path of a real host. Its random name cannot be in a go.sum."""
    return ModuleVersion(f"zzzzzzzzzzzz{os.urandom(8).hex()}.invalid/canary", "v1.0.0")


def unexpected(command: str, output: GoOutput | None) -> Notice:
    """Return why the output of `command` is inconclusive."""
    if output is None:
        return notice("inconclusive", "not-ended", command=command)
    lines = (output.stdout + output.stderr).splitlines()
    words, status = " / ".join(lines[:3]), output.returncode
    return notice("inconclusive", "output", command=command, status=status, count=len(lines), stderr=words)
