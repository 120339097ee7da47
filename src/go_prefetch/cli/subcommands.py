"""The subcommands as a table: what each is for, which inputs and flags it has, what it calls.

A command is imported when it is called: `plan` does not wait for the imports of `run`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from go_prefetch.cli.invocation import Invocation
from go_prefetch.config.choices import DiagnosisFormat, DockerfileKind, PlanFormat
from go_prefetch.config.forge_inputs import PRUNE, REPORT
from go_prefetch.config.inputs import TABLE, Input


def _no_flags(command: argparse.ArgumentParser) -> None:
    del command


@dataclass(frozen=True)
class Subcommand:
    """One row. `call` returns the exit status and raises PrefetchError; the inputs of `table` have a flag each."""

    meaning: str
    examples: str
    call: Callable[[Invocation], int]
    own_flags: Callable[[argparse.ArgumentParser], None] = _no_flags
    table: tuple[Input, ...] = TABLE


def _inputs(*names: str) -> tuple[Input, ...]:
    """Return the rows of the main table that have an effect on a command. Variables are for all commands."""
    return tuple(row for row in TABLE if row.name in names)


_DOWNLOADS = ("goproxy", "fallback", "jobs", "deadline", "attempts", "connect-timeout", "stall-timeout")
_RESULTS = ("cache-name", "on-failure", "save-private", "summary", "report-file", "trace")


def _texts(choices: type[Enum]) -> tuple[str, ...]:
    return tuple(choice.value for choice in choices)


def _run(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.run import run  # noqa: PLC0415

    return run(invocation)


def _plan(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.plan import plan  # noqa: PLC0415

    return plan(invocation)


def _plan_flags(command: argparse.ArgumentParser) -> None:
    formats = "github prints the step outputs key, restore-keys and path for the official cache action (default: text)"
    command.add_argument("--format", choices=_texts(PlanFormat), default="text", help=formats)
    command.add_argument("--modules", action="store_true", help="list every module version")


def _verify(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.verify import verify  # noqa: PLC0415

    return verify(invocation)


def _verify_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("--fix", action="store_true", help="remove modules that do not match go.sum")


def _doctor(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.doctor import doctor  # noqa: PLC0415

    return doctor(invocation)


def _doctor_flags(command: argparse.ArgumentParser) -> None:
    also = "another proxy to measure (repeatable)"
    command.add_argument("--also", metavar="URL", action="append", default=[], help=also)
    command.add_argument("--samples", metavar="N", default="10", help="requests to each source (default: 10)")
    command.add_argument("--format", choices=_texts(DiagnosisFormat), default="text", help="(default: text)")


def _fill(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.fill import fill  # noqa: PLC0415

    return fill(invocation)


def _fill_flags(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", metavar="DIR", help="the folder to fill: new, empty, or filled before")


def _docker(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.docker import docker  # noqa: PLC0415

    return docker(invocation)


def _docker_flags(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what to do (at least one)")
    group.add_argument(
        "--output",
        metavar="DIR",
        help="fill DIR with the modules from the module cache, the pool and the proxies. The bytes do not depend on "
        "the source. The build reads it as GOPROXY=file:///gomod,off",
    )
    group.add_argument(
        "--dockerfile",
        nargs="?",
        const="buildkit",
        choices=_texts(DockerfileKind),
        help="print a Dockerfile for your module. DIR is a named context (buildkit), or for other builders a folder "
        "of the build context (plain)",
    )
    group.add_argument(
        "--check", metavar="DOCKERFILE", help="check DOCKERFILE. The exit status is 1 if there is a finding"
    )
    group.add_argument(
        "--dockerignore",
        action="store_true",
        help="write .dockerignore if there is none. Otherwise list what it does not exclude (exit status 1). Print the "
        "size of the context before and after",
    )
    command.add_argument("--context", metavar="DIR", default=".", help="the build context (default: %(default)s)")


def _report(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.report import report  # noqa: PLC0415

    return report(invocation)


def _prune(invocation: Invocation) -> int:
    from go_prefetch.cli.commands.prune import prune  # noqa: PLC0415

    return prune(invocation)


SUBCOMMANDS = {
    "run": Subcommand(
        "restore, download, let Go verify, save, report: the main job",
        "go-prefetch run\n  go-prefetch run --working-directory 'services/*' --store dir:/var/cache/go-pool\n"
        "  go-prefetch run --goproxy 'https://goproxy.cn|https://proxy.golang.org|direct'",
        _run,
    ),
    "plan": Subcommand(
        "print what run would do: the cache key, modules, files, paths",
        "go-prefetch plan --modules\n  go-prefetch plan --format json\n"
        "  go-prefetch plan --format github --store dir:.go-pool",
        _plan,
        _plan_flags,
        _inputs("working-directory", "store", "cache-name"),
    ),
    "verify": Subcommand(
        "compare the unpacked modules in the module cache with go.sum",
        "go-prefetch verify\n  go-prefetch verify --fix && go-prefetch run",
        _verify,
        _verify_flags,
        _inputs("working-directory", "deadline"),
    ),
    "doctor": Subcommand(
        "measure every proxy and the store, check settings for common mistakes, recommend a proxy list",
        "go-prefetch doctor\n  go-prefetch doctor --also https://goproxy.cn --also https://goproxy.io --samples 20\n"
        '  go-prefetch doctor --format markdown >>"$GITHUB_STEP_SUMMARY"',
        _doctor,
        _doctor_flags,
        _inputs("working-directory", *_DOWNLOADS, "store", "cache-name", "restore-deadline", "summary"),
    ),
    "fill": Subcommand(
        "download the modules into a folder for GOPROXY=file://DIR,off. Works without Go. If Go is installed, it "
        "verifies them",
        "go-prefetch fill vendor-proxy && GOPROXY=file://$PWD/vendor-proxy,off go build ./...",
        _fill,
        _fill_flags,
        _inputs("working-directory", *_DOWNLOADS, *_RESULTS),
    ),
    "docker": Subcommand(
        "prepare an image build without network: modules in a folder, a Dockerfile, .dockerignore",
        "go-prefetch docker --output .gomod && docker build --build-context gomod=.gomod .\n"
        "  go-prefetch docker --dockerfile > Dockerfile\n  go-prefetch docker --check Dockerfile --dockerignore",
        _docker,
        _docker_flags,
        _inputs("working-directory", *_DOWNLOADS, "store", "on-failure"),
    ),
    "report": Subcommand(
        "show hit rate, time saved and failures over many runs on GitHub or GitLab, as text, Markdown, JSON or a page "
        "with charts. The token comes from GH_TOKEN, GITHUB_TOKEN, `gh auth token` or GITLAB_TOKEN",
        "go-prefetch report --repo owner/name --days 14\n  go-prefetch report --format html --output report.html\n"
        "  go-prefetch report --workflow ci.yml --branch main --compare-at 2026-03-01\n"
        "  go-prefetch report --days 7 --min-hit-rate 90% --max-p95-seconds 30 --max-failure-rate 5%",
        _report,
        table=REPORT,
    ),
    "prune": Subcommand(
        "list entries of GitHub's cache that no run will read again, or modules to trim from a pool. Delete them with "
        "--delete",
        "go-prefetch prune --repo owner/name\n  go-prefetch prune --repo owner/name --delete\n"
        "  go-prefetch prune --pool ~/.cache/go-prefetch/pool --max-age 30d --max-size 5GB --delete",
        _prune,
        table=PRUNE,
    ),
}
