"""The environment of every program that go-prefetch starts: the one table of who gets what.

Go gets the user's environment, less what the CI gives to go-prefetch alone: git's credential helpers under Go need
GITHUB_TOKEN and CI_JOB_TOKEN. Every other program gets the few variables named here, and no token at all.

`shim/runner.mjs` has NOT_FOR_CHILDREN in JavaScript; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping

# Beginnings of names, in capitals: what they say is for go-prefetch, in whatever case they are written.
NOT_FOR_CHILDREN = (
    "ACTIONS_RUNTIME_", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL", "ACTIONS_ID_TOKEN_", "INPUT_", "GO_PREFETCH_",
)  # fmt: skip

# What a program needs to be found and loaded, and to make temporary files.
_OF_ANY = (
    "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR",
    "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP",
)  # fmt: skip
_HOME = ("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA")

# What else a program gets, by its name.
_ALSO: Mapping[str, tuple[str, ...]] = {
    # Which repositories the user trusts is in his configuration; root under sudo is the user who called sudo.
    "git": (*_HOME, "SUDO_UID"),
    # Its login is in a file or in the desktop's keyring. Tokens in variables are read before gh is asked.
    "gh": (*_HOME, "GH_CONFIG_DIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "USER", "LOGNAME"),
    "zstd": (),
}


def is_for_children(name: str) -> bool:
    """Tell whether Go may see the variable of this name."""
    return not name.upper().startswith(NOT_FOR_CHILDREN)


def environment_of_go(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what Go gets of this environment."""
    return {name: value for name, value in environ.items() if is_for_children(name)}


def environment_of(program: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what `git`, `gh` or `zstd` gets of this environment."""
    return {name: environ[name] for name in (*_OF_ANY, *_ALSO[program]) if name in environ}
