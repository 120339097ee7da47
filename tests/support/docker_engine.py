"""A Docker engine of the test's own, for jobs in a container. Nothing is installed: Debian's packages are unpacked."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.made_once import made_once
from tests.support.waiting import wait_until

_PACKAGES = ("docker.io", "containerd")
IMAGE = "local/machine:1"
# What the folders of a machine with a merged /usr are called there.
_LINKS = ("bin", "lib", "lib64", "sbin")


@contextmanager
def docker_engine() -> Iterator[str]:
    """Start an engine that has IMAGE. Yields the address for DOCKER_HOST. Needs root."""
    programs = os.pathsep.join([*map(str, _programs()), os.environ["PATH"]])
    environ = {**os.environ, "PATH": programs}
    folder = Path(tempfile.mkdtemp(prefix="d", dir="/tmp"))  # short, because sockets lie in there
    address = f"unix://{folder}/s"
    command = ["dockerd", "--iptables=false", "--bridge=none", "--storage-driver=vfs", f"--host={address}"]
    places = [f"--data-root={folder}/root", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    log = folder / "log"
    try:
        with log.open("wb") as output:
            engine = subprocess.Popen(
                [*command, *places], env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            docker = ["docker", "--host", address]

            def is_ready() -> bool:
                return subprocess.run([*docker, "info"], env=environ, capture_output=True, check=False).returncode == 0

            wait_until(lambda: engine.poll() is not None or is_ready(), "the Docker engine", timeout=60)
            assert engine.poll() is None, log.read_text()[-2000:]
            subprocess.run(
                [*docker, "import", "-", IMAGE], input=_image(), env=environ, capture_output=True, check=True
            )
            yield address
        finally:
            engine.terminate()
            engine.wait(timeout=60)
    finally:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed([mount for mount in mounts if Path(mount).is_relative_to(folder)]):
            subprocess.run(["umount", "--lazy", mount], check=True)
        shutil.rmtree(folder)


def options_of_machine(*mounts: str, **variables: str) -> str:
    """Return the options of a container in which the programs of this machine are."""
    given = ["/usr:/usr:ro", "/etc:/etc:ro", *mounts]
    return " ".join([*(f"-v {mount}" for mount in given), *(f"-e {name}={value}" for name, value in variables.items())])


def _programs() -> list[Path]:
    """Return the folders of the engine's programs: none if the machine has them."""
    if shutil.which("dockerd") and shutil.which("docker"):
        return []
    with made_once("docker-engine", " ".join(_PACKAGES)) as (folder, is_new):
        if is_new:
            for command in (["apt-get", "-q", "update"], ["apt-get", "-q", "download", *_PACKAGES]):
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stdout + done.stderr
            for package in folder.glob("*.deb"):
                subprocess.run(["dpkg", "-x", package.name, "."], cwd=folder, check=True)
                package.unlink()
    return [folder / "usr" / "sbin", folder / "usr" / "bin"]


def _image() -> bytes:
    """Return an archive of empty folders. What a container needs is mounted."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("usr", "etc", "tmp", "root", "var/run"):
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(member)
        for name in _LINKS:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(member)
    return stream.getvalue()
