"""Record lines, logs and zips of logs as jobs leave them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

RECORD: dict[str, Any] = {
    "version": "0.1.0", "result": "exact", "key": "go-prefetch-1-0123456789abcdef-" + "a" * 64, "matched_key": "",
    "store": "the cache service", "modules": 251, "modules_present": 0, "modules_from_cache": 251,
    "bytes_restored": 184_000_000, "bytes_downloaded": 0, "seconds": 4.1, "seconds_saved": 31.0, "cold_seconds": 35.1,
    "steps": {"plan": 0.1, "restore": 1.0, "download": 0.0, "admit": 2.5, "complete": 0.2, "save": 0.3}, "reason": "",
    "failed_attempts": 0, "failures_avoided": 0, "failure": "", "saved_bytes": 0, "cores": 4, "os": "linux",
    "go": "go1.27.3",
}  # fmt: skip


def line(**changed: Any) -> str:
    """A record line; without changes, that of an exact hit."""
    return "go-prefetch-record/1 " + json.dumps({**RECORD, **changed}, separators=(",", ":"))


def log(*lines: str) -> bytes:
    """A job's log on GitHub, these lines in the middle."""
    every = ["\ufeff2026-03-02T09:00:00.0000000Z Current runner version: '2.336.0'", "##[group]Run org/go-prefetch@v1"]
    said = [*every, *lines, "##[endgroup]", "Post job cleanup."]
    return "".join(f"{'' if number == 0 else '2026-03-02T09:00:01.1234567Z '}{text}\r\n"
                   for number, text in enumerate(said)).encode()  # fmt: skip


def zipped(jobs: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A run's zip of logs: each job whole at the top, and again by step in a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for number, (job, text) in enumerate(jobs.items()):
            archive.writestr(f"{number}_{job}.txt", text)
        for job, text in jobs.items():
            archive.writestr(f"{job}/2_Run org_go-prefetch@v1.txt", text)
            archive.writestr(f"{job}/system.txt", b"job defined at: .github/workflows/ci.yml\n")
    return out.getvalue()
