"""Rules about sources: images, tools, modules, and the contents of the context."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from go_prefetch.docker.rule import Found, Subject, is_whole, sources
from go_prefetch.docker.stages import assignments, commands, mounts
from go_prefetch.docker.syntax import Instruction

MODULE_FOLDER = ".gomod"  # the suggested folder for `docker --output`

# Names in the context's own folder that no image build of a Go project reads.
UNWANTED = {
    ".git": "changes with every commit",
    ".env": "may contain secrets",
    MODULE_FOLDER: "sent as a named context",
    ".netrc": "contains passwords",
    ".git-credentials": "contains passwords",
    ".ssh": "contains keys",
    "node_modules": "large, not used by Go",
    ".venv": "large, not used by Go",
    ".terraform": "large, may contain secrets",
    ".idea": "files of an editor",
    ".vscode": "files of an editor",
}
_READS_GIT = re.compile(r"(?<![\w.-])(?:git|make|mage|task|just|goreleaser)\s|-buildvcs=true|\.sh\b")


def latest_tag(subject: Subject) -> Iterator[Found]:
    """Find an image without a tag, or with `latest`."""
    names = {stage.name.lower() for stage in subject.dockerfile.stages if stage.name}
    for stage in subject.dockerfile.stages:
        if stage.parent is None and stage.base != "scratch" and _floats(stage.base):
            yield Found(stage.start.line, f"{stage.base} has no fixed version")
    for instruction in subject.dockerfile.instructions:
        for image in _taken_from(instruction):
            # A bare name is a stage or a named context. An image has a slash or a colon.
            if image.lower() not in names and re.search(r"[/:]", image) and _floats(image):
                yield Found(instruction.line, f"{image} has no fixed version")


def _taken_from(instruction: Instruction) -> list[str]:
    copied = instruction.flag("from") if instruction.name in ("COPY", "ADD") else []
    return copied + [mount["from"] for mount in mounts(instruction) if "from" in mount]


def _floats(image: str) -> bool:
    if "$" in image or "@" in image or not image:
        return False
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return not colon or tag == "latest"


def go_install_latest(subject: Subject) -> Iterator[Found]:
    """Find a tool without a fixed version."""
    for instruction in subject.dockerfile.instructions:
        for command in commands(instruction):
            tools = [word for word in command.go[1:] if word.endswith(("@latest", "@upgrade", "@master", "@main"))]
            if command.go[:1] in (("install",), ("run",)) and tools:
                yield Found(instruction.line, f"{tools[0]} has no fixed version")


def lone_file_proxy(subject: Subject) -> Iterator[Found]:
    """Find a GOPROXY that is a single folder."""
    for instruction in subject.dockerfile.instructions:
        if any(name == "GOPROXY" and _is_lone_folder(value) for name, value in _set_by(instruction)):
            yield Found(instruction.line, "GOPROXY is a single file:// URL")


def _set_by(instruction: Instruction) -> Iterator[tuple[str, str]]:
    if instruction.name in ("ENV", "ARG"):
        yield from assignments(instruction)
    for command in commands(instruction):
        yield from command.assigned
        if command.go[:2] == ("env", "-w"):
            yield from (pair for word in command.go[2:] for pair in [word.partition("=")[::2]])


def _is_lone_folder(value: str) -> bool:
    return value.strip().startswith("file://") and not re.search(r"[,|$]", value)


def dockerignore_lacks(subject: Subject) -> Iterator[Found]:
    """Find entries that the build context brings into a layer although no build reads them."""
    whole = [each for each in subject.dockerfile.instructions if any(is_whole(source) for source in sources(each))]
    named = {source.strip("./") for each in subject.dockerfile.instructions for source in sources(each)}
    there = [name for name in UNWANTED if subject.context.holds(name) and name.strip("./") not in named]
    there = [name for name in there if not all(_leaves_out(each, name) for each in whole)]
    if any(_READS_GIT.search(each.script) for each in subject.dockerfile.instructions if each.name == "RUN"):
        there = [name for name in there if name != ".git"]
    if whole and there:
        listed = ", ".join(f"{name} ({UNWANTED[name]})" for name in there)
        yield Found(whole[0].line, f"the whole context is copied, and .dockerignore does not exclude {listed}")


def _leaves_out(instruction: Instruction, name: str) -> bool:
    return any(fnmatchcase(name, pattern.removeprefix("./").rstrip("/")) for pattern in instruction.flag("exclude"))


def dockerignore_hides(subject: Subject) -> Iterator[Found]:
    """Find a file that is copied but excluded from the context."""
    for instruction in subject.dockerfile.instructions:
        for source in sources(instruction):
            path = re.sub(r"^(?:\./|/)+", "", source).rstrip("/")
            hidden = path and subject.context.exists(path) and subject.context.ignore.excludes(path)
            if hidden and not subject.context.ignore.may_include_below(path):
                yield Found(instruction.line, f"{source} is copied, but .dockerignore excludes it from the context")
