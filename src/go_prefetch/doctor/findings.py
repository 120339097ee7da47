"""The tables of checks: of the facts, and of what was measured. Each check yields evidence for what it finds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from go_prefetch.doctor import measured_checks, project_checks, variable_checks
from go_prefetch.doctor.facts import Facts
from go_prefetch.doctor.finding import Evidence, Finding, Severity
from go_prefetch.doctor.rating import Row


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return all findings about the project and Go's settings."""
    return tuple(Finding(name, severity, found) for name, severity, check in CHECKS for found in check(facts))


def measured_findings(rows: Sequence[Row], zip_bytes: int) -> tuple[Finding, ...]:
    """Return all findings about measurements; `zip_bytes` is the size of a typical zip."""
    return tuple(
        Finding(name, severity, found) for name, severity, check in MEASURED_CHECKS for found in check(rows, zip_bytes)
    )


# Name, severity, check. docs/doctor.md has a line for each name.
CHECKS: tuple[tuple[str, Severity, Callable[[Facts], Iterator[Evidence]]], ...] = (
    ("go-missing", "problem", project_checks.no_go),
    ("no-plan", "problem", project_checks.no_plan),
    ("goproxy-invalid", "problem", variable_checks.goproxy_invalid),
    ("goproxy-misspelt", "problem", variable_checks.goproxy_misspelt),
    ("gosumdb-invalid", "problem", variable_checks.gosumdb_invalid),
    ("variable-misspelt", "problem", variable_checks.variable_misspelt),
    ("goproxy-clear-text", "problem", variable_checks.goproxy_clear_text),
    ("goproxy-lone-file", "problem", variable_checks.goproxy_lone_file),
    ("go-sum-missing", "problem", project_checks.go_sum_missing),
    ("goflags", "problem", variable_checks.goflags),
    ("checks-left-out", "problem", variable_checks.checks_left_out),
    ("cache-doubled", "problem", project_checks.cache_doubled),
    ("toolchain-ahead", "problem", project_checks.toolchain_ahead),
    ("goproxy-asks-nobody", "note", variable_checks.goproxy_without_proxy),
    ("gonoproxy-without-need", "note", variable_checks.gonoproxy_without_need),
    ("vendored", "note", project_checks.vendored),
    ("go-sum-unused", "note", project_checks.go_sum_unused),
)

MEASURED_CHECKS: tuple[tuple[str, Severity, Callable[[Sequence[Row], int], Iterator[Evidence]]], ...] = (
    ("network-down", "problem", measured_checks.network_down),
    ("checksums-unreachable", "problem", measured_checks.checksums_unreachable),
    ("direct-unreachable", "problem", measured_checks.direct_unreachable),
    ("dns-slow", "note", measured_checks.dns_slow),
    ("store-slower", "note", measured_checks.store_slower),
)
