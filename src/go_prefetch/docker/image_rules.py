"""Rules about the base image, GOPROXY, and what .dockerignore keeps from Go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from go_prefetch.docker.rule import Found, History, is_module_file, is_whole, path_of, sources
from go_prefetch.docker.stages import assignments, commands
from go_prefetch.docker.syntax import Instruction
from go_prefetch.errors import PrefetchError
from go_prefetch.golang.gomod import parse_gomod

_TAG = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:-|$)")
_STAMPED = re.compile(r"-buildvcs|-X[= ]|-ldflags[^&|;\n]{0,300}\$")  # or by a variable, perhaps


def old_image(history: History) -> Iterator[Found]:
    """Find a Go image that is older than the go.mod that is built with it."""
    name, tag = history.image
    match = _TAG.match(tag)
    brought = [path_of(source) for each in history.instructions for source in sources(each)]
    paths = [path for path in brought if is_module_file(path, "go.mod")] + ["go.mod"] * any(map(is_whole, brought))
    may_switch = any(name == "GOTOOLCHAIN" and value not in ("local", "path") for name, value in history.settings)
    if name != "golang" or not match or may_switch or not _runs_go(history):
        return
    has = tuple(int(part) for part in match.groups() if part)
    for path in paths:
        go = re.split(r"rc|beta", _go_line(history.context.text(path), path))[0]
        wanted = tuple(map(int, re.findall("[0-9]{1,9}", go)))[: len(has)]
        if has < wanted:
            what = f"{history.root.base} is older than the Go {'.'.join(map(str, wanted))} that {path} asks for"
            yield Found("old-image", history.root.start.line, what)


def _go_line(text: str, path: str) -> str:
    try:
        return parse_gomod(text, path).go
    except PrefetchError:
        return ""  # Go has the words for it


def _runs_go(history: History) -> bool:
    return any(command.go or command.makes for each in history.instructions for command in commands(each))


def lone_file_proxy(history: History) -> Iterator[Found]:
    """Find a GOPROXY that is a single folder."""
    for instruction in (*history.dockerfile.globals, *history.instructions):
        if any(name == "GOPROXY" and _is_lone_folder(value) for name, value in _set_by(instruction)):
            yield Found("lone-file-proxy", instruction.line, "GOPROXY is a single file:// URL")


def _set_by(instruction: Instruction) -> Iterator[tuple[str, str]]:
    if instruction.name in ("ENV", "ARG"):
        yield from assignments(instruction)
    for command in commands(instruction):
        yield from command.assigned
        if command.go[:2] == ("env", "-w"):
            yield from (pair for word in command.go[2:] for pair in [word.partition("=")[::2]])


def _is_lone_folder(value: str) -> bool:
    return value.strip().startswith("file://") and not re.search(r"[,|$]", value)


def dockerignore_hides(history: History) -> Iterator[Found]:
    """Find a file of the module that is copied but excluded from the context."""
    for instruction in history.instructions if _runs_go(history) else ():
        for source in sources(instruction):
            # A go.work that is excluded from the whole is a choice: one module is built for itself.
            paths = ("go.mod", "go.sum") if is_whole(source) else [path_of(source)] if is_module_file(source) else ()
            for path in paths:
                if history.context.exists(path) and history.context.ignore.excludes(path):
                    what = f"{path} is copied, but .dockerignore excludes it from the context"
                    yield Found("dockerignore-hides", instruction.line, what)


def stamp_lost(history: History) -> Iterator[Found]:
    """Find a build that would write git's version into the program if .dockerignore let it."""
    texts = [f"{each.text} {each.heredocs}" for each in history.instructions]
    name, tag = history.image
    has_git = name == "golang" and (not re.search(r"alpine|\$", tag) or re.search(r"\bgit\b", str(texts)))
    whole = any(is_whole(source) for each in history.instructions for source in sources(each))
    if not (has_git and whole and history.context.ignore.excludes(".git")) or any(map(_STAMPED.search, texts)):
        return
    for instruction in history.instructions:
        if any(command.go[:1] in (("build",), ("install",)) and command.builds for command in commands(instruction)):
            yield Found(
                "stamp-lost", instruction.line, ".dockerignore excludes .git, so the program has no version stamp"
            )
            return
