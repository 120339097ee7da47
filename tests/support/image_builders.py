"""Real image builders: buildah, and BuildKit's own daemon with buildctl and buildx.

The base image is `scratch`, a static busybox and the GOROOT of here: the go command and its tools need nothing else.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.image_programs import buildkit_programs, buildx_program, storage_driver
from tests.support.made_once import alone, kept, made_once

BASE = "localhost/gobase"
_BUSYBOX = ("sh", "xargs", "ls", "cat", "mkdir", "cp", "rm", "env", "date", "wget")
_GOROOT = ("VERSION", "go.env", "bin/go", "pkg", "lib/time", "src")
_DOCKERFILE = "FROM scratch\nCOPY root/ /\nENV PATH=/usr/local/go/bin:/bin HOME=/root GOTOOLCHAIN=local\n"
_CGO_DOCKERFILE = f"FROM {BASE}\nCOPY root/ /\nENV PATH=/usr/local/go/bin:/bin:/usr/bin\n"
# What a C program is linked with: its beginning and end, the C library, the loader.
_LINKED = ("crt1.o", "Scrt1.o", "crti.o", "crtn.o", "libc.so", "libc.so.6", "libc_nonshared.a", "libpthread.a",
           "libresolv.so", "ld-linux-x86-64.so.2", "libgcc_s.so.1")  # fmt: skip
_LEFT_OUT = ("--exclude=src/cmd", "--exclude=testdata", "--exclude=*_test.go")


@dataclass(frozen=True)
class Built:
    """How one build went: its log, and the seconds by the text of each step (BuildKit tells them, buildah does not)."""

    log: str
    seconds: dict[str, float]

    def sent(self, context: str) -> float:
        """Return the bytes of a context that were sent to BuildKit: those of the build are named `context`."""
        amounts = re.findall(rf"transferring {context}: ([\d.]+)(k|M|G)?B", self.log)
        return max((float(number) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[unit] for number, unit in amounts), default=0)

    def was_cached(self, step: str) -> bool:
        """Whether the step that contains this text was taken from a cache, the builder's own or one far away."""
        return was_cached(self.log, step)


def was_cached(log: str, step: str) -> bool:
    """The same for any log: below the step it says CACHED, or names the layers that are fetched in its place."""
    lines = log.splitlines()
    below = [after for line, after in itertools.pairwise(lines) if step in line]
    return any(re.search(r"CACHED|^#\d+ (extracting )?sha256:", line) for line in below)


@dataclass(frozen=True)
class BaseImage:
    """The base image as an OCI layout."""

    layout: Path
    digest: str


def base_image() -> BaseImage:
    """Return the base image, made once for each Go."""
    version = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout
    with made_once("base-image", version + _DOCKERFILE) as (folder, is_new):
        layout = folder / "layout"
        if is_new:
            with TemporaryDirectory() as scratch:
                context = Path(scratch, "context")
                _lay_out(context / "root")
                (context / "Dockerfile").write_text(_DOCKERFILE)
                Buildah(Path(scratch, "buildah")).pack(context, layout)
        index = json.loads((layout / "index.json").read_text())
    return BaseImage(layout, index["manifests"][0]["digest"])


def _lay_out(root: Path) -> None:
    for name in ("bin", "tmp", "root", "usr/local/go"):
        (root / name).mkdir(parents=True, exist_ok=True)
    busybox = shutil.which("busybox") or ""
    shutil.copy(busybox, root / "bin" / "busybox")
    for name in _BUSYBOX:
        (root / "bin" / name).symlink_to("busybox")
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    _compile(root / "root" / ".cache" / "go-build")
    packed = subprocess.run(["tar", "-C", goroot, "-c", *_LEFT_OUT, *_GOROOT], capture_output=True, check=True).stdout
    subprocess.run(["tar", "-C", str(root / "usr/local/go"), "-x"], input=packed, check=True)


