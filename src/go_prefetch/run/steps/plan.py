"""Make the plan: what the module cache must hold, what it lacks, and the cache key.

There are two stages. The files of the project give the key, and a plan. In a workspace, the go.mod files of
dependencies decide too. `decide` reads those that have arrived since. It may change the files, and never the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from go_prefetch.config.settings import Settings
from go_prefetch.errors import Notice, notice
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cache_key import cache_key
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.run.steps.discover import discover
from go_prefetch.run.steps.resolve import resolve_all
from go_prefetch.run.steps.workspace import select


def make_plan(settings: Settings, go: GoEnvironment, folder: ModuleFolder) -> Plan:
    """Return the plan for everything in scope; `folder` is to hold it.

    Raises InputError and GoSumError for mistakes of the user.
    """
    scopes, skipped = resolve_all(discover(settings, go.gowork, go.gomodcache), go.goflags, every_zip=settings.for_tidy)
    live = tuple(
        scope.without_modules() if scope.disabled_because else select(scope, folder)
        for scope in scopes
        if not scope.disabled_because or _toolchains([scope], go)
    )
    toolchains = _toolchains(live, go)
    files = _files(live, toolchains)
    candidates = _candidates(live, files)
    paths = sorted({path for scope in scopes for path in scope.module_paths})
    lines = frozenset(line for scope in live for line in scope.key_lines)
    versions = {file.module for file in (*files, *candidates)}
    present = frozenset(file for file in (*files, *candidates) if folder.has_content_of(file))
    return Plan(
        scopes=live,
        key=cache_key(settings.cache_name or " ".join(paths), (line.text for line in lines)),
        folder=folder,
        files=files,
        candidates=candidates,
        toolchains=toolchains,
        present=present,
        private=frozenset(version for version in versions if go.is_left_to_go(version.path)),
        unsaved={version: name for version in versions if (name := go.private_by(version.path))},
        disabled_because=None if live else _nothing_to_do(scopes),
        warnings=tuple(dict.fromkeys((*skipped, *(warning for scope in scopes for warning in scope.warnings)))),
        unpacked=_unpacked(folder, (*files, *candidates), present),
        without_sum=_without_sum(live, folder),
        places=tuple(dict.fromkeys(scope.folder for scope in scopes)),
    )


def decide(plan: Plan) -> Plan:
    """Return the plan after more `.mod` files have come into its folder. The key stays."""
    scopes = tuple(select(scope, plan.folder) for scope in plan.scopes)
    files = _files(scopes, plan.toolchains)
    candidates = _candidates(scopes, files)
    return replace(
        plan,
        scopes=scopes,
        files=files,
        candidates=candidates,
        present=plan.present & {*files, *candidates},
        without_sum=_without_sum(scopes, plan.folder),
    )


def _nothing_to_do(scopes: Sequence[Scope]) -> Notice | None:
    reasons = tuple(dict.fromkeys(scope.disabled_because for scope in scopes if scope.disabled_because))
    return reasons[0] if len(reasons) == 1 else notice("nothing-in-scope", reasons=reasons) if reasons else None


def _toolchains(scopes: Iterable[Scope], go: GoEnvironment) -> tuple[ModuleVersion, ...]:
    wanted = {rules.wanted(scope.go_lines) for scope in scopes for rules in go.toolchains}
    return tuple(sorted(filter(None, wanted)))


def _files(scopes: Iterable[Scope], toolchains: Iterable[ModuleVersion]) -> tuple[ModuleFile, ...]:
    """Return the files, zips first: they take longest, and unpacking them can begin. A toolchain takes longest."""
    zips: set[ModuleVersion] = set()
    mods: set[ModuleVersion] = set()
    for scope in scopes:
        zips |= set(scope.zips)
        mods |= set(scope.mods)
    return (
        *(ModuleFile(version, "zip") for version in toolchains),
        *(ModuleFile(version, "zip") for version in sorted(zips)),
        *(ModuleFile(version, "mod") for version in sorted(mods)),
        *(ModuleFile(version, "info") for version in sorted(zips)),
    )


def _candidates(scopes: Iterable[Scope], files: Iterable[ModuleFile]) -> tuple[ModuleFile, ...]:
    planned = set(files)
    perhaps = _files((replace(scope, zips=scope.candidates, mods=()) for scope in scopes), ())
    return tuple(file for file in perhaps if file not in planned)


def _without_sum(scopes: Iterable[Scope], folder: ModuleFolder) -> frozenset[ModuleVersion]:
    return frozenset(v for scope in scopes for v in scope.zips_without_sum if not folder.has_zip(v))


def _unpacked(
    folder: ModuleFolder, files: Iterable[ModuleFile], present: frozenset[ModuleFile]
) -> frozenset[ModuleVersion]:
    """Return complete modules. The tree of an incomplete one proves nothing: any program may have put it there."""
    lacking = {file.module for file in files if file not in present}
    modules = (file.module for file in files if file.kind == "zip")
    return frozenset(
        version
        for version in modules
        if version not in lacking and folder.has_ziphash(version) and folder.has_tree(version)
    )
