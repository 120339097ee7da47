"""What makes the dependency layer anew when no dependency has changed, or keeps it from being used."""

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
# Words by which a command shows go.mod, or hands it out.
_SHOWN = {"git": ("diff", "status"), "cp": ("go.mod", "go.sum"), "go": ("-diff",)}


def copy_before_download(subject: Subject) -> Iterator[Found]:
    """The whole context, the module's folder, or Go files, copied before `go mod download`."""
    for _, history in subject.histories:
        above = history[: download_in(history) or 0]
        named = any(fnmatchcase("go.mod", basename(source)) for each in above for source in sources(each))
        is_broad = is_whole if named else subject.brings_module
        for instruction in above:
            broad = [source for source in sources(instruction) if is_broad(source) or source.endswith("*.go")]
            if broad and instruction.name in ("COPY", "ADD"):
                yield Found(instruction.line, f"{instruction.name} {broad[0]} comes before the modules are downloaded")


def no_download_layer(subject: Subject) -> Iterator[Found]:
    """A build that downloads its modules itself, over and over."""
    for _, history in subject.histories:
        if download_in(history) is not None or _is_vendored(subject, history):
            continue
        copied = False
        for instruction in history:
            if copied and builds(instruction) and not module_caches(instruction):
                yield Found(instruction.line, "the modules are downloaded by the build itself, anew for every change")
                break
            copied = copied or any(map(subject.brings_module, sources(instruction)))


def _is_vendored(subject: Subject, history: tuple[Instruction, ...]) -> bool:
    said = any(_VENDOR in instruction.text for instruction in history)
    return said or subject.context.holds("vendor/modules.txt") or not _needs_modules(subject)


def _needs_modules(subject: Subject) -> bool:
    """Whether there is a go.sum; where the context has no go.mod either, nothing is known, so yes."""
    folder = subject.context.folder
    return (folder / "go.sum").is_file() or (folder / "go.work").is_file() or not (folder / "go.mod").is_file()


def go_sum_not_copied(subject: Subject) -> Iterator[Found]:
    """go.mod is there for the download, go.sum is not."""
    for _, history in subject.histories:
        index = download_in(history)
        if index is None or not _needs_modules(subject):
            continue
        before = [(instruction, source) for instruction in history[: index + 1] for source in sources(instruction)]
        if any(_brings(source, "go.sum") for _, source in before):
            continue
        for instruction, source in before:
            if basename(source) == "go.mod":
                yield Found(instruction.line, "go.mod is copied for the download, go.sum is not")
                break


def _brings(source: str, name: str) -> bool:
    """Whether this source could hold the file: by its name, a glob, or as a folder."""
    last = basename(source)
    return is_whole(source) or fnmatchcase(name, last) or ("." not in last.lstrip(".") and "*" not in last)


def arg_before_download(subject: Subject) -> Iterator[Found]:
    """An ARG that changes from build to build, declared above a download that does not use it."""
    for stage, history in subject.histories:
        index = download_in(history)
        above = history[: index or 0]
        for at, instruction in enumerate(above):
            if instruction.name != "ARG":
                continue
            for name, _ in assignments(instruction):
                if _busts(name, stage) and not _is_used(name, history[at + 1 : (index or 0) + 1]):
                    yield Found(instruction.line, f"ARG {name} stands above `go mod download`, which does not use it")


def _busts(name: str, stage: Stage) -> bool:
    if name in _PLATFORM:  # shared by all platforms only where the stage runs on the builder's own
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
    """Modules downloaded into a cache mount that the build does not have."""
    for _, history in subject.histories:
        index = download_in(history)
        caches = frozenset() if index is None else module_caches(history[index])
        for instruction in history[(index or 0) + 1 :] if caches else ():
            if builds(instruction) and not caches & module_caches(instruction) and _VENDOR not in instruction.text:
                yield Found(
                    instruction.line,
                    f"line {history[index or 0].line} downloads into a cache mount that this RUN does not have: "
                    "it downloads again",
                )


def go_mod_changed(subject: Subject) -> Iterator[Found]:
    """Commands that change go.mod or go.sum in the image, where nobody sees it."""
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
    """Whether go.mod is compared or handed out: then the stage is there to change it."""
    program, *words = command.words or ("",)
    return any(basename(word) in _SHOWN.get(program, ()) for word in words)
