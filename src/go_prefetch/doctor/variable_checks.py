"""Checks of Go's variables: GOPROXY, GOFLAGS, and those that weaken Go's checks. Pure."""

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
    """Find a list that cannot be parsed."""
    if facts.goproxy_problem:
        yield reason(facts.goproxy_problem)


def variable_misspelt(facts: Facts) -> Iterator[str]:
    """Find names close to those that Go reads."""
    for wrong, right in _NEAR_MISSES.items():
        if facts.environ.get(wrong):
            yield f"{wrong} is set, but Go does not read it. Did you mean {right}?"


def goproxy_misspelt(facts: Facts) -> Iterator[str]:
    """Find entries that are never used, that mean another host, or that repeat."""
    entries = [entry.strip() for entry in re.split(r"[,|]", facts.goproxy) if entry.strip()]
    ends = [at for at, entry in enumerate(entries) if entry in ("direct", "off")]
    if ends and ends[0] + 1 < len(entries):
        after = ", ".join(redact(entry) for entry in entries[ends[0] + 1 :])
        yield f"GOPROXY: entries after `{entries[ends[0]]}` are never used: {after}"
    for entry in entries:
        near = _meant_host(entry)
        if near:
            yield f"GOPROXY: {redact(entry)} is not a well-known proxy. Did you mean {near}?"
    seen: set[str] = set()
    for entry in entries:
        if entry.rstrip("/") in seen:
            yield f"GOPROXY: {redact(entry)} appears twice"
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
    """Find a public proxy over http."""
    hosts = [known for known, _ in WELL_KNOWN_PUBLIC]
    for entry in re.split(r"[,|]", facts.goproxy):
        if any(entry.strip().startswith(f"http://{host}") for host in hosts):
            yield f"GOPROXY: {redact(entry.strip())} is not encrypted. Use https, which this proxy supports"


def goproxy_without_proxy(facts: Facts) -> Iterator[str]:
    """Find a list that begins with `direct` or `off`."""
    first = re.split(r"[,|]", facts.goproxy)[0].strip()
    if first == "direct":
        yield "GOPROXY begins with `direct`, so Go clones the repository of every module"
    if first == "off":
        yield "GOPROXY is `off`, so modules that the store lacks are not downloaded"


def goproxy_lone_file(facts: Facts) -> Iterator[str]:
    """Find a folder from which Go would use a toolchain without a check."""
    if re.fullmatch(r"\s*file://[^,|]+", facts.goproxy):
        yield (
            "GOPROXY is a single `file://` URL. Go then does not check toolchains from it against the checksum "
            "database. Add `,off`"
        )


def goflags(facts: Facts) -> Iterator[str]:
    """Find flags that change what Go reads."""
    for flag in flags(facts.variables.get("GOFLAGS", "")):
        if flag == "-mod=mod":
            yield "GOFLAGS has -mod=mod, so go commands may change go.mod and go.sum, and ignore vendor/"
        if flag == "-mod=vendor":
            there = (
                "Go does not use the module cache" if facts.has_vendor else "there is no vendor folder, so builds fail"
            )
            yield f"GOFLAGS has -mod=vendor: {there}"
        if flag.startswith("-modfile="):
            yield f"GOFLAGS has {flag}, so Go and the plan read that file and its .sum instead of go.mod and go.sum"
        if flag == "-insecure":
            yield "GOFLAGS has -insecure, which Go no longer supports, so go commands fail. Use GOINSECURE"
    if facts.variables.get("GO111MODULE", "") == "off":
        yield "GO111MODULE is off, so Go does not use modules"


def checks_left_out(facts: Facts) -> Iterator[str]:
    """Find settings that weaken the check of downloads."""
    if facts.environ.get("GONOSUMCHECK"):
        yield "GONOSUMCHECK is set, but Go has ignored it since 1.13. Use GONOSUMDB or GOPRIVATE"
    if facts.variables.get("GOSUMDB", "") == "off":
        yield "GOSUMDB is off, so Go accepts any content of a module without a go.sum line, and refuses toolchains"
    named = facts.environ.get("GONOSUMDB", "")
    private = facts.variables.get("GOPRIVATE", "")
    public = [module for module in facts.modules if not matches_prefix_patterns(private, module.path)]
    if named and any(matches_prefix_patterns(named, module.path) for module in public):
        matched = next(module for module in public if matches_prefix_patterns(named, module.path))
        yield f"GONOSUMDB covers {matched.path}, and GOPRIVATE does not. The checksum database does not verify it"
    if facts.variables.get("GOINSECURE", ""):
        yield "GOINSECURE is set, so Go downloads matching modules without checking certificates, or without encryption"


def gonoproxy_without_need(facts: Facts) -> Iterator[str]:
    """Find a GONOPROXY without an effect, or with too much of one."""
    given = facts.environ.get("GONOPROXY", "")
    if not given or given == "none" or not facts.modules:
        return
    matched = [module for module in facts.modules if matches_prefix_patterns(given, module.path)]
    known = [module for module in matched if module.path.startswith(("golang.org/x/", "google.golang.org/"))]
    if not matched:
        yield "GONOPROXY matches no module of the plan"
    elif known:
        yield f"GONOPROXY covers {known[0].path}, which every public proxy has. Go clones its repository instead"
    elif given == facts.variables.get("GOPRIVATE", ""):
        yield "GONOPROXY repeats GOPRIVATE, which is its default"
