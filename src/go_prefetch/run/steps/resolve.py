"""Which module versions Go needs for one go.mod or go.work, and which of their files have a hash in go.sum.

`go mod download` in a module with `go` 1.17 or newer takes the zips of go.mod's require list, after `replace`. Under a
go.work, or with an older `go` line, it would take far more than any build needs. There the key has what go.sum names,
and in a workspace the module graph decides which zips are planned (workspace.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from go_prefetch.errors import GoSumError, Notice, notice
from go_prefetch.golang import semver
from go_prefetch.golang.gomod import GoMod, Replace, go_line_at_least, go_lines, parse_gomod, parse_gowork
from go_prefetch.golang.gosum import GoSum, GoSumLine
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Scope, Workspace
from go_prefetch.run.steps.discover import Place, read_instead
from go_prefetch.run.steps.folder_search import is_file
from go_prefetch.run.steps.project_files import sums_of, text_of, vendored

_Replaces = Mapping[tuple[str, str], Replace]


def resolve_all(
    places: Iterable[Place], goflags: str, *, every_zip: bool = False
) -> tuple[tuple[Scope, ...], tuple[Notice, ...]]:
    """Return the scopes of these places, and a warning for each file that only a search found and that is no module.

    Raises GoSumError and InputError as `resolve` does, and if no file is left.
    """
    scopes: list[Scope] = []
    refused: list[tuple[Path, GoSumError]] = []
    for place in places:
        try:
            scopes.append(resolve(place, goflags, every_zip=every_zip))
        except GoSumError as error:
            if place.named or not _is_no_module(error, place.definition):
                raise
            refused.append((place.definition, error))
    if refused and not scopes:
        raise refused[0][1]
    return tuple(scopes), tuple(notice("go-mod-skipped", file=path, cause=error.notice) for path, error in refused)


def _is_no_module(error: GoSumError, definition: Path) -> bool:
    """Return whether this file is something else, such as a template. A damaged file was a module before."""
    is_its_own = dict(error.notice.facts).get("source") == str(definition)
    return is_its_own and error.slug == "go-mod-malformed" and not error.notice.case


def resolve(place: Place, goflags: str, *, every_zip: bool = False) -> Scope:
    """Read one go.mod or go.work (GOWORK may give it another name) with its sums, and `-modfile` of GOFLAGS.

    With `every_zip`, the plan has all zips that go.sum has a hash of, and vendor/ does not count: `go mod tidy` and
    `go mod vendor` read them.

    Raises GoSumError with file and line for what Go would refuse, InputError for a `-modfile` that Go would refuse.
    """
    if place.definition.name == "go.mod":
        return _resolve_module(place, read_instead(place, goflags), goflags, every_zip=every_zip)
    return _resolve_workspace(place, read_instead(place, goflags), goflags, every_zip=every_zip)


def _resolve_module(place: Place, definition: Path, goflags: str, *, every_zip: bool) -> Scope:
    text = text_of(definition)
    gomod = parse_gomod(text, str(definition))
    sums = (definition.with_suffix(".sum"),)
    gosum = sums_of(sums)
    zip_lines = _versions(gosum, "zip")
    targets = _targets([gomod])
    listed = go_line_at_least(gomod.go, 1, 17)
    from_list = listed and not every_zip
    zips = sorted(targets.all & set(zip_lines)) if from_list else list(zip_lines)
    reason = None if every_zip else vendored(place.definition.parent, gomod.go, goflags, workspace=False)
    if not gomod.requires:
        reason = notice("no-requirements", definition=definition)
    return Scope(
        folder=place.folder,
        definition=definition,
        module_paths=(gomod.module,),
        zips=tuple(zips),
        required_zips=targets.all & set(zips if listed else _wanted_together([gomod], targets, zip_lines)),
        mods=_versions(gosum, "mod"),
        explicit=not from_list,
        every_zip=every_zip,
        zips_without_sum=targets.all - set(zip_lines) if listed else frozenset(),
        gosum_lines=gosum.lines,
        key_lines=_lines_of(gosum, zips),
        sums=sums,
        disabled_because=reason,
        warnings=(*gosum.warnings, *_without_sums(definition, targets, zips, explicit=not from_list)),
        go_lines=go_lines(text if definition == place.definition else text_of(place.definition)),
        unsure=(definition,) if gomod.has_unknown_directive else (),
    )


def _resolve_workspace(place: Place, definition: Path, goflags: str, *, every_zip: bool) -> Scope:
    folder, text = definition.parent, text_of(definition)
    gowork = parse_gowork(text, str(definition))
    member_files = [_member(folder, use, definition) for use in gowork.uses]
    members = [parse_gomod(text_of(path), str(path)) for path in member_files]
    sums = (*(path.with_name("go.sum") for path in member_files), definition.with_name(f"{definition.name}.sum"))
    gosum = sums_of(sums)
    zip_lines = _versions(gosum, "zip")
    targets = _targets(members, gowork.replaces)
    zips = list(zip_lines) if every_zip else _wanted_together(members, targets, zip_lines)
    reason = None if every_zip else vendored(folder, gowork.go, goflags, workspace=True)
    if not any(member.requires for member in members):
        reason = notice("no-requirements", "workspace", definition=definition)
    return Scope(
        folder=place.folder,
        definition=definition,
        module_paths=tuple(member.module for member in members),
        zips=tuple(zips),
        required_zips=targets.all & set(zips),
        mods=_versions(gosum, "mod"),
        explicit=True,
        every_zip=every_zip,
        gosum_lines=gosum.lines,
        key_lines=_lines_of(gosum, zips),
        sums=sums,
        workspace=Workspace(
            members=tuple(members),
            replaces=_by_version(
                replacement
                for member, path in zip(members, member_files, strict=True)
                for replacement in _rooted(member.replaces, path.parent)
            ),
            work_replaces=_by_version(_rooted(gowork.replaces, folder)),
        ),
        disabled_because=reason,
        warnings=(
            *gosum.warnings,
            *_without_sums(definition, targets, zips, explicit=True),
            *_not_members(place, member_files),
        ),
        go_lines=go_lines(text),
        unsure=(
            *((definition,) if gowork.has_unknown_directive else ()),
            *(path for path, member in zip(member_files, members, strict=True) if member.has_unknown_directive),
        ),
    )


class _Targets(NamedTuple):
    """The modules of the require lists, without local folders and the members themselves."""

    as_required: frozenset[ModuleVersion]
    by_replace: frozenset[ModuleVersion]

    @property
    def all(self) -> frozenset[ModuleVersion]:
        return self.as_required | self.by_replace


def _targets(members: Iterable[GoMod], work_replaces: Iterable[Replace] = ()) -> _Targets:
    """Return the require lists after `replace`. Replacements of go.work have precedence over those of the members."""
    members = list(members)
    of_work, of_members = _by_version(work_replaces), _by_version(r for member in members for r in member.replaces)
    local = {member.module for member in members}
    as_required: set[ModuleVersion] = set()
    by_replace: set[ModuleVersion] = set()
    for required in {required for member in members for required in member.requires if required.path not in local}:
        fitting = _fitting(required, of_work) or _fitting(required, of_members)
        if fitting is None:
            as_required.add(required)
        elif fitting.new_version:
            by_replace.add(ModuleVersion(fitting.new_path, fitting.new_version))
    return _Targets(frozenset(as_required), frozenset(by_replace))


def _wanted_together(
    members: Iterable[GoMod], targets: _Targets, zip_lines: Iterable[ModuleVersion]
) -> list[ModuleVersion]:
    """Return per required path the highest version with a zip line, and what `replace` names exactly.

    A member with `go` 1.16 or older does not list the requirements of its dependencies: then every path counts.
    """
    known, newest = set(zip_lines), _newest(zip_lines)
    wanted = {target for target in targets.by_replace if target in known}
    wanted |= {newest[target.path] for target in targets.as_required if target.path in newest}
    if not all(go_line_at_least(member.go, 1, 17) for member in members):
        wanted |= set(newest.values())
    return sorted(wanted)


def _newest(versions: Iterable[ModuleVersion]) -> dict[str, ModuleVersion]:
    return {version.path: version for version in sorted(versions, key=lambda v: semver.sort_key(v.version))}


def _by_version(replaces: Iterable[Replace]) -> _Replaces:
    """Return the first replacement of each module version; that of a whole path has an empty version."""
    found: dict[tuple[str, str], Replace] = {}
    for one in replaces:
        found.setdefault((one.old_path, one.old_version), one)
    return found


def _fitting(required: ModuleVersion, replaces: _Replaces) -> Replace | None:
    """Return the replacement of `required`, if there is one. An exact version has precedence over a whole path."""
    if not replaces:
        return None
    return replaces.get((required.path, required.version)) or replaces.get((required.path, ""))


def _member(folder: Path, use: str, definition: Path) -> Path:
    path = folder / use / "go.mod"
    if not path.is_file():
        raise GoSumError("go-work-member-missing", definition=definition, use=use, path=path)
    return path.parent.resolve() / path.name


def _not_members(place: Place, member_files: Iterable[Path]) -> Iterable[Notice]:
    """Yield named folders that belong to a module below the go.work, but to none that it lists."""
    top, members = place.definition.parent, frozenset(member_files)
    for folder in place.named:
        above = (parent for parent in (folder, *folder.parents) if is_file(parent / "go.mod"))
        own = next(above, top)
        if own not in (top, *top.parents) and own / "go.mod" not in members:
            gomod, workspace = own / "go.mod", place.definition
            yield notice("folder-outside-workspace", file=gomod, definition=gomod, workspace=workspace, folder=own)


def _rooted(replaces: Iterable[Replace], folder: Path) -> tuple[Replace, ...]:
    """Return replacements whose folders are absolute: they are written relative to the file that has them."""
    return tuple(r if r.new_version else replace(r, new_path=str(folder / r.new_path)) for r in replaces)


def _versions(gosum: GoSum, kind: str) -> tuple[ModuleVersion, ...]:
    return tuple(sorted({line.module for line in gosum.lines if line.kind == kind}))


def _lines_of(gosum: GoSum, zips: Iterable[ModuleVersion]) -> tuple[GoSumLine, ...]:
    planned = set(zips)
    return tuple(line for line in gosum.lines if line.kind == "mod" or line.module in planned)


def _without_sums(
    definition: Path, targets: _Targets, zips: Iterable[ModuleVersion], *, explicit: bool
) -> Iterable[Notice]:
    """Return what to report if there is nothing to download: Go does not run then, so it reports nothing."""
    if explicit and targets.all and not list(zips):
        yield notice("go-sum-missing", definition=definition)
