"""Finished runs do not change: what was read of them is kept in the user's cache folder. Delete it any time.

FOLDER/<host>/<repository>/<run>.<attempt>.json   record lines of one run, or that its logs are gone
FOLDER/<host>/<repository>/page-<digest>.json     a page of a list of runs, and the ETag to ask with if it changed
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from go_prefetch.base import untrusted_json
from go_prefetch.base.atomic_file import write_whole
from go_prefetch.history.model import Logs, Observed, Recorded, WorkflowRun
from go_prefetch.model.cache_key import hexadecimal
from go_prefetch.render.record import parse_record

_FORMAT = 1


@dataclass(frozen=True)
class KeptPage:
    """Runs of one page of a list, as the forge described them, less what nobody asks."""

    etag: str
    runs: tuple[dict[str, Any], ...]
    has_next: bool


class Kept:
    """What is kept of one repository; nothing, where `folder` is None. A cache that fails is an empty one."""

    def __init__(self, folder: Path | None, host: str, repository: str) -> None:
        self._folder = folder / _name(host) / _name(repository) if folder else None

    def observed(self, run: WorkflowRun) -> Observed | None:
        """What was read of this run before."""
        values = self._read(f"{run.id}.{run.attempt}.json")
        if values is None or values.get("logs") not in ("read", "gone"):
            return None
        logs: Logs = "gone" if values["logs"] == "gone" else "read"
        started, finished = untrusted_json.moment(values, "started"), untrusted_json.moment(values, "finished")
        run = replace(run, started=started or run.started, finished=finished or run.finished)
        return observed(
            run, [(untrusted_json.text(v, "job"), untrusted_json.text(v, "line")) for v in _list(values)], logs
        )

    def keep(self, run: WorkflowRun, lines: Sequence[tuple[str, str]], logs: Logs) -> None:
        """Remember the record lines (job and line) of a run, and when it began and ended."""
        records = [{"job": job, "line": line} for job, line in lines]
        moments = {"started": run.started.isoformat(), "finished": run.finished.isoformat()}
        self._write(f"{run.id}.{run.attempt}.json", {"logs": logs, **moments, "records": records})

    def page(self, url: str) -> KeptPage | None:
        """What was answered to `url` before."""
        values = self._read(f"page-{hexadecimal(url)[:32]}.json")
        if values is None or not untrusted_json.text(values, "etag"):
            return None
        runs = tuple(dict(run) for run in untrusted_json.objects(values.get("runs")))
        return KeptPage(untrusted_json.text(values, "etag"), runs, values.get("next") is True)

    def keep_page(self, url: str, page: KeptPage) -> None:
        """Remember an answer that has an ETag."""
        if page.etag:
            values = {"etag": page.etag, "runs": page.runs, "next": page.has_next}
            self._write(f"page-{hexadecimal(url)[:32]}.json", values)

    def _read(self, name: str) -> dict[str, Any] | None:
        values = untrusted_json.read_object(self._folder / name) if self._folder else None
        return values if values and values.get("format") == _FORMAT else None

    def _write(self, name: str, values: dict[str, Any]) -> None:
        if self._folder is None:
            return
        try:
            write_whole(self._folder / name, json.dumps({"format": _FORMAT, **values}).encode())
        except OSError:
            self._folder = None  # a full or read-only disk: this report goes on without


def observed(run: WorkflowRun, lines: Sequence[tuple[str, str]], logs: Logs) -> Observed:
    """A run with these record lines (job and line)."""
    parsed = ((job, parse_record(line)) for job, line in lines)
    return Observed(run, tuple(Recorded(job, record) for job, record in parsed if record), logs)


def _list(values: dict[str, Any]) -> Sequence[Any]:
    return list(untrusted_json.objects(values.get("records")))


def _name(text: str) -> str:
    """`text` as one name of a folder, on every file system; case counts for nothing there."""
    return quote(text.lower(), safe="")[:200].replace(".", "%2E")
