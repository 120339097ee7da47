"""The settings and the results of the commands that report: log, outputs, job summary, report file, trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from go_prefetch.base.atomic_file import check_named, write_named
from go_prefetch.base.stopwatch import Stopwatch, Timing
from go_prefetch.base.trace import UNTRACED, Trace
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import When
from go_prefetch.config.inputs import BY_NAME
from go_prefetch.config.settings import Settings
from go_prefetch.errors import InputError, PrefetchError, notice
from go_prefetch.model.ports import Platform
from go_prefetch.model.report import Report, RunState
from go_prefetch.render.json_report import document
from go_prefetch.render.markdown import markdown
from go_prefetch.render.outputs import outputs
from go_prefetch.render.record import record_line
from go_prefetch.render.summary import summary_text


@dataclass(frozen=True)
class _Wishes:
    """What is written after a run, in addition to the log and the outputs."""

    report_file: Path | None = None
    summary: bool = True
    record: When = When.AUTO

    @classmethod
    def of(cls, settings: Settings) -> _Wishes:
        """Return the wishes of these settings."""
        return cls(settings.report_file, settings.summary, settings.record)


def settings_of_a_run(invocation: Invocation) -> Settings:
    """Return the settings. Wrong inputs are published too, and raised as InputError."""
    try:
        settings = invocation.settings()
        if settings.report_file:
            with _report_file_errors(settings.report_file):  # now, not after minutes of work
                check_named(settings.report_file)
    except InputError as error:
        made = RunState().failed(error).report({}, seconds={}, ended_early=True)
        wishes = _readable_wishes(invocation)
        if error.slug == "report-file-unwritable":
            wishes = replace(wishes, report_file=None)
        _publish_failure(made, wishes, invocation)
        raise
    return settings


def _readable_wishes(invocation: Invocation) -> _Wishes:
    """Return the wishes, as far as their own inputs are right."""
    wishes = _Wishes()
    with suppress(InputError):
        name = invocation.values([BY_NAME["report-file"]])["report-file"]
        wishes = replace(wishes, report_file=invocation.cwd / str(name) if name else None)
    with suppress(InputError):
        wishes = replace(wishes, record=cast(When, invocation.values([BY_NAME["record"]])["record"]))
    return wishes


def publish(report: Report, settings: Settings, invocation: Invocation) -> None:
    """Write the log, outputs, job summary and report file. Raises InputError if the last cannot be written."""
    _publish(report, _Wishes.of(settings), invocation)


def raise_or_warn(failure: PrefetchError | None, settings: Settings, platform: Platform) -> None:
    """Raise what a run failed with. Print it as a warning where `on-failure` leaves the rest to later go commands."""
    if failure is None:
        return
    if settings.on_failure.ends_with(failure):
        raise failure
    platform.warn(failure.notice)
    platform.notice(notice("failure-ignored"))


@contextmanager
def publish_failure(settings: Settings, invocation: Invocation) -> Iterator[Timing]:
    """Publish the PrefetchError that ends the block, as far as there is a report, and raise it again."""
    stopwatch = Stopwatch("plan")
    try:
        with _traced(settings, invocation.platform) as trace:
            yield Timing(trace, stopwatch)
    except PrefetchError as error:
        made = RunState().failed(error).report(settings.shown, seconds=stopwatch.seconds, ended_early=True)
        _publish_failure(made, _Wishes.of(settings), invocation)
        raise


def _publish_failure(report: Report, wishes: _Wishes, invocation: Invocation) -> None:
    try:
        _publish(report, wishes, invocation)
    except InputError as error:  # the failure itself matters more
        invocation.platform.warn(error.notice)


def _publish(report: Report, wishes: _Wishes, invocation: Invocation) -> None:
    platform = invocation.platform
    for warning in report.warnings:
        platform.warn(warning)
    if not (report.ended_early and invocation.is_on_terminal):  # the error that follows has the same name
        wraps = invocation.is_on_terminal and not invocation.arguments.quiet  # with `-q`, one line is shown
        invocation.show_result(summary_text(report, invocation.width if wraps else 0))
    if invocation.shows_record(wishes.record):
        platform.show(record_line(report, platform.clean), invocation.stdout)
    platform.publish(outputs(report), markdown(report, mermaid=platform.draws_mermaid) if wishes.summary else "")
    if wishes.report_file:
        _write_report(wishes.report_file, report, platform)


def _write_report(path: Path, report: Report, platform: Platform) -> None:
    with _report_file_errors(path):
        write_named(path, document(report, platform.clean).encode())


@contextmanager
def _report_file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError("report-file-unwritable", name="report-file", path=path, words=error.strerror) from None


@contextmanager
def _traced(settings: Settings, platform: Platform) -> Iterator[Trace]:
    """Write the trace to the file of `--trace`, however the block ends. A file that cannot be written is a warning."""
    if settings.trace is None:
        yield UNTRACED
        return
    trace = Trace()
    try:
        yield trace
    finally:
        try:
            write_named(settings.trace, trace.text(platform.clean).encode())
        except OSError as error:
            platform.warn(notice("trace-unwritable", path=settings.trace, words=error.strerror))
