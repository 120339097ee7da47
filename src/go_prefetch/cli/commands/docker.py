"""`go-prefetch docker`: prepare an image build without network: modules, a Dockerfile, a small context."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from go_prefetch.base.atomic_file import write_whole
from go_prefetch.base.git_command import GitCommand, NotTrustedError
from go_prefetch.cli.commands.docker_output import fill_output, local_folders
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import DockerfileKind
from go_prefetch.config.command_inputs import DOCKER
from go_prefetch.config.settings import Settings
from go_prefetch.docker import dockerignore_advice
from go_prefetch.docker.context import Context, read_context, read_text
from go_prefetch.docker.project import Project, read_project
from go_prefetch.docker.rules import FINDINGS, Severity, check
from go_prefetch.docker.template import Style, dockerfile_for, refuse_unbuildable
from go_prefetch.errors import InputError, notice
from go_prefetch.golang.environment import environment_without_go
from go_prefetch.golang.modcache import ModuleFolder, module_cache_of
from go_prefetch.model.ports import Platform
from go_prefetch.run.steps.discover import discover
from go_prefetch.run.steps.resolve import resolve_all


@dataclass(frozen=True)
class _Tasks:
    """What `docker` does: at least one task."""

    dockerignore: bool
    context: str
    output: str | None = None  # the folder to fill
    dockerfile: DockerfileKind | None = None  # print one
    check: str | None = None  # the Dockerfile to check


def _tasks(invocation: Invocation) -> _Tasks:
    given: dict[str, Any] = {name: value for name, value in invocation.values(DOCKER).items() if value != ""}
    return _Tasks(**given)


@dataclass(frozen=True)
class _Image:
    """What a Dockerfile is printed for."""

    project: Project
    style: Style
    context: Context


@dataclass(frozen=True)
class _Inputs:
    """What the tasks need, read and judged before anything is written."""

    context: Context | None  # of --check and --dockerignore
    dockerfile: str  # the text to check
    image: _Image | None  # to print a Dockerfile for
    exposed: bool  # the context has the folder to fill


def docker(invocation: Invocation) -> int:
    """Do every task; exit status 1 if a Dockerfile, .dockerignore or folder needs a change. Raises PrefetchError."""
    settings, platform, environ = invocation.settings(), invocation.platform, invocation.environ
    tasks = _tasks(invocation)
    if not (tasks.output or tasks.dockerfile or tasks.check or tasks.dockerignore):
        raise InputError("usage", "nothing-to-do")
    inputs = _read(settings, environ, tasks)
    results = []
    if tasks.output:
        told = {"exposed": inputs.exposed, "printed": inputs.image is not None}
        results.append(fill_output(settings, platform, environ, tasks.output, **told))
    if tasks.dockerignore and inputs.context:
        results.append(_dockerignore(settings, tasks, inputs.context))
    if tasks.check and inputs.context:
        results.append(_check(tasks.check, inputs.dockerfile, inputs.context))
    status, texts = int(any(status for status, _ in results)), [text for _, text in results]
    if inputs.image:  # alone on stdout, so that it can be redirected
        for text in texts:
            platform.info(text)
        texts = [_dockerfile(inputs.image, settings, platform, environ).rstrip("\n")]
    for text in texts:
        if status or inputs.image:
            platform.show(text, invocation.stdout)
        else:
            invocation.show_result(text)
    return status


def _read(settings: Settings, environ: Mapping[str, str], tasks: _Tasks) -> _Inputs:
    """Read every input. Raises InputError for those that cannot work."""
    checked = settings.cwd / tasks.check if tasks.check else None
    context = read_context(settings.cwd / tasks.context, checked) if checked or tasks.dockerignore else None
    if tasks.dockerignore and context:
        context.refuse_unwritable()
    image = _image(settings, environ, tasks) if tasks.dockerfile else None
    return _Inputs(context, read_text(checked) if checked else "", image, _is_exposed(settings, tasks, tasks.context))


def _image(settings: Settings, environ: Mapping[str, str], tasks: _Tasks) -> _Image:
    project = _project(settings, environ)
    context = read_context(project.context, settings.cwd / "Dockerfile")
    style = replace(_style(settings, tasks, project), exposed=_is_exposed(settings, tasks, str(project.context)))
    image = _Image(project, style, context)
    refuse_unbuildable(image.project, image.style, context)
    return image


def _style(settings: Settings, tasks: _Tasks, project: Project) -> Style:
    context = Path(os.path.relpath(project.context, settings.cwd)).as_posix()
    if tasks.dockerfile is not DockerfileKind.PLAIN:
        return Style(named_context=True, folder=tasks.output or dockerignore_advice.MODULE_FOLDER, context=context)
    output = tasks.output or (project.context / "gomod")
    folder = _inside(settings.cwd / output, project.context)
    if not folder:
        raise InputError("folder-outside-context", output=output, context=project.context)
    return Style(named_context=False, folder=folder, context=context)


def _dockerfile(image: _Image, settings: Settings, platform: Platform, environ: Mapping[str, str]) -> str:
    project, style, context = image.project, image.style, image.context
    filled = project.context / style.folder if not style.named_context else settings.cwd / style.folder
    stores = [ModuleFolder.at(filled), *local_folders(settings, environ)]
    cgo = project.needs_cgo(stores)
    if cgo is None:
        platform.warn(notice("cgo-unknown"))
    for embed in project.excluded_embeds(context.ignore):
        source = f"{embed.file}:{embed.line}"
        platform.warn(notice("embed-excluded", path=embed.path, source=source, ignore=context.ignore_file))
    try:
        tracked = GitCommand(environ).tracked(project.context)
    except NotTrustedError:
        tracked = []
    for embed in project.untracked_embeds(tracked) if tracked else ():
        platform.warn(notice("embed-untracked", path=embed.path, source=f"{embed.file}:{embed.line}"))
    return dockerfile_for(replace(project, cgo=cgo, go=project.image_go(stores)), style)


def _project(settings: Settings, environ: Mapping[str, str]) -> Project:
    go = environment_without_go(environ, module_cache_of(environ) or settings.cwd)
    places = discover(settings, go.gowork, go.gomodcache)
    scopes, _ = resolve_all(places, environ.get("GOFLAGS", ""))
    if len(scopes) > 1:
        raise InputError("one-module-only", count=len(scopes))
    scope = scopes[0]
    definition = next(place.definition for place in places if place.folder == scope.folder)
    private = any(go.private_by(version.path) for version in scope.zips)
    patterns = ",".join(dict.fromkeys(filter(None, (go.goprivate, go.gonoproxy, go.gonosumdb)))) if private else ""
    try:
        return replace(read_project(definition, None if scope.disabled_because else scope), private=patterns)
    except OSError as error:
        raise InputError("go-source-unreadable", path=error.filename, words=error.strerror) from None


def _inside(folder: Path, context: Path) -> str:
    """Return `folder` relative to `context`, with slashes; empty if it is not inside."""
    relative = Path(os.path.relpath(folder, context)).as_posix()
    return "" if relative == ".." or relative.startswith("../") or Path(relative).is_absolute() else relative


def _check(path: str, text: str, context: Context) -> tuple[int, str]:
    findings = check(text, context)
    rows = [FINDINGS[found.slug] for found in findings]
    lines = [
        f"{path}:{found.line}: {row.severity.value}: {found.slug}: {found.what}. {row.instead}."
        for found, row in zip(findings, rows, strict=True)
    ]
    wrong = any(row.severity is Severity.ERROR for row in rows)
    return int(wrong), "\n".join(lines) or f"{path}: nothing found"


def _dockerignore(settings: Settings, tasks: _Tasks, context: Context) -> tuple[int, str]:
    """Write the file if there is none; otherwise list what it does not exclude."""
    folder = _excluded_folder(settings, tasks, context)
    path = _dockerfile_of(settings, tasks, context)
    dockerfile = read_text(path) if path.is_file() else ""
    if context.has_ignore_file:
        missing = dockerignore_advice.lacking(context, folder, dockerfile)
        lines = [f"{context.ignore_file}: lets through {name}" for name in missing]
        return int(bool(missing)), "\n".join([*lines, dockerignore_advice.sizes(context, missing)])
    entries = dockerignore_advice.entries_for(context, folder, dockerfile)
    told = dockerignore_advice.sizes(context, [*entries, ".git"])
    try:
        write_whole(context.ignore_file, dockerignore_advice.text_for(entries).encode())
    except OSError as error:
        raise InputError("dockerignore-unwritable", path=context.ignore_file, words=error.strerror) from None
    return 0, f"{context.ignore_file}: written\n{told}"


def _is_exposed(settings: Settings, tasks: _Tasks, place: str) -> bool:
    """Return whether the context at `place` sends the folder of modules, although a build takes it by its name."""
    try:
        context = read_context(settings.cwd / place)
        folder = "" if tasks.dockerignore else _excluded_folder(settings, tasks, context)
    except InputError:
        return False  # so another context is built
    return bool(folder) and not context.ignore.excludes(folder)


def _excluded_folder(settings: Settings, tasks: _Tasks, context: Context) -> str:
    """Return the folder of modules, if it is inside the context but reaches the build in another way."""
    folder = _inside(settings.cwd / (tasks.output or dockerignore_advice.MODULE_FOLDER), context.folder)
    dockerfile = _dockerfile_of(settings, tasks, context)
    copied = dockerfile.is_file() and dockerignore_advice.copies(read_text(dockerfile), folder)
    return "" if copied or tasks.dockerfile is DockerfileKind.PLAIN else folder


def _dockerfile_of(settings: Settings, tasks: _Tasks, context: Context) -> Path:
    return settings.cwd / tasks.check if tasks.check else context.folder / "Dockerfile"
