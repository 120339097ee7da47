"""The table of who gets which variable."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from go_prefetch.base.child_environment import environment_of, environment_of_go, is_for_children

ROOT = Path(__file__).parents[3]
FOR_US_ALONE = (
    "ACTIONS_RUNTIME_TOKEN", "ACTIONS_RUNTIME_URL", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "INPUT_GOPROXY", "INPUT_GITHUB-TOKEN",
    "GO_PREFETCH_NOTE_TOKEN", "GO_PREFETCH_GOPROXY", "input_goproxy", "Actions_Runtime_Token", "go_prefetch_x",
)  # fmt: skip
FOR_GO_TOO = (
    "PATH", "HOME", "GOPROXY", "GOFLAGS", "NETRC", "GITHUB_TOKEN", "GH_TOKEN", "CI_JOB_TOKEN", "GIT_ASKPASS",
    "GIT_CONFIG_COUNT", "SSH_AUTH_SOCK", "ACTIONS_STEP_DEBUG", "ACTIONS_CACHE_SERVICE_V2", "MY_INPUT_X", "",
)  # fmt: skip
# Calls the function that the action takes for pip and go, and prints what is left.
SCRIPT = "import(process.argv[1]).then((runner) => console.log(JSON.stringify(runner.environmentWithoutTokens())))"


def test_go_gets_all_but_what_is_for_us_alone() -> None:
    environ = dict.fromkeys((*FOR_US_ALONE, *FOR_GO_TOO), "x")
    assert environment_of_go(environ) == dict.fromkeys(FOR_GO_TOO, "x")


def test_the_action_has_the_same_table() -> None:
    """It is written twice, in Python and in JavaScript."""
    node = shutil.which("node")
    assert node, "there is no node on PATH"
    environ = dict.fromkeys((*FOR_US_ALONE, *FOR_GO_TOO[:-1]), "x")
    argv = [node, "-e", SCRIPT, str(ROOT / "shim" / "runner.mjs")]
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout).keys() == {name for name in environ if is_for_children(name)}


def test_programs_are_started_in_one_place() -> None:
    """Elsewhere they would get everything, and outlive a run that is killed."""
    starts = re.compile(
        r"subprocess\.(?:run|Popen|call|check_\w+|getoutput)\(|\bos\.(?:system|popen|spawn\w+|exec\w+|posix_spawnp?)\("
    )
    package = ROOT / "src" / "go_prefetch"
    found = {path.name for path in package.rglob("*.py") if starts.search(path.read_text(encoding="utf-8"))}
    assert found == {"process_group.py", "supervisor.py"}


@pytest.mark.parametrize("program", ["git", "gh", "zstd"])
def test_other_programs_get_what_they_need_and_no_token(program: str) -> None:
    environ = dict.fromkeys((*FOR_US_ALONE, *FOR_GO_TOO, "TMPDIR", "GIT_DIR", "ZSTD_NBTHREADS"), "x")
    expected = {"PATH", "TMPDIR", *(("HOME",) if program != "zstd" else ())}
    assert environment_of(program, environ).keys() == expected
