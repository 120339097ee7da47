"""Entries that a project's .dockerignore should have, and their effect on the build context."""

from __future__ import annotations

from collections.abc import Sequence

from go_prefetch.base.format import size
from go_prefetch.docker.context import IGNORE_FILE, Context, Size, measure
from go_prefetch.docker.dockerignore import Ignore, parse_ignore
from go_prefetch.docker.source_rules import MODULE_FOLDER, UNWANTED

# Listed even if they do not exist, so that a later file is excluded too.
_ALWAYS = (".git", ".env", ".netrc", ".git-credentials", ".ssh")
# Files that the build does not use. Without an entry, each change of them would rebuild the layer of sources.
_BESIDE = (
    ".dockerignore",
    ".github",
    ".gitignore",
    ".gitlab-ci.yml",
    ".golangci.yml",
    ".golangci.yaml",
    ".pre-commit-config.yaml",
    "Dockerfile",
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
    "docker-bake.hcl",
)


def entries_for(context: Context, folder: str) -> list[str]:
    """Return patterns for a new file. `folder` is one more: modules that arrive by a named context, or empty."""
    there = [name for name in (*UNWANTED, *_BESIDE) if name != MODULE_FOLDER and (context.folder / name).exists()]
    return sorted({*_ALWAYS, *there, IGNORE_FILE, *([folder] if folder else [])})


def text_for(entries: Sequence[str]) -> str:
    """Return the text of a file with these entries."""
    return "# What no build reads; each entry is a path below the build context.\n" + "".join(f"{e}\n" for e in entries)


def lacking(context: Context, folder: str) -> list[str]:
    """Return the unwanted entries that an existing file does not exclude; `folder` as in `entries_for`."""
    names = dict.fromkeys((*UNWANTED, *([folder] if folder else [])))
    return [name for name in names if context.holds(name) and (name != MODULE_FOLDER or folder)]


def sizes(context: Context, entries: Sequence[str]) -> str:
    """Return one sentence with the size of the context: unfiltered, as it is, and with `entries` excluded too."""
    more = Ignore((*context.ignore.patterns, *parse_ignore("\n".join(entries), IGNORE_FILE).patterns))
    parts = [f"context: {_shown(measure(context.folder, Ignore()))} without {IGNORE_FILE}"]
    if context.has_ignore_file:
        parts.append(f"{_shown(measure(context.folder, context.ignore))} with it as it is")
    if entries:
        parts.append(f"{_shown(measure(context.folder, more))} with these {len(entries)} entries")
    return ", ".join(parts)


def _shown(measured: Size) -> str:
    return f"{measured.files} files, {size(measured.bytes)}"
