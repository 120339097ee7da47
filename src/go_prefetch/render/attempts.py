"""What was tried for files that did not come: one line for all files that met the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from go_prefetch.base.format import some
from go_prefetch.model.results import FailedAttempt, Failure, PassedOver

_MOST_GROUPS = 10
_MOST_NAMES = 3


_PASSED_OVER = {
    PassedOver.RESTING: "passed over, it failed many times in a row",
    PassedOver.AFTER_COMMA: "not asked, `,` goes on only where a file is not found",
    PassedOver.REJECTED: "Go rejected what it sent, and goproxy names no other proxy",
    PassedOver.NO_TIME: "no time is left",
}


def attempt(one: FailedAttempt) -> str:
    """Return what one attempt met, after the name of the proxy."""
    words = _PASSED_OVER[one.passed_over] if one.passed_over else one.words
    return f"{one.source}: {words}" if one.source else words


def attempts(failures: Sequence[Failure]) -> str:
    """Return a line for each kind of failure, with the files that met it; empty for none."""
    files: dict[str, list[str]] = {}
    for failure in failures:
        counts = Counter(failure.attempts)
        tried = "; ".join(f"{attempt(one)} ({n} times)" if n > 1 else attempt(one) for one, n in counts.items())
        files.setdefault(tried, []).append(str(failure.file))
    groups = sorted(files.items(), key=lambda group: -len(group[1]))
    lines = [f"  {some(names, _MOST_NAMES)}: {tried}" for tried, names in groups[:_MOST_GROUPS]]
    left = sum(len(names) for _, names in groups[_MOST_GROUPS:])
    return "\n".join([*lines, f"  and {left} more files"] if left else lines)
