"""A real registry on loopback. To the builders it is also the mirror of Docker Hub and of gcr.io."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from tests.image_programs import registry_program

_CONFIG = """\
version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}/storage}}
http: {{addr: "{host}"}}
"""


class Registry:
    """distribution's registry, without login or TLS; it answers inside its `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._program = folder, registry_program()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.host = f"127.0.0.1:{free.getsockname()[1]}"
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Registry:
        self._folder.mkdir(parents=True)
        config = self._folder / "config.yml"
        config.write_text(_CONFIG.format(folder=self._folder, host=self.host))
        environ = {"OTEL_TRACES_EXPORTER": "none"}
        with (self._folder / "log").open("wb") as log:
            argv = [str(self._program), "serve", str(config)]
            self._server = subprocess.Popen(argv, stdout=log, stderr=log, env=environ)
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://{self.host}/v2/", timeout=5):
                    return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self._folder / "log").read_text())

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.terminate()
            self._server.wait(timeout=30)

    def repositories(self) -> list[str]:
        """What has been pushed."""
        return sorted(path.parent.relative_to(self._root).as_posix() for path in self._root.rglob("_manifests"))

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
