"""kaniko, which takes a whole file system for its own: it is given a folder as one, by chroot, with its own mounts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.image_programs import kaniko_program
from tests.image_registry import Registry

_FOLDERS = ("kaniko", "proc", "tmp", "etc", "root", "dev", "workspace")
# What is mounted kaniko neither deletes nor puts into layers. Nothing of this machine is: it has a /dev of its own.
_ENTER = """\
set -e
mount -t proc proc "$0/proc"
mount -t tmpfs tmpfs "$0/dev"
mknod -m 666 "$0/dev/null" c 1 3
mount --bind "$0/context" "$0/workspace"
exec chroot "$0" "$@"
"""


class Kaniko:
    """The executor of an image of kaniko, started anew for each build; layers are cached in the registry only."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self._folder, self._registry = folder, registry

    def build(self, context: Path, name: str) -> str:
        """Build and push; return the log."""
        root = self._folder / "root"
        shutil.rmtree(root, ignore_errors=True)
        for below in _FOLDERS:
            (root / below).mkdir(parents=True)
        shutil.copy(kaniko_program(), root / "kaniko" / "executor")
        shutil.copytree(context, root / "context", symlinks=True)
        host = self._registry.host
        argv = [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, str(root),
            "/kaniko/executor", "--force", "--context", "dir:///workspace", "--log-format", "text",
            "--registry-mirror", host, "--registry-map", f"gcr.io={host}", "--insecure", "--insecure-pull",
            "--cache=true", "--cache-copy-layers", "--cache-repo", f"{host}/kaniko-cache",
            "--ignore-path", "/context", "--destination", f"{host}/{name}",
        ]  # fmt: skip
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        done = subprocess.run(argv, capture_output=True, text=True, timeout=280, env=environ, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
        return done.stdout + done.stderr
