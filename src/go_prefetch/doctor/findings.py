"""What in the environment bends things: a table of checks. Pure: each looks at the facts and says what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from go_prefetch.doctor import goproxy_checks, project_checks
from go_prefetch.doctor.facts import Surroundings

Severity = Literal["problem", "note"]
_Check = Callable[[Surroundings], Iterator[str]]


@dataclass(frozen=True)
class Finding:
    """One thing to look at: a `problem` fails or weakens something, a `note` costs time or is no longer of use."""

    name: str
    severity: Severity
    text: str


def findings(facts: Surroundings) -> tuple[Finding, ...]:
    """Everything the checks find, problems first."""
    found = [Finding(name, severity, text) for name, severity, check in CHECKS for text in check(facts)]
    return tuple(sorted(found, key=lambda finding: finding.severity != "problem"))


# Name, how serious, what looks. docs/doctor.md has a line for each name.
CHECKS: tuple[tuple[str, Severity, _Check], ...] = (
    ("go-missing", "problem", project_checks.no_go),
    ("no-plan", "problem", project_checks.no_plan),
    ("goproxy-invalid", "problem", goproxy_checks.goproxy_invalid),
    ("goproxy-misspelt", "problem", goproxy_checks.goproxy_misspelt),
    ("variable-misspelt", "problem", goproxy_checks.variable_misspelt),
    ("goproxy-clear-text", "problem", goproxy_checks.goproxy_clear_text),
    ("goproxy-lone-file", "problem", goproxy_checks.lone_file_proxy),
    ("go-sum-missing", "problem", project_checks.go_sum_missing),
    ("goflags", "problem", project_checks.goflags),
    ("checks-left-out", "problem", project_checks.checks_left_out),
    ("cache-doubled", "problem", project_checks.cache_doubled),
    ("toolchain-ahead", "problem", project_checks.toolchain_ahead),
    ("goproxy-asks-nobody", "note", goproxy_checks.goproxy_asks_nobody),
    ("gonoproxy-without-need", "note", project_checks.gonoproxy_without_need),
    ("vendored", "note", project_checks.vendored),
    ("go-sum-unused", "note", project_checks.go_sum_unused),
)
