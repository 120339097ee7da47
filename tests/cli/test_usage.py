"""A command line that is not understood: what is wrong with it, what was meant, and whose help says more."""

from __future__ import annotations

from typing import Any

import pytest

from go_prefetch.cli import invocation
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.config.inputs import TABLE
from go_prefetch.config.settings import Settings, read_settings
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench


@pytest.mark.parametrize("given", [["rum"], [], ["run", "--job=3"], ["run", "service"], ["run", "--jobs"]])
def test_a_wrong_command_line_ends_before_anything_is_printed(bench: Workbench, given: list[str]) -> None:
    """What is wrong with it and what was meant: tests/unit/cli/test_arguments.py."""
    bench.project.mkdir()
    result = bench.run(*given)
    assert "[usage]" in result.stderr
    assert (result.status, result.stdout) == (2, "")


@pytest.mark.parametrize(
    "arguments",
    [("--samples", "0"), ("--samples", "x"), ("--also", "direct"), ("--also", "https://a.test,https://b.test")],
)
def test_a_wrong_flag_of_doctor_is_named(bench: Workbench, arguments: tuple[str, str]) -> None:
    bench.project.mkdir()
    result = prefetch(bench, "doctor", *arguments)
    assert result.status == 2
    assert f"{arguments[0].lstrip('-')}: " in result.stderr
    assert "[input-invalid]" in result.stderr


@pytest.mark.parametrize(
    "command", ["run", "plan --format github", "verify", "fill out", "docker --output out", "doctor"]
)
def test_a_command_has_the_flags_that_it_heeds(bench: Workbench, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """What it reads of the settings, watched: no flag is missing, and none is there that changes nothing."""
    seen: set[str] = set()

    class Watched(Settings):
        shown = property(lambda self: {})  # a report shows them all

        def __getattribute__(self, name: str) -> Any:
            seen.add(name)
            return super().__getattribute__(name)

    monkeypatch.setattr(invocation, "read_settings", lambda *given: Watched(**vars(read_settings(*given))))
    lib = FakeModule("example.com/lib", "v1.2.3")
    bench.write_project([lib])
    with ModuleProxy([lib]) as proxy:
        result = prefetch(bench, *command.split(), GOPROXY=proxy.url)
    assert result.status == 0, result.text
    name, inputs = command.partition(" ")[0], {row.field for row in TABLE}
    flags = {row.field for row in SUBCOMMANDS[name].table if row in TABLE}
    assert (seen & inputs) - BUT_FOR[name] == flags - BUT_FOR[name]


# Nothing fails here. A plan always has a key, which these two do not show. Doctor has attempts for a cache service, and
# there is none here; the pool that it measures is told whether it may be written to. There is no build cache here.
FAILING, KEY = {"on_failure"}, {"cache_name"}
BUT_FOR: dict[str, set[str]] = {
    "run": FAILING | {"build_cache_name"}, "plan": set(), "verify": KEY, "fill": FAILING, "docker": FAILING | KEY,
    "doctor": {"attempts", "save"},
}  # fmt: skip
