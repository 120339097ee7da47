"""Which zips a workspace needs: those of the versions that Go selects, as far as the go.mod files at hand tell.

A build in a workspace takes the versions of minimal version selection over all members (golang/module_graph.py). Not
all of them are read by a build: see `ModuleGraph.needed`. Of those that may be, the zips with a hash in a go.sum or in
go.work.sum are planned. Without a go.mod file that decides, the highest versions with a hash are an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from go_prefetch.errors import GoSumError
from go_prefetch.golang import semver
from go_prefetch.golang.gomod import Dependency, go_line_at_least, parse_dependency
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.golang.module_graph import ModuleGraph, Requirements, is_higher, read_graph
from go_prefetch.model.plan import Disagreement, Scope, Workspace
from go_prefetch.run.steps.project_files import regular_bytes, text_in


def select(scope: Scope, folder: ModuleFolder) -> Scope:
    """Return a workspace's scope with the zips that Go selects, as far as the `.mod` files in `folder` tell."""
    workspace = scope.workspace
    if workspace is None:
        return scope
    graph = module_graph(scope, workspace, folder)
    zip_lines = frozenset(line.module for line in scope.gosum_lines if line.kind == "zip")
    zips = zip_lines if scope.every_zip else zip_lines.intersection(map(workspace.replaced, graph.needed))
    unread = frozenset(map(workspace.replaced, graph.unread))
    undecided = unread & frozenset(scope.mods)
    candidates: frozenset[ModuleVersion] = frozenset()
    if undecided:
        paths = {version.path for version in zips}
        zips |= {line.module for line in scope.key_lines if line.kind == "zip" and line.module.path not in paths}
        candidates = _candidates(graph, zip_lines) - zips
    listed = _listed(graph, workspace)
    return replace(
        scope,
        zips=tuple(sorted(zips)),
        required_zips=listed & zips,
        candidates=tuple(sorted(candidates)),
        undecided=undecided,
        mods_without_sum=frozenset(module for module in unread - undecided if module.version),
        zips_without_sum=listed - zip_lines,
        disagreements=tuple(_disagreements(graph, workspace)),
    )


def module_graph(scope: Scope, workspace: Workspace, folder: ModuleFolder) -> ModuleGraph:
    """Return the graph, as far as there are go.mod files in `folder`. A `.mod` without a hash is not read."""
    members = {member.module: member for member in workspace.members}
    excluded = frozenset(version for member in workspace.members for version in member.excludes)
    planned = frozenset(scope.mods)

    def read(module: ModuleVersion) -> Requirements | None:
        actual = workspace.replaced(module)
        if actual.version and actual not in planned:
            return None
        found = _dependency(actual, folder) if module.version else members[module.path]
        if found is None:
            return None
        known = (version for version in found.requires if semver.is_canonical(version.version))
        kept = tuple(version for version in known if version not in excluded)
        return Requirements(kept, go_line_at_least(found.go, 1, 17))

    return read_graph((ModuleVersion(path, "") for path in members), read)


def _dependency(module: ModuleVersion, folder: ModuleFolder) -> Dependency | None:
    path = folder.path_of(ModuleFile(module, "mod")) if module.version else Path(module.path, "go.mod")
    try:
        return parse_dependency(text_in(regular_bytes(path, MAX_BYTES["mod"])), str(path))
    except (OSError, GoSumError):
        return None  # Go reports what is wrong with it


def _listed(graph: ModuleGraph, workspace: Workspace) -> frozenset[ModuleVersion]:
    """Return what Go selects for the modules that a member lists: a package of the member imports from each."""
    paths = {required.path for member in workspace.members for required in member.requires}
    taken = (graph.selected[path] for path in paths & graph.selected.keys())
    return frozenset(version for version in map(workspace.replaced, taken) if version.version)


def _candidates(graph: ModuleGraph, zip_lines: Iterable[ModuleVersion]) -> frozenset[ModuleVersion]:
    """Return versions that Go may select once it knows more: none below those that it selects so far."""
    return frozenset(
        version
        for version in zip_lines
        if version.path not in graph.selected or not is_higher(graph.selected[version.path], version)
    )


def _disagreements(graph: ModuleGraph, workspace: Workspace) -> Iterable[Disagreement]:
    """Yield the modules that members list in several versions, or in a lower version than Go selects."""
    asked: dict[str, list[tuple[str, str]]] = {}
    for member in workspace.members:
        for path, version in member.requires:
            asked.setdefault(path, []).append((member.module, version))
    for path, by_members in sorted(asked.items()):
        taken = graph.selected.get(path)
        if taken and taken.version and {version for _, version in by_members} != {taken.version}:
            others = [(by.path, taken.version) for by in _requiring(graph, taken) if by.version]
            known = any(version == taken.version for _, version in by_members)
            yield Disagreement(path, (*by_members, *([] if known else others[:1])), taken.version)


def _requiring(graph: ModuleGraph, taken: ModuleVersion) -> list[ModuleVersion]:
    return sorted(module for module, found in graph.requirements.items() if taken in found.requires)
