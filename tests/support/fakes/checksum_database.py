"""A checksum database with a key of its own: files that any HTTP server can serve, and the GOSUMDB that names it.

Its tree has one record, which has the lines of all modules. https://go.dev/design/25530-sumdb
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.fakes.modules import FakeModule, escape

_ED25519 = b"\x01"


@dataclass(frozen=True)
class ChecksumDatabase:
    """`files` by their paths below a server's address; `key` is the verifier key."""

    name: str
    key: str
    files: dict[str, bytes]

    def gosumdb(self, server: str) -> str:
        """GOSUMDB for a server at this address. Without the address, Go asks the proxies for it."""
        return f"{self.key} {server}/sumdb/{self.name}"


def checksum_database(modules: Iterable[FakeModule], name: str = "sum.test") -> ChecksumDatabase:
    """Return a database that knows exactly these modules."""
    modules = list(modules)
    private = Ed25519PrivateKey.generate()
    public = _ED25519 + private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    mark = hashlib.sha256(f"{name}\n".encode() + public).digest()[:4]
    record = "".join(module.go_sum for module in modules).encode()
    root = hashlib.sha256(b"\0" + record).digest()
    tree = f"go.sum database tree\n1\n{base64.b64encode(root).decode()}\n".encode()
    signature = base64.b64encode(mark + private.sign(tree)).decode()
    signed = tree + f"\n— {name} {signature}\n".encode()
    stem = f"sumdb/{name}"
    lookups = {f"{stem}/lookup/{escape(module.path)}@{escape(module.version)}" for module in modules}
    return ChecksumDatabase(
        name=name,
        key=f"{name}+{mark.hex()}+{base64.b64encode(public).decode()}",
        files={
            f"{stem}/supported": b"",
            f"{stem}/latest": signed,
            f"{stem}/tile/8/0/000.p/1": root,
            **dict.fromkeys(lookups, b"0\n" + record + b"\n" + signed),
        },
    )
