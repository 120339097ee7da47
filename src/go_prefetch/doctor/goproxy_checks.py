"""Checks of GOPROXY and of the names of Go's variables. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from go_prefetch.doctor.facts import Surroundings
from go_prefetch.golang.goproxy import WELL_KNOWN_PUBLIC, redact
from go_prefetch.render.messages import reason


def goproxy_invalid(facts: Surroundings) -> Iterator[str]:
    """The list cannot be read at all."""
    if facts.goproxy_problem:
        yield reason(facts.goproxy_problem)


_NEAR_MISSES = {
    "GO_PROXY": "GOPROXY", "GOPROXIES": "GOPROXY", "GOPROXY_URL": "GOPROXY", "GO_PRIVATE": "GOPRIVATE",
    "GOPRIVATES": "GOPRIVATE", "GO_NOPROXY": "GONOPROXY", "GO_NO_PROXY": "GONOPROXY", "GO_SUMDB": "GOSUMDB",
    "GONOSUM": "GONOSUMDB", "GO_FLAGS": "GOFLAGS", "GO_MODCACHE": "GOMODCACHE", "GO_TOOLCHAIN": "GOTOOLCHAIN",
}  # fmt: skip


def variable_misspelt(facts: Surroundings) -> Iterator[str]:
    """Names close to those that Go reads."""
    for wrong, right in _NEAR_MISSES.items():
        if facts.environ.get(wrong):
            yield f"{wrong} is set, which Go does not read; {right} is meant?"


def goproxy_misspelt(facts: Surroundings) -> Iterator[str]:
    """Entries that are never asked, that are meant for another host, or that stand there twice."""
    entries = [entry.strip() for entry in re.split(r"[,|]", facts.goproxy) if entry.strip()]
    ends = [at for at, entry in enumerate(entries) if entry in ("direct", "off")]
    if ends and ends[0] + 1 < len(entries):
        after = ", ".join(redact(entry) for entry in entries[ends[0] + 1 :])
        yield f"GOPROXY: what stands behind `{entries[ends[0]]}` is never asked: {after}"
    for entry in entries:
        near = _meant_host(entry)
        if near:
            yield f"GOPROXY: {redact(entry)} is not {near}, which looks much the same; is that meant?"
    seen: set[str] = set()
    for entry in entries:
        if entry.rstrip("/") in seen:
            yield f"GOPROXY: {redact(entry)} stands there twice"
        seen.add(entry.rstrip("/"))


def _meant_host(entry: str) -> str:
    try:
        host = urlsplit(entry if "://" in entry else f"https://{entry}").hostname or ""
    except ValueError:
        return ""
    known = [known for known, _ in WELL_KNOWN_PUBLIC]
    if host in known:
        return ""
    return next(iter(difflib.get_close_matches(host, known, n=1, cutoff=0.87)), "")


def goproxy_clear_text(facts: Surroundings) -> Iterator[str]:
    """A public proxy over http."""
    hosts = [known for known, _ in WELL_KNOWN_PUBLIC]
    for entry in re.split(r"[,|]", facts.goproxy):
        if any(entry.strip().startswith(f"http://{host}") for host in hosts):
            yield f"GOPROXY: {redact(entry.strip())} goes over the network in clear text; it serves https too"


def goproxy_asks_nobody(facts: Surroundings) -> Iterator[str]:
    """A list that begins with its end."""
    first = re.split(r"[,|]", facts.goproxy)[0].strip()
    if first == "direct":
        yield "GOPROXY begins with `direct`: every module is cloned from its repository, one git process each"
    if first == "off":
        yield "GOPROXY is `off`: nothing is downloaded, not even what the store lacks"


def lone_file_proxy(facts: Surroundings) -> Iterator[str]:
    """A folder from which Go would take a toolchain unchecked."""
    if re.fullmatch(r"\s*file://[^,|]+", facts.goproxy):
        yield (
            "GOPROXY is one `file://` URL and nothing else: Go then runs a toolchain from it without asking the "
            "checksum database; write `,off` behind it"
        )
