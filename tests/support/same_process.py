"""The command line inside the test's own process: what `python -m go_prefetch` does, less the start of a Python."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path

from go_prefetch.base.stop_signals import STOP_SIGNALS
from go_prefetch.cli import main
from tests.support.notices import recorded
from tests.support.workbench import Result, Workbench


def prefetch(bench: Workbench, *arguments: str, cwd: str | Path | None = None, **variables: str) -> Result:
    """go-prefetch with these arguments in the project, in the bench's environment."""
    stdout, stderr = io.StringIO(), io.StringIO()
    before, handlers = Path.cwd(), {number: signal.getsignal(number) for number in STOP_SIGNALS}
    os.chdir(cwd or bench.project)
    try:
        with recorded() as notices:
            status = main.main(arguments, {**bench.environ, **variables}, stdout, stderr)
    finally:
        os.chdir(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Result(status, stdout.getvalue(), stderr.getvalue(), tuple(notices))
