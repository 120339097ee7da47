"""Go's variables, in its own words: what `go env` says, or without Go the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from go_prefetch.golang.module import matches_prefix_patterns


@dataclass(frozen=True)
class GoEnvironment:
    """What `go env` says, in its own words."""

    goproxy: str
    gonoproxy: str
    goprivate: str
    gonosumdb: str
    gomodcache: Path
    goflags: str
    goversion: str
    goroot: Path
    gowork: str  # what GOWORK is set to: `off`, a path, or empty where Go looks for a go.work by itself
    goauth: str = ""  # how Go logs in by itself; empty before Go 1.24, which knew netrc alone

    def is_left_to_go(self, path: str) -> bool:
        """Whether Go would fetch the module at `path` from its repository, asking no proxy."""
        return matches_prefix_patterns(self.gonoproxy or self.goprivate, path)

    def is_private(self, path: str) -> bool:
        """Whether any of Go's variables marks the module at `path` as nobody else's business."""
        return matches_prefix_patterns(f"{self.goprivate},{self.gonoproxy},{self.gonosumdb}", path)


def environment_without_go(environ: Mapping[str, str], gomodcache: Path) -> GoEnvironment:
    """Go's variables as far as the environment has them, where there is no Go to ask."""
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
    """GOWORK as `go env` has it, where it is no go.work that Go finds by itself from `folder` upwards.

    `go env -w` refuses to set it, but a line of the file that it writes counts, and so does one of `$GOROOT/go.env`.
    """
    above = (parent / "go.work" for parent in (folder, *folder.parents))
    nearest = next((path for path in above if path.is_file()), None)
    is_nearest = nearest is not None and nearest.resolve() == Path(gowork).resolve()
    return "" if is_nearest else gowork
