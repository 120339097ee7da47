"""SeaweedFS: an S3 gateway that checks signatures, and a filer, which is an HTTP server with GET, PUT and DELETE.

A server is up in 2.5 s and takes 120 MB. One serves all tests of a worker: each test has a bucket or folder of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.servers.process import ServerProcess, program, request, skip_without_client

# Buckets whose names begin so can be read and listed without a login.
PUBLIC = "public-"
REGION = "us-east-1"
# Otherwise each bucket takes seven volumes of the disk at once, and creates them before its first object.
_MASTER = "[master.volume_growth]\ncopy_1 = 1\n"


@dataclass(frozen=True)
class Identity:
    """A user of the S3 gateway, and what it may do."""

    name: str
    key_id: str
    secret: str = field(repr=False)
    actions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the identity as the gateway's configuration has it."""
        credentials = [{"accessKey": self.key_id, "secretKey": self.secret}] if self.key_id else []
        return {"name": self.name, "credentials": credentials, "actions": list(self.actions)}


WRITER = Identity("writer", "AKIDWRITER", "writer-secret", ("Admin", "Read", "Write", "List"))
READER = Identity("reader", "AKIDREADER", "reader-secret", ("Read", "List"))
_ANONYMOUS = Identity("anonymous", "", "", (f"Read:{PUBLIC}*", f"List:{PUBLIC}*"))


class SeaweedFS(ServerProcess):
    """Runs inside its `with` block. It stores `volumes` of `volume_mb` MB each, and each bucket takes one.

    The S3 gateway knows WRITER, READER and, for public buckets, readers without a login. The filer asks for no login.
    """

    port_count = 9

    def __init__(self, folder: Path, *, volumes: int = 500, volume_mb: int = 64) -> None:
        super().__init__(folder)
        self._volumes, self._volume_mb = volumes, volume_mb
        self._numbers = itertools.count(1)

    def command(self) -> list[str]:
        """See ServerProcess."""
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        (self.folder / "master.toml").write_text(_MASTER)
        identities = {"identities": [each.as_json() for each in (WRITER, READER, _ANONYMOUS)]}
        (self.folder / "s3.json").write_text(json.dumps(identities))
        roles = ("master", "volume", "filer", "s3")
        names = [*(name for role in roles for name in (f"{role}.port", f"{role}.port.grpc")), "metricsPort"]
        options = {
            "dir": str(data),
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "filer": "true",
            "s3": "true",
            "s3.config": str(self.folder / "s3.json"),
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "master.peers": "none",  # else it waits for others
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": str(self._volume_mb),
            "volume.max": str(self._volumes),
        }
        ports = dict(zip(names, map(str, self.ports), strict=True))
        flags = [f"-{name}={value}" for name, value in (options | ports).items()]
        return [program("weed"), "-logtostderr", "server", *flags]

    def is_ready(self) -> bool:
        """Return whether an object can be written through the filer and read through the gateway."""
        if request("GET", self.s3_url)[0] >= 500 or request("PUT", f"{self.filer_url}/ready", b"yes")[0] >= 300:
            return False
        self._make_bucket(f"{PUBLIC}ready")
        return request("GET", f"{self.s3_url}/{PUBLIC}ready?list-type=2")[0] == 200

    def kill(self) -> None:
        """Remove its sockets too, which lie in /tmp whatever TMPDIR says."""
        super().kill()
        for port in self.ports:
            for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                with contextlib.suppress(OSError):
                    path.unlink()

    @property
    def s3_url(self) -> str:
        """Return the address of the S3 gateway; buckets are its folders (path style)."""
        return self.url(6)

    @property
    def filer_url(self) -> str:
        """Return the address of the filer."""
        return self.url(4)

    def metrics(self) -> str:
        """Return its counts since it started, as Prometheus reads them."""
        return request("GET", f"{self.url(8)}/metrics")[1].decode()

    def new_bucket(self, *, is_public: bool = False) -> str:
        """Create an empty bucket and return its name."""
        skip_without_client()
        name = f"{PUBLIC if is_public else ''}bucket-{next(self._numbers)}"
        assert self._make_bucket(name) == 201
        return name

    def _make_bucket(self, name: str) -> int:
        """Make a folder where the gateway keeps its buckets. Return the status: 409 if it is there."""
        return request("POST", f"{self.filer_url}/buckets/{name}/")[0]

    def new_folder(self) -> str:
        """Return the URL of a folder of the filer that has nothing in it."""
        return f"{self.filer_url}/folder-{next(self._numbers)}"

    def object_path(self, bucket: str, name: str) -> str:
        """Return the URL of an object at the filer, which asks for no login: to look, damage and remove."""
        return f"{self.filer_url}/buckets/{bucket}/{name}"

    def variables(self, who: Identity | None, url: str = "") -> dict[str, str]:
        """Return the environment of an S3 client; `url` is another way to the gateway, such as a relay's."""
        login = {"AWS_ACCESS_KEY_ID": who.key_id, "AWS_SECRET_ACCESS_KEY": who.secret} if who else {}
        return {"AWS_ENDPOINT_URL": url or self.s3_url, "AWS_REGION": REGION, **login}