def _compile(gocache: Path) -> None:
    """A build cache with what small programs need of the standard library: what is tested is not Go's compiler."""
    compiled = kept() / "standard-library"
    environ = {**os.environ, "GOCACHE": str(compiled), "CGO_ENABLED": "0"}
    with alone(compiled):
        subprocess.run(["go", "build", "-trimpath", "os"], check=True, env=environ, timeout=600)
        shutil.copytree(compiled, gocache, ignore=shutil.ignore_patterns("lock"))


def cgo_image() -> BaseImage:
    """Return the base image with this machine's C compiler, made once for each of both."""
    base = base_image()
    compiler = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout
    with made_once("cgo-image", base.digest + compiler + _CGO_DOCKERFILE) as (folder, is_new):
        layout = folder / "layout"
        if is_new:
            with TemporaryDirectory() as scratch:
                context = Path(scratch, "context")
                _lay_out_compiler(context / "root")
                (context / "Dockerfile").write_text(_CGO_DOCKERFILE)
                buildah = Buildah(Path(scratch, "buildah"))
                buildah.pull(base)
                buildah.pack(context, layout)
        index = json.loads((layout / "index.json").read_text())
    return BaseImage(layout, index["manifests"][0]["digest"])


def _lay_out_compiler(root: Path) -> None:
    """Copy the programs of a C compiler with the libraries that they are linked to, headers, and what it links."""
    own = Path(_gcc("-print-libgcc-file-name")).parent
    programs = [Path(shutil.which(name) or "") for name in ("gcc", "as", "ld")]
    programs += [own / name for name in ("cc1", "collect2", "lto-wrapper", "liblto_plugin.so")]
    linked = {match for program in programs for match in re.findall(r"(/\S+) \(0x", _answer("ldd", str(program)))}
    parts = [*own.glob("crt*.o"), *own.glob("libgcc*"), *(own / "include").rglob("*.h")]
    parts += [Path(_gcc(f"-print-file-name={name}")).resolve() for name in _LINKED]
    headers = [path for path in Path("/usr/include").rglob("*") if path.is_file() and "c++" not in path.parts]
    for path in {*programs, *map(Path, linked), *parts, *headers}:
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def _gcc(question: str) -> str:
    return _answer("gcc", question).strip()


