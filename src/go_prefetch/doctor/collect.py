"""Gather what doctor's checks look at: go.mod files, what Go says of its variables, workflow files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from go_prefetch.config.settings import Settings
from go_prefetch.doctor.facts import Definition, Surroundings
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


def ask_go(settings: Settings, environ: Mapping[str, str]) -> tuple[GoEnvironment, dict[str, str], Notice | None]:
    """Go's environment, its variables by name, and why there is no Go to ask."""
    try:
        go = GoCommand(environ)
        environment = go.environment(settings.cwd)
        variables = go.variables(settings.cwd, _VARIABLES) | {"GOTOOLCHAIN": go.toolchain_switch(settings.cwd)}
    except GoCommandError as error:
        # A module cache that is not there has no files, and no more is asked of it here.
        told = environment_without_go(environ, module_cache_of(environ) or Path("go", "pkg", "mod"))
        return told, {name: environ.get(name, "") for name in _VARIABLES}, error.notice
    return environment, variables, None


def gather(  # noqa: PLR0913 - facts come from many places
    settings: Settings,
    environ: Mapping[str, str],
    variables: Mapping[str, str],
    *,
    gowork: str,
    go_problem: Notice | None,
    goproxy_problem: Notice | None,
    plan: Plan | None,
    plan_problem: Notice | None,
) -> Surroundings:
    """The facts, as far as they can be had: what cannot be read is told by others."""
    places = _places(settings, gowork)
    scopes = _scopes(places, variables.get("GOFLAGS", ""))
    definitions = tuple(definition for scope in scopes for definition in _definitions(scope))
    return Surroundings(
        environ=environ,
        go_problem=go_problem,
        variables=variables,
        goproxy=settings.goproxy or variables.get("GOPROXY", "") or GO_DEFAULT_PROXIES,
        goproxy_problem=goproxy_problem,
        definitions=definitions,
        plan_problem=plan_problem,
        modules=plan.modules if plan else (),
        workflows=_workflows(settings.cwd, [scope.folder for scope in scopes]),
        has_vendor=any((place.definition.parent / "vendor" / "modules.txt").is_file() for place in places),
    )


def _places(settings: Settings, gowork: str) -> tuple[Place, ...]:
    try:
        return discover(settings, gowork)
    except PrefetchError:  # told as the plan's problem
        return ()


def _scopes(places: Iterable[Place], goflags: str) -> list[Scope]:
    found = []
    with suppress(PrefetchError):  # told as the plan's problem; those before a malformed one count
        for place in places:
            found.append(resolve(place, goflags))  # noqa: PERF401
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
    """Workflow files of the repository: of the nearest folder that has any, from here and from each scope upwards."""
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
