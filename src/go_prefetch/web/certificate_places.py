"""Where trusted certificates are: as Go finds them (crypto/x509, root_linux.go and root_bsd.go), and as curl does.

Apart from certificates.py, which reads them: a run without requests does not wait for the import of OpenSSL.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

# The first of these that is readable counts.
_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/etc/openssl/certs/ca-certificates.crt",
)
# All of these count.
_FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs", "/usr/local/share/certs", "/etc/openssl/certs")


@dataclass(frozen=True)
class Certificates:
    """Where trusted certificates are, in addition to those of requests."""

    named: tuple[Path, ...] = ()  # files and folders that must be readable
    files: tuple[Path, ...] = tuple(map(Path, _FILES))
    folders: tuple[Path, ...] = tuple(map(Path, _FOLDERS))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Certificates:
        """Return the places that this environment names, or Go's defaults."""
        named = [environ[name] for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if environ.get(name)]
        file, folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
        return cls(
            tuple(map(Path, dict.fromkeys(named))),
            (Path(file),) if file else cls.files,
            tuple(map(Path, folders.split(os.pathsep))) if folders else cls.folders,
        )

    def and_named(self, path: Path) -> Certificates:
        """Return these places and one more, which must be readable."""
        return replace(self, named=(*self.named, path))
