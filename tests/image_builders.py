"""Real image builders without a registry: buildah, and BuildKit's own daemon; a base image with the Go that runs here.

The base is `scratch`, a static busybox and GOROOT: the go command and its tools need nothing else.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUILDKIT = "v0.19.0"  # with Debian 12's runc; its source comes from the module proxy
BASE = "localhost/gobase"
_BUSYBOX = ("sh", "xargs", "ls", "cat", "mkdir", "cp", "rm", "env", "date", "wget")
_GOROOT = ("VERSION", "go.env", "bin/go", "pkg", "lib/time", "src")
_LEFT_OUT = ("--exclude=src/cmd", "--exclude=testdata", "--exclude=*_test.go")


@dataclass(frozen=True)
class Built:
    """How one build went: its log, and the seconds by the text of each step (BuildKit tells them, buildah does not)."""

    log: str
    seconds: dict[str, float]

    def was_cached(self, step: str) -> bool:
        """Whether the step that contains this text was taken from the cache."""
        lines = self.log.splitlines()
        return any(step in line and "CACHED" in _after(lines, at) for at, line in enumerate(lines))


def _after(lines: list[str], at: int) -> str:
    return lines[at + 1] if at + 1 < len(lines) else ""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One worker of the test run at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def missing_programs() -> str:
    """Which of the Debian programs are not there, as a reason to skip."""
    lacking = [name for name in ("buildah", "runc", "busybox", "unshare") if not shutil.which(name)]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


def base_root(folder: Path) -> Path:
    """The base image's files, made once a run."""
    root = folder / "base"
    with alone(folder):
        if not (root / "Dockerfile").is_file():
            _lay_out(root / "root")
            (root / "Dockerfile").write_text(
                "FROM scratch\nCOPY root/ /\nENV PATH=/usr/local/go/bin:/bin HOME=/root GOTOOLCHAIN=local\n"
            )
    return root


def _lay_out(root: Path) -> None:
    for name in ("bin", "tmp", "root", "usr/local/go"):
        (root / name).mkdir(parents=True, exist_ok=True)
    busybox = shutil.which("busybox") or ""
    shutil.copy(busybox, root / "bin" / "busybox")
    for name in _BUSYBOX:
        (root / "bin" / name).symlink_to("busybox")
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    packed = subprocess.run(["tar", "-C", goroot, "-c", *_LEFT_OUT, *_GOROOT], capture_output=True, check=True).stdout
    subprocess.run(["tar", "-C", str(root / "usr/local/go"), "-x"], input=packed, check=True)


class Buildah:
    """Debian's buildah: no daemon, RUN in a chroot, layers as whole copies."""

    def __init__(self, folder: Path, base: Path) -> None:
        self._argv = ["buildah", "--storage-driver", "vfs", "--root", f"{folder}/root", "--runroot", f"{folder}/run"]
        self._bud(base, "--tag", BASE)

    def build(self, context: Path, gocache: Path) -> Built:
        """Build a context without any network."""
        arguments = ("--layers", "-v", f"{gocache}:/root/.cache/go-build", "--build-arg", f"GO_IMAGE={BASE}")
        log = self._bud(context, *arguments, "--build-arg", "RUNTIME_IMAGE=scratch", "--tag", "built", offline=True)
        return Built(log.replace("--> Using cache", "CACHED"), {})

    def oci_layout(self, folder: Path) -> tuple[Path, str]:
        """The base image for BuildKit: a folder, and the image's digest in it."""
        self._run([*self._argv, "push", "-q", BASE, f"oci:{folder}:base"])
        index = json.loads((folder / "index.json").read_text())
        return folder, index["manifests"][0]["digest"]

    def files(self) -> list[str]:
        """What lies in the root folder of the image built last."""
        container = self._run([*self._argv, "from", "built"]).strip()
        mounted = self._run([*self._argv, "mount", container]).strip()
        names = sorted(path.name for path in Path(mounted).iterdir())
        self._run([*self._argv, "rm", container])
        return names

    def _bud(self, context: Path, *arguments: str, offline: bool = False) -> str:
        network = ["unshare", "--net"] if offline else []
        return self._run([*network, *self._argv, "bud", "--isolation", "chroot", *arguments, str(context)])

    @staticmethod
    def _run(argv: list[str]) -> str:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr if "bud" in argv else done.stdout


