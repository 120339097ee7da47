"""Take every sentence of notices and reasons away, to show that no code and no other test reads one.

In this process only: a command that a test starts as a process of its own keeps its texts.
"""

from __future__ import annotations

from go_prefetch.model.results import Deferral, PassedOver
from go_prefetch.render import attempts, messages

BLANK = "Blank."


def blank_messages() -> None:
    """Replace the text and hint of every notice, and each reason that has a table of its own, by one constant."""
    texts: dict[str, dict[str, str | messages.Text]] = {}
    for slug, case in messages.templates():
        texts.setdefault(slug, {})[case] = messages.Text(BLANK, BLANK)
    messages._TEXTS = texts
    messages._DEFERRALS = dict.fromkeys(Deferral, BLANK)
    attempts._PASSED_OVER = dict.fromkeys(PassedOver, BLANK)
