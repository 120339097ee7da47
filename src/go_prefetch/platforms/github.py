"""GitHub Actions, GitHub Enterprise, Forgejo, Gitea and act: groups, annotations, outputs, job summary.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from actions_toolkit import command, core, file_command

from go_prefetch.base.untrusted_json import members, read_object
from go_prefetch.errors import Notice, notice
from go_prefetch.model.ci_job import LARGEST_EVENT
from go_prefetch.platforms.console import Console, Loudness, encodable
from go_prefetch.render.messages import as_error, as_warning

_TITLE = "go-prefetch"
_ERROR = "error"


class GitHub(Console):
    """Prints for the runner, which reads commands from stdout."""

    folds = True

    def __init__(
        self, stdout: TextIO, loudness: Loudness, event_path: str, *, is_hosted: bool = False, is_act: bool = False
    ) -> None:
        super().__init__(stdout, loudness)
        self.draws_mermaid = not is_act  # act prints the Markdown
        self._event_path = event_path
        if is_hosted:  # the runner writes the event down when the job begins
            with suppress(OSError):
                self.job_began = Path(event_path).stat().st_mtime

    @property
    def repository_is_private(self) -> bool:
        """Return what the event says of the repository; False if it says nothing."""
        event = read_object(Path(self._event_path), LARGEST_EVENT) if self._event_path else None
        return members(event, "repository").get("private") is True

    def _harmless(self, text: str) -> str:
        return without_commands(text)

    def _open_group(self, title: str) -> None:
        """Fold the lines that follow."""
        self._put(f"::group::{self._harmless(self.clean(title))}")

    def _close_group(self, title: str) -> None:
        del title
        self._put("::endgroup::")

    @property
    def shows_details(self) -> bool:
        """Return whether the user or the runner debugs."""
        return self.loudness.verbose or core.is_debug()

    def notice(self, notice: Notice) -> None:
        """Print an annotation."""
        self._annotate("notice", as_warning(notice))

    def warn(self, notice: Notice) -> None:
        """Print an annotation, at its file if it has one."""
        self._annotate("warning", as_warning(notice), notice.file)

    def error(self, notice: Notice) -> None:
        """Print an annotation, at its file if it has one."""
        self._annotate(_ERROR, as_error(notice), notice.file)

    def _annotate(self, level: str, text: str, file: Path | None = None) -> None:
        if self.loudness.is_silent and level != _ERROR:
            return
        properties = {"file": encodable(self.clean(str(file)), self._stream)} if file else {}
        with self._lock:
            self._before_output()
            # Not core.warning, which also writes the properties that are empty.
            command.issue_command(level, {"title": _TITLE, **properties}, encodable(self.clean(text), self._stream))

    def publish(self, outputs: Mapping[str, str], summary: str) -> None:
        """Write step outputs, and the job summary unless it is empty. A runner that takes none is a warning."""
        try:
            for name, value in self._cleaned(outputs).items():
                file_command.issue_file_command("OUTPUT", file_command.prepare_key_value_message(name, value))
        except Exception as error:  # noqa: BLE001 - the toolkit raises nothing more exact where a file is missing
            self.warn(notice("outputs-refused", words=str(error)))
        else:
            self.add_to_summary(summary)

    def add_to_summary(self, text: str) -> None:
        """Add Markdown to the job summary, unless it is empty. A runner that takes none is a warning."""
        try:
            if text:
                file_command.issue_file_command("STEP_SUMMARY", self.clean(text))
        except Exception as error:  # noqa: BLE001 - as above
            self.warn(notice("outputs-refused", words=str(error)))


def without_commands(text: str) -> str:
    """Return clean text without what the runner takes for a command: it may quote proxies, files and Go."""
    lines = (f"| {line}" if line.lstrip().startswith("::") else line for line in text.split("\n"))
    return "\n".join(lines).replace("##[", "## [")
