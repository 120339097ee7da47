"""Where a command runs: GitHub, GitLab, a terminal. Adapters of the Platform port. Only this package prints logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from go_prefetch.model.ci_job import in_ci
from go_prefetch.model.ports import Platform
from go_prefetch.platforms.console import Console, Loudness


def detect(
    environ: Mapping[str, str], stdout: TextIO, stderr: TextIO, *, quiet: int = 0, verbose: bool = False
) -> Platform:
    """Return the platform of this environment."""
    is_dumb = environ.get("TERM") == "dumb"
    wants_color = not environ.get("NO_COLOR") and not is_dumb
    if environ.get("GITHUB_ACTIONS") == "true":
        from go_prefetch.platforms.github import GitHub  # noqa: PLC0415 - its imports are for GitHub only

        return GitHub(
            stdout, Loudness(quiet, verbose), environ.get("GITHUB_EVENT_PATH", ""),
            is_hosted=environ.get("RUNNER_ENVIRONMENT") == "github-hosted", is_act=environ.get("ACT") == "true",
        )  # fmt: skip
    # Not GITLAB_CI: gitlab-ci-local says there that it is not GitLab, and it reads the same reports.
    if environ.get("CI_JOB_ID") and environ.get("CI_PROJECT_DIR"):
        from go_prefetch.platforms.gitlab import GitLab  # noqa: PLC0415 - its imports are for GitLab only

        return GitLab(stdout, Loudness(quiet, verbose, color=wants_color), environ)
    # CI systems may give a job a terminal, and their logs keep each line that was overwritten.
    overwrites = stderr.isatty() and not is_dumb and not in_ci(environ)
    return Console(stderr, Loudness(quiet, verbose, color=wants_color and stderr.isatty(), overwrites=overwrites))
