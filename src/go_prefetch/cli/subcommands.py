"""The subcommands as a table: which inputs and flags each has, and what it calls. See help_texts.py for what they do.

A command is imported when it is called: `plan` does not wait for the imports of `run`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from go_prefetch.cli.invocation import Invocation
from go_prefetch.config import command_inputs
from go_prefetch.config.forge_inputs import PRUNE, REPORT
from go_prefetch.config.inputs import TABLE, Input


@dataclass(frozen=True)
class Subcommand:
    """One row. `call` returns the exit status and raises PrefetchError; the inputs of `table` have a flag each."""

    call: Callable[[Invocation], int]
    table: tuple[Input, ...] = TABLE
    argument: Input | None = None  # in place of a flag

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Return everything that its command line can give."""
        return (*self.table, self.argument) if self.argument else self.table

    @property
    def fills(self) -> bool:
        """Return whether it brings modules that stay if it is interrupted."""
        return any(row.name == "on-failure" for row in self.table)


def _inputs(*names: str) -> tuple[Input, ...]:
    """Return the rows of the main table that have an effect on a command. Variables are for all commands."""
    return tuple(row for row in TABLE if row.name in names)


_DOWNLOADS = ("goproxy", "fallback", "jobs", "deadline", "attempts", "connect-timeout", "stall-timeout")
_RESULTS = ("cache-name", "on-failure", "save-private", "summary", "record", "report-file", "trace")


def _run(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.run import run  # noqa: PLC0415

    return run(invocation)


def _plan(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.plan import plan  # noqa: PLC0415

    return plan(invocation)


def _verify(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.verify import verify  # noqa: PLC0415

    return verify(invocation)


def _doctor(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.doctor import doctor  # noqa: PLC0415

    return doctor(invocation)


def _fill(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.fill import fill  # noqa: PLC0415

    return fill(invocation)


def _sync(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.sync import sync  # noqa: PLC0415

    return sync(invocation)


def _docker(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.docker import docker  # noqa: PLC0415

    return docker(invocation)


def _init(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.init import init  # noqa: PLC0415

    return init(invocation)


def _report(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.report import report  # noqa: PLC0415

    return report(invocation)


def _prune(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.prune import prune  # noqa: PLC0415

    return prune(invocation)


def _cache(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.cache import cache  # noqa: PLC0415

    return cache(invocation)


def _build_cache(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.build_cache import build_cache  # noqa: PLC0415

    return build_cache(invocation)


SUBCOMMANDS = {
    "run": Subcommand(_run),
    "plan": Subcommand(_plan, (*_inputs("working-directory", "for-tidy", "store", "cache-name"), *command_inputs.PLAN)),
    "verify": Subcommand(_verify, (*_inputs("working-directory", "for-tidy", "deadline"), *command_inputs.VERIFY)),
    "doctor": Subcommand(
        _doctor,
        (
            *_inputs(
                "working-directory", "for-tidy", *_DOWNLOADS, "store", "cache-name", "restore-deadline", "summary"
            ),
            *command_inputs.DOCTOR,
        ),
    ),
    "fill": Subcommand(
        _fill,
        (*_inputs("working-directory", "for-tidy", *_DOWNLOADS, *_RESULTS), *command_inputs.FILL_TABLE),
        command_inputs.FILL,
    ),
    "sync": Subcommand(
        _sync,
        (
            *_inputs("working-directory", "for-tidy", *(name for name in _DOWNLOADS if name != "deadline")),
            *command_inputs.SYNC_TABLE,
        ),
    ),
    "docker": Subcommand(
        _docker, (*_inputs("working-directory", "for-tidy", *_DOWNLOADS, "store", "on-failure"), *command_inputs.DOCKER)
    ),
    "init": Subcommand(_init, command_inputs.INIT),
    "report": Subcommand(_report, REPORT),
    "prune": Subcommand(_prune, PRUNE),
    "cache": Subcommand(_cache, _inputs("store"), command_inputs.CACHE),
    "build-cache": Subcommand(_build_cache, command_inputs.BUILD_CACHE_TABLE, command_inputs.BUILD_CACHE),
}
