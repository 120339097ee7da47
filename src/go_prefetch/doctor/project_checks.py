"""Checks of the project and of what surrounds it: flags, checksums, toolchains, other caches. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from go_prefetch.doctor.facts import Surroundings
from go_prefetch.doctor.workflows import doubled_caches
from go_prefetch.golang.goflags import flags
from go_prefetch.golang.module import matches_prefix_patterns
from go_prefetch.render.messages import first_line, reason


def no_go(facts: Surroundings) -> Iterator[str]:
    """No Go, or none that works."""
    if facts.go_problem:
        yield f"{first_line(facts.go_problem)}; Go's settings are taken from the environment alone"


def no_plan(facts: Surroundings) -> Iterator[str]:
    """Nothing to plan from."""
    if facts.plan_problem:
        yield f"{reason(facts.plan_problem)}; proxies are measured with a public module instead"


def goflags(facts: Surroundings) -> Iterator[str]:
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


def checks_left_out(facts: Surroundings) -> Iterator[str]:
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


def gonoproxy_without_need(facts: Surroundings) -> Iterator[str]:
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


def cache_doubled(facts: Surroundings) -> Iterator[str]:
    """A setup-go step that caches modules too."""
    for name, text in sorted(facts.workflows.items()):
        for line in doubled_caches(text):
            yield (
                f"{name}:{line}: this setup-go step caches the module cache too, as whole trees that nothing checks; "
                "give it `env: GOMODCACHE: ${{ runner.temp }}/none`, so that it keeps build results only"
            )


def vendored(facts: Surroundings) -> Iterator[str]:
    """A vendor folder that Go builds from."""
    for definition in facts.definitions:
        if definition.is_vendored:
            yield f"{definition.path.parent} is vendored: Go builds from vendor/, and there is nothing to prefetch"


def go_sum_missing(facts: Surroundings) -> Iterator[str]:
    """Requirements without a go.sum."""
    for definition in facts.definitions:
        if definition.requires and not definition.has_sums and not definition.is_vendored:
            yield f"{definition.path} has no go.sum: nothing vouches for what is downloaded; `go mod tidy` writes it"


def go_sum_unused(facts: Surroundings) -> Iterator[str]:
    """A go.sum that is mostly of no use."""
    for definition in facts.definitions:
        unused = definition.sum_zips - definition.planned_zips
        # A tidy go.sum has up to two fifths more than Go will want.
        if unused >= _MANY_LINES and unused > definition.sum_zips / 2:
            yield (
                f"{definition.path}: {unused} of {definition.sum_zips} zips in go.sum are wanted by nothing; they are "
                "neither downloaded nor saved; `go mod tidy` takes away what is stale"
            )


_MANY_LINES = 10


def toolchain_ahead(facts: Surroundings) -> Iterator[str]:
    """A go.mod that asks for a newer Go."""
    switch = facts.variables.get("GOTOOLCHAIN", "") or "auto"
    local = max(map(_numbers, (facts.variables.get("GOVERSION", ""), switch)))
    if not facts.variables.get("GOVERSION"):
        return
    for definition in facts.definitions:
        wanted = max((definition.go, definition.toolchain if "auto" in switch else ""), key=_numbers)
        if _numbers(wanted) <= local:
            continue
        shown, here = wanted.removeprefix("go"), facts.variables["GOVERSION"]
        if "auto" in switch or "path" in switch:
            yield (
                f"{definition.path} asks for Go {shown}, and {here} is installed: the first go command downloads that "
                "toolchain, about 70 MB, outside any cache of modules; install it with setup-go's go-version-file"
            )
        else:
            yield f"{definition.path} asks for Go {shown}, {here} is installed, and GOTOOLCHAIN is {switch}: Go refuses"


def _numbers(version: str) -> tuple[int, int, int, int]:
    """`go1.22.3`, `1.22`, `1.22rc1`, `devel go1.27-abc` as numbers to compare; zeros for none."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?((?:rc|beta)\d+)?", version)
    if not match:
        return (0, 0, 0, 0)
    # `go 1.21` in go.mod means the language, and any 1.21 release candidate is older than its releases.
    return (int(match[1]), int(match[2]), int(match[3] or 0), 0 if match[4] else 1)
