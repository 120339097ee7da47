"""`go-prefetch run`: the main job."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from go_prefetch.base.background import run_in_background
from go_prefetch.cli.invocation import Invocation
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.environment import GoEnvironment


def run(invocation: Invocation) -> int:
    """Prefetch and report. Raises PrefetchError for what fails the run."""
    asked = run_in_background(partial(_go_environment, invocation.environ, invocation.cwd))
    # Imported while Go answers: both take about as long.
    from go_prefetch.cli.run_job import run_job  # noqa: PLC0415

    return run_job(invocation, asked)


def _go_environment(environ: Mapping[str, str], folder: Path) -> GoEnvironment:
    return GoCommand(environ).environment(folder)
