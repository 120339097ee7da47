"""Go's variables: those of `go env`, or without Go those of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from go_prefetch.golang.module import matches_prefix_patterns
from go_prefetch.golang.toolchain import ToolchainRules


@dataclass(frozen=True)
class GoEnvironment:
    """The variables of `go env`, unchanged."""

    goproxy: str
    gonoproxy: str
    goprivate: str
    gonosumdb: str
    gomodcache: Path
    goflags: str
    goversion: str
    goroot: Path
    gowork: str  # GOWORK as it is set: `off`, a path, or empty if Go searches for a go.work
    goauth: str = ""  # the logins of Go; empty before Go 1.24, which supports netrc only
    platform: str = ""  # of the go command, such as `linux/amd64`
    toolchain_switch: str = ""  # GOTOOLCHAIN
    toolchains: tuple[ToolchainRules, ...] = ()  # of each platform for which a toolchain is planned
    gocache: str = ""  # GOCACHE: a path, or `off`
    gocacheprog: str = ""  # GOCACHEPROG: a program that keeps the build cache
    compiled_by: Mapping[str, str] = field(default_factory=dict)  # what else changes compiled code, by its names

    def is_left_to_go(self, path: str) -> bool:
        """Return whether Go fetches the module at `path` from its repository, without a proxy."""
        return matches_prefix_patterns(self.gonoproxy or self.goprivate, path)

    def private_by(self, path: str) -> str:
        """Return the variable of Go that marks the module at `path` as private; empty if none does."""
        patterns = {"GOPRIVATE": self.goprivate, "GONOPROXY": self.gonoproxy, "GONOSUMDB": self.gonosumdb}
        return next((name for name, value in patterns.items() if matches_prefix_patterns(value, path)), "")


def environment_without_go(environ: Mapping[str, str], gomodcache: Path) -> GoEnvironment:
    """Return Go's variables as far as the environment has them, without calling Go."""
    goprivate = environ.get("GOPRIVATE", "")
    return GoEnvironment(
        goproxy=environ.get("GOPROXY", ""),
        gonoproxy=environ.get("GONOPROXY", "") or goprivate,
        goprivate=goprivate,
        gonosumdb=environ.get("GONOSUMDB", "") or goprivate,
        gomodcache=gomodcache,
        goflags=environ.get("GOFLAGS", ""),
        goversion="",
        goroot=Path(),
        gowork=environ.get("GOWORK", ""),
    )


def gowork_set(gowork: str, folder: Path) -> str:
    """Return GOWORK of `go env`, unless it is a go.work that Go finds from `folder` upwards.

    `go env -w` refuses to set it, but a line of the file that it writes counts, and so does one of `$GOROOT/go.env`.
    """
    above = (parent / "go.work" for parent in (folder, *folder.parents))
    nearest = next((path for path in above if path.is_file()), None)
    return "" if nearest is not None and _is_same(nearest, Path(gowork)) else gowork


def _is_same(one: Path, other: Path) -> bool:
    """Return whether both are one file. Their spelling may differ where case does not matter."""
    try:
        return one.samefile(other)
    except OSError:
        return False
