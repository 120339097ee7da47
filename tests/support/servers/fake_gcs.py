"""fake-gcs-server: Google Cloud Storage, which takes every login. Go builds it once a user, in a minute.

It has no uploads of the XML API. A relay in front of it makes them uploads of the JSON API.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

from tests.support.fakes.answers import Answer
from tests.support.fakes.faulty_relay import FaultyRelay
from tests.support.made_once import made_once
from tests.support.servers.process import ServerProcess, request, skip_without_client

_MODULE = "github.com/fsouza/fake-gcs-server"
_VERSION = "v1.56.1"


class _Uploads(FaultyRelay):
    def ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        """See FaultyRelay."""
        headers = {
            name: value for name, value in headers.items() if name.lower() != "host"
        }  # the server's own is added
        if method != "PUT":
            return super().ask(method, target, body, headers)
        bucket, _, name = urlsplit(target).path.lstrip("/").partition("/")
        query = {"uploadType": "media", "name": unquote(name)}
        for header, generation in headers.items():
            if header.lower() == "x-goog-if-generation-match":
                query["ifGenerationMatch"] = generation
        target = f"/upload/storage/v1/b/{unquote(bucket)}/o?{urlencode(query)}"
        answer = super().ask("POST", target, body, headers)
        if answer.status == 200:
            answer.headers["ETag"] = json.loads(bytes(answer.body))["etag"]
        return answer


class FakeGCS(ServerProcess):
    """Runs inside its `with` block, and keeps everything in memory. `relay` is the way to it, and can fail."""

    relay: FaultyRelay

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._numbers = itertools.count(1)

    def command(self) -> list[str]:
        """See ServerProcess."""
        host = f"127.0.0.1:{self.ports[0]}"
        places = ("-host", "127.0.0.1", "-port", str(self.ports[0]), "-public-host", host, "-external-url", self.url())
        return [str(_built() / "fake-gcs-server"), "-scheme", "http", "-backend", "memory", *places]

    def is_ready(self) -> bool:
        """Return whether it answers."""
        return request("GET", f"{self.url()}/storage/v1/b?project=test")[0] == 200

    def start(self) -> None:
        """Start the relay too."""
        super().start()
        self.relay = _Uploads(self.ports[0])
        self.relay.start()

    def kill(self) -> None:
        """End both."""
        super().kill()
        if hasattr(self, "relay"):
            self.relay.close()

    def new_bucket(self) -> str:
        """Create an empty bucket and return its name."""
        skip_without_client()
        name = f"bucket-{next(self._numbers)}"
        body = json.dumps({"name": name}).encode()
        status, said = request("POST", f"{self.url()}/storage/v1/b?project=test", body, Content_Type="application/json")
        assert status == 200, said
        return name

    def variables(self) -> dict[str, str]:
        """Return the environment of a client."""
        return {"STORAGE_EMULATOR_HOST": self.relay.url}


def _built() -> Path:
    with made_once("fake-gcs-server", _VERSION) as (folder, is_new):
        if is_new:
            environ = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOBIN": str(folder)}
            install = ["go", "install", "-ldflags=-s -w", f"{_MODULE}@{_VERSION}"]
            subprocess.run(install, cwd=folder, env=environ, check=True)
    return folder
