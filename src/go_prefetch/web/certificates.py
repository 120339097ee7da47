"""Trusted certificates, read as Go reads them: crypto/x509, root_unix.go, root_linux.go and root_bsd.go.

OpenSSL reads a folder by the hashes in its file names, and knows one bundle. Go reads every file of a folder, and knows
the bundles of many systems. On macOS and Windows Go asks the system, and so does the standard library on Windows.
"""

from __future__ import annotations

import binascii
import errno
import re
import ssl
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from go_prefetch.web.certificate_places import Certificates

_MOST_BYTES = 16 << 20  # of one file
_MOST_FILES = 10_000  # of one folder
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")


@cache  # reading them takes longer than a request
def trust(places: Certificates) -> ssl.SSLContext:
    """Return a context that trusts the certificates of these places, of requests, and of the system.

    Raises OSError for a named file or folder without a readable certificate.
    """
    found = dict.fromkeys(_of_system(places))
    for path in (Path(DEFAULT_CA_BUNDLE_PATH), *places.named):
        found.update(dict.fromkeys(_of_named(path)))
    context = _empty_context()
    _load(context, found)
    return context


def _empty_context() -> ssl.SSLContext:
    """Return a context that verifies as Go does: any trusted certificate ends a chain, and RFC 5280 is not enforced.

    Python 3.13 enforces it, and refuses certificates of company authorities that Go accepts.
    """
    if sys.platform in ("win32", "darwin"):
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _of_system(places: Certificates) -> Iterator[bytes]:
    for file in places.files:
        with suppress(OSError):
            yield from _certificates_in(_read(file))
            break
    for folder in places.folders:
        yield from _of_folder(folder)


def _of_named(path: Path) -> list[bytes]:
    found = list(_of_folder(path) if path.is_dir() else _certificates_in(_read(path)))
    if not found:
        raise OSError(errno.EINVAL, "no certificate in PEM format", str(path))
    return found


def _of_folder(folder: Path) -> Iterator[bytes]:
    """Yield the certificates of all files, except second names of a file. OpenSSL's hashes are such names."""
    with suppress(OSError):
        for path in islice(folder.iterdir(), _MOST_FILES):
            with suppress(OSError):
                if path.is_file() and not (path.is_symlink() and len(path.readlink().parts) == 1):
                    yield from _certificates_in(_read(path))


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _certificates_in(content: bytes) -> Iterator[bytes]:
    """Yield each certificate of a PEM file, in DER. One that is not base64 is left out, as in Go."""
    for match in _CERTIFICATE.finditer(content):
        with suppress(binascii.Error):
            yield binascii.a2b_base64(match[1])


def _load(context: ssl.SSLContext, certificates: Iterable[bytes]) -> None:
    """Add certificates. One that OpenSSL cannot parse is left out, as in Go."""
    everything = list(certificates)
    try:
        context.load_verify_locations(cadata=b"".join(everything))
    except ssl.SSLError:
        for one in everything:
            with suppress(ssl.SSLError):
                context.load_verify_locations(cadata=one)
