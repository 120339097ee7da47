"""Notices, errors and reasons as text. The sentences are in texts.py."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from go_prefetch import PROJECT_URL
from go_prefetch.base.format import counted, duration, milliseconds, size, some
from go_prefetch.errors import TABLE, Notice, Severity
from go_prefetch.model.results import Deferral, Downloaded, FailedAttempt, Failure
from go_prefetch.render.texts import DEFERRALS, PASSED_OVER, TEXTS, Text

_ERRORS_PAGE = f"{PROJECT_URL}/blob/main/docs/errors.md"
_MOST_LISTED = 3
_MOST_LINES = 10
_MOST_GROUPS = 10
_MOST_FILES = 500  # of a section of a log
_NAMES = ("Go ", "GitHub", "GitLab", "GOPROXY", "HTTP")  # keep their capital letter within a sentence


def text(notice: Notice) -> str:
    """Return what happened: one sentence, and lines of untrusted text below it.

    An error begins with its file. Warnings name theirs in their sentences.
    """
    prefix = f"{notice.file}: " if notice.file and notice.severity is Severity.ERROR else ""
    return prefix + _filled(_template(notice).text, notice)


def hint(notice: Notice) -> str:
    """Return what to do next, or an empty string."""
    return _filled(_template(notice).hint or TABLE[notice.slug].hint, notice)


def hint_of(slug: str, case: str, **facts: object) -> str:
    """Return what the hint of a notice would be, where there is no notice."""
    return filled(_cases(TEXTS[slug])[case].hint or TABLE[slug].hint, facts)


def reason(notice: Notice | None) -> str:
    """Return a text as the end of another sentence; empty for None."""
    if notice is None:
        return ""
    sentence = text(notice).removesuffix(".")
    return sentence if sentence.startswith(_NAMES) else sentence[:1].lower() + sentence[1:]


def first_line(notice: Notice) -> str:
    """Return a reason without the untrusted text below it."""
    return reason(notice).partition("\n")[0].removesuffix(":")


def with_slug(notice: Notice | None) -> str:
    """Return a reason for a program: text and slug; empty for None."""
    return f"{text(notice)} [{notice.slug}]" if notice else ""


def as_warning(notice: Notice) -> str:
    """Return a warning for logs and lists: text, hint and slug on one line, untrusted text below."""
    sentence, _, below = text(notice).partition("\n")
    line = " ".join(part for part in (sentence, hint(notice), f"[{notice.slug}]") if part)
    return f"{line}\n{below}" if below else line


def as_error(notice: Notice) -> str:
    """Return an error for the log: the text, then a line with hint and slug, then the address of its paragraph."""
    next_step = " ".join(part for part in (hint(notice), f"[{notice.slug}]") if part)
    return f"{text(notice)}\n{next_step}\n{_ERRORS_PAGE}#{notice.slug}"


def templates() -> dict[tuple[str, str], Text]:
    """Return every template by slug and case."""
    return {(slug, case): one for slug, cases in TEXTS.items() for case, one in _cases(cases).items()}


def _template(notice: Notice) -> Text:
    return _cases(TEXTS[notice.slug])[notice.case]


def _cases(cases: str | Text | Mapping[str, str | Text]) -> dict[str, Text]:
    by_case = cases if isinstance(cases, Mapping) else {"": cases}
    return {case: one if isinstance(one, Text) else Text(one) for case, one in by_case.items()}


def deferral(why: Deferral) -> str:
    """Return why a module is left to `go mod download`."""
    return DEFERRALS[why]


def attempt(one: FailedAttempt) -> str:
    """Return the result of one attempt, after the name of the proxy."""
    words = PASSED_OVER[one.passed_over] if one.passed_over else one.words.removesuffix(".")  # a server's sentence
    return f"{one.source}: {words}" if one.source else words


def attempts(failures: Sequence[Failure]) -> str:
    """Return a line for each kind of failure, with its files; empty for none."""
    files: dict[str, list[str]] = {}
    for failure in failures:
        files.setdefault("; ".join(_with_times(Counter(failure.attempts).items())), []).append(str(failure.file))
    groups = sorted(files.items(), key=lambda group: -len(group[1]))
    lines = [f"  {some(names, _MOST_LISTED)}: {tried}" for tried, names in groups[:_MOST_GROUPS]]
    left = sum(len(names) for _, names in groups[_MOST_GROUPS:])
    return "\n".join([*lines, f"  and {left} more files"] if left else lines)


def attempt_lines(downloaded: Downloaded) -> list[str]:
    """Return a line for each file with failed attempts: each of them, and the source of the file if it came."""
    tried = {one.file: (one.failed, f"; then from {one.source}") for one in downloaded.fetched if one.failed}
    tried |= {one.file: (one.attempts, "") for one in downloaded.failures}
    lines = [
        f"{file}: {'; '.join(_with_times(Counter(tried[file][0]).items()))}{tried[file][1]}"
        for file in sorted(tried)[:_MOST_FILES]
    ]
    return lines + ([f"{len(tried) - _MOST_FILES} more files"] if len(tried) > _MOST_FILES else [])


def _with_times(counts: Iterable[tuple[FailedAttempt, int]]) -> list[str]:
    return [f"{attempt(one)} ({n} times)" if n > 1 else attempt(one) for one, n in counts]


def _tried(failures: Sequence[Failure]) -> list[str]:
    """Return what each source answered, the most frequent answer first, with the number of requests."""
    every = Counter(one for failure in failures for one in failure.attempts)
    asked = {one.source for one in every if one.passed_over is None}
    # A source that was skipped at times is described by its answers.
    shown = Counter({one: n for one, n in every.items() if one.passed_over is None or one.source not in asked})
    lines = _with_times(shown.most_common(_MOST_GROUPS))
    return lines + ([f"{len(shown) - _MOST_GROUPS} more answers"] if len(shown) > _MOST_GROUPS else [])


def _causes(failures: Sequence[Failure]) -> str:
    tried = _tried(failures)
    return f"{tried[0]}." if len(tried) == 1 else "\n".join(["No proxy delivered the files.", *_indented(tried)])


def _missing(failures: Sequence[Failure]) -> str:
    names = sorted(str(failure.file) for failure in failures)
    return f"  {counted(len(names), 'file')} could not be downloaded: {some(names, _MOST_LISTED)}" if names else ""


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


class _Formatter(string.Formatter):
    """`str.format` with the formats of the module's docstring."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Notice):
            return _OF_NOTICES.get(format_spec, text)(value)
        if value is None:
            return ""
        if format_spec.startswith("#"):
            return counted(value, format_spec[1:])
        if format_spec in _FORMATS:
            return _FORMATS[format_spec](value)
        return str(super().format_field(value, format_spec))


