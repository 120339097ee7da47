"""A Report as JSON, for programs. Its shape is docs/report.schema.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from go_prefetch.errors import PrefetchError
from go_prefetch.model.build_results import BuildRestored
from go_prefetch.model.report import Report
from go_prefetch.model.results import Downloaded, StableTimes
from go_prefetch.render.messages import as_warning, attempt, hint, reason, text, with_slug
from go_prefetch.render.outputs import outputs

SCHEMA_VERSION = 1


def document(report: Report, clean: Callable[[str], str]) -> str:
    """Return the whole report with cleaned texts. `schema` changes if a field is removed or changes its meaning."""
    return json.dumps(clean_texts(_as_values(report), clean), indent=2, ensure_ascii=False) + "\n"


def clean_texts(value: Any, clean: Callable[[str], str]) -> Any:
    """Return `value` with every text in it cleaned and valid UTF-8. The names of fields stay."""
    if isinstance(value, str):
        # File names and variables may not be text. Python then returns lone surrogates.
        return clean(value).encode(errors="replace").decode()
    if isinstance(value, list):
        return [clean_texts(item, clean) for item in value]
    if isinstance(value, dict):
        return {name: clean_texts(item, clean) for name, item in value.items()}
    return value


def _as_values(report: Report) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "outputs": outputs(report),
        "settings": dict(report.settings_shown),
        "plan": _plan(report),
        "restore": {
            "store": report.restored.store,
            "files": len(report.restored.files),
            "bytes": report.restored.bytes,
            "seconds": round(report.restored.seconds, 3),
            "key": report.restored.entry.key if report.restored.entry else "",
            "because_not": with_slug(report.restored.skipped_reason),
            "unavailable": sorted(file.name for file in report.restored.unavailable),
            "parts": [
                {"store": part.store, "files": len(part.files), "bytes": part.bytes} for part in report.restored.parts
            ],
        },
        "download": _downloaded(report.downloaded),
        "admit": {
            "modules": len(report.admitted.modules),
            "present": len(report.plan.modules_present),
            "seconds": round(report.admitted.seconds, 3),
            "overlapping_seconds": round(report.admitted.overlapping_seconds, 3),
            "left_to_go": {why.value: count for why, count in report.admitted.deferred_to_go.items()},
            "notice": with_slug(report.admitted.notice),
        },
        "complete": {
            "seconds": round(report.completed.seconds, 3),
            "files_by_go": len(report.completed.by_go),
            "bytes_by_go": report.completed.bytes_by_go,
            "rejected": [
                {"file": r.file.name, "source": r.source, "words": r.words} for r in report.completed.rejected
            ],
            "refetched": _downloaded(report.completed.refetched),
            "verified": report.completed.verified,
            "unverified_because": reason(report.completed.unverified_because),
        },
        "save": {
            "files": report.saved.files,
            "bytes": report.saved.bytes,
            "seconds": round(report.saved.seconds, 3),
            "key": report.saved.key,
            "because_not": with_slug(report.saved.skipped_reason),
        },
        "build_cache": _build_cache(report.build),
        "test_cache": _test_cache(report.stable_times),
        "time_saved": _time_saved(report),
        "warnings": [as_warning(warning) for warning in report.warnings],
        "failure": _failure(report.completed.failure),
    }


def _build_cache(build: BuildRestored | None) -> dict[str, Any] | None:
    if build is None:
        return None
    return {
        "store": build.store,
        "key": build.key,
        "of_same_job": build.is_own,
        "files": build.files,
        "unpacked_bytes": build.unpacked_bytes,
        "bytes": build.bytes,
        "seconds": round(build.seconds, 3),
        "because_not": with_slug(build.skipped_reason),
    }


def _test_cache(given: StableTimes | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {"files": given.files, "others": given.others, "seconds": round(given.seconds, 3)}


def _time_saved(report: Report) -> dict[str, Any]:
    cold = report.restored.cold
    return {
        "seconds": _rounded(report.seconds_saved),
        "is_minimum": report.seconds_saved is not None and cold is not None and cold.is_minimum,
        "estimate": _rounded(report.seconds_saved_estimate),
        "cold_seconds": _rounded(cold.seconds if cold else None),
        "cold_verify_seconds": _rounded(cold.verify_seconds if cold else None),
        "modules_measured": cold.modules if cold else 0,
        "modules_restored": cold.modules_restored if cold else 0,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3) + 0.0


def _plan(report: Report) -> dict[str, Any]:
    return {
        "definitions": [str(scope.definition) for scope in report.plan.scopes],
        "files": len(report.plan.files),
        "present": len(report.plan.present),
        "private": sorted(str(version) for version in report.plan.private),
        "toolchains": [str(version) for version in report.plan.toolchains],
        "disabled_because": reason(report.plan.disabled_because),
        "seconds": round(report.plan.seconds, 3),
    }


def _downloaded(downloaded: Downloaded) -> dict[str, Any]:
    return {
        "files": len(downloaded.files),
        "bytes": downloaded.bytes,
        "seconds": round(downloaded.seconds, 3),
        "overlapping_seconds": round(downloaded.overlapping_seconds, 3),
        "sources": [
            {
                "name": s.name,
                "files": s.files,
                "bytes": s.bytes,
                "failed_attempts": s.failed_attempts,
                "refusals": s.refusals,
                "limited_seconds": round(s.limited_seconds, 3),
            }
            for s in downloaded.sources
        ],
        "failures": [
            {"file": f.file.name, "not_found": f.not_found, "attempts": list(map(attempt, f.attempts))}
            for f in downloaded.failures
        ],
    }


def _failure(error: PrefetchError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {
        "slug": error.slug,
        "message": text(error.notice),
        "hint": hint(error.notice),
        "exit_status": error.exit_status,
    }
