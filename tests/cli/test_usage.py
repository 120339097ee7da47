"""A command line that is not understood: what is wrong with it, what was meant, and whose help says more."""

from __future__ import annotations

import pytest

from tests.workbench import Workbench


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["rum"], "Did you mean run? See go-prefetch --help."),
        (["zzz"], "\nSee go-prefetch --help."),
        ([], "required: COMMAND\nSee go-prefetch --help."),
        (
            ["run", "--work-directory", "a"],
            "go-prefetch run: there is no flag --work-directory\n"
            "Did you mean --working-directory? See go-prefetch run --help.",
        ),
        (["run", "--job=3"], "there is no flag --job\nDid you mean --jobs? See go-prefetch run --help."),
        (["plan", "--color"], "there is no flag --color\nSee go-prefetch plan --help."),
        (["report", "--repository", "a/b"], "Did you mean --repo? See go-prefetch report --help."),
        (["--quiet", "run"], "--quiet belongs behind the command\nSee go-prefetch run --help."),
        (["run", "service"], "takes no argument 'service'\nFolders are named by --working-directory. See"),
        (["prune", "pool"], "takes no argument 'pool'\nSee go-prefetch prune --help."),
        (["plan", "--jobs", "3"], "go-prefetch plan: --jobs changes nothing here\nSee go-prefetch plan --help."),
        (["fill", "out", "--store=none"], "go-prefetch fill: --store changes nothing here\nSee"),
        (["run", "--jobs"], "go-prefetch run: argument --jobs: expected one argument\nSee go-prefetch run --help."),
    ],
)
def test_what_was_meant_is_named(bench: Workbench, given: list[str], said: str) -> None:
    bench.project.mkdir()
    result = bench.run(*given)
    assert said in result.stderr
    assert (result.status, result.stdout) == (2, "")
