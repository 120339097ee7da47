"""Put together what the run did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from go_prefetch.errors import PrefetchError, notice
from go_prefetch.model.machine import this_machine
from go_prefetch.model.report import Report, RunState
from go_prefetch.model.results import Saved


def report(
    state: RunState,
    settings_shown: Mapping[str, str],
    *,
    seconds: float,
    goversion: str = "",
    ended_early: bool = False,
) -> Report:
    """Return the whole as one value."""
    return Report(
        **{field.name: getattr(state, field.name) for field in fields(state)},
        seconds=seconds,
        machine=this_machine(),
        goversion=goversion,
        settings_shown=settings_shown,
        ended_early=ended_early,
    )


def failed(state: RunState, error: PrefetchError) -> RunState:
    """Return the state of a run that `error` ended before Go's verdict: what it had so far, and nothing saved."""
    completed = replace(state.completed, failure=error)
    return replace(state, completed=completed, saved=Saved(skipped_reason=notice("run-failed")))
