"""The text of every notice and error: one template for each slug and case. Nothing else in the package writes them.

A template is filled with the facts of a notice by `str.format`, with these formats beside Python's own:

    {count:#file}     1 file, 2 files
    {bytes:size}      1.2 MB
    {seconds:time}    3.4 s
    {paths:list}      a, b, c and 3 more
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from go_prefetch.base.format import counted, duration, size, some
from go_prefetch.errors import TABLE, Notice, PrefetchError

_MOST_LISTED = 3
_NAMES = ("Go ", "GitHub", "GitLab", "GOPROXY", "HTTP")  # keep their capital within a sentence


class Text(NamedTuple):
    """The templates of one case: what happened, and what to do where the table's hint does not fit."""

    text: str
    hint: str = ""


def text(notice: Notice | str) -> str:
    """Return what happened: one sentence, and lines of others' words below it."""
    if isinstance(notice, str):
        return notice
    return _filled(_template(notice).text, notice)


def hint(notice: Notice) -> str:
    """Return what to do next; empty where nothing is to be done."""
    return _filled(_template(notice).hint or TABLE[notice.slug].hint, notice)


def reason(notice: Notice | None) -> str:
    """Return a text as the end of another sentence; empty for none."""
    if notice is None:
        return ""
    sentence = text(notice).removesuffix(".")
    return sentence if sentence.startswith(_NAMES) else sentence[:1].lower() + sentence[1:]


def with_slug(notice: Notice | None) -> str:
    """Return a reason for a program: text and slug; empty for none."""
    return f"{text(notice)} [{notice.slug}]" if notice else ""


def on_one_line(notice: Notice | str) -> str:
    """Return a warning as lists have it: text, hint and slug."""
    if isinstance(notice, str):
        return notice
    return " ".join(part for part in (text(notice), hint(notice), f"[{notice.slug}]") if part)


def in_full(notice: Notice | str) -> str:
    """Return an error as the log has it: the text, and the hint and the slug on a line of their own."""
    if isinstance(notice, str):
        return notice
    return f"{text(notice)}\n{' '.join(part for part in (hint(notice), f'[{notice.slug}]') if part)}"


def templates() -> dict[tuple[str, str], Text]:
    """Return every template by slug and case."""
    return {(slug, case): one for slug, cases in _TEXTS.items() for case, one in _cases(cases).items()}


def _template(notice: Notice) -> Text:
    if notice.case == "text":
        return Text("{text}", "{hint}")
    return _cases(_TEXTS[notice.slug])[notice.case]


def _cases(cases: str | Text | Mapping[str, str | Text]) -> dict[str, Text]:
    by_case = cases if isinstance(cases, Mapping) else {"": cases}
    return {case: one if isinstance(one, Text) else Text(one) for case, one in by_case.items()}


class _Formatter(string.Formatter):
    """`str.format` with the formats of the module's docstring."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, PrefetchError):
            value = value.notice
        if isinstance(value, Notice):
            return text(value)
        if format_spec.startswith("#"):
            return counted(value, format_spec[1:])
        if format_spec in _FORMATS:
            return _FORMATS[format_spec](value)
        return str(super().format_field(value, format_spec))


def _listed(things: Sequence[object]) -> str:
    return some(things, _MOST_LISTED)


_FORMATS: Mapping[str, Callable[[Any], str]] = {"size": size, "time": duration, "list": _listed}


def _filled(template: str, notice: Notice) -> str:
    return _Formatter().vformat(template, (), dict(notice.facts)).strip()


# By slug, in the order of the error table; then by case, where a slug has several.
_TEXTS: Mapping[str, str | Text | Mapping[str, str | Text]] = {
    "store-archive": "The cache service: the entry could not be made: {words}.",
    "store-damaged": {
        "gone": "The cache service: entry {key} is gone.",
        "exchanged": "The cache service: the entry was removed or exchanged while it was read (status {status}).",
        "files": "{place} has {count:#damaged file}, {files:list}: {problem}.",
        "more-files": "{place} has {count:#more damaged file}.",
        "in-use": "{module_file} was not taken from the entry: {problem}.",
        "entry": "The cache service: entry {key} is damaged: {problem}.",
    },
    "store-no-room": {
        "entry": "The cache service: the entry needs {needed:size} in {folder}, and {free:size} are free.",
        "pool": "{store}: {count:#file} would take more than half of the free disk before Go has verified them.",
    },
    "store-refused": "The cache service: {call}: status {status}.",
    "store-slow": {
        "no-time-to-read": "The cache service: no time is left to read the entry.",
        "no-time-to-unpack": "The cache service: no time is left to unpack the entry.",
        "pace": "The cache service sends {megabytes_per_second:.2f} MB/s, too slow for the time that is left.",
        "upload": Text("The cache service is slow.", "Nothing was saved. A later run tries again."),
        "pool-save": Text("{store} is slow.", "The files that it has taken stay there."),
        "pool-restore": "{store} is slow.",
    },
    "store-unreachable": {
        "call": "The cache service: {call}: {words}.",
        "reading": Text("The cache service: reading the entry: {words}.", "The proxies take over."),
        "certificates": Text("The cache service: {words}.", "Correct that variable."),
    },
    "store-unwritable": "{store} took no more files: {words}.",
    "store-unreadable": "{place} has {count:#file} that this user may not read, {files:list}: {words}.",
    "go-sum-changed": "{name} changed.",
    "go-sum-lacks": "{name} has no hash of {modules:list}.",
    "pool-not-trimmed": "Files that the plan does not name could not be removed from {pool}: {words}.",
    "cache-mode": "cache-mode is {mode}.",
    "entry-complete": "An entry has all these files, though not all were handed over.",
    "entry-taken": "Another job saves this entry, or has saved it.",
    "entry-too-slow": "There is an entry, which came too slowly.",
    "fill-keeps-folder": "`fill` keeps the modules in its folder.",
    "no-cache-folder": "No cache folder is known, because HOME is not set.",
    "no-cache-service": "This runner offers no cache service to this step.",
    "nothing-to-save": {
        "stored": "The store lacks nothing.",
        "present": "Nothing was missing.",
    },
    "run-failed": "The run failed.",
    "save-disabled": "`save` is false.",
    "save-unshared": {
        "merge-queue": "No other run can read what a merge queue saves.",
        "tag": "No other run can read what the run of a tag saves.",
    },
    "store-failed": "The store failed.",
    "store-none": "`store` is none.",
    "store-not-allowed": {
        "token": Text(
            "The cache service does not accept the job's token, or no longer.",
            "The job took longer than its token lives, or runs without one. A later run asks again.",
        ),
        "rate-limit": "The cache service takes no more requests of this repository for now.",
        "forbidden": "The cache service does not allow it to this job's token.",
        "not-taken": "The cache service did not take the entry.",
        "in-words": "The cache service says: {words}.",
    },
}
