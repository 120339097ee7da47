"""Take every sentence of notices and reasons away, to show that no code and no other test reads one.

In this process only: a command that a test starts as a process of its own keeps its texts.
"""

from __future__ import annotations

from go_prefetch.doctor import texts as doctor_texts
from go_prefetch.model.results import Deferral, PassedOver
from go_prefetch.render.messages import templates
from go_prefetch.render.texts import DEFERRALS, PASSED_OVER, TEXTS, Text

BLANK = "Blank."


def blank_messages() -> None:
    """Replace the text and hint of every notice, the words of every reason, and every finding, by one constant."""
    blank: dict[str, dict[str, str | Text]] = {}
    for slug, case in templates():
        blank.setdefault(slug, {})[case] = Text(BLANK, BLANK)
    TEXTS.update(blank)
    doctor_texts.TEXTS.update({name: dict.fromkeys(cases, BLANK) for name, cases in doctor_texts.TEXTS.items()})
    DEFERRALS.update(dict.fromkeys(Deferral, BLANK))
    PASSED_OVER.update(dict.fromkeys(PassedOver, BLANK))
