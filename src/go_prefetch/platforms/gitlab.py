"""GitLab CI: sections of the job log, report files, the job summary as an artifact; a merge request note on request.

https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO
from urllib.parse import quote, urlsplit

from go_prefetch.base.atomic_file import write_whole
from go_prefetch.config.inputs import GITLAB, NOTE_TOKEN, read_inputs
from go_prefetch.errors import InputError, notice
from go_prefetch.platforms.console import Console, Loudness
from go_prefetch.render.messages import as_warning
from go_prefetch.render.outputs import dotenv, links, metrics

_ERASE_LINE = "\x1b[0K"
_SUMMARY = "summary.md"


class GitLab(Console):
    """Prints for GitLab's job log, which shows stdout and stderr as one."""

    warning, failure = "WARNING", "ERROR"
    folds = True

    def __init__(self, stdout: TextIO, loudness: Loudness, environ: Mapping[str, str]) -> None:
        super().__init__(stdout, loudness)
        self._environ = environ
        self._project = Path(environ["CI_PROJECT_DIR"])

    @property
    def repository_is_private(self) -> bool:
        """Return whether it is `private`. Everyone with an account can read `internal` ones."""
        return self._environ.get("CI_PROJECT_VISIBILITY") == "private"

    def carries(self, folder: Path) -> bool:
        """Return whether the folder is in the project: `cache:` and `artifacts:` take nothing else."""
        return folder.resolve().is_relative_to(self._project.resolve())

    def _open_group(self, title: str) -> None:
        """Fold the lines that follow."""
        self._mark("start", f"{_section(title)}[collapsed=true]", self.clean(title))

    def _close_group(self, title: str) -> None:
        self._mark("end", _section(title), "")

    @property
    def shows_details(self) -> bool:
        """Return whether the user or the pipeline debugs."""
        return self.loudness.verbose or self._environ.get("CI_DEBUG_TRACE") == "true"

    def publish(self, outputs: Mapping[str, str], summary: str) -> None:
        """Write report files and a note, if the job has them on. A failure is a warning."""
        try:
            inputs = read_inputs({}, self._environ, GITLAB)
        except InputError as error:
            self.warn(error.notice)
            return
        if inputs["reports"]:
            try:
                self._write_reports(self._project / str(inputs["reports"]), self._cleaned(outputs), self.clean(summary))
            except OSError as error:
                self.warn(notice("reports-unwritable", words=str(error)))
        if summary and inputs["merge-request-note"]:
            from go_prefetch.platforms.gitlab_note import leave_note  # noqa: PLC0415 - it imports requests

            self.info(as_warning(leave_note(self._environ, str(inputs[NOTE_TOKEN.name]), self.clean(summary))))

    def _write_reports(self, folder: Path, outputs: Mapping[str, str], summary: str) -> None:
        write_whole(folder / ".gitignore", b"*\n")
        write_whole(folder / "outputs.env", dotenv(outputs).encode())
        write_whole(folder / "metrics.txt", metrics(outputs).encode())
        write_whole(folder / _SUMMARY, summary.encode(errors="replace"))
        job = self._environ.get("CI_JOB_URL", "")
        if urlsplit(job).scheme in ("http", "https") and folder.is_relative_to(self._project):
            shown = f"{job}/artifacts/file/{quote((folder / _SUMMARY).relative_to(self._project).as_posix())}"
            write_whole(folder / "annotations.json", links(outputs, shown).encode())

    def _mark(self, which: str, name: str, title: str) -> None:
        """Print one of the two marks between which GitLab folds the log."""
        if not self.loudness.quiet:
            self._write(f"{_ERASE_LINE}section_{which}:{int(time.time())}:{name}\r{_ERASE_LINE}{title}\n")


def _section(title: str) -> str:
    return "go_prefetch_" + re.sub(r"[^a-z0-9]+", "_", title.lower())
