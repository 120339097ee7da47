"""`go-prefetch init`: show what to insert into the workflows of a repository, and write it."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from go_prefetch.base.atomic_file import write_whole
from go_prefetch.base.format import counted
from go_prefetch.base.git_command import GitCommand, NotTrustedError
from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.command_inputs import INIT
from go_prefetch.errors import InputError, Severity, notice
from go_prefetch.golang.modcache import module_cache_of
from go_prefetch.run.steps.folder_search import FolderSearch, is_ignored
from go_prefetch.run.steps.project_files import regular_bytes
from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.github import change_composite, change_workflow, folder_of_action
from go_prefetch.workflows.gitlab import GITLAB_NAME, change_pipeline
from go_prefetch.workflows.insertions import diff_of
from go_prefetch.workflows.new_workflow import new_pipeline, new_workflow
from go_prefetch.workflows.result import FileChange

_MOST_BYTES, _MOST_FILES = 1 << 20, 500
_PLAIN = re.compile(r"[\w.+~@/-]+")  # other names cannot be part of an import path, and are not written into YAML
_DEFINITIONS = ("go.mod", "go.work")


def init(invocation: Invocation) -> int:
    """Print the diff, and write it if that is wanted. Exit status 1 with `--check` if something would change."""
    given = invocation.values(INIT)
    if given["check"] and given["write"]:
        raise InputError("input-invalid", "init-both")
    root = _top(invocation.cwd)
    changes = list(_changes(root, _go_folders(root, invocation.environ), invocation))
    for said in dict.fromkeys(said for change in changes for said in change.notices):
        show = invocation.platform.warn if said.severity is Severity.WARNING else invocation.platform.notice
        show(said)
    changed = [change for change in changes if change.new != change.old]
    if changed and not invocation.arguments.quiet:
        diff = "".join(diff_of(change.name, change.old, change.new) for change in changed)
        invocation.platform.show(diff.removesuffix("\n"), invocation.stdout)
    files = counted(len(changed), "file")
    if not changed:
        invocation.show_result("Nothing to do: no workflow needs a change.")
    elif given["check"]:
        invocation.show_result(f"{files} would change. Run `go-prefetch init` to change them.")
    elif given["write"] or _is_wanted(invocation, files):
        _write(root, changed)
        invocation.show_result(f"Changed {files}. Commit them to a branch, and look at the job summary of its run.")
    else:
        invocation.show_result(f"Nothing was written. Run `go-prefetch init --write` to change {files}.")
    return int(bool(changed and given["check"]))


def _top(folder: Path) -> Path:
    """Return the top of the repository, or the folder itself."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def _go_folders(root: Path, environ: Mapping[str, str]) -> GoFolders:
    """Return the folders with a tracked go.mod or go.work; without git, all of them. Raises InputError for none."""
    try:
        tracked = GitCommand(environ).tracked(root, *(f"**/{name}" for name in _DEFINITIONS))
    except NotTrustedError:
        tracked = None
    names = tracked or [*_walked(root, module_cache_of(environ) or root)]
    found = [
        (name.parent.as_posix(), name.name)
        for name in names
        if _PLAIN.fullmatch(name.as_posix()) and not any(map(is_ignored, name.parent.parts))
    ]
    if not found:
        raise InputError("go-mod-not-found", "init", folder=root)
    of = {kind: frozenset(folder for folder, name in found if name == kind) for kind in _DEFINITIONS}
    return GoFolders(of["go.mod"], of["go.work"])


def _walked(root: Path, module_cache: Path) -> Iterator[Path]:
    for folder, files in FolderSearch(module_cache).below(root):
        yield from (folder.relative_to(root.resolve()) / name for name in _DEFINITIONS if name in files)


def _changes(root: Path, folders: GoFolders, invocation: Invocation) -> Iterator[FileChange]:
    """Yield the change of each file. A repository without a workflow or pipeline gets one."""
    actions = _texts(root, _files(root, ".github/actions", "**/action.y*ml"), invocation)
    workflows = _texts(root, _files(root, ".github/workflows", "*.y*ml"), invocation)
    pipelines = _texts(root, _files(root, ".", GITLAB_NAME), invocation)
    composites = [change_composite(name, text, folders) for name, text in actions.items()]
    served = {folder_of_action(change.name) for change in composites if change.uses_go}
    changes = [
        *composites,
        *(change_workflow(name, text, folders, served) for name, text in workflows.items()),
        *(change_pipeline(name, text, folders) for name, text in pipelines.items()),
    ]
    yield from changes
    if not _has_any(root):
        is_gitlab = "gitlab" in GitCommand(invocation.environ).origin(root)
        yield new_pipeline(folders) if is_gitlab else new_workflow(folders)
    elif changes and not any(change.uses_go or change.notices for change in changes):
        invocation.platform.notice(notice("no-go-job"))


def _has_any(root: Path) -> bool:
    """Return whether the repository has a workflow or pipeline, readable or not."""
    return any((root / ".github" / "workflows").glob("*.y*ml")) or os.path.lexists(root / GITLAB_NAME)


def _files(root: Path, folder: str, pattern: str) -> Sequence[Path]:
    found = (path for path in (root / folder).glob(pattern) if path.suffix in (".yml", ".yaml"))
    return sorted(path for path in found if not _is_elsewhere(root, path))[:_MOST_FILES]


def _is_elsewhere(root: Path, path: Path) -> bool:
    """Return whether a link leads to this file: a link in a repository may lead to any file of the user."""
    return path.resolve() != root.resolve() / path.relative_to(root)


def _texts(root: Path, paths: Sequence[Path], invocation: Invocation) -> dict[str, str]:
    """Return the texts of files by their names below `root`. One that cannot be read is a warning."""
    texts = {}
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            texts[name] = regular_bytes(path, _MOST_BYTES).decode()
        except UnicodeDecodeError:
            invocation.platform.warn(notice("workflow-not-understood", "encoding", place=name))
        except OSError as error:
            invocation.platform.warn(notice("workflow-unreadable", path=name, words=error.strerror))
    return texts


def _is_wanted(invocation: Invocation, files: str) -> bool:
    """Ask on a terminal. Return False anywhere else."""
    if not (invocation.is_on_terminal and sys.stdin and sys.stdin.isatty()):
        return False
    invocation.platform.show(f"Change {files}? [y/N]", invocation.stdout)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _write(root: Path, changed: Sequence[FileChange]) -> None:
    """Write each file as a whole. Raises InputError, also for a file that has changed since it was read."""
    for change in changed:
        path = root / change.name
        if _is_elsewhere(root, path):
            raise InputError("workflow-unwritable", path=change.name, words="a link leads to its folder")
        try:
            if change.old:
                if regular_bytes(path, _MOST_BYTES).decode(errors="replace") != change.old:
                    raise InputError("workflow-unwritable", "changed", path=change.name)
                mode = stat.S_IMODE(path.stat().st_mode)
            elif path.exists():
                raise InputError("workflow-unwritable", "changed", path=change.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, change.new.encode())
            if change.old:
                path.chmod(mode)
        except OSError as error:
            raise InputError("workflow-unwritable", path=change.name, words=error.strerror) from None
