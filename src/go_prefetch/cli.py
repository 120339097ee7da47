"""The command line: flags from the input table, one catcher of errors, the only place that ends the program."""

from __future__ import annotations

import argparse
import signal
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from go_prefetch import __version__, atomicfile
from go_prefetch.errors import InputError, PrefetchError
from go_prefetch.forgeinputs import PRUNE, REPORT
from go_prefetch.inputs import TABLE, Input, read_inputs
from go_prefetch.platforms.detect import detect
from go_prefetch.ports import Platform
from go_prefetch.settings import read_settings

_INTERRUPTED = 130

_DESCRIPTION = """\
Put Go modules on disk: from a cache store, then from module proxies with retries and
fallbacks; Go verifies every one against go.sum."""

_EPILOG = """\
exit status:
  0    the modules are there (or there was nothing to do)
  1    verify, doctor or docker found something, or the system or an API failed
  2    an input is wrong
  3    go.mod, go.work or go.sum is missing or malformed
  4    go is missing, too old, or failed
  5    modules could not be downloaded, or one is not what go.sum says
  6    a gate of report was missed
  130  interrupted

Every flag that takes a VALUE can also be given as an environment variable, GO_PREFETCH_ and
its name in capitals with underscores: --stall-timeout as GO_PREFETCH_STALL_TIMEOUT. A flag wins."""

_FORMATS = "github: the step outputs key, restore-keys and path, for the official cache action (default: text)"

_ALSO = "a proxy to measure besides those of the list; may be given several times"
_TABLES = {"report": REPORT, "prune": PRUNE}  # all other commands share one