def _answer(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


class Buildah:
    """Debian's buildah: no daemon, RUN in a chroot."""

    def __init__(self, folder: Path) -> None:
        folders = ["--root", f"{folder}/root", "--runroot", f"{folder}/run"]
        self._argv = ["buildah", "--storage-driver", storage_driver(), *folders]

    def pack(self, context: Path, layout: Path) -> None:
        """Build a context, and write the image as an OCI layout."""
        self._bud(context, "--tag", BASE)
        self._run([*self._argv, "push", "-q", BASE, f"oci:{layout}:base"])

    def pull(self, base: BaseImage, name: str = BASE) -> None:
        """Take a base image."""
        # buildah names the image by the path, and a name such as .cache is no part of a valid reference.
        argv = [*self._argv, "pull", "-q", f"oci:{base.layout.name}:base"]
        image = self._run(argv, cwd=base.layout.parent).split()[-1]
        self._run([*self._argv, "tag", image, name])

    def build(self, context: Path, gocache: Path, *more: str, go_image: str = BASE) -> Built:
        """Build a context without any network."""
        arguments = ("--layers", "-v", f"{gocache}:/root/.cache/go-build", "--build-arg", f"GO_IMAGE={go_image}", *more)
        log = self._bud(context, *arguments, "--build-arg", "RUNTIME_IMAGE=scratch", "--tag", "built", offline=True)
        return Built(log.replace("--> Using cache", "CACHED"), {})

    def build_from(self, base: str, context: Path, file: Path, *more: str, tag: str = "built") -> None:
        """Build a recipe without any network, on another base image than it names."""
        self._bud(context, "--file", str(file), "--from", base, "--tag", tag, *more, offline=True)

    def digest(self, image: str) -> str:
        """Return the digest of an image."""
        return self._run([*self._argv, "inspect", "--type", "image", "--format", "{{.FromImageDigest}}", image]).strip()

    def run(self, *argv: str, options: Sequence[str] = ()) -> str:
        """Run a program in the image built last, without any network, and return what it prints."""
        container = self._run([*self._argv, "from", "built"]).strip()
        network = ["unshare", "--net"]
        try:
            return self._run([*network, *self._argv, "run", "--isolation", "chroot", *options, container, "--", *argv])
        finally:
            self._run([*self._argv, "rm", container])

    def push(self, image: str) -> None:
        """Push the base image under this name."""
        self._run([*self._argv, "push", "-q", "--tls-verify=false", BASE, f"docker://{image}"])

    def clean(self) -> None:
        """Remove the containers that failed builds have left, with their mounts."""
        subprocess.run([*self._argv, "rm", "--all"], capture_output=True, timeout=600, check=False)

    def files(self) -> list[str]:
        """What lies in the root folder of the image built last."""
        with self._mounted() as folder:
            return sorted(path.name for path in folder.iterdir())

    def take(self, name: str, target: Path) -> Path:
        """Copy a file out of the image built last."""
        with self._mounted() as folder:
            return Path(shutil.copy(folder / name, target))

    @contextlib.contextmanager
    def _mounted(self) -> Iterator[Path]:
        container = self._run([*self._argv, "from", "built"]).strip()
        try:
            yield Path(self._run([*self._argv, "mount", container]).strip())
        finally:
            self._run([*self._argv, "rm", container])

    def _bud(self, context: Path, *arguments: str, offline: bool = False) -> str:
        network = ["unshare", "--net"] if offline else []
        return self._run([*network, *self._argv, "bud", "--isolation", "chroot", *arguments, str(context)])

    @staticmethod
    def _run(argv: list[str], cwd: Path | None = None) -> str:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr if "bud" in argv else done.stdout


class BuildKit:
    """BuildKit's daemon on a socket, with Debian's runc. Every RUN is in the daemon's network.

    Layers lie upon each other where the kernel lets them (overlayfs), else each is a copy of the whole tree.
    """

    def __init__(self, folder: Path, base: BaseImage, config: str = "") -> None:
        self._folder, self._base, self._programs = folder, base, buildkit_programs()
        self._socket, self._config = f"unix://{folder}/socket", config
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self, *, offline: bool) -> str:
        """Start the daemon, with no network if `offline`; why it did not, if it did not."""
        self._folder.mkdir(parents=True)
        config = self._folder / "buildkitd.toml"
        config.write_text(self._config)
        argv = ["unshare", "--net"] if offline else []
        argv += [str(self._programs / "buildkitd"), "--config", str(config), "--addr", self._socket]
        argv += ["--root", f"{self._folder}/root", "--oci-worker-net", "host"]
        with (self._folder / "log").open("wb") as log:
            environ = {**os.environ, "TMPDIR": str(self._folder)}  # where it leaves empty mount points
            self._daemon = subprocess.Popen(argv, stdout=log, stderr=log, env=environ)
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

    def build(
        self, context: Path, gomod: Path, *arguments: str, dockerfile: str = "Dockerfile", exports: bool = True
    ) -> Built:
        """Build a context with the folder of modules as a named context. Without `exports` the image stays inside."""
        tar = ("--output", f"type=tar,dest={self._folder}/image.tar") if exports and "--output" not in arguments else ()
        done = self._build(context, gomod, *tar, *arguments, dockerfile=dockerfile)
        assert done.returncode == 0, done.stdout + done.stderr
        return Built(done.stderr, _step_seconds(done.stderr))

    def fails(self, context: Path, gomod: Path, *arguments: str) -> str:
        """The log of a build that must fail."""
        done = self._build(context, gomod, *arguments, dockerfile="Dockerfile")
        assert done.returncode != 0, done.stderr
        return done.stderr

    def _build(self, context: Path, gomod: Path, *arguments: str, dockerfile: str) -> subprocess.CompletedProcess[str]:
        return self._ctl(
            "build", "--frontend", "dockerfile.v0", "--progress", "plain", "--local", f"context={context}",
            "--local", f"dockerfile={context}", "--opt", f"filename={dockerfile}",
            "--local", f"gomod={gomod}", "--opt", "context:gomod=local:gomod",
            "--oci-layout", f"base={self._base.layout}", "--opt", f"context:gobase=oci-layout://base@{self._base.digest}",
            "--opt", "build-arg:GO_IMAGE=gobase", "--opt", "build-arg:RUNTIME_IMAGE=scratch",
            *arguments,
        )  # fmt: skip

    def seed(self, context: Path, compiled: Path) -> None:
        """Put a build cache into the cache mount /root/.cache/go-build, which our Dockerfiles use."""
        name = "seed.Dockerfile"
        (context / name).write_text(
            "FROM gobase\nRUN --mount=type=cache,target=/root/.cache/go-build "
            "--mount=type=bind,from=seed,target=/seed cp -a /seed/. /root/.cache/go-build/\n"
        )
        seed = ("--local", f"seed={compiled}", "--opt", "context:seed=local:seed")
        self.build(context, context, *seed, dockerfile=name, exports=False)

    def sizes(self) -> dict[str, int]:
        """Bytes by what the newest record of each description is: a layer is what lies above the one below it."""
        done = self._ctl("du", "--format", "{{json .}}")
        assert done.returncode == 0, done.stderr
        records = sorted(json.loads(done.stdout), key=lambda record: str(record["createdAt"]))
        return {record["description"]: record["size"] for record in records}

    def keeping(self, secret: bytes) -> list[Path]:
        """The files in which `secret` stands, of all that the daemon keeps, its log among them.

        The daemon drops in its own time what nothing needs any more: a file that goes meanwhile is not kept.
        """
        found = []
        for folder, _, names in os.walk(self._folder):  # which passes over a folder that is gone, where rglob ends
            for path in (Path(folder, name) for name in names):
                with contextlib.suppress(FileNotFoundError):
                    if stat.S_ISREG(path.lstat().st_mode) and secret in path.read_bytes():
                        found.append(path)
        return found

    def forget(self, *, but_cache_mounts: bool = False) -> None:
        """Drop all layers and cache mounts: what is built next is built on a fresh builder."""
        others = ("--filter", "type!=exec.cachemount") if but_cache_mounts else ()
        done = self._ctl("prune", "--all", *others)
        assert done.returncode == 0, done.stderr

    def buildx_environ(self, folder: Path) -> dict[str, str]:
        """The variables with which buildx builds here; its settings lie in `folder`."""
        environ = {"BUILDX_CONFIG": str(folder), "BUILDX_BUILDER": "here", "BUILDX_METADATA_PROVENANCE": "disabled"}
        create = [str(buildx_program()), "create", "--name", "here", "--driver", "remote", self._socket]
        subprocess.run(create, env={**os.environ, **environ}, check=True, capture_output=True, timeout=60)
        return environ

    def files(self) -> list[str]:
        """What lies in the image built last."""
        return _answer("tar", "-tf", f"{self._folder}/image.tar").split()

    def take(self, name: str, target: Path) -> Path:
        """Copy a file out of the image built last."""
        argv = ["tar", "-xOf", f"{self._folder}/image.tar", name]
        target.write_bytes(subprocess.run(argv, capture_output=True, check=True).stdout)
        target.chmod(0o755)
        return target

    def with_image(self, name: str, image: BaseImage) -> tuple[str, ...]:
        """Return arguments of a build from another Go image."""
        return (
            "--oci-layout", f"{name}={image.layout}", "--opt", f"context:{name}=oci-layout://{name}@{image.digest}",
            "--opt", f"build-arg:GO_IMAGE={name}",
        )  # fmt: skip

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
