"""`report` and `prune` as users start them."""

from __future__ import annotations

import sys

import pytest

from tests.support.workbench import Workbench


def test_the_main_job_does_not_wait_for_pygithub(bench: Workbench) -> None:
    """Importing it takes longer than everything else together."""
    modules = "sys, go_prefetch.cli.main, go_prefetch.cli.commands.run, go_prefetch.cli.commands.fill"
    said = f"import {modules}; print('github' in sys.modules)"
    result = bench.program([sys.executable, "-c", said], cwd=bench.folder)
    assert result.stdout == "False\n", result.text


@pytest.mark.parametrize("command", ["report", "prune"])
def test_help_says_where_the_token_comes_from_and_takes_none(bench: Workbench, command: str) -> None:
    """The arguments of a process are for everybody to read."""
    result = bench.run(command, "--help", cwd=bench.folder, COLUMNS="200")
    assert result.status == 0
    assert "--token" not in result.stdout
    assert "--repo REPO" in result.stdout


def test_without_a_repository_it_says_what_to_do(bench: Workbench) -> None:
    result = bench.run("report", cwd=bench.folder)
    assert result.status == 2
    assert "--repo OWNER/NAME" in result.stderr
    assert "[repository-unknown]" in result.stderr


def test_the_repository_of_a_clone(bench: Workbench) -> None:
    """Its remote `origin` names host and repository: an enterprise server there, so no token of github.com."""
    for argv in (["init", "-q"], ["remote", "add", "origin", "git@ghe.example.com:acme/widget.git"]):
        bench.program(["git", *argv], cwd=bench.folder)
    result = bench.run("report", cwd=bench.folder, GH_TOKEN="of-github.com")
    assert result.status == 2
    assert "ghe.example.com" in result.stderr
    assert "[token-missing]" in result.stderr
