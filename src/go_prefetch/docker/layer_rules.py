"""Rules about the dependency layer: what rebuilds it although no dependency has changed, or prevents its use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from go_prefetch.docker.rule import (
    Found,
    Subject,
    basename,
    builds,
    download_in,
    is_whole,
    module_caches,
    sources,
)
from go_prefetch.docker.shell import Command
from go_prefetch.docker.stages import Stage, assignments, commands
from go_prefetch.docker.syntax import Instruction

_CHANGING = re.compile(
    r"(?:(?:APP|BUILD|RELEASE|GIT|IMAGE|PKG|PROJECT|SERVICE|PRODUCT)_?)?VERSION"
    r"|\w*(?:COMMIT|REVISION|TIMESTAMP)\w*|(?:\w+_)?(?:SHA|REF|BRANCH|TAG|DATE|TIME)|BUILD_?(?:ID|NUMBER|NUM|AT|DATE|TIME)"
    r"|SOURCE_DATE_EPOCH",
    re.IGNORECASE,
)
_PLATFORM = ("TARGETOS", "TARGETARCH", "TARGETPLATFORM", "TARGETVARIANT")
_LONGEST_NAME = 100
_VENDOR = "-mod=vendor"
# Words of commands that show go.mod, or copy it out of the image.
_SHOWN = {"git": ("diff", "status"), "cp": ("go.mod", "go.sum"), "go": ("-diff",)}


def copy_before_download(subject: Subject) -> Iterator[Found]:
    """Find the whole context, the module's folder, or Go files, copied before `go mod download`."""
    for _, history in subject.histories:
        above = history[: download_in(history) or 0]
        named = any(fnmatchcase("go.mod", basename(source)) for each in above for source in sources(each))
        is_broad = is_whole if named else subject.brings_module
        for instruction in above:
            broad = [source for source in sources(instruction) if is_broad(source) or source.endswith("*.go")]
            if broad and instruction.name in ("COPY", "ADD"):
                yield Found(instruction.line, f"{instruction.name} {broad[0]} is above the download of the modules")


def no_download_layer(subject: Subject) -> Iterator[Found]:
    """Find a build that downloads its modules itself, each time."""
    for _, history in subject.histories:
        if download_in(history) is not None or _is_vendored(subject, history):
            continue
        copied = False
        for instruction in history:
            if copied and builds(instruction) and not module_caches(instruction):
                yield Found(instruction.line, "the build itself downloads the modules, again after every change")
                break
            copied = copied or any(map(subject.brings_module, sources(instruction)))


def _is_vendored(subject: Subject, history: tuple[Instruction, ...]) -> bool:
    said = any(_VENDOR in instruction.text for instruction in history)
    return said or subject.context.holds("vendor/modules.txt") or not _needs_modules(subject)


def _needs_modules(subject: Subject) -> bool:
    """Return whether there is a go.sum. Without a go.mod in the context this is unknown, so the answer is yes."""
    folder = subject.context.folder
    return (folder / "go.sum").is_file() or (folder / "go.work").is_file() or not (folder / "go.mod").is_file()


def go_sum_not_copied(subject: Subject) -> Iterator[Found]:
    """Find a download with go.mod but without go.sum."""
    for _, history in subject.histories:
        index = download_in(history)
        if index is None or not _needs_modules(subject):
            continue
        before = [(instruction, source) for instruction in history[: index + 1] for source in sources(instruction)]
        if any(_brings(source, "go.sum") for _, source in before):
            continue
        for instruction, source in before:
            if basename(source) == "go.mod":
                yield Found(instruction.line, "go.mod is copied for the download, but go.sum is not")
                break


def _brings(source: str, name: str) -> bool:
    """Return whether this source could include the file: by its name, a glob, or as a folder."""
    last = basename(source)
    return is_whole(source) or fnmatchcase(name, last) or ("." not in last.lstrip(".") and "*" not in last)


def arg_before_download(subject: Subject) -> Iterator[Found]:
    """Find an ARG that changes with each build, declared above a download that does not use it."""
    for stage, history in subject.histories:
        index = download_in(history)
        above = history[: index or 0]
        for at, instruction in enumerate(above):
            if instruction.name != "ARG":
                continue
            for name, _ in assignments(instruction):
                if _busts(name, stage) and not _is_used(name, history[at + 1 : (index or 0) + 1]):
                    yield Found(instruction.line, f"ARG {name} is above `go mod download`, which does not use it")


def _busts(name: str, stage: Stage) -> bool:
    if name in _PLATFORM:  # shared by all platforms only if the stage runs on the builder's platform
        first = stage
        while first.parent:
            first = first.parent
        return any("BUILDPLATFORM" in value for value in first.start.flag("platform"))
    return len(name) <= _LONGEST_NAME and bool(_CHANGING.fullmatch(name))


def _is_used(name: str, instructions: tuple[Instruction, ...]) -> bool:
    variable = re.compile(rf"\$(?:{name}\b|\{{{name}\b)")
    needed = (each for each in instructions if each.name in ("RUN", "COPY", "ADD", "WORKDIR"))
    return any(variable.search(f"{each.text} {each.flags} {each.heredocs}") for each in needed)


def cache_mount_lost(subject: Subject) -> Iterator[Found]:
    """Find modules that are downloaded into a cache mount, and a build without that mount."""
    for _, history in subject.histories:
        index = download_in(history)
        caches = frozenset() if index is None else module_caches(history[index])
        for instruction in history[(index or 0) + 1 :] if caches else ():
            if builds(instruction) and not caches & module_caches(instruction) and _VENDOR not in instruction.text:
                yield Found(
                    instruction.line,
                    f"line {history[index or 0].line} downloads into a cache mount that this RUN does not have, "
                    "so it downloads again",
                )


def go_mod_changed(subject: Subject) -> Iterator[Found]:
    """Find commands that change go.mod or go.sum in the image, where the change is lost."""
    for _, history in subject.histories:
        made_here = False
        for instruction in history:
            run = tuple(commands(instruction))
            shown = any(map(_shows_go_mod, run))
            for command in run:
                made_here = made_here or command.go[:2] == ("mod", "init")
                changes = command.go[:1] == ("get",) or command.go[:2] == ("mod", "tidy")
                if changes and not made_here and not shown:
                    yield Found(instruction.line, f"`go {' '.join(command.go[:2])}` changes go.mod inside the image")


def _shows_go_mod(command: Command) -> bool:
    """Return whether the stage compares go.mod or copies it out: then changing it is the purpose of the stage."""
    program, *words = command.words or ("",)
    return any(basename(word) in _SHOWN.get(program, ()) for word in words)
