"""Entries that a project's .dockerignore should have, and their effect on the build context."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from go_prefetch.base.format import size
from go_prefetch.docker.context import IGNORE_FILE, Context, Size, measure
from go_prefetch.docker.dockerignore import Ignore, parse_ignore
from go_prefetch.docker.go_files import embeds_of, go_files
from go_prefetch.docker.rule import path_of, sources
from go_prefetch.docker.stages import read_stages

MODULE_FOLDER = ".gomod"  # the suggested folder for `docker --output`
# What projects keep locally: listed even if it does not exist, so that a later file is excluded too.
_LOCAL = (
    "**/.env*", "**/*.log", "logs", "**/.netrc", "**/.git-credentials", "**/.ssh", "**/*.pem", "**/*.key", "**/*.p12",
    "**/*.pfx", "**/*.crt", "**/id_rsa*", "**/id_ed25519*", "**/.idea", "**/.vscode", "**/*.swp", "**/.DS_Store",
    "**/node_modules", "**/.venv", "**/.terraform",
)  # fmt: skip
# Files that the build does not use. Without an entry, each change of them would rebuild the layer of sources.
_UNUSED = (
    IGNORE_FILE, ".github", ".gitignore", ".gitlab-ci.yml", ".golangci.y*ml", ".pre-commit-config.yaml", "Dockerfile*",
    "compose.y*ml", "docker-compose.y*ml", "docker-bake.hcl",
)  # fmt: skip
_WILD = re.compile(r"[*?\[]")
_GIT = "# With .git, Go writes the version into the program, but every commit rebuilds the layer of sources.\n.git\n"


def entries_for(context: Context, folder: str, dockerfile: str) -> list[str]:
    """Return patterns for a new file. `folder` is one more: modules that arrive by a named context, or empty.

    What Go files embed, and what the text of the Dockerfile copies by name, is included again. A folder of Go files
    named `logs` is not excluded.
    """
    return [*_without_needed((*_LOCAL, *_UNUSED), context, dockerfile), *([folder] if folder else [])]


def _without_needed(patterns: Sequence[str], context: Context, dockerfile: str) -> list[str]:
    entries = [entry for entry in patterns if not context.has_code(entry)]
    excluded = parse_ignore("\n".join(entries), IGNORE_FILE).excludes
    embedded = {embed.path for path, file in go_files(context.folder) for embed in
                embeds_of(Path(os.path.relpath(path, context.folder)).as_posix(), file)}  # fmt: skip
    return [*entries, *(f"!{path}" for path in sorted(embedded | _named_in(dockerfile, context)) if excluded(path))]


def _named_in(dockerfile: str, context: Context) -> set[str]:
    """Return what a Dockerfile takes from its context by name: files, and the files right below such a folder."""
    paths = {path_of(source) for each in read_stages(dockerfile).instructions for source in sources(each)}
    named = [path for path in paths if path != "." and (context.exists(path) or _WILD.search(path))]
    below = (f"{path}/{name}" for path in named if not _WILD.search(path) for name in context.names(path))
    return {path for path in (*named, *below) if path.isprintable()}


def text_for(entries: Sequence[str]) -> str:
    """Return the text of a file with these entries, and with .git."""
    return "# Local files, and what no build reads.\n" + "".join(f"{entry}\n" for entry in entries) + _GIT


def copies(dockerfile: str, folder: str) -> bool:
    """Return whether a Dockerfile takes this folder from its context by name: by COPY, ADD or a mount."""
    named = (path_of(source) for each in read_stages(dockerfile).instructions for source in sources(each))
    return any(path == folder or path.startswith(f"{folder}/") for path in named)


def lacking(context: Context, folder: str, dockerfile: str) -> list[str]:
    """Return the local files in the folder of the context that an existing file does not exclude; `folder` too."""
    local = _without_needed(_LOCAL, context, dockerfile)
    wanted = parse_ignore("\n".join([*local, *([folder] if folder else [])]), IGNORE_FILE)
    return [name for name in context.names() if wanted.excludes(name)] + (
        [folder] if "/" in folder and context.holds(folder) else []
    )


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
