"""The table of checks. Each reads the facts and yields a sentence for everything it finds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from go_prefetch.doctor import project_checks, variable_checks
from go_prefetch.doctor.facts import Facts

Severity = Literal["problem", "note"]
_Check = Callable[[Facts], Iterator[str]]


@dataclass(frozen=True)
class Finding:
    """One finding: a `problem` fails or weakens something, a `note` costs time or has no use."""

    name: str
    severity: Severity
    text: str


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Return all findings, problems first."""
    found = [Finding(name, severity, text) for name, severity, check in CHECKS for text in check(facts)]
    return tuple(sorted(found, key=lambda finding: finding.severity != "problem"))


# Name, severity, check. docs/doctor.md has a line for each name.
CHECKS: tuple[tuple[str, Severity, _Check], ...] = (
    ("go-missing", "problem", project_checks.no_go),
    ("no-plan", "problem", project_checks.no_plan),
    ("goproxy-invalid", "problem", variable_checks.goproxy_invalid),
    ("goproxy-misspelt", "problem", variable_checks.goproxy_misspelt),
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
