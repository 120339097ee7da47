"""Checks of Go's variables: GOPROXY, GOFLAGS, and those that weaken what Go checks. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from go_prefetch.doctor.facts import Facts
from go_prefetch.golang.goflags import flags
from go_prefetch.golang.goproxy import WELL_KNOWN_PUBLIC, redact
from go_prefetch.golang.module import matches_prefix_patterns
from go_prefetch.render.messages import reason

_NEAR_MISSES = {
    "GO_PROXY": "GOPROXY", "GOPROXIES": "GOPROXY", "GOPROXY_URL": "GOPROXY", "GO_PRIVATE": "GOPRIVATE",
    "GOPRIVATES": "GOPRIVATE", "GO_NOPROXY": "GONOPROXY", "GO_NO_PROXY": "GONOPROXY", "GO_SUMDB": "GOSUMDB",
    "GONOSUM": "GONOSUMDB", "GO_FLAGS": "GOFLAGS", "GO_MODCACHE": "GOMODCACHE", "GO_TOOLCHAIN": "GOTOOLCHAIN",
}  # fmt: skip


def goproxy_invalid(facts: Facts) -> Iterator[str]:
    """The list cannot be read at all."""
    if facts.goproxy_problem:
        yield reason(facts.goproxy_problem)


def variable_misspelt(facts: Facts) -> Iterator[str]:
    """Names close to those that Go reads."""
    for wrong, right in _NEAR_MISSES.items():
        if facts.environ.get(wrong):
            yield f"{wrong} is set, which Go does not read; {right} is meant?"


def goproxy_misspelt(facts: Facts) -> Iterator[str]:
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


def goproxy_clear_text(facts: Facts) -> Iterator[str]:
    """A public proxy over http."""
    hosts = [known for known, _ in WELL_KNOWN_PUBLIC]
    for entry in re.split(r"[,|]", facts.goproxy):
        if any(entry.strip().startswith(f"http://{host}") for host in hosts):
            yield f"GOPROXY: {redact(entry.strip())} goes over the network in clear text; it serves https too"


def goproxy_without_proxy(facts: Facts) -> Iterator[str]:
    """A list that begins with its end."""
    first = re.split(r"[,|]", facts.goproxy)[0].strip()
    if first == "direct":
        yield "GOPROXY begins with `direct`: every module is cloned from its repository, one git process each"
    if first == "off":
        yield "GOPROXY is `off`: nothing is downloaded, not even what the store lacks"


def goproxy_lone_file(facts: Facts) -> Iterator[str]:
    """A folder from which Go would take a toolchain unchecked."""
    if re.fullmatch(r"\s*file://[^,|]+", facts.goproxy):
        yield (
            "GOPROXY is one `file://` URL and nothing else: Go then runs a toolchain from it without asking the "
            "checksum database; write `,off` behind it"
        )


def goflags(facts: Facts) -> Iterator[str]:
    """Flags that change what Go reads."""
    for flag in flags(facts.variables.get("GOFLAGS", "")):
        if flag == "-mod=mod":
            yield "GOFLAGS has -mod=mod: go commands may change go.mod and go.sum, and do not read vendor/"
        if flag == "-mod=vendor":
            there = "no module cache is read" if facts.has_vendor else "and there is no vendor folder: builds fail"
            yield f"GOFLAGS has -mod=vendor: {there}"
        if flag.startswith("-modfile="):
            yield f"GOFLAGS has {flag}: Go, and the plan, read that file and its .sum, not go.mod and go.sum"
        if flag == "-insecure":
            yield "GOFLAGS has -insecure, which Go no longer knows: go commands fail; GOINSECURE took its place"
    if facts.variables.get("GO111MODULE", "") == "off":
        yield "GO111MODULE is off: Go uses no modules at all"


def checks_left_out(facts: Facts) -> Iterator[str]:
    """What weakens the check of what is downloaded."""
    if facts.environ.get("GONOSUMCHECK"):
        yield "GONOSUMCHECK is set: a leftover, no Go since 1.13 reads it; GONOSUMDB and GOPRIVATE took its place"
    if facts.variables.get("GOSUMDB", "") == "off":
        yield "GOSUMDB is off: a module without a go.sum line is believed whatever it holds, and toolchains are refused"
    named = facts.environ.get("GONOSUMDB", "")
    private = facts.variables.get("GOPRIVATE", "")
    public = [module for module in facts.modules if not matches_prefix_patterns(private, module.path)]
    if named and any(matches_prefix_patterns(named, module.path) for module in public):
        matched = next(module for module in public if matches_prefix_patterns(named, module.path))
        yield f"GONOSUMDB covers {matched.path}, which GOPRIVATE does not: the checksum database never vouches for it"
    if facts.variables.get("GOINSECURE", ""):
        yield "GOINSECURE is set: what it matches is fetched without a check of certificates, or in clear text"


def gonoproxy_without_need(facts: Facts) -> Iterator[str]:
    """A GONOPROXY that does nothing, or too much."""
    given = facts.environ.get("GONOPROXY", "")
    if not given or given == "none" or not facts.modules:
        return
    matched = [module for module in facts.modules if matches_prefix_patterns(given, module.path)]
    known = [module for module in matched if module.path.startswith(("golang.org/x/", "google.golang.org/"))]
    if not matched:
        yield "GONOPROXY matches no module of the plan"
    elif known:
        yield f"GONOPROXY covers {known[0].path}, which every public proxy has: Go clones its repository instead"
    elif given == facts.variables.get("GOPRIVATE", ""):
        yield "GONOPROXY repeats GOPRIVATE, which is its default"
