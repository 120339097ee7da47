"""A Plan for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from go_prefetch.base.format import counted
from go_prefetch.errors import Notice
from go_prefetch.golang.toolchain import name_of
from go_prefetch.model.cache_key import toolchain_key
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.render.messages import as_warning, reason

_MOST_SHOWN = 10


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
    lines += [*_toolchains(plan), *_undecided(plan), *_disagreements(plan, shown=None if every_module else _MOST_SHOWN)]
    for scope in plan.scopes:
        lines += [f"from         {scope.definition}", f"  {_scope(scope)}"]
    if every_module:
        present = plan.modules_present
        lines += [f"  {version}{' (present)' if version in present else ''}" for version in plan.modules]
    return "\n".join(lines)


def settled_gaps(plan: Plan) -> tuple[Notice, ...]:
    """Return gaps of the plan that no `.mod` file closes which a run would bring."""
    return tuple(gap for gap in plan.gaps if gap.case != "graph")


def _toolchains(plan: Plan) -> Iterator[str]:
    for version in plan.toolchains:
        there = "present" if version in plan.modules_present else "missing"
        yield f"toolchain    {name_of(version)}, {there}, key {toolchain_key(str(version)).text}"


def _undecided(plan: Plan) -> Iterator[str]:
    mods = {version for scope in plan.scopes for version in scope.undecided}
    zips = {file.module for file in plan.candidates if file.kind == "zip"}
    if mods:
        yield (
            f"undecided    {counted(len(zips), 'module version')}, until a run has {counted(len(mods), 'go.mod file')} "
            "of dependencies"
        )


def _disagreements(plan: Plan, shown: int | None) -> Iterator[str]:
    if plan.disagreements:
        yield f"versions     {counted(len(plan.disagreements), 'module')} in several versions"
    for one in plan.disagreements[:shown]:
        asked = ", ".join(f"{_printable(who)} requires {version}" for who, version in one.asked)
        yield f"  {one.path}: {asked}. {f'Go takes {one.taken}.' if one.taken else 'Each takes its own.'}"
    if shown and len(plan.disagreements) > shown:
        yield f"  and {len(plan.disagreements) - shown} more, which --modules lists"


def _scope(scope: Scope) -> str:
    if scope.is_for_toolchain:
        return f"{', '.join(map(_printable, scope.module_paths))}: its Go toolchain only"
    how = "by an explicit list" if scope.explicit else "from its require list"
    paths = ", ".join(map(_printable, scope.module_paths))
    return f"{paths}: {len(scope.zips)} zips, downloaded {how}"


def _printable(path: str) -> str:
    """Return a module path. That of a go.mod is untrusted here: a newline in it could be a command to the runner."""
    return path if path.isprintable() else repr(path)


def plan_json(plan: Plan) -> str:
    """Return the plan for programs."""
    present = plan.modules_present
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
        "toolchains": [
            {"module": str(version), "key": toolchain_key(str(version)).text, "present": version in present}
            for version in plan.toolchains
        ],
        "left_to_go": sorted(str(version) for version in plan.private),
        "files": [{"name": file.name, "present": file in plan.present} for file in plan.files],
        "undecided": sorted(str(file.module) for file in plan.candidates if file.kind == "zip"),
        "disagreements": [
            {"module": one.path, "required": [{"by": by, "version": v} for by, v in one.asked], "selected": one.taken}
            for one in plan.disagreements
        ],
        "warnings": [as_warning(warning) for warning in (*plan.warnings, *settled_gaps(plan))],
    }
    return json.dumps(values, indent=2)


def plan_outputs(plan: Plan, pool: Path | None) -> dict[str, str]:
    """Return the inputs that the official cache action needs to carry a directory pool from run to run."""
    key = plan.key.text
    return {"key": key, "restore-keys": key.removesuffix(plan.key.digest), "path": str(pool or "")}
