"""Finished runs do not change: what was read of them stays in the user's cache folder. Delete it any time.

FOLDER/<host>/<repository>/<run>.<attempt>.json   record lines of one run, or that its logs are gone
FOLDER/<host>/<repository>/page-<digest>.json     a page of a list of runs, and the ETag to ask with if it changed
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from go_prefetch.base.atomic_file import write_whole
from go_prefetch.base.untrusted_json import moment, objects, read_object, text
from go_prefetch.history.model import JobRecord, Logs, ObservedRun, WorkflowRun
from go_prefetch.model.cache_key import hexadecimal
from go_prefetch.render.json_report import clean_texts
from go_prefetch.render.record import parse_record

_FORMAT = 1


@dataclass(frozen=True)
class CachedPage:
    """Runs of one page of a list as the forge described them, without the fields that have no use here."""

    etag: str
    runs: tuple[dict[str, Any], ...]
    has_next: bool


class RunCache:
    """The cache of one repository. It is empty if `folder` is None, or if reading or writing fails.

    `clean` removes secrets from each text that is written: a server may quote the token that it was sent.
    """

    def __init__(
        self, folder: Path | None, host: str, repository: str, clean: Callable[[str], str] = lambda text: text
    ) -> None:
        self._clean = clean
        self._folder = folder / _folder_name(host) / _folder_name(repository) if folder else None

    def load(self, run: WorkflowRun) -> ObservedRun | None:
        """Return what an earlier report read of this run."""
        values = self._read(f"{run.id}.{run.attempt}.json")
        if values is None or values.get("logs") not in ("read", "gone"):
            return None
        logs: Logs = "gone" if values["logs"] == "gone" else "read"
        run = replace(
            run, started=moment(values, "started") or run.started, finished=moment(values, "finished") or run.finished
        )
        return observe(run, [(text(one, "job"), text(one, "line")) for one in objects(values, "records")], logs)

    def store(self, run: WorkflowRun, lines: Sequence[tuple[str, str]], logs: Logs) -> None:
        """Write down the record lines (job and line) of a run, and when it began and ended.

        Deleted logs replace nothing: what another version of this program wrote down may be all that is left.
        """
        name = f"{run.id}.{run.attempt}.json"
        if logs == "gone" and self._folder and (self._folder / name).exists():
            return
        records = [{"job": job, "line": line} for job, line in lines]
        moments = {"started": run.started.isoformat(), "finished": run.finished.isoformat()}
        self._write(name, {"logs": logs, **moments, "records": records})

    def load_page(self, name: str) -> CachedPage | None:
        """Return what the forge answered for this page before."""
        values = self._read(f"page-{hexadecimal(name)[:32]}.json")
        if values is None or not text(values, "etag"):
            return None
        return CachedPage(text(values, "etag"), tuple(map(dict, objects(values, "runs"))), values.get("next") is True)

    def store_page(self, name: str, page: CachedPage) -> None:
        """Write down a page that has an ETag."""
        if page.etag:
            values = {"etag": page.etag, "runs": list(page.runs), "next": page.has_next}
            self._write(f"page-{hexadecimal(name)[:32]}.json", values)

    def _read(self, name: str) -> dict[str, Any] | None:
        values = read_object(self._folder / name) if self._folder else None
        return values if values and values.get("format") == _FORMAT else None

    def _write(self, name: str, values: dict[str, Any]) -> None:
        if self._folder is None:
            return
        cleaned = clean_texts({"format": _FORMAT, **values}, self._clean)
        try:
            write_whole(self._folder / name, json.dumps(cleaned).encode())
        except OSError:
            self._folder = None  # a full or read-only disk: this report goes on without a cache


def observe(run: WorkflowRun, lines: Sequence[tuple[str, str]], logs: Logs) -> ObservedRun:
    """Return a run with these record lines (job and line)."""
    parsed = ((job, parse_record(line)) for job, line in lines)
    return ObservedRun(run, tuple(JobRecord(job, record) for job, record in parsed if record), logs)


def _folder_name(text: str) -> str:
    """Return `text` as a name that every file system takes. Some do not tell upper from lower case."""
    return quote(text.lower(), safe="")[:200].replace(".", "%2E")
