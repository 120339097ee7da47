"""What the notes of a cache key tell."""

from __future__ import annotations

from go_prefetch.model.cold_runs import Span, measured
from go_prefetch.stores.objects.bundle import KeyNotes


def test_notes_of_runs_tell_sizes_of_files() -> None:
    runs = (measured({"a.zip": Span(0, 1, 7), "b.zip": Span(0, 2, 8)}), measured({"c.zip": Span(0, 1, 9)}))
    assert KeyNotes(runs).sizes == {"a.zip": 7, "b.zip": 8, "c.zip": 9}
