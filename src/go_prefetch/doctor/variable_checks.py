"""Checks of Go's variables: GOPROXY, GOFLAGS, and those that weaken Go's checks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from go_prefetch.doctor.facts import Facts
from go_prefetch.doctor.finding import Evidence, seen
from go_prefetch.golang.goflags import flags
from go_prefetch.golang.goproxy import WELL_KNOWN_PUBLIC, redact, well_known_host_like
from go_prefetch.golang.gosumdb import parse_gosumdb
from go_prefetch.golang.module import matches_prefix_patterns

_NEAR_MISSES = {
    "GO_PROXY": "GOPROXY", "GOPROXIES": "GOPROXY", "GOPROXY_URL": "GOPROXY", "GO_PRIVATE": "GOPRIVATE",
    "GOPRIVATES": "GOPRIVATE", "GO_NOPROXY": "GONOPROXY", "GO_NO_PROXY": "GONOPROXY", "GO_SUMDB": "GOSUMDB",
    "GONOSUM": "GONOSUMDB", "GO_FLAGS": "GOFLAGS", "GO_MODCACHE": "GOMODCACHE", "GO_TOOLCHAIN": "GOTOOLCHAIN",
}  # fmt: skip


def goproxy_invalid(facts: Facts) -> Iterator[Evidence]:
    """Find a list that cannot be parsed."""
    if facts.goproxy_problem:
        yield seen(problem=facts.goproxy_problem)


def gosumdb_invalid(facts: Facts) -> Iterator[Evidence]:
    """Find a GOSUMDB that Go refuses."""
    try:
        parse_gosumdb(facts.variables.get("GOSUMDB", ""))
    except ValueError:
        yield seen()


def variable_misspelt(facts: Facts) -> Iterator[Evidence]:
    """Find names close to those that Go reads."""
    for wrong, right in _NEAR_MISSES.items():
        if facts.environ.get(wrong):
            yield seen(variable=wrong, meant=right)


def goproxy_misspelt(facts: Facts) -> Iterator[Evidence]:
    """Find entries that are never used, that mean another host, or that repeat."""
    entries = [entry.strip() for entry in re.split(r"[,|]", facts.goproxy) if entry.strip()]
    ends = [at for at, entry in enumerate(entries) if entry in ("direct", "off")]
    if ends and ends[0] + 1 < len(entries):
        after = tuple(map(redact, entries[ends[0] + 1 :]))
        yield seen("unused", ending=entries[ends[0]], entries=after)
    for entry in entries:
        near = _meant_host(entry)
        if near:
            yield seen("host", entry=redact(entry), meant=near)
    earlier: set[str] = set()
    for entry in entries:
        if entry.rstrip("/") in earlier:
            yield seen("twice", entry=redact(entry))
        earlier.add(entry.rstrip("/"))


def _meant_host(entry: str) -> str:
    try:
        host = urlsplit(entry if "://" in entry else f"https://{entry}").hostname or ""
    except ValueError:
        return ""
    return well_known_host_like(host)


def goproxy_clear_text(facts: Facts) -> Iterator[Evidence]:
    """Find a public proxy over http."""
    hosts = [known for known, _ in WELL_KNOWN_PUBLIC]
    for entry in re.split(r"[,|]", facts.goproxy):
        if any(entry.strip().startswith(f"http://{host}") for host in hosts):
            yield seen(entry=redact(entry.strip()))


def goproxy_without_proxy(facts: Facts) -> Iterator[Evidence]:
    """Find a list that begins with `direct` or `off`."""
    first = re.split(r"[,|]", facts.goproxy)[0].strip()
    if first in ("direct", "off"):
        yield seen(first)


def goproxy_lone_file(facts: Facts) -> Iterator[Evidence]:
    """Find a folder from which Go would use a toolchain without a check."""
    if re.fullmatch(r"\s*file://[^,|]+", facts.goproxy):
        yield seen()


def goflags(facts: Facts) -> Iterator[Evidence]:
    """Find flags that change what Go reads."""
    for flag in flags(facts.variables.get("GOFLAGS", "")):
        if flag == "-mod=mod":
            yield seen("mod")
        if flag == "-mod=vendor":
            yield seen("vendor" if facts.has_vendor else "no-vendor")
        if flag.startswith("-modfile="):
            yield seen("modfile", flag=flag)
        if flag == "-insecure":
            yield seen("insecure")
    if facts.variables.get("GO111MODULE", "") == "off":
        yield seen("modules-off")


def checks_left_out(facts: Facts) -> Iterator[Evidence]:
    """Find settings that weaken the check of downloads."""
    if facts.environ.get("GONOSUMCHECK"):
        yield seen("gonosumcheck")
    if facts.variables.get("GOSUMDB", "") == "off":
        yield seen("gosumdb-off")
    named = facts.environ.get("GONOSUMDB", "")
    private = facts.variables.get("GOPRIVATE", "")
    public = [module for module in facts.modules if not matches_prefix_patterns(private, module.path)]
    if named and any(matches_prefix_patterns(named, module.path) for module in public):
        matched = next(module for module in public if matches_prefix_patterns(named, module.path))
        yield seen("gonosumdb", path=matched.path)
    if facts.variables.get("GOINSECURE", ""):
        yield seen("goinsecure")


def gonoproxy_without_need(facts: Facts) -> Iterator[Evidence]:
    """Find a GONOPROXY without an effect, or with too much of one."""
    given = facts.environ.get("GONOPROXY", "")
    if not given or given == "none" or not facts.modules:
        return
    matched = [module for module in facts.modules if matches_prefix_patterns(given, module.path)]
    known = [module for module in matched if module.path.startswith(("golang.org/x/", "google.golang.org/"))]
    if not matched:
        yield seen("nothing")
    elif known:
        yield seen("public", path=known[0].path)
    elif given == facts.variables.get("GOPRIVATE", ""):
        yield seen("repeated")
