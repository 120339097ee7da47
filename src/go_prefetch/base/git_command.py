"""The git command, used for a few questions, so that no repository can start a program or send git elsewhere.

A `.git` above a working directory can name programs in its configuration: hooks, fsmonitor, filters, or an
`uploadpack` for objects that are fetched when they are needed. git is therefore called in two steps:

1. Where is the repository (`rev-parse`), what is its origin (`remote get-url`), and how does it write files
   (`config`)? Here git reads the repository's configuration, under its own protection (`safe.directory`), and nothing
   that it could start a program for.
2. What is in the index (`ls-files`), and are files as it says (`update-index --refresh`, on a copy of it)? Here git is
   in an empty repository, and gets the other repository's index and objects as files. The other configuration is not
   read.

In both steps git gets no token, none of the caller's variables for git (GIT_DIR, GIT_CONFIG_*, GIT_TRACE*, …), no
terminal, no input, a few seconds and a bounded output. `docs/git.md` has the tested versions.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from go_prefetch.base import process_group
from go_prefetch.base.child_environment import environment_of
from go_prefetch.base.file_copy import link_or_copy
from go_prefetch.base.git_index import GitFailedError, IndexCopy
from go_prefetch.base.temporary_folder import temporary_folder

_SECONDS = 20.0
_MOST_MEMORY = 1 << 30  # bytes: an index of a few kilobytes can stand for billions of files
_CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")  # names the checkout of a CI system
_MOST_SHARED_INDEXES = 100

# The two steps are safe without these. They are a second protection in every git that supports them.
_ALWAYS = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "none",  # an empty list of protocols
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
_OPTIONS = (
    "--no-pager", "-c", "safe.bareRepository=explicit",
    "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}",
)  # fmt: skip
# How git turns a file of the checkout into the content that it hashes. None of them names a program.
_OF_FILES = re.compile(
    r"core\.(?:autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|longpaths)(?:\n[A-Za-z0-9]{0,8})?"
)
_REFUSED = re.compile(r"^fatal: (?:detected dubious ownership|unsafe repository)", re.MULTILINE)


class NotTrustedError(Exception):
    """git refuses this repository: it belongs to another user, and no configuration says that it is safe."""


@dataclass(frozen=True)
class _Repository:
    top: Path
    index: Path
    objects: Path
    object_format: str


class GitCommand:
    """The git found on PATH. Answers are empty without one, and where it fails."""

    def __init__(self, environ: Mapping[str, str], *, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._environ = {**environment_of("git", environ), **_ALWAYS}
        named = [environ[name] for name in _CHECKOUTS if Path(environ.get(name, "")).is_absolute()]
        spelt = [spelling(name) for name in named for spelling in (os.path.abspath, os.path.realpath)]
        self._checkouts = [name for name in dict.fromkeys(spelt) if not name.endswith("*")]  # `/*`: everything below

    def tracked(self, folder: Path, *patterns: str) -> list[Path] | None:
        """Return the files below `folder` that git tracks, relative to it; patterns are those of git's `:(glob)`.

        Return None if there is no git or no clone. Raises NotTrustedError.
        """
        specs = [f":(glob){pattern}" for pattern in patterns]
        try:
            with temporary_folder() as temporary:
                repository = self._repository(folder, temporary)
                if repository is None:
                    return None
                variables = _made_for(repository, temporary)
                listed = self._answer(folder, ("ls-files", "-z", "--", *specs), variables)
        except OSError:  # no git, or no disk space
            return None
        names = [Path(os.fsdecode(name)) for name in listed.split(b"\0") if name]
        return [name for name in names if not name.is_absolute() and ".." not in name.parts]  # other names are forged

    @contextmanager
    def index_of(self, top: Path, seconds: Callable[[float], float]) -> Iterator[IndexCopy | None]:
        """Yield a copy of the index of the repository whose files are in `top`, with a git that reads it.

        It is None if there is no such repository. `seconds` shortens the time limits of git. Raises OSError,
        NotTrustedError, GitFailedError.
        """
        with temporary_folder() as temporary:
            repository = self._repository(top, temporary)
            if repository is None or repository.top.resolve() != top.resolve():
                yield None
                return
            listed = self._answer(top, ("config", "-z", "--get-regexp", "^core\\."), self._trusting(temporary))
            variables = {**_made_for(repository, temporary), "GIT_INDEX_FILE": str(temporary / "index")}
            options = ("-c", "core.splitIndex=false", *_options_for_files(os.fsdecode(listed)))

            def ask(*arguments: str, most_seconds: float) -> bytes:
                said = self._done(top, (*options, *arguments), variables, seconds(most_seconds))
                if said is None:
                    raise GitFailedError
                return said

            yield IndexCopy(repository.index, temporary / "index", ask)

    def origin(self, folder: Path) -> str:
        """Return the URL of the remote `origin` of the repository around `folder`. Raises NotTrustedError."""
        try:
            with temporary_folder() as temporary:
                variables = self._trusting(temporary)
                return os.fsdecode(self._answer(folder, ("remote", "get-url", "origin"), variables)).strip()
        except OSError:
            return ""

    def _repository(self, folder: Path, temporary: Path) -> _Repository | None:
        question = ("--show-toplevel", "--git-path", "index", "--git-path", "objects", "--show-object-format")
        said = self._answer(folder, ("rev-parse", *question), self._trusting(temporary))
        lines = os.fsdecode(said).removesuffix("\n").split("\n")
        if len(lines) != 4:  # a failure, or a path with a line break
            return None
        top, index, objects = (Path(os.path.abspath(folder / line)) for line in lines[:3])  # noqa: PTH100 - links count
        # Before git 2.28 there was one format, and the question was echoed.
        object_format = "sha256" if lines[3] == "sha256" else "sha1"
        return _Repository(top, index, objects, object_format) if index.is_file() else None

    def _trusting(self, temporary: Path) -> dict[str, str]:
        """Return variables that add the CI's checkout to the repositories that the user's configuration trusts.

        They name a file, because git ignores `safe.directory` in the repository's configuration, and up to 2.37 on its
        command line. Git before 2.32 looks for that file in the home.
        """
        if not self._checkouts:
            return {}
        home = Path(self._environ.get("HOME") or self._environ.get("USERPROFILE") or temporary)
        xdg = Path(self._environ.get("XDG_CONFIG_HOME") or home / ".config")
        lines = [f"path = {_quoted(str(path))}" for path in (xdg / "git" / "config", home / ".gitconfig")]
        trusted = [f"directory = {_quoted(Path(name).as_posix())}" for name in self._checkouts]
        file = temporary / ".gitconfig"
        file.write_bytes(os.fsencode("\n".join(["[include]", *lines, "[safe]", *trusted, ""])))
        return {"HOME": str(temporary), "XDG_CONFIG_HOME": str(temporary), "GIT_CONFIG_GLOBAL": str(file)}

    def _answer(self, folder: Path, arguments: Sequence[str], variables: Mapping[str, str]) -> bytes:
        """Return what git prints, or nothing if it fails or takes too long. Raises OSError, NotTrustedError."""
        return self._done(folder, arguments, variables, self._seconds) or b""

    def _done(
        self, folder: Path, arguments: Sequence[str], variables: Mapping[str, str], seconds: float
    ) -> bytes | None:
        """Return what git prints, or None if it fails or takes too long. Raises OSError, NotTrustedError."""
        try:
            argv, environ = ("git", *_OPTIONS, *arguments), {**self._environ, **variables}
            done = process_group.answer(argv, folder, environ, seconds, most_memory=_MOST_MEMORY)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0 and _REFUSED.search(done.stderr.decode(errors="replace")):
            raise NotTrustedError
        return done.stdout if done.returncode == 0 else None


def _made_for(repository: _Repository, temporary: Path) -> dict[str, str]:
    """Create an empty repository. Return the variables that show git the index and the objects of the other one."""
    own = temporary / "repository"
    (own / "refs").mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    version = 1 if repository.object_format != "sha1" else 0
    extension = f"[extensions]\n\tobjectFormat = {repository.object_format}\n" if version else ""
    (own / "config").write_text(f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = false\n{extension}")
    for shared in islice(repository.index.parent.glob("sharedindex.*"), _MOST_SHARED_INDEXES):  # of a split index
        link_or_copy(shared, own / shared.name)
    return {
        "GIT_DIR": str(own),
        "GIT_WORK_TREE": str(repository.top),
        "GIT_INDEX_FILE": str(repository.index),
        "GIT_OBJECT_DIRECTORY": str(repository.objects),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "HOME": str(own),
        "XDG_CONFIG_HOME": str(own),
    }


def _options_for_files(listed: str) -> tuple[str, ...]:
    """Return options with the settings of `git config -z` that change the content of files, and no other."""
    settings = [entry.replace("\n", "=", 1) for entry in listed.split("\0") if _OF_FILES.fullmatch(entry)]
    return tuple(option for setting in settings for option in ("-c", setting))


def _quoted(value: str) -> str:
    """Quote a value for a configuration file of git."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