def _lines(notices: Sequence[Notice]) -> str:
    """Return a line for each, for the first of them."""
    left = len(notices) - _MOST_LINES
    return "\n".join([f"  {text(one)}" for one in notices[:_MOST_LINES]] + ([f"  and {left} more"] if left > 0 else []))


def _gates(figures: Sequence[tuple[str, str, str]]) -> str:
    """Return a line for each gate."""
    return "\n".join(f"{flag}: wanted {wanted}, measured {measured}" for flag, wanted, measured in figures)


def _reasons(notices: Sequence[Notice]) -> str:
    return "; ".join(map(reason, notices)) + "."


def _listed(things: Sequence[object]) -> str:
    return some(things, _MOST_LISTED)


_FORMATS: Mapping[str, Callable[[Any], str]] = {
    "size": size,
    "time": duration,
    "list": _listed,
    "then": ", then from ".join,
    "attempts": attempts,
    "tried": lambda failures: "\n".join(_indented(_tried(failures))),
    "causes": _causes,
    "missing": _missing,
    "all": ", ".join,
    "lines": _lines,
    "gates": _gates,
    "reasons": _reasons,
    "milliseconds": milliseconds,
}

_OF_NOTICES: Mapping[str, Callable[[Notice], str]] = {"reason": reason, "line": first_line}


def filled(template: str, facts: Mapping[str, Any]) -> str:
    """Return a template of render.texts, filled with facts."""
    text = _Formatter().vformat(template, (), facts).strip()
    return re.sub(r"\n{2,}", "\n", text)  # of facts that are empty


def _filled(template: str, notice: Notice) -> str:
    return filled(template, dict(notice.facts))
