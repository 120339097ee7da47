"""`go-prefetch run`: the main job."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from go_prefetch.atomicfile import write_whole
from go_prefetch.errors import ChecksumMismatch, DownloadError, GoCommandError, InputError, PrefetchError
from go_prefetch.gocommand import GoCommand
from go_prefetch.pipeline import prefetch
from go_prefetch.ports import Platform
from go_prefetch.proxylist import secrets_of
from go_prefetch.render.document import document
from go_prefetch.render.markdown import markdown
from go_prefetch.render.outputs import outputs
from go_prefetch.render.record import record_line
from go_prefetch.render.text import text
from go_prefetch.report import Report
from go_prefetch.retry import Deadline
from go_prefetch.settings import Settings
from go_prefetch.stores.cache_service.offer import find_offer
from go_prefetch.wiring import cache_store, proxy_list, proxy_walk


def run(settings: Settings, platform: Platform, environ: Mapping[str, str], stdout: TextIO) -> int:
    """Prefetch and report. Raises PrefetchError for what fails the run."""
    try:
        report = _prefetched(settings, platform, environ)
    except (DownloadError, GoCommandError) as error:
        return _failed(error, settings, platform)
    for warning in report.warnings:
        platform.warn(warning)
    print(platform.clean(text(report)), file=stdout, flush=True)
    print(record_line(report, platform.clean), file=stdout, flush=True)
    platform.publish(outputs(report), markdown(report, mermaid=platform.draws_mermaid) if settings.summary else "")
    if settings.report_file:
        _write_report(settings.report_file, report, platform)
    return _failed(report.completed.failure, settings, platform) if report.completed.failure else 0


def _prefetched(settings: Settings, platform: Platform, environ: Mapping[str, str]) -> Report:
    deadline, cancelled = Deadline.after(settings.deadline), threading.Event()
    go = GoCommand(environ)
    environment = go.environment(settings.cwd)
    platform.hide(secrets_of(environment.goproxy))
    proxies = proxy_list(settings, environment.goproxy)
    platform.detail(f"{environment.goversion}, proxies {proxies.shown}")
    walk = proxy_walk(settings, proxies, deadline, cancelled)
    offer = find_offer(environ)
    platform.hide(offer.secrets if offer else frozenset())
    store = cache_store(settings, proxies, offer, environ.get("PATH", os.defpath), cancelled)
    return prefetch(
        settings, platform, store, go, environment, walk, deadline=deadline, cancelled=cancelled
    )  # fmt: skip


def _failed(error: PrefetchError, settings: Settings, platform: Platform) -> int:
    """Exit status 0 where the user would rather have a later go command try, but never for a wrong byte."""
    if settings.on_failure == "fail" or isinstance(error, ChecksumMismatch):
        raise error
    platform.warn(f"{error.message}\n{error.hint}\n(on-failure is warn: later go commands are left to try)")
    return 0


def _write_report(path: Path, report: Report, platform: Platform) -> None:
    try:
        write_whole(path, document(report, platform.clean).encode())
    except OSError as error:
        raise InputError(
            "report-file-unwritable",
            f"report-file: {path} cannot be written: {error.strerror}",
            hint="Name a file in a folder that exists and may be written to.",
        ) from None
