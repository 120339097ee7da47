"""The environment of every program that go-prefetch starts: one table for all.

Go gets the user's environment, without variables that the CI gives to go-prefetch alone. Git's credential helpers
under Go need GITHUB_TOKEN and CI_JOB_TOKEN. Every other program gets the few variables below, and no token.

`shim/runner.mjs` has NOT_FOR_CHILDREN in JavaScript. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping

# Prefixes of names, in capitals, of variables for go-prefetch alone. The case of a name does not matter.
NOT_FOR_CHILDREN = (
    "ACTIONS_RUNTIME_", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL", "ACTIONS_ID_TOKEN_", "INPUT_", "GO_PREFETCH_",
)  # fmt: skip

# Needed to find and load a program, and for temporary files.
_OF_ANY = (
    "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR",
    "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP",
)  # fmt: skip
_HOME = ("HOME", "XDG_CONFIG_HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA")

# Additional variables of a program, by its name.
_ALSO: Mapping[str, tuple[str, ...]] = {
    # Git's configuration has the trusted repositories. Root under sudo counts as the user who called sudo.
    "git": (*_HOME, "SUDO_UID"),
    # gh's login is in a file or in the desktop's keyring. Tokens in variables are read before gh is started.
    "gh": (*_HOME, "GH_CONFIG_DIR", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "USER", "LOGNAME"),
    "zstd": (),
}


def is_for_children(name: str) -> bool:
    """Return whether Go may see the variable of this name."""
    return not name.upper().startswith(NOT_FOR_CHILDREN)


def environment_of_go(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this environment that Go gets."""
    return {name: value for name, value in environ.items() if is_for_children(name)}


def environment_of(program: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this environment that `git`, `gh` or `zstd` gets."""
    return {name: environ[name] for name in (*_OF_ANY, *_ALSO[program]) if name in environ}
