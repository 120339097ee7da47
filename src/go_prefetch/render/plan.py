"""A Plan for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from go_prefetch.model.plan import Plan, Scope
from go_prefetch.render.messages import as_warning, reason


def plan_text(plan: Plan, *, every_module: bool) -> str:
    """Return what would be done, and the parts of the key."""
    if plan.disabled_because:
        return f"nothing to do: {reason(plan.disabled_because)}"
    kinds = Counter(file.kind for file in plan.files)
    lines = [
        f"key          {plan.key.text}",
        "  go-prefetch-1  the format of stored entries; the HMAC key of both digests is go-prefetch/1",
        f"  cache name     {plan.key.cache_name!r}: the first 16 hex digits of its digest",
        f"  go.sum lines   {plan.key.lines} lines for planned files, sorted, each once: {plan.key.digest[:16]}…",
        f"modules      {len(plan.modules)}, of which {len(plan.modules_present)} are present",
        f"files        {kinds['zip']} .zip, {kinds['mod']} .mod, {kinds['info']} .info; {len(plan.missing)} missing",
        f"left to Go   {len(plan.private)} module versions that match GONOPROXY or GOPRIVATE",
        f"module cache {plan.folder.gomodcache}",
    ]
    for scope in plan.scopes:
        lines += [f"from         {scope.definition}", f"  {_scope(scope)}"]
    if every_module:
        present = plan.modules_present
        lines += [f"  {version}{' (present)' if version in present else ''}" for version in plan.modules]
    return "\n".join(lines)


def _scope(scope: Scope) -> str:
    how = "by an explicit list" if scope.explicit else "from its require list"
    # The module path of a go.mod is untrusted here: a newline in it could be a command to the runner.
    paths = ", ".join(path if path.isprintable() else repr(path) for path in scope.module_paths)
    return f"{paths}: {len(scope.zips)} zips, downloaded {how}"


def plan_json(plan: Plan) -> str:
    """Return the plan for programs."""
    values = {
        "schema": 1,
        "disabled_because": reason(plan.disabled_because),
        "key": plan.key.text,
        "key_parts": {
            "cache_name": plan.key.cache_name,
            "gosum_digest": plan.key.digest,
            "gosum_lines": plan.key.lines,
        },
        "gomodcache": str(plan.folder.gomodcache),
        "folder": str(plan.folder),
        "definitions": [
            {
                "file": str(scope.definition),
                "modules": list(scope.module_paths),
                "explicit": scope.explicit,
            }
            for scope in plan.scopes
        ],
        "modules": [str(version) for version in plan.modules],
        "left_to_go": sorted(str(version) for version in plan.private),
        "files": [{"name": file.name, "present": file in plan.present} for file in plan.files],
        "warnings": [as_warning(warning) for warning in plan.warnings],
    }
    return json.dumps(values, indent=2)


def plan_outputs(plan: Plan, pool: Path | None) -> dict[str, str]:
    """Return the inputs that the official cache action needs to carry a directory pool from run to run."""
    key = plan.key.text
    return {"key": key, "restore-keys": key.removesuffix(plan.key.digest), "path": str(pool or "")}
