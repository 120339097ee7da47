"""Which module versions Go will want for one go.mod or go.work, and which files of them go.sum can vouch for.

`go mod download` in a module with `go` 1.17 or newer takes the zips of go.mod's require list, after `replace`. Under a
go.work, or with an older `go` line, it would take far more than any build needs; there the plan is what go.sum names.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from go_prefetch import semver
from go_prefetch.errors import GoSumError
from go_prefetch.gomod import GoMod, GoWork, Replace, go_line_at_least, parse_gomod, parse_gowork
from go_prefetch.gosum import GoSum, GoSumLine, parse_gosum
from go_prefetch.module import ModuleVersion
from go_prefetch.results import Scope


def resolve(definition: Path, goflags: str) -> Scope:
    """Read one go.mod or go.work with its sums.

    Raises GoSumError naming file and line for what Go would refuse.
    """
    return (
        _resolve_workspace(definition, goflags)
        if definition.name == "go.work"
        else _resolve_module(definition, goflags)
    )


def _resolve_module(definition: Path, goflags: str) -> Scope:
    gomod = parse_gomod(_text(definition), str(definition))
    folder = definition.parent
    sums = (folder / "go.sum",)
    gosum = _merged(sums)
    listed = go_line_at_least(gomod.go, 1, 17)
    zip_lines = _versions(gosum, "zip")
    zips = _required(gomod, zip_lines) if listed else zip_lines
    reason = ""
    if _is_vendored(folder, goflags) and go_line_at_least(gomod.go, 1, 14):
        reason = f"{folder} is vendored: Go builds from vendor/ and reads no module cache"
    elif not gomod.requires and not gosum.lines:
        reason = f"{definition} requires no modules"
    return Scope(
        folder=folder,
        definition=definition,
        module_paths=(gomod.module,),
        zips=tuple(zips),
        certain=frozenset(zips) if listed else frozenset(),
        mods=_versions(gosum, "mod"),
        explicit=not listed,
        gosum_lines=_lines_of(gosum, zips),
        sums=sums,
        disabled_because=reason,
        warnings=gosum.ignored,
    )


def _resolve_workspace(definition: Path, goflags: str) -> Scope:
    folder = definition.parent
    gowork = parse_gowork(_text(definition), str(definition))
    member_files = [_member(folder, use, definition) for use in gowork.uses]
    members = [parse_gomod(_text(path), str(path)) for path in member_files]
    sums = (*(path.parent / "go.sum" for path in member_files), folder / "go.work.sum")
    gosum = _merged(sums)
    zips = _highest(gowork, members, _versions(gosum, "zip"))
    reason = ""
    if _is_vendored(folder, goflags):
        reason = f"{folder} is vendored: Go builds from vendor/ and reads no module cache"
    elif not any(member.requires for member in members) and not gosum.lines:
        reason = f"no module of {definition} requires another"
    return Scope(
        folder=folder,
        definition=definition,
        module_paths=tuple(member.module for member in members),
        zips=tuple(zips),
        certain=frozenset(),
        mods=_versions(gosum, "mod"),
        explicit=True,
        gosum_lines=_lines_of(gosum, zips),
        sums=sums,
        disabled_because=reason,
        warnings=gosum.ignored,
    )


def _required(gomod: GoMod, zip_lines: Iterable[ModuleVersion]) -> list[ModuleVersion]:
    """The require list after `replace`, without local folders, as far as go.sum has a zip line."""
    known = set(zip_lines)
    wanted = [_replaced(required, gomod.replaces) for required in gomod.requires]
    return sorted({target for target in wanted if target in known})


def _highest(gowork: GoWork, members: list[GoMod], zip_lines: Iterable[ModuleVersion]) -> list[ModuleVersion]:
    """Per path that a member requires, after `replace`, the highest version that has a zip line."""
    newest: dict[str, ModuleVersion] = {}
    for version in sorted(zip_lines, key=lambda v: semver.sort_key(v.version)):
        newest[version.path] = version
    replaces = (*gowork.replaces, *(replace for member in members for replace in member.replaces))
    local = {member.module for member in members}
    wanted: set[ModuleVersion] = set()
    for required in {required for member in members for required in member.requires if required.path not in local}:
        target = _replaced(required, replaces)
        if target and target.path in newest:
            wanted.add(target if target.path != required.path and target in set(zip_lines) else newest[target.path])
    return sorted(wanted)


def _replaced(required: ModuleVersion, replaces: Iterable[Replace]) -> ModuleVersion | None:
    """What takes the place of `required`; None for a local folder. An exact version goes before a whole path."""
    fitting = [r for r in replaces if r.old_path == required.path and r.old_version in ("", required.version)]
    if not fitting:
        return required
    replace = max(fitting, key=lambda r: r.old_version != "")
    return ModuleVersion(replace.new_path, replace.new_version) if replace.new_version else None


def _member(folder: Path, use: str, definition: Path) -> Path:
    path = folder / use / "go.mod"
    if not path.is_file():
        raise GoSumError(
            "go-work-member-missing",
            f"{definition}: use {use}: there is no {path}",
            hint="Check out that folder too, or take it out of go.work with `go work edit -dropuse`.",
        )
    return path.resolve()


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise GoSumError(
            "go-mod-unreadable", f"{path}: {error.strerror}", hint="The file must be readable by the job."
        ) from None
    except UnicodeDecodeError as error:
        raise GoSumError(
            "go-mod-malformed", f"{path}: not UTF-8 text (byte {error.start})", hint="Go refuses this file too."
        ) from None


def _merged(paths: Iterable[Path]) -> GoSum:
    """All lines of these files; one that is not there has none, and Go's own verdict on that stands."""
    lines: dict[GoSumLine, None] = {}
    ignored: list[str] = []
    for path in paths:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise GoSumError(
                "go-sum-unreadable", f"{path}: {error.strerror}", hint="The file must be readable by the job."
            ) from None
        gosum = parse_gosum(data, str(path))
        lines.update(dict.fromkeys(gosum.lines))
        ignored.extend(gosum.ignored)
    return GoSum(tuple(lines), tuple(ignored))


def _versions(gosum: GoSum, kind: str) -> tuple[ModuleVersion, ...]:
    return tuple(sorted({line.module for line in gosum.lines if line.kind == kind}))


def _lines_of(gosum: GoSum, zips: Iterable[ModuleVersion]) -> tuple[str, ...]:
    planned = set(zips)
    return tuple(line.text for line in gosum.lines if line.kind == "mod" or line.module in planned)


def _is_vendored(folder: Path, goflags: str) -> bool:
    return (folder / "vendor" / "modules.txt").is_file() and "-mod=mod" not in goflags.split()
