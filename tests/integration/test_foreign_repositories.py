"""A `.git` that somebody else has written names programs and places: git starts none of them, and goes nowhere."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from go_prefetch.base.git_command import GitCommand
from tests.support.fakes.go_on_path import HANG
from tests.support.fakes.modules import FakeModule, write_project
from tests.support.waiting import wait_for_end
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what is planted are shell commands")

LIB = FakeModule("example.com/lib", "v1.2.3")
GIT = (
    "git",
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@example.com",
    "-c",
    "init.defaultBranch=main",
    "-c",
    "maintenance.auto=false",
)


PEAK_OF_CHILDREN = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
"""


def git(bench: Workbench, *arguments: str, folder: Path | None = None) -> Result:
    return bench.program([*GIT, *arguments], cwd=folder or bench.project)


def checkout(bench: Workbench, folder: Path, *options: str) -> None:
    """A repository that tracks the modules `a` and `deep/b`."""
    for name in ("a", "deep/b"):
        write_project(folder / name, [LIB], path=f"example.com/{name}")
    for command in (("init", "-q", *options), ("add", "."), ("commit", "-qm", "All")):
        assert git(bench, *command, folder=folder).status == 0


def make_sparse(bench: Workbench, folder: Path) -> None:
    """A checkout of `a` alone; in the index `deep` is one entry."""
    for command in (("init", "--cone", "--sparse-index"), ("set", "a")):
        done = git(bench, "sparse-checkout", *command, folder=folder)
        if "unknown option" in done.stderr:
            pytest.skip("this git is older than 2.32 and has no sparse index")
        assert done.status == 0, done.text


def promisor(bench: Workbench, harm: str) -> str:
    """Objects that git needs to list its index are missing, and a program says that it has them."""
    folder = bench.project
    make_sparse(bench, folder)
    shutil.rmtree(folder / ".git/objects")
    (folder / ".git/objects").mkdir()
    settings = {
        "core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "remote.origin.url": str(folder),
        "remote.origin.promisor": "true", "remote.origin.uploadpack": f"{harm};",
        "protocol.allow": "always", "protocol.file.allow": "always",
    }  # fmt: skip
    for name, value in settings.items():
        git(bench, "config", name, value)
    return "ls-files -- :(glob)**/go.mod"


def setting(name: str, fires: str) -> Callable[[Workbench, str], str]:
    """One setting of the configuration, and the git command that it harms."""

    def plant(bench: Workbench, harm: str) -> str:
        git(bench, "config", name, harm if "alias" not in name and "helper" not in name else f"!{harm}")
        return fires

    return plant


def included(bench: Workbench, harm: str) -> str:
    other = bench.folder / "included"
    git(bench, "config", "-f", str(other), "core.fsmonitor", harm)
    git(bench, "config", "include.path", str(other))
    return "status"


def filtered(kind: str, fires: str) -> Callable[[Workbench, str], str]:
    def plant(bench: Workbench, harm: str) -> str:
        (bench.project / ".git/info").mkdir(exist_ok=True)
        (bench.project / ".git/info/attributes").write_text("* filter=harm diff=harm\n")
        git(bench, "config", kind, f"{harm};cat")
        (bench.project / "a/go.mod").write_text("module example.com/changed\n")
        return fires

    return plant


def hook(bench: Workbench, harm: str) -> str:
    script = bench.project / ".git/hooks/post-index-change"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"#!/bin/sh\n{harm}\n")
    script.chmod(0o755)
    return "read-tree HEAD"


