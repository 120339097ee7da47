"""The go command, started under a watchdog. Only Go decides whether the content of a module is right."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from go_prefetch.base import process_group
from go_prefetch.base.background import run_in_background
from go_prefetch.base.child_environment import environment_of_go
from go_prefetch.base.programs import find_program, find_script
from go_prefetch.base.retry import Deadline
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.base.untrusted_json import parse_object, parse_objects
from go_prefetch.errors import GoCommandError
from go_prefetch.golang.download_trace import GoTrace, Pending
from go_prefetch.golang.environment import GoEnvironment, gowork_set
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.golang.toolchain import ToolchainRules, is_unchecked
from go_prefetch.golang.watchdog import Watch, follow

OLDEST_GO = (1, 21)
GO_DEFAULT_PROXIES = "https://proxy.golang.org,direct"

_VARIABLES = (
    "GOPROXY", "GONOPROXY", "GOPRIVATE", "GONOSUMDB", "GOMODCACHE", "GOFLAGS", "GOVERSION", "GOROOT",
    "GOWORK", "GOAUTH", "GOHOSTOS", "GOHOSTARCH", "GOCACHE", "GOCACHEPROG",
)  # fmt: skip
# What changes compiled code. Go prints nothing for those that it does not know.
_COMPILED_BY = (
    "GOOS", "GOARCH", "GOFLAGS", "GOEXPERIMENT", "GOFIPS140", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS",
    "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM", "CGO_ENABLED", "CC", "CXX",
)  # fmt: skip
# The same, of the environment alone: `go env` starts a compiler before it prints them.
_COMPILED_BY_ENVIRONMENT = ("CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_FFLAGS", "CGO_LDFLAGS")
# Windows limits command lines to 32,767 characters; a longer list is split.
_ARGUMENT_CHARACTERS = 24_000
_LONGEST_LINE = 2_000  # characters of Go's output that are shown: git passes on what a server sends, which may not end
_REPLACED = "\ufffd"
_ENV_SECONDS = 60.0  # it takes some milliseconds; a wrapper in its place may wait


@dataclass(frozen=True)
class GoRun:
    """How one run of go ended. `errors` are its lines of stderr without the trace of requests."""

    argv: tuple[str, ...]
    status: int
    errors: tuple[str, ...]
    stalled: bool = False
    pending: tuple[Pending, ...] = ()  # requests that had not ended

    @property
    def ok(self) -> bool:
        """Return whether Go succeeded."""
        return self.status == 0 and not self.stalled


class GoCommand:
    """The go found on PATH, in the user's environment without the CI's own secrets."""

    def __init__(
        self, environ: Mapping[str, str], trace: Trace = UNTRACED, *, env_seconds: float = _ENV_SECONDS
    ) -> None:
        self._trace = trace
        self._env_seconds = env_seconds
        self._environ = environment_of_go(environ)
        # Otherwise go would download the toolchain that go.mod requires.
        self._staying = {**self._environ, "GOTOOLCHAIN": "local"}
        found = find_program("go", environ.get("PATH", os.defpath))
        if found is None:
            script = find_script("go", environ.get("PATH", os.defpath))
            raise GoCommandError("go-not-found", "script" if script else "", script=script)
        self.executable = found

    def environment(self, folder: Path) -> GoEnvironment:
        """Return Go's variables in `folder`. Raises GoCommandError if Go fails or is too old."""
        switch = run_in_background(partial(self._toolchain_switch, folder))
        values = self.variables(folder, (*_VARIABLES, *_COMPILED_BY))
        if not Path(values["GOMODCACHE"]).is_absolute():
            raise GoCommandError("no-module-cache", gomodcache=values["GOMODCACHE"])
        return GoEnvironment(
            values["GOPROXY"],
            values["GONOPROXY"],
            values["GOPRIVATE"],
            values["GONOSUMDB"],
            Path(values["GOMODCACHE"]),
            values["GOFLAGS"],
            values["GOVERSION"],
            Path(values["GOROOT"]),
            self._environ.get("GOWORK") or gowork_set(values["GOWORK"], folder),
            values["GOAUTH"],
            f"{values['GOHOSTOS']}/{values['GOHOSTARCH']}",
            switch.result(),
            gocache=values["GOCACHE"],
            gocacheprog=values["GOCACHEPROG"],
            compiled_by={
                **{name: values[name] for name in _COMPILED_BY},
                **{name: self._environ.get(name, "") for name in _COMPILED_BY_ENVIRONMENT},
            },
        )

    def with_toolchains(self, environment: GoEnvironment, goproxy: str) -> GoEnvironment:
        """Return `environment` with what decides which toolchain Go downloads, unless it would not verify it."""
        if is_unchecked(goproxy, self._environ):
            return environment
        path = self._environ.get("PATH", os.defpath)
        rules = ToolchainRules(environment.toolchain_switch, environment.goversion, environment.platform, path)
        return replace(environment, toolchains=(rules,))

    def _toolchain_switch(self, folder: Path) -> str:
        """Return GOTOOLCHAIN, read alone: otherwise Go switches to another toolchain before it answers."""
        if known := self._environ.get("GOTOOLCHAIN"):
            return known
        said = self._variable("GOTOOLCHAIN", folder, self._environ)
        return (said or b"").decode(errors="replace").strip()

    def variables(self, folder: Path, names: Sequence[str] = _VARIABLES) -> dict[str, str]:
        """Return variables as `go env` prints them in `folder`. Raises GoCommandError if Go fails or is too old."""
        argv = (self.executable, "env", "-json", *dict.fromkeys((*names, "GOVERSION")))
        try:
            done = process_group.answer(argv, folder, self._staying, self._env_seconds)
            said = parse_object(done.stdout) if done.returncode == 0 else None
        except OSError as error:
            raise GoCommandError("go-failed", "not-started", go=self.executable, words=error.strerror) from None
        except subprocess.TimeoutExpired:
            raise GoCommandError("go-failed", "env-stalled", go=self.executable, seconds=self._env_seconds) from None
        if said is not None:
            _check_version(str(said.get("GOVERSION")))
        if said is None or not all(isinstance(said.get(name), str) for name in names):
            errors = done.stderr.decode(errors="replace").splitlines()
            raise failed(GoRun(("go", "env"), done.returncode, tuple(errors)))
        return {name: self._as_file_name(name, text, folder) for name, text in said.items() if isinstance(text, str)}

    def _as_file_name(self, name: str, text: str, folder: Path) -> str:
        """Return a variable as Python decodes file names: the locale decides, and not all bytes are text.

        In JSON, Go replaces bytes that are no text. Such a variable is read again, alone.
        """
        if _REPLACED not in text:
            return os.fsdecode(text.encode(errors="surrogatepass"))
        said = self._variable(name, folder, self._staying)
        return text if said is None else os.fsdecode(said).rstrip("\r\n")

    def _variable(self, name: str, folder: Path, environ: Mapping[str, str]) -> bytes | None:
        """Return what `go env NAME` prints in `folder`, or None if it fails."""
        try:
            done = process_group.answer((self.executable, "env", name), folder, environ, self._env_seconds)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def check_readable(self, definition: Path) -> None:
        """Raise GoCommandError if the installed Go cannot parse a go.mod or go.work."""
        kind = "mod" if definition.suffix == ".mod" else "work"
        argv = ("go", kind, "edit", "-json", str(definition))
        with suppress(OSError, subprocess.TimeoutExpired):
            done = process_group.answer(
                (self.executable, *argv[1:]), definition.parent, self._staying, self._env_seconds
            )
            if done.returncode:
                raise failed(GoRun(argv[:3], done.returncode, tuple(done.stderr.decode(errors="replace").splitlines())))

    def download(self, folder: Path, arguments: Sequence[str], variables: Mapping[str, str], watch: Watch) -> GoRun:
        """Run `go mod download -x ARGUMENTS` in `folder`. Kill it if it stalls or the deadline passes."""
        return self._watched(("go", "mod", "download", "-x", *arguments), folder, variables, watch)

    def switch_toolchain(self, folder: Path, variables: Mapping[str, str], watch: Watch) -> GoRun:
        """Run `go version` in `folder`: Go verifies and unpacks the toolchain that it selects there, and no module."""
        return self._watched(("go", "version"), folder, variables, watch)

    def _watched(self, argv: tuple[str, ...], folder: Path, variables: Mapping[str, str], watch: Watch) -> GoRun:
        environ = {**self._environ, **variables}
        work = GoTrace(self._trace)
        started = process_group.started((self.executable, *argv[1:]), folder, environ)
        with self._trace.span(" ".join(argv[:3]), "go"), started as process:
            errors, stalled = follow(process, watch, work)
        return GoRun(argv, process.returncode, errors, stalled, work.pending)

    def download_errors(
        self, folder: Path, versions: Sequence[ModuleVersion], variables: Mapping[str, str], deadline: Deadline
    ) -> dict[ModuleVersion, str]:
        """Return the errors of `go mod download -json` for those of `versions` that it cannot download."""
        said = self.downloaded(folder, versions, variables, deadline)
        return {version: str(answer["Error"]) for version, answer in said.items() if answer.get("Error")}

    def downloaded(
        self, folder: Path, versions: Sequence[ModuleVersion], variables: Mapping[str, str], deadline: Deadline
    ) -> dict[ModuleVersion, Mapping[str, Any]]:
        """Return the answers of `go mod download -json` about those of `versions` that it came to in time."""
        found: dict[ModuleVersion, Mapping[str, Any]] = {}
        environ = {**self._environ, **variables}
        for part in in_parts(versions):
            argv = (self.executable, "mod", "download", "-json", *part)
            with process_group.started(argv, folder, environ, stdout=subprocess.PIPE) as process:
                try:
                    output, _ = process.communicate(timeout=max(0.1, deadline.left()))
                except subprocess.TimeoutExpired:
                    break
            for said in parse_objects(output.decode(errors="replace")):
                found[ModuleVersion(str(said.get("Path")), str(said.get("Version")))] = said
        return found


