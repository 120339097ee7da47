"""What a server needs to speak TLS."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

from go_prefetch.web.certificate_places import Certificates
from go_prefetch.web.http_settings import HttpSettings


def server_tls(authority: trustme.CA, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
    """Return a context with a certificate of the authority for these names (none: 127.0.0.1)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    not_before = not_after - timedelta(days=2) if not_after else None
    certificate = authority.issue_cert(*(names or ("127.0.0.1",)), not_before=not_before, not_after=not_after)
    certificate.configure_cert(context)
    return context


def trusting(bundle: Path, **settings: Any) -> HttpSettings:
    """Return settings of a client that trusts the authorities in this file too."""
    return HttpSettings(certificates=Certificates(named=(bundle,)), **settings)
