"""Facts for doctor's checks: go.mod files, Go's variables, workflow files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from go_prefetch.config.settings import Settings
from go_prefetch.errors import GoCommandError, Notice, PrefetchError
from go_prefetch.golang.command import GO_DEFAULT_PROXIES, GoCommand
from go_prefetch.golang.environment import GoEnvironment, environment_without_go
from go_prefetch.golang.gomod import parse_gomod, parse_gowork
from go_prefetch.golang.gosum import parse_gosum
from go_prefetch.golang.modcache import module_cache_of
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.run.steps.discover import Place, discover
from go_prefetch.run.steps.resolve import resolve

_VARIABLES = ("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOFLAGS", "GO111MODULE")
_MOST_WORKFLOW_BYTES = 1 << 20


@dataclass(frozen=True)
class Definition:
    """One go.mod or go.work in scope, as far as findings need it."""

    path: Path
    go: str  # of its go line; empty without one
    toolchain: str
    has_sums: bool  # whether there is a go.sum
    requires: bool  # whether it requires any module
    is_vendored: bool  # whether Go builds it from vendor/
    sum_zips: int  # go.sum lines for zips
    planned_zips: int  # those of them that Go needs


@dataclass(frozen=True)
class Facts:
    """The input of the checks. Files that are not readable are left out."""

    environ: Mapping[str, str] = field(repr=False)
    go_problem: Notice | None  # why there is no Go
    variables: Mapping[str, str] = field(repr=False)  # variables of `go env`, or without Go those of the environment
    goproxy: str = field(repr=False)  # the effective list, unchanged: the input, otherwise Go's
    goproxy_problem: Notice | None  # why it is not a list
    definitions: tuple[Definition, ...]
    plan_problem: Notice | None  # why there is no plan
    modules: tuple[ModuleVersion, ...]  # of the plan, private ones too
    workflows: Mapping[str, str]  # GitHub workflow files: name to text
    has_vendor: bool = False


@dataclass(frozen=True)
class GoSettings:
    """Go's settings, or without Go those of the environment."""

    environment: GoEnvironment
    variables: Mapping[str, str] = field(repr=False)
    problem: Notice | None  # why there is no Go


def ask_go(settings: Settings, environ: Mapping[str, str]) -> GoSettings:
    """Return Go's settings in the working directory."""
    try:
        go = GoCommand(environ)
        environment = go.environment(settings.cwd)
        variables = go.variables(settings.cwd, _VARIABLES) | {"GOTOOLCHAIN": environment.toolchain_switch}
    except GoCommandError as error:
        # A missing module cache has no files, which is all that matters here.
        environment = environment_without_go(environ, module_cache_of(environ) or Path("go", "pkg", "mod"))
        return GoSettings(environment, {name: environ.get(name, "") for name in _VARIABLES}, error.notice)
    return GoSettings(environment, variables, None)


def collect_facts(
    settings: Settings,
    environ: Mapping[str, str],
    go: GoSettings,
    plan: Plan | None,
    *,
    plan_problem: Notice | None,
    goproxy_problem: Notice | None,
) -> Facts:
    """Read the files of the project."""
    places = _places(settings, go.environment)
    scopes = _scopes(places, go.variables.get("GOFLAGS", ""))
    definitions = tuple(definition for scope in scopes for definition in _definitions(scope))
    return Facts(
        environ=environ,
        go_problem=go.problem,
        variables=go.variables,
        goproxy=settings.goproxy or go.variables.get("GOPROXY", "") or GO_DEFAULT_PROXIES,
        goproxy_problem=goproxy_problem,
        definitions=definitions,
        plan_problem=plan_problem,
        modules=plan.modules if plan else (),
        workflows=_workflows(settings.cwd, [scope.folder for scope in scopes]),
        has_vendor=any((place.definition.parent / "vendor" / "modules.txt").is_file() for place in places),
    )


def _places(settings: Settings, go: GoEnvironment) -> tuple[Place, ...]:
    try:
        return discover(settings, go.gowork, go.gomodcache)
    except PrefetchError:  # the plan's problem names it
        return ()


def _scopes(places: Iterable[Place], goflags: str) -> list[Scope]:
    found = []
    for place in places:
        with suppress(PrefetchError):  # the plan's problem, or one of its warnings, names it
            found.append(resolve(place, goflags))
    return found


def _definitions(scope: Scope) -> Iterable[Definition]:
    text = scope.definition.read_text(encoding="utf-8", errors="replace")
    is_module = scope.definition.suffix == ".mod"
    try:
        parsed = parse_gomod(text, "") if is_module else parse_gowork(text, "")
        sums = [parse_gosum(path.read_bytes(), "") for path in scope.sums if path.is_file()]
    except (PrefetchError, OSError):
        return  # changed since the plan was made
    zips = {ModuleVersion(*line.module) for gosum in sums for line in gosum.lines if line.kind == "zip"}
    not_planned = scope.disabled_because.slug if scope.disabled_because else ""
    yield Definition(
        path=scope.definition,
        go=parsed.go,
        toolchain=getattr(parsed, "toolchain", ""),
        has_sums=bool(sums),
        requires=not_planned != "no-requirements",
        is_vendored=not_planned == "vendored",
        sum_zips=len(zips),
        planned_zips=len(zips & set(scope.zips)),
    )


def _workflows(cwd: Path, folders: Iterable[Path]) -> dict[str, str]:
    """Return the workflow files of the nearest folder that has any, from here and from each scope upwards."""
    for start in (cwd, *folders):
        for folder in (start, *start.parents):
            below = folder / ".github" / "workflows"
            if below.is_dir():
                return {
                    path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace")
                    for path in sorted(below.iterdir())
                    if path.suffix in (".yml", ".yaml") and _is_small_file(path)
                }
            if (folder / ".git").exists():
                break
    return {}


def _is_small_file(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size <= _MOST_WORKFLOW_BYTES
    except OSError:
        return False
