"""Which Go toolchain the go command switches to, by https://go.dev/doc/toolchain#select.

A toolchain is the module `golang.org/toolchain`. Go asks for its zip alone, without `.info` and `.mod`. go.sum never
has its hash. Go compares the zip with the checksum database before it unpacks it, also with GOSUMDB=off or GONOSUMDB.
It does not compare an unpacked tree again, so only the zip is ever restored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from go_prefetch.base.programs import find_program
from go_prefetch.golang.module import TOOLCHAIN, ModuleVersion, check

_VERSION = re.compile(
    r"([1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})(?:\.(0|[1-9][0-9]{0,5}))?(?:([a-z]{1,20})(0|[1-9][0-9]{0,5}))?", re.ASCII
)
_NAME = re.compile(r"(?:go|.*-go)(.*)", re.ASCII)
_DEVELOPMENT = re.compile(r"\bgo(1\.[0-9]+)\b", re.ASCII)
_PLATFORM = re.compile(r"[a-z0-9]{1,20}/[a-z0-9]{1,20}", re.ASCII)
# Go compares no toolchain with the checksum database under these conditions (cmd/go's `useSumDB`).
_UNCHECKED_AGENT = "proxy.golang.org"

_Key = tuple[int, int, int, str, int]


class GoLines(NamedTuple):
    """The go and toolchain lines of the go.mod or go.work that Go reads first; empty if absent."""

    go: str = ""
    toolchain: str = ""


def version_key(version: str) -> _Key | None:
    """Return a key that sorts Go versions as Go does; None for what is no version.

    A language version is older than its release candidates: 1.21 < 1.21rc1 < 1.21.0. Before 1.21, 1.20 was a release.
    """
    match = _VERSION.fullmatch("1.0" if version == "1" else version)
    if match is None or (match[3] and match[4]):
        return None
    major, minor = int(match[1]), int(match[2])
    released = (major, minor) < (1, 21) and not match[4]
    patch = int(match[3]) if match[3] else 0 if released else -1
    return major, minor, patch, match[4] or "", int(match[5] or -1)


def version_of(name: str) -> str:
    """Return the Go version of a toolchain's name: `1.22.3` of `go1.22.3`, `go1.22.3-custom`; empty for other names."""
    match = None if "/" in name or "\\" in name else _NAME.fullmatch(name)
    version = re.split("[ \t-]", match[1], maxsplit=1)[0] if match else ""
    return version if version_key(version) else ""


@dataclass(frozen=True)
class ToolchainRules:
    """What decides about toolchains: GOTOOLCHAIN, the installed Go, its platform, and PATH."""

    switch: str  # GOTOOLCHAIN
    goversion: str  # as `go env GOVERSION` prints it
    platform: str  # `linux/amd64`
    path: str = ""  # PATH; Go prefers a toolchain that is installed there. Empty: none is

    def wanted(self, lines: GoLines) -> ModuleVersion | None:
        """Return the toolchain that Go downloads for these lines; None if it downloads none, or refuses."""
        name = self._name(lines)
        if not name or name == self._installed or (self.path and find_program(name, self.path)):
            return None
        return toolchain(name, self.platform)

    @property
    def _installed(self) -> str:
        return self.goversion if version_of(self.goversion) else f"go{self._version}"

    @property
    def _version(self) -> str:
        found = _DEVELOPMENT.search(self.goversion)
        return version_of(self.goversion) or (found[1] if found else "")

    def _name(self, lines: GoLines) -> str:
        minimum, plus, suffix = self.switch.partition("+")
        if self.switch in ("auto", "path"):
            minimum, suffix = "local", self.switch
        if suffix == "path" or (plus and suffix != "auto"):
            return ""
        name = self._installed if minimum == "local" else minimum
        return newest(name, lines) if suffix == "auto" else name


def newest(name: str, lines: GoLines) -> str:
    """Return the toolchain that these lines select where `name` is the default one; empty if Go refuses them."""
    least = version_key(version_of(name) or name.removeprefix("go"))
    if least is None:
        return ""
    if lines.toolchain == "default":
        return name
    if lines.toolchain:
        key = version_key(version_of(lines.toolchain))
        if key is None:
            return ""
        if key > least:
            name, least = lines.toolchain, key
    key = version_key(lines.go)
    if key is not None and key > least:
        is_language = key[2] < 0 and not key[3]  # such as 1.27, of which 1.27.0 is the first release
        return f"go{lines.go}.0" if is_language else f"go{lines.go}"
    return name


def toolchain(name: str, platform: str) -> ModuleVersion | None:
    """Return the module version of a toolchain for a platform such as `linux/amd64`; None if Go has none like it."""
    if not name.startswith("go1") or not is_platform(platform):
        return None
    found = ModuleVersion(TOOLCHAIN, f"v0.0.1-{name}.{platform.replace('/', '-')}")
    return None if check(*found) else found


def name_of(version: ModuleVersion) -> str:
    """Return the toolchain's name, with its platform: `go1.27.3 (linux/amd64)`."""
    name, _, platform = version.version.removeprefix("v0.0.1-").rpartition(".")
    return f"{name} ({platform.replace('-', '/', 1)})"


def is_toolchain_named(version: ModuleVersion, name: str) -> bool:
    """Return whether this is the toolchain `name`, such as `go1.27.3`, for any platform."""
    return version.path == TOOLCHAIN and version.version.rpartition(".")[0] == f"v0.0.1-{name}"


def is_platform(text: str) -> bool:
    """Return whether this can be a platform, such as `linux/amd64`."""
    return _PLATFORM.fullmatch(text) is not None


def for_platforms(platforms: Iterable[str]) -> tuple[ToolchainRules, ...]:
    """Return the rules of jobs on these platforms whose Go is not known: the oldest that downloads toolchains."""
    return tuple(ToolchainRules("auto", "go1.21", platform) for platform in platforms)


def is_unchecked(goproxy: str, environ: Mapping[str, str]) -> bool:
    """Return whether Go would not compare a toolchain with the checksum database, with this GOPROXY and environment.

    No toolchain may be planned then: its bytes would run unverified.
    """
    lone_folder = goproxy.strip().startswith("file://") and not re.search("[,|]", goproxy)
    return lone_folder or _UNCHECKED_AGENT in environ.get("GIT_HTTP_USER_AGENT", "")
