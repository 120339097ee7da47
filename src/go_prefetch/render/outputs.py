"""A Report as the action's outputs (all text, all set), and outputs as the report files of a GitLab job.

https://docs.gitlab.com/ci/yaml/artifacts_reports/ (`dotenv`, `metrics`, `annotations`)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from go_prefetch.model.plan import NO_PLAN
from go_prefetch.model.report import Report

_PREFIX = "go_prefetch_"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Descriptions of the figures in a merge request.
_METRICS = {
    "modules": "module versions in the plan",
    "modules-from-cache": "module versions from the cache",
    "hit-rate": "share of the modules that came from the cache",
    "bytes-restored": "bytes from the cache",
    "bytes-downloaded": "bytes from module proxies",
    "seconds": "seconds of the run",
    "seconds-saved": "seconds saved compared with measured cold runs",
}


def outputs(report: Report) -> dict[str, str]:
    """Return the outputs that action.yml declares, in its order."""
    saved, rate = report.seconds_saved, report.hit_rate
    return {
        "cache-result": report.cache_result,
        "cache-hit": str(report.cache_result in ("present", "exact")).lower(),
        "cache-key": report.plan.key.text,
        "matched-key": matched_key(report),
        "modules": str(len(report.plan.modules)),
        "modules-from-cache": str(report.modules_from_cache),
        "hit-rate": "" if rate is None else f"{rate:.3f}",
        "bytes-restored": str(report.restored.bytes),
        "bytes-downloaded": str(report.bytes_downloaded),
        "seconds": f"{report.seconds:.1f}",
        "seconds-saved": "" if saved is None else f"{round(saved, 1) + 0.0:.1f}",
        "gomodcache": "" if report.plan.folder == NO_PLAN.folder else str(report.plan.folder.gomodcache),
    }


def matched_key(report: Report) -> str:
    """Return the key of the restored entry. A store without entries has one for every key."""
    if report.restored.entry and report.restored.files:
        return report.restored.entry.key
    return report.plan.key.text if report.cache_result == "exact" else ""


def dotenv(outputs: Mapping[str, str]) -> str:
    """Return variables for later jobs: `cache-result` becomes GO_PREFETCH_CACHE_RESULT. GitLab reads one per line."""
    lines = (f"{_identifier(name).upper()}={value}" for name, value in outputs.items() if _is_one_line(value))
    return "".join(f"{line}\n" for line in lines)


def metrics(outputs: Mapping[str, str]) -> str:
    """Return the figures in the OpenMetrics text format, without those that were not measured."""
    lines: list[str] = []
    for name, meaning in _METRICS.items():
        value = outputs.get(name, "")
        if _NUMBER.fullmatch(value):
            lines += [f"# HELP {_identifier(name)} {meaning}", f"{_identifier(name)} {value}"]
    return "".join(f"{line}\n" for line in (*lines, "# EOF"))


def links(outputs: Mapping[str, str], url: str) -> str:
    """Return a link from the job's page to the job summary."""
    figures = f"{outputs['modules-from-cache']} of {outputs['modules']} modules from the cache"
    label = f"go-prefetch: {outputs['cache-result']}, {figures}"
    return json.dumps({"go-prefetch": [{"external_link": {"label": label, "url": url}}]}, indent=2) + "\n"


def _identifier(name: str) -> str:
    return _PREFIX + name.replace("-", "_")


def _is_one_line(value: str) -> bool:
    return not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", value)
