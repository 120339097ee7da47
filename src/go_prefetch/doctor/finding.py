"""One finding of doctor: a name, a case and its facts. The sentences are in texts.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from go_prefetch.doctor.texts import TEXTS
from go_prefetch.render.messages import filled

Severity = Literal["problem", "note"]


class Evidence(NamedTuple):
    """What a check has found. `case` distinguishes the findings of one check; `facts` fill its template."""

    case: str
    facts: tuple[tuple[str, object], ...]


def seen(case: str = "", /, **facts: object) -> Evidence:
    """Return the Evidence of one finding; `facts` are hashable values, never sentences of the package's own."""
    return Evidence(case, tuple(facts.items()))


@dataclass(frozen=True)
class Finding:
    """One finding: a `problem` fails or weakens something, a `note` costs time or has no use."""

    name: str
    severity: Severity
    evidence: Evidence

    @property
    def text(self) -> str:
        """Return the sentences for people."""
        return filled(TEXTS[self.name][self.evidence.case], dict(self.evidence.facts))