_COMMANDS = {
    "run": (
        "restore, download, let Go verify, save, report: the main job",
        "go-prefetch run\n  go-prefetch run --working-directory 'services/*' --store dir:/var/cache/go-pool\n"
        "  go-prefetch run --goproxy 'https://goproxy.cn|https://proxy.golang.org|direct'",
    ),
    "plan": (
        "print what run would do: the key and its parts, modules, files, paths",
        "go-prefetch plan --modules\n  go-prefetch plan --format json\n"
        "  go-prefetch plan --format github --store dir:.go-pool",
    ),
    "verify": (
        "hash the unpacked modules of the module cache against go.sum, in place",
        "go-prefetch verify\n  go-prefetch verify --fix && go-prefetch run",
    ),
    "doctor": (
        "measure every proxy and the store, look for what bends things, recommend an order of proxies",
        "go-prefetch doctor\n  go-prefetch doctor --also https://goproxy.cn --also https://goproxy.io --samples 20\n"
        '  go-prefetch doctor --format markdown >>"$GITHUB_STEP_SUMMARY"',
    ),
    "fill": (
        "download the plan's files into a GOPROXY-layout folder; needs no Go, which verifies them when it reads them",
        "go-prefetch fill vendor-proxy && GOPROXY=file://$PWD/vendor-proxy,off go mod download",
    ),
    "docker": (
        "prepare what an image build needs to download nothing: modules in a folder, a Dockerfile, .dockerignore",
        "go-prefetch docker --output .gomod && docker build --build-context gomod=.gomod .\n"
        "  go-prefetch docker --dockerfile > Dockerfile\n  go-prefetch docker --check Dockerfile --dockerignore",
    ),
    "report": (
        "hit rate, time saved and failures over many runs of a repository on GitHub or GitLab, as text, Markdown, JSON "
        "or a page with charts; the token comes from GH_TOKEN, GITHUB_TOKEN, `gh auth token` or GITLAB_TOKEN",
        "go-prefetch report --repo owner/name --days 14\n  go-prefetch report --format html --output report.html\n"
        "  go-prefetch report --workflow ci.yml --branch main --compare-at 2026-03-01\n"
        "  go-prefetch report --days 7 --min-hit-rate 90% --max-p95-seconds 30 --max-failure-rate 5%",
    ),
    "prune": (
        "list, and with --delete delete, entries of GitHub's cache that nothing will read any more; or trim a pool",
        "go-prefetch prune --repo owner/name\n  go-prefetch prune --repo owner/name --delete\n"
        "  go-prefetch prune --pool ~/.cache/go-prefetch/pool --max-age 30d --max-size 5GB --delete",
    ),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError("usage", f"{self.prog}: {message}", hint=f"See {self.prog} --help.")


def main(argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO, stderr: TextIO) -> int:
    """Run one command and return its exit status."""
    platform: Platform = detect(environ, stdout, stderr)
    _raise_on_signals()
    try:
        arguments = _parser().parse_args(argv)
        platform = detect(environ, stdout, stderr, quiet=arguments.quiet, verbose=arguments.verbose)
        return _dispatch(arguments, platform, environ, stdout)
    except PrefetchError as error:
        platform.error(f"{error.message}\n{error.hint} [{error.slug}]")
        return error.exit_status
    except KeyboardInterrupt:
        atomicfile.remove_unfinished()
        platform.error("interrupted; no file was left half written")
        return _INTERRUPTED
    except OSError as error:  # a full disk under our own output, a closed pipe: all else has a better name by now
        platform.error(f"{error.strerror or error} [system-error]")
        return 1


def _dispatch(arguments: argparse.Namespace, platform: Platform, environ: Mapping[str, str], stdout: TextIO) -> int:
    """Commands are imported when they are asked for: `plan` and `fill` need not wait for what `run` needs."""
    if arguments.command in _TABLES:
        return _dispatch_history(arguments, platform, environ, stdout)
    flags = {row.name: _flag_text(arguments, row.name) for row in TABLE}
    settings = read_settings(flags, environ, Path.cwd())
    platform.hide(settings.secrets)
    if arguments.command == "plan":
        from go_prefetch.commands.plan import plan  # noqa: PLC0415

        return plan(settings, platform, environ, stdout, form=arguments.format, every_module=arguments.modules)
    if arguments.command == "fill":
        from go_prefetch.commands.fill import fill  # noqa: PLC0415

        return fill(settings, platform, environ, stdout, Path.cwd() / arguments.folder)
    if arguments.command == "verify":
        from go_prefetch.commands.verify import verify  # noqa: PLC0415

        return verify(settings, platform, environ, stdout, fix=arguments.fix)
    if arguments.command == "docker":
        from go_prefetch.commands.docker import Asked, docker  # noqa: PLC0415

        asked = Asked(*(getattr(arguments, name) for name in Asked.__dataclass_fields__))
        return docker(settings, platform, environ, stdout, asked)
    if arguments.command == "doctor":
        from go_prefetch.commands.doctor import doctor  # noqa: PLC0415

        own = {"also": arguments.also, "samples": arguments.samples, "form": arguments.format}
        return doctor(settings, platform, environ, stdout, **own)
    from go_prefetch.commands.run import run  # noqa: PLC0415

    return run(settings, platform, environ, stdout)


def _dispatch_history(
    arguments: argparse.Namespace, platform: Platform, environ: Mapping[str, str], stdout: TextIO
) -> int:
    """Commands about many runs: no Go, no modules, inputs of their own."""
    table = _TABLES[arguments.command]
    values = read_inputs({row.name: _flag_text(arguments, row.name) for row in table}, environ, table)
    if arguments.command == "report":
        from go_prefetch.commands.report import report  # noqa: PLC0415

        return report(values, platform, environ, stdout, Path.cwd())
    from go_prefetch.commands.prune import prune  # noqa: PLC0415

    return prune(values, platform, environ, stdout, Path.cwd())


def _flag_text(arguments: argparse.Namespace, name: str) -> str:
    given = getattr(arguments, name.replace("-", "_"))
    return "\n".join(given) if isinstance(given, list) else given or ""


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = _Parser(
        prog="go-prefetch", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=style, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"go-prefetch {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (meaning, examples) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=meaning,
            description=meaning[0].upper() + meaning[1:] + ".",
            epilog=f"examples:\n  {examples}\n\n{_EPILOG}",
            formatter_class=style,
            allow_abbrev=False,
        )
        if name == "fill":
            command.add_argument("folder", metavar="DIR", help="the folder to fill; new, empty, or filled before")
        if name == "docker":
            _add_docker(command)
        _add_inputs(command, _TABLES.get(name, TABLE))
        _add_printing(command, name)
    return parser


def _add_inputs(command: argparse.ArgumentParser, table: Sequence[Input]) -> None:
    for row in table:
        default = row.default_shown or row.default
        command.add_argument(
            row.flag,
            metavar="VALUE",
            action="append" if row.is_repeatable else "store",
            nargs="?" if row.is_switch else None,
            const="true" if row.is_switch else None,
            help=textwrap.shorten(f"{row.meaning} (default: {default})", 1000).replace("%", "%%"),
        )


def _add_docker(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what to do (at least one)")
    group.add_argument(
        "--output",
        metavar="DIR",
        help="fill DIR with the plan's files from the module cache, the pool and the proxies, the same bytes whatever "
        "their source; the build reads it as GOPROXY=file:///gomod,off",
    )
    group.add_argument(
        "--dockerfile",
        nargs="?",
        const="buildkit",
        choices=("buildkit", "plain"),
        help="print a Dockerfile for the module at hand: DIR as a named context (buildkit), or, for every other "
        "builder, as a folder of the build context (plain)",
    )
    group.add_argument("--check", metavar="DOCKERFILE", help="judge DOCKERFILE; exit status 1 if something is found")
    group.add_argument(
        "--dockerignore",
        action="store_true",
        help="write .dockerignore where there is none, else say what it lets through (exit status 1); tell the size "
        "of the context before and after",
    )
    command.add_argument("--context", metavar="DIR", default=".", help="the build context (default: %(default)s)")


def _add_printing(command: argparse.ArgumentParser, name: str) -> None:
    command.add_argument("--quiet", "-q", action="store_true", help="print only warnings, errors and the result")
    command.add_argument("--verbose", "-v", action="store_true", help="print what Go does, line by line")
    if name == "plan":
        command.add_argument("--format", choices=("text", "json", "github"), default="text", help=_FORMATS)
        command.add_argument("--modules", action="store_true", help="list every module version")
    if name == "doctor":
        command.add_argument("--also", metavar="URL", action="append", default=[], help=_ALSO)
        command.add_argument("--samples", metavar="N", default="10", help="requests to each source (default: 10)")
        command.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="(default: text)")
    if name == "verify":
        command.add_argument("--fix", action="store_true", help="remove what is not what go.sum says")


def _raise_on_signals() -> None:
    """Ctrl-C and termination end the run in order, once: what is half done is put away before the exit."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        for name in names:
            signal.signal(name, signal.SIG_IGN)
        raise KeyboardInterrupt

    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for name in names:
        signal.signal(name, interrupt)


if sys.platform == "win32":  # a console there may not take every character; better a `?` than a traceback
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