def kept() -> Path:
    """Where what takes minutes to make stays from one run of the tests to the next: nothing in it depends on us."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "go-prefetch-tests"


def buildkit_programs() -> Path:
    """buildkitd and buildctl, built from the module proxy once a user."""
    folder = kept() / f"buildkit-{BUILDKIT}"
    with alone(folder):
        if not (folder / "buildkitd").is_file():
            _build_buildkit(folder)
    return folder


def _build_buildkit(cache: Path) -> None:
    environ = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -buildvcs=false", "GOTOOLCHAIN": "local"}
    module = f"github.com/moby/buildkit@{BUILDKIT}"
    said = subprocess.run(["go", "mod", "download", "-json", module], capture_output=True, check=True, env=environ)
    source = cache / "source"  # `go install` refuses it: its go.mod has exclude lines
    shutil.copytree(json.loads(said.stdout)["Dir"], source, ignore=shutil.ignore_patterns("vendor"))
    for path in (source, *source.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    build = ["go", "build", "-ldflags=-s -w", "-o", f"{cache}/", "./cmd/buildctl", "./cmd/buildkitd"]
    subprocess.run(build, cwd=source, env=environ, check=True, timeout=900)
    shutil.rmtree(source)


class BuildKit:
    """BuildKit's daemon on a socket, with Debian's runc; no registry. Every RUN is in the daemon's network."""

    def __init__(self, folder: Path, base: tuple[Path, str]) -> None:
        self._folder, self._base, self._programs = folder, base, buildkit_programs()
        self._socket = f"unix://{folder}/socket"
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self, *, offline: bool) -> str:
        """Start the daemon, with no network if `offline`; why it did not, if it did not."""
        self._folder.mkdir(parents=True)
        argv = ["unshare", "--net"] if offline else []
        argv += [str(self._programs / "buildkitd"), "--addr", self._socket, "--root", f"{self._folder}/root"]
        argv += ["--oci-worker-snapshotter", "native", "--oci-worker-net", "host"]
        with (self._folder / "log").open("wb") as log:
            self._daemon = subprocess.Popen(argv, stdout=log, stderr=log)
        for _ in range(100):
            if self._daemon.poll() is not None:
                break
            if self._ctl("debug", "workers").returncode == 0:
                return ""
            time.sleep(0.1)
        return f"buildkitd did not start:\n{(self._folder / 'log').read_text()[-2000:]}"

    def stop(self) -> None:
        """End the daemon."""
        if self._daemon:
            self._daemon.terminate()
            self._daemon.wait(timeout=30)

    def build(self, context: Path, gomod: Path, *arguments: str, dockerfile: str = "Dockerfile") -> Built:
        """Build a context with the folder of modules as a named context."""
        layout, digest = self._base
        done = self._ctl(
            "build", "--frontend", "dockerfile.v0", "--progress", "plain", "--local", f"context={context}",
            "--local", f"dockerfile={context}", "--opt", f"filename={dockerfile}",
            "--local", f"gomod={gomod}", "--opt", "context:gomod=local:gomod",
            "--oci-layout", f"base={layout}", "--opt", f"context:gobase=oci-layout://base@{digest}",
            "--opt", "build-arg:GO_IMAGE=gobase", "--opt", "build-arg:RUNTIME_IMAGE=scratch",
            "--output", f"type=tar,dest={self._folder}/image.tar", *arguments,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return Built(done.stderr, _step_seconds(done.stderr))

    def files(self) -> list[str]:
        """What lies in the image built last."""
        argv = ["tar", "-tf", f"{self._folder}/image.tar"]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()

    def _ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [str(self._programs / "buildctl"), "--addr", self._socket, *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)


def _step_seconds(log: str) -> dict[str, float]:
    """Seconds by what each step runs: `#9 [x 3/4] RUN …` is told by a later `#9 DONE 1.1s`."""
    names: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for line in log.splitlines():
        number, _, rest = line.partition(" ")
        if rest.startswith("["):
            names.setdefault(number, rest)
        elif rest.startswith("DONE ") and number in names:
            seconds[names[number]] = float(rest[5:].rstrip("s"))
    return seconds
