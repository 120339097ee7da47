"""Rules about the layer of modules: what rebuilds it although no dependency has changed, and what loses it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from go_prefetch.docker.rule import Found, History, brings_module_cache
from go_prefetch.docker.shell import Command
from go_prefetch.docker.stages import assignments, commands, mentioned
from go_prefetch.docker.syntax import Instruction

# Images that are known to have no modules.
_PLAIN_IMAGES = re.compile(
    r"golang|.*-golang|go|go-toolset|goreleaser(?:-cross)?|alpine|debian|ubuntu|fedora|centos|busybox|amazonlinux"
    r"|rockylinux|almalinux|oraclelinux|ubi(?:-minimal|-init)?|photon|archlinux|leap|wolfi-base|buildpack-deps|gcc"
    r"|node|python|rust|ruby|docker"
)
_HAS_GO = re.compile(r"golang|goreleaser|GOPATH|GOROOT|/local/go\b|(?<![\w./-])go(?![\w./-])")
# What Go, git and the network libraries read.
_ENVIRONMENT = re.compile(
    r"GO[A-Z0-9]+|CGO_\w+|GIT_(?:SSH|CONFIG|ASKPASS|TERMINAL|HTTP|SSL|TRACE)\w*|\w+_proxy|SSL_CERT_\w+"
    r"|HOME|PATH|NETRC|DEBIAN_FRONTEND|USER|TMPDIR|SSH_AUTH_SOCK|TZ|LANG|LC_\w+",
    re.IGNORECASE,
)
_TARGETS = {"TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT"}
_PLATFORM = re.compile(r"(TARGET|BUILD)(?:OS|ARCH|PLATFORM|VARIANT)")
# Defaults that say: a real build gives another value.
_PLACEHOLDER = re.compile(
    r"unknown|undefined|unspecified|unset|n/?a|v?0\.0\.0(?:-.*)?|snapshot|dev|devel|latest|head|main|master|nightly|edge",
    re.IGNORECASE,
)
_METADATA = ("LABEL", "MAINTAINER", "EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL", "VOLUME")
_STAMP = re.compile(r"-X[= ]+['\"]?(\S{1,500})")


def copy_before_download(history: History) -> Iterator[Found]:
    """Find sources that are copied, or mounted, before the modules are downloaded."""
    if history.download is None or _is_cached(history):
        return
    for instruction in history.instructions[: history.download + 1]:
        if code := history.code_in(instruction):
            verb = "is mounted for" if instruction.name == "RUN" else "is copied above"
            yield Found("copy-before-download", instruction.line, f"{code} {verb} the download of the modules")


def _is_cached(history: History) -> bool:
    """Return whether the download writes into a cache mount, so that it costs little to repeat it."""
    return history.download is not None and bool(history.module_caches(history.instructions[history.download]))


def modules_at_build(history: History) -> Iterator[Found]:
    """Find the first build that does not have the modules of an earlier layer."""
    line, caches, removed, defined, has_code, built = 0, frozenset[str](), 0, False, False, False
    for instruction in history.instructions:
        mounted = history.module_caches(instruction)
        if brings_module_cache(instruction):
            line, caches, removed = instruction.line, frozenset(), 0
        defined = defined or bool(history.modules_in(instruction))
        has_code = has_code or bool(history.code_in(instruction))
        for command in commands(instruction):
            if command.downloads:
                line, caches, removed = instruction.line, mounted, 0
            elif command.removes_modules:
                removed = instruction.line
            elif command.builds or (has_code and not line and not built and command.makes):
                built = built or defined
                found = _at_build(history, instruction, (line, caches, removed)) if defined else None
                if found:
                    yield found
                    return
            elif defined and not has_code and not line and _is_unknown(command):
                return  # it may download the modules


def _at_build(history: History, build: Instruction, modules: tuple[int, frozenset[str], int]) -> Found | None:
    line, caches, removed = modules
    mounted = history.module_caches(build)
    if history.is_vendored:
        return None
    if line and removed:
        return Found("modules-lost", removed, f"the modules of line {line} are removed before the build needs them")
    if caches and not caches & mounted:
        what = f"line {line} downloads into a cache mount that this RUN does not have"
        return Found("modules-lost", build.line, what)
    if line and mounted and not caches:
        return Found("modules-lost", build.line, f"this cache mount hides the modules of line {line}")
    if line or history.may_have_modules(build) or not _is_known(history):
        return None
    other = _download_elsewhere(history)
    what = f"line {other} downloads the modules in a stage that this stage does not copy them from"
    slug = "modules-lost" if other else "no-download-layer"
    return Found(slug, build.line, what if other else "the build itself downloads the modules")


def _is_known(history: History) -> bool:
    """Return whether the base image is one that has Go or can have it, and no modules."""
    texts = " ".join((history.root.base, *(each.text for each in history.instructions)))
    return bool(_PLAIN_IMAGES.fullmatch(history.image[0]) and _HAS_GO.search(texts))


def _download_elsewhere(history: History) -> int:
    """Return the line of a download of the same module in another stage; 0 if there is none."""
    others = (each for each in history.every if each.modules & history.modules)
    return next((each.instructions[each.download].line for each in others if each.download is not None), 0)


def _is_unknown(command: Command) -> bool:
    return bool(command.words) and not (command.go or command.is_plain or command.program == "find")


def cache_mount(history: History) -> Iterator[Found]:
    """Find modules that are kept in a cache mount only."""
    for instruction in history.instructions:
        used = any(command.downloads or command.builds or command.makes for command in commands(instruction))
        if (
            used
            and history.module_caches(instruction)
            and not history.is_vendored
            and not brings_module_cache(instruction)
        ):
            yield Found(
                "cache-mount", instruction.line, "the modules are in a cache mount, which is empty on a new builder"
            )
            return


def value_before_download(history: History) -> Iterator[Found]:
    """Find an ARG, or an ENV made of one, that changes above a download that does not read it."""
    above = () if history.download is None or _is_cached(history) else history.instructions[: history.download + 1]
    changing = {name for each in above if each.name == "ARG" for name, value in assignments(each)
                if _changes(history, name, value)}  # fmt: skip
    read = {name for stage in history.stage.chain for name in mentioned(stage.start.text)}  # another image anyway
    used = {name for each in above for name in _read_by(each) if each.name not in ("ARG", "ENV")}
    read |= _TARGETS if used & _TARGETS else set()  # one of them tells the others
    for instruction in reversed(above):
        if instruction.name not in ("ARG", "ENV"):
            read |= _read_by(instruction)
            continue
        for name, value in assignments(instruction):
            given = mentioned(value)
            varies = name in changing if instruction.name == "ARG" else bool(given & changing)
            if read & {name, "*"} or _ENVIRONMENT.fullmatch(name):
                read |= given
            elif varies:
                what = f"{instruction.name} {name} is above the download of the modules, which does not read it"
                yield Found("value-before-download", instruction.line, what)


def _changes(history: History, name: str, value: str) -> bool:
    """Return whether a build can give the ARG another value than the one before: judged by what is done with it."""
    if platform := _PLATFORM.fullmatch(name):  # the stage is shared by platforms only if it runs on the builder's
        return platform[1] == "TARGET" and "BUILDPLATFORM" in "".join(history.root.start.flag("platform"))
    default = value or history.dockerfile.defaults.get(name, "")
    return not default or bool(_PLACEHOLDER.fullmatch(default)) or name in _stamped(history)


def _stamped(history: History) -> set[str]:
    """Return the variables that the linker writes into the program."""
    texts = (f"{each.text} {each.heredocs}" for each in history.dockerfile.instructions)
    return {name for text in texts for word in _STAMP.findall(text) for name in mentioned(word)}


def _read_by(instruction: Instruction) -> set[str]:
    """Return the variables that an instruction reads; `*` if it could be any. Metadata of the image does not count."""
    if instruction.name in _METADATA:
        return set()
    read = mentioned(f"{instruction.text} {instruction.flags} {instruction.heredocs}")
    if instruction.name == "RUN":
        run = list(commands(instruction))
        read |= {"*"} if any(map(_is_unknown, run)) else set()
    return read
