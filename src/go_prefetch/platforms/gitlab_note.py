"""The job summary as a note of the merge request: one note, which each pipeline updates.

https://docs.gitlab.com/api/notes/#merge-requests
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.base.untrusted_json import integer, objects, parse, text
from go_prefetch.config.inputs import NOTE_TOKEN
from go_prefetch.errors import Notice
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts

_MARK = "<!-- go-prefetch -->"
_SECONDS = 20.0
_MOST_PAGES = 10
_MOST_BYTES = 4 << 20


class _NoNoteError(Exception):
    """GitLab's answer is of no use: a case of `merge-request-note`, and its facts."""

    def __init__(self, case: str, **facts: object) -> None:
        super().__init__(case, facts)
        self.notice = _result(case, **facts)


def _result(case: str, **facts: object) -> Notice:
    return Notice("merge-request-note", case, tuple(facts.items()))


def leave_note(environ: Mapping[str, str], token: str, summary: str) -> Notice:
    """Write or update the note. Return the result. An error of GitLab is a result too.

    `token` has the scope `api`: a job's CI_JOB_TOKEN may not write notes.
    """
    project, merge_request = environ.get("CI_PROJECT_ID", ""), environ.get("CI_MERGE_REQUEST_IID", "")
    api = environ.get("CI_API_V4_URL", "")
    if not merge_request:
        return _result("no-merge-request")
    if not (token and api and project):
        return _result("no-token", variable=NOTE_TOKEN.variable)
    notes = f"{api}/projects/{quote(project, safe='')}/merge_requests/{quote(merge_request, safe='')}/notes"
    try:
        return _result(_Notes(notes, token, HttpSettings.of_forge(environ)).write(f"{_MARK}\n{summary}"))
    except _NoNoteError as error:
        return error.notice
    except AttemptError as error:
        return _result("failed", words=str(error))


class _Notes:
    """The notes at one URL."""

    def __init__(self, url: str, token: str, web: HttpSettings) -> None:
        self._url = url
        # Bearer, which is not passed on where an answer redirects to another host; PRIVATE-TOKEN would be.
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._client = HttpClient(Timeouts(5.0, 10.0), web=web, caller_authenticates=True)
        self._deadline = Deadline.after(_SECONDS)

    def write(self, text: str) -> str:
        """Update the note, or write the first. Return `updated` or `written`."""
        ours = self._ours()
        body = json.dumps({"body": text}).encode()
        if ours:
            self._ask("PUT", f"{self._url}/{ours}", body)
            return "updated"
        self._ask("POST", self._url, body)
        return "written"

    def _ours(self) -> int:
        """Return the number of the note with the mark; 0 if there is none."""
        for page in range(1, _MOST_PAGES + 1):
            notes = self._ask("GET", f"{self._url}?per_page=100&sort=asc&page={page}")
            if not isinstance(notes, list) or not notes:
                return 0
            for note in objects(notes):
                if text(note, "body").startswith(_MARK):
                    return integer(note, "id")
        return 0

    def _ask(self, method: str, url: str, body: bytes = b"") -> Any:
        with self._client.request(method, url, self._deadline, headers=self._headers, body=body) as answer:
            if answer.status >= 300:
                raise _NoNoteError("refused", status=answer.status, reason=answer.reason)
            said = answer.read(_MOST_BYTES)
        value = parse(said, _MOST_BYTES)
        if value is None:
            raise _NoNoteError("malformed")
        return value