# What is planted, and with which command it goes off where git is asked as anybody would.
PLANTED: dict[str, Callable[[Workbench, str], str]] = {
    "promisor": promisor,
    "fsmonitor": setting("core.fsmonitor", "status"),
    "include": included,
    "hook": hook,
    "alias": setting("alias.planted", "planted"),
    "ssh-command": setting("core.sshCommand", "fetch ssh://localhost/x"),
    "credential-helper": setting("credential.helper", "credential fill"),
    "external-diff": setting("diff.external", "diff HEAD~0 --stat --ext-diff -p"),
    "filter": filtered("filter.harm.clean", "diff"),
    "textconv": filtered("diff.harm.textconv", "diff"),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_nothing_that_a_repository_names_is_started(bench: Workbench, kind: str) -> None:
    """The repository is the user's own, so that git's protection against others' has no part in it."""
    checkout(bench, bench.project)
    mark = bench.folder / "harm"
    fires = PLANTED[kind](bench, f"touch {shlex.quote(str(mark))}")
    if "diff" in fires:
        (bench.project / "a/go.mod").write_text("module example.com/changed\n")
    if kind == "credential-helper":
        subprocess.run(
            ["git", *fires.split()], cwd=bench.project, env={**bench.environ, "GIT_TERMINAL_PROMPT": "0"},
            input="protocol=https\nhost=localhost\n\n", text=True, timeout=30, check=False, capture_output=True,
        )  # fmt: skip
    else:
        git(bench, *fires.split())
    assert mark.exists(), "what is planted does not go off"
    mark.unlink()
    (bench.project / "a/go.mod").write_text("module example.com/a\n")
    done = bench.run("plan", "--format", "json")
    asked = bench.run("report", PATH=bench.environ["PATH"])
    assert not mark.exists()
    assert done.status == 0, done.text
    assert asked.status == 2


@pytest.mark.parametrize("kind", ["plain", "sha256", "worktree", "sparse", "split", "subfolder", "link"])
def test_every_kind_of_repository_is_listed(bench: Workbench, kind: str) -> None:
    """The index is read from elsewhere, in whatever form it is."""
    top = bench.folder / "source"
    top.mkdir()
    checkout(bench, top, *(("--object-format=sha256",) if kind == "sha256" else ()))
    folder, names = top, ["a/go.mod", "deep/b/go.mod"]
    if kind == "worktree":
        folder = bench.folder / "other"
        assert git(bench, "worktree", "add", "-q", str(folder), folder=top).status == 0
    elif kind == "sparse":
        make_sparse(bench, top)
    elif kind == "split":
        assert git(bench, "update-index", "--split-index", folder=top).status == 0
        assert list((top / ".git").glob("sharedindex.*"))
    elif kind == "subfolder":
        folder, names = top / "deep", ["b/go.mod"]
    elif kind == "link":
        folder = bench.folder / "link"
        folder.symlink_to(top)
    assert sorted(map(str, GitCommand(bench.environ).tracked(folder, "**/go.mod") or ())) == names


def test_variables_of_the_caller_do_not_lead_git_elsewhere(bench: Workbench) -> None:
    """As in a hook of another repository, and with settings and traces that somebody has put there."""
    checkout(bench, bench.project)
    other, mark = bench.folder / "other", bench.folder / "harm"
    other.mkdir()
    write_project(other / "c", [LIB], path="example.com/c")
    for command in (("init", "-q"), ("add", ".")):
        git(bench, *command, folder=other)
    variables = {
        "GIT_DIR": str(other / ".git"), "GIT_WORK_TREE": str(other), "GIT_INDEX_FILE": str(other / ".git/index"),
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": f"touch {mark}",
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor=touch {mark}'",
        "GIT_TRACE": str(mark), "GIT_TRACE2": str(mark), "GIT_TRACE_SETUP": str(mark), "GIT_EXEC_PATH": str(other),
        "GIT_CEILING_DIRECTORIES": str(bench.project),
    }  # fmt: skip
    found = GitCommand({**bench.environ, **variables}).tracked(bench.project, "**/go.mod")
    assert sorted(map(str, found or ())) == ["a/go.mod", "deep/b/go.mod"]
    assert not mark.exists()


def spy(folder: Path, name: str) -> Path:
    """A program of this name that notes the names of its variables."""
    real = shutil.which(name)
    folder.mkdir()
    script = folder / name
    script.write_text(
        f'#!/bin/sh\nenv | sed "s/=.*//" >>{folder}/names\n{f"exec {real} " if real else "exit 1 "}"$@"\n'
    )
    script.chmod(0o755)
    return folder / "names"


TOKENS = (
    "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GOPROXY",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GO_PREFETCH_NOTE_TOKEN", "GO_PREFETCH_GOPROXY", "INPUT_GITHUB_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
)  # fmt: skip


@pytest.mark.parametrize("name", ["git", "gh"])
def test_git_and_gh_see_no_token(bench: Workbench, name: str) -> None:
    """Nor anything else that they have no need of."""
    checkout(bench, bench.project)
    names = spy(bench.folder / "bin", name)
    path = os.pathsep.join([str(names.parent), bench.environ["PATH"]])
    tokens = dict.fromkeys(
        TOKENS if name == "git" else set(TOKENS) - {"GITHUB_TOKEN", "GH_TOKEN"}, "https://secret.test"
    )
    repo = ("--repo", "a/b") if name == "gh" else ()
    bench.run(*(("report", *repo) if name == "gh" else ("plan",)), PATH=path, **tokens)
    seen = set(names.read_text().split())
    allowed = {"PATH", "HOME", "TMPDIR", "TEMP", "TMP", "XDG_CONFIG_HOME", "LC_ALL"}
    of_shells = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert {each for each in seen if not each.startswith("GIT_")} <= allowed | of_shells


def test_a_git_that_does_not_end_is_not_waited_for(bench: Workbench) -> None:
    folder = bench.folder / "bin"
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\nHERE={shlex.quote(str(folder))}\n{HANG}\n")
    (folder / "git").chmod(0o755)
    bench.project.mkdir()
    command = GitCommand({"PATH": str(folder)}, seconds=0.5)
    assert command.tracked(bench.project, "**/go.mod") is None
    for pid in map(int, (folder / "pids").read_text().split()):
        wait_for_end(pid)


def test_an_index_that_is_a_pipe_is_not_waited_for(bench: Workbench) -> None:
    checkout(bench, bench.project)
    (bench.project / ".git/index").unlink()
    os.mkfifo(bench.project / ".git/index")
    assert GitCommand(bench.environ).tracked(bench.project, "**/go.mod") is None


@pytest.mark.parametrize("name", ["../outside/go.mod", "/outside/go.mod", "a/../../outside/go.mod"])
def test_a_forged_index_leads_to_no_file_outside(bench: Workbench, name: str) -> None:
    checkout(bench, bench.project)
    raw = name.encode()
    entry = bytes(24) + (0o100644).to_bytes(4, "big") + bytes(12) + b"\1" * 20 + len(raw).to_bytes(2, "big") + raw
    entry += bytes(8 - len(entry) % 8)
    (bench.project / ".git/index").write_bytes(
        b"DIRC" + (2).to_bytes(4, "big") + (1).to_bytes(4, "big") + entry + bytes(20)
    )
    assert GitCommand(bench.environ).tracked(bench.project, "**/go.mod") == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory for another process")
def test_index_of_billions_of_files_takes_bounded_memory(bench: Workbench) -> None:
    """A sparse one of a hundred bytes: git makes entries of all that is in its one folder."""
    checkout(bench, bench.project)
    blob = git(bench, "hash-object", "-w", "--stdin").stdout.strip()
    listed = "".join(f"100644 blob {blob}\tf{number}\n" for number in range(10))
    for _ in range(10):
        made = subprocess.run(
            ["git", "mktree"],
            cwd=bench.project,
            env=bench.environ,
            input=listed,
            capture_output=True,
            text=True,
            check=True,
        )
        tree = made.stdout.strip()
        listed = "".join(f"040000 tree {tree}\td{number}\n" for number in range(10))
    name = b"all/"
    entry = struct.pack(">10I", *[0] * 6, 0o40000, 0, 0, 0) + bytes.fromhex(tree)
    entry += struct.pack(">2H", 0x4000 | len(name), 0x4000) + name
    index = struct.pack(">4s2I", b"DIRC", 3, 1) + entry + bytes(8 - len(entry) % 8) + b"sdir" + bytes(4)
    (bench.project / ".git/index").write_bytes(index + hashlib.sha1(index, usedforsecurity=False).digest())
    measured = [sys.executable, "-c", PEAK_OF_CHILDREN, *bench.command, "plan"]
    result = bench.program(measured)
    assert int(result.stdout.splitlines()[-1]) < 1200 << 10, result.text
