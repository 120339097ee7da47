"""Hand a finished Report to everyone who waits for it: the log, the platform, the report file."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from go_prefetch.atomicfile import write_named
from go_prefetch.errors import InputError
from go_prefetch.ports import Platform
from go_prefetch.render.document import document
from go_prefetch.render.markdown import markdown
from go_prefetch.render.outputs import outputs
from go_prefetch.render.record import record_line
from go_prefetch.render.text import text
from go_prefetch.report import Report
from go_prefetch.settings import Settings


def publish(report: Report, settings: Settings, platform: Platform, stdout: TextIO) -> None:
    """Warnings, text, record, outputs, job summary, report file. Raises InputError where the last cannot be written."""
    for warning in report.warnings:
        platform.warn(warning, report.completed.about.get(warning))
    platform.show(text(report), stdout)
    platform.show(record_line(report, platform.clean), stdout)
    platform.publish(outputs(report), markdown(report, mermaid=platform.draws_mermaid) if settings.summary else "")
    if settings.report_file:
        _write_report(settings.report_file, report, platform)


def _write_report(path: Path, report: Report, platform: Platform) -> None:
    try:
        write_named(path, document(report, platform.clean).encode())
    except OSError as error:
        raise InputError(
            "report-file-unwritable",
            f"report-file: {path} cannot be written: {error.strerror}",
            hint="Name a file in a folder that exists and may be written to.",
        ) from None