def in_parts(versions: Sequence[ModuleVersion]) -> list[tuple[str, ...]]:
    """Yield `versions` as arguments, split so that command lines of every system can hold them."""
    parts: list[tuple[str, ...]] = []
    part: list[str] = []
    for argument in map(str, versions):
        if sum(map(len, part)) + len(part) + len(argument) > _ARGUMENT_CHARACTERS:
            parts.append(tuple(part))
            part = []
        part.append(argument)
    return [*parts, tuple(part)] if part else parts


def failed(run: GoRun) -> GoCommandError:
    """Return the error for a failed run of Go: its command, status and last lines."""
    lines = (line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…" for line in run.errors[-20:])
    words = "\n".join(f"  {line}" for line in dict.fromkeys(lines)) or "  (it said nothing)"
    command = " ".join(run.argv[:4])
    return GoCommandError(
        "go-failed", "stopped" if run.stalled else "", command=command, status=run.status, stderr=words
    )


def _check_version(goversion: str) -> None:
    """Accept `go1.26.8`, `go1.22rc1`, or `devel go1.27-abcdef`. Raises GoCommandError for a version that is too old."""
    numbers = goversion.removeprefix("devel ").removeprefix("go").split(".")
    digits = [int("".join(c for c in number[:2] if c.isdecimal()) or 0) for number in numbers[:2]]
    if len(digits) == 2 and tuple(digits) < OLDEST_GO:
        raise GoCommandError("go-too-old", goversion=goversion)
