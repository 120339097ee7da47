"""A real registry on loopback. To the builders it is also the mirror of Docker Hub and of gcr.io."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.support.image_programs import registry_program
from tests.support.waiting import wait_until

_CONFIG = """\
version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}/storage}}
http: {{addr: "127.0.0.1:0"}}
"""
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


class Registry:
    """distribution's registry, without login or TLS; it answers inside its `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._program = folder, registry_program()
        self.host = ""
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Registry:
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "config.yml"
        config.write_text(_CONFIG.format(folder=self._folder))
        environ = {"OTEL_TRACES_EXPORTER": "none"}
        with self._log.open("wb") as log:
            argv = [str(self._program), "serve", str(config)]
            server = self._server = subprocess.Popen(argv, stdout=log, stderr=log, env=environ)
        wait_until(lambda: server.poll() is not None or self._listens(), "the registry")
        assert self.host, self._log.read_text()
        return self

    def _listens(self) -> bool:
        """Whether it has said where: the system has chosen the port, so that it is nobody else's."""
        said = _LISTENING.search(self._log.read_text())
        self.host = said[1] if said else ""
        return bool(said)

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.terminate()
            self._server.wait(timeout=30)

    def repositories(self) -> list[str]:
        """What has been pushed."""
        return sorted(path.parent.relative_to(self._root).as_posix() for path in self._root.rglob("_manifests"))

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _root(self) -> Path:
        return self._folder / "storage/docker/registry/v2/repositories"

    def buildkit_config(self) -> str:
        """buildkitd.toml: both registries are read from here, and builds may ask for the host's network."""
        mirrors = "".join(f'[registry."{name}"]\nmirrors = ["{self.host}"]\n' for name in ("docker.io", "gcr.io"))
        return f'insecure-entitlements = ["network.host"]\n{mirrors}[registry."{self.host}"]\nhttp = true\n'

    def containers_config(self) -> str:
        """registries.conf: the same for buildah."""
        places = ("docker.io", "gcr.io", self.host)
        return "".join(
            f'[[registry]]\nprefix = "{name}"\nlocation = "{self.host}"\ninsecure = true\n' for name in places
        )
