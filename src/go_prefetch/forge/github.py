"""GitHub's REST API through PyGithub: the only module that imports it, and itself imported late.

PyGithub's own connections read an answer of any size for any time. `Requester.injectConnectionClasses` is its public
way to replace them, so that every request of its objects goes through RestApi.
See docs/adr/0013-pygithub-over-our-client.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, ItemsView, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import quote

from github import Auth, BadAttributeException, Consts, Github, GithubException
from github.PaginatedList import PaginatedList
from github.Repository import Repository as GitHubRepository
from github.Requester import Requester
from github.WorkflowRun import WorkflowRun

from go_prefetch import __version__
from go_prefetch.base.untrusted_json import as_integer, as_moment, as_text, integer, objects, text
from go_prefetch.errors import ApiError
from go_prefetch.forge.access import Access, Repository
from go_prefetch.forge.api import MOST_PAGES, PER_PAGE, Reply, RestApi

__all__ = ["BadAttributeException", "GitHub", "WorkflowRun"]

T = TypeVar("T")

_NUMBER = re.compile("[0-9]{1,12}")
# What PyGithub raises for JSON of another shape than GitHub documents.
_NONSENSE = (
    BadAttributeException, ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError,
    ValueError,
)  # fmt: skip


class GitHub:
    """One repository, with PyGithub's objects for what it has objects for."""

    def __init__(self, api: RestApi, access: Access) -> None:
        connection = _connection_class(api)
        Requester.injectConnectionClasses(connection, connection)
        self.github = Github(
            auth=Auth.Token(access.token),
            base_url=access.api_url.rstrip("/"),
            user_agent=f"go-prefetch/{__version__}",
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=api.patience.write_pause,
        )
        self._api = api
        self._use(access.repository)

    def repository(self) -> Repository:
        """Return the repository, and use its present name from here on."""
        name = self._path.removeprefix("/repos/")
        found = self._ask(self._path, lambda: _described(self.github.get_repo(name), name))
        self._use(found.name)
        return found

    def workflows(self) -> Iterator[tuple[int, str, str]]:
        """Return number, name and file of each workflow."""
        return self._every(
            f"{self._path}/actions/workflows",
            self._repository.get_workflows(),
            lambda workflow: (as_integer(workflow.id) or 0, as_text(workflow.name) or "", as_text(workflow.path) or ""),
        )

    def runs(self, workflow: int | None, page: int, etag: str) -> tuple[dict[str, Any], Any]:
        """Return headers and JSON of a page of runs: PyGithub's lists cannot ask whether a page has changed.

        The JSON is None if the page has this ETag.
        """
        path = f"{self._path}/actions/workflows/{workflow}/runs" if workflow else f"{self._path}/actions/runs"
        headers = {Consts.REQ_IF_NONE_MATCH: etag} if etag else {}
        return self._request(path, {"page": page, "per_page": PER_PAGE}, headers)

    def run(self, values: Mapping[str, Any]) -> WorkflowRun:
        """Return the object of a run in such a page. What the page does not have is None."""
        return WorkflowRun(self.github.requester, {}, dict(values), completed=True)

    def jobs(self, run: int) -> Iterator[tuple[int, str]]:
        """Return number and name of each job of a run's latest attempt."""
        path = f"{self._path}/actions/runs/{run}/jobs"
        jobs = self.run({"jobs_url": path}).jobs("latest")
        return self._every(path, jobs, lambda job: (as_integer(job.id) or 0, as_text(job.name) or ""))

    def run_log(self, run: int) -> str:
        """Return the URL of the zip with all logs of a run; the empty string if it has none any more."""
        return self._location(f"{self._path}/actions/runs/{run}/logs")

    def job_log(self, job: int) -> str:
        """Return the URL of a job's log; the empty string if it has none any more."""
        return self._location(f"{self._path}/actions/jobs/{job}/logs")

    def caches(self, key: str = "") -> Iterator[Mapping[str, Any]]:
        """Return the JSON of each entry of the Actions cache, or of those whose keys begin with `key`."""
        for number in range(1, MOST_PAGES):
            parameters = {"sort": "created_at", "page": number, "per_page": PER_PAGE, **({"key": key} if key else {})}
            page = list(objects(self._request(f"{self._path}/actions/caches", parameters)[1], "actions_caches"))
            yield from page
            if len(page) < PER_PAGE:
                return

    def cache_usage(self) -> Any:
        """Return the JSON of how much the Actions cache holds."""
        return self._request(f"{self._path}/actions/cache/usage")[1]

    def cache_limit(self) -> int:
        """Return how many bytes it may hold; 0 where only administrators may know, or in older servers."""
        path = f"{self._path}/actions/cache/storage-limit"
        found = self._find(path, lambda: self.github.requester.requestJsonAndCheck("GET", path), range(400, 500))
        return integer(found[1], "max_cache_size_gb") << 30 if found else 0

    def delete_cache(self, number: int) -> bool:
        """Delete an entry; return False if it was gone."""
        path = f"{self._path}/actions/caches/{number}"
        delete = partial(self.github.requester.requestJsonAndCheck, "DELETE", path)
        return self._find(path, delete, (404,)) is not None

    def is_pull_closed(self, number: int) -> bool:
        """Return whether there is such a pull request, and it is closed."""
        state = self._find(f"{self._path}/pulls/{number}", lambda: self._repository.get_pull(number).state, (404,))
        return state == "closed"

    def has_branch(self, name: str) -> bool:
        """Return whether there is such a branch."""
        path = f"{self._path}/git/ref/heads/{name}"
        return self._find(path, lambda: self._repository.get_git_ref(f"heads/{name}"), (404,)) is not None

    def moment_of(self, commit: str) -> datetime | None:
        """Return when a commit was made; None if there is no such commit."""
        path = f"{self._path}/commits/{commit}"
        return self._find(
            path, lambda: as_moment(self._repository.get_commit(commit).commit.committer.date), (404, 422)
        )

    def _use(self, name: str) -> None:
        """Make all requests below this name. The repository's own `url` may have another host than the API."""
        self._path = f"/repos/{quote(name, safe='/')}"
        self._repository = GitHubRepository(self.github.requester, {}, {"url": self._path}, completed=True)

    def _every(self, path: str, listed: PaginatedList[Any], read: Callable[[Any], T]) -> Iterator[T]:
        """Return what `read` makes of each object of a list. Its own iterator would follow pages without end."""
        for number in range(MOST_PAGES):
            page = self._ask(path, partial(_read_page, listed, number, read))
            yield from page
            if len(page) < PER_PAGE:
                return

    def _location(self, path: str) -> str:
        found = self._find(path, lambda: self.github.requester.requestJsonAndCheck("GET", path), (404, 410))
        if found is None:
            return ""
        url = found[0].get("location")
        if not url:
            raise ApiError("api-refused", "no-log", api=self._api.name)
        return str(url)

    def _request(
        self, path: str, parameters: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[dict[str, Any], Any]:
        """Return headers and JSON of what PyGithub has no object for. Raises as `_ask`."""
        request = self.github.requester.requestJsonAndCheck
        return self._ask(path, lambda: request("GET", path, dict(parameters or {}), dict(headers or {})))

    def _find(self, path: str, ask: Callable[[], T], absent: Collection[int]) -> T | None:
        """Return what `ask` returns; None if the answer has one of the statuses `absent`. Raises as `_ask`."""
        try:
            return ask()
        except GithubException as error:
            if error.status in absent:
                return None
            raise self._api.refusal(path, error.status, text(error.data, "message")) from None
        except _NONSENSE:
            raise ApiError("api-refused", "other-shape", api=self._api.name, path=path) from None

    def _ask(self, path: str, ask: Callable[[], T]) -> T:
        """Return what `ask` returns. Raises InputError and ApiError for what it meets."""
        return cast("T", self._find(path, ask, ()))


def _described(found: GitHubRepository, name: str) -> Repository:
    return Repository(
        as_text(found.full_name) or name, as_text(found.html_url) or "", as_text(found.default_branch) or ""
    )


def _read_page(listed: PaginatedList[Any], number: int, read: Callable[[Any], T]) -> list[T]:
    return [read(one) for one in listed.get_page(number)]


def _connection_class(api: RestApi) -> Any:
    """Return a class of connections for PyGithub: each sends one request by way of `api`.

    Whatever host PyGithub means, the request goes to the API, for it carries the token.
    """

    class Connection:
        def __init__(self, host: str, *_: object, **__: object) -> None:
            self.host = host
            self._reply = Reply(0, {}, "")

        def request(self, verb: str, url: str, _: object, headers: dict[str, str], *__: bool) -> None:
            """Send, and read the whole answer. None of the requests here has a body."""
            self._reply = api.send(verb, url, headers)

        def getresponse(self) -> Connection:
            return self

        @property
        def status(self) -> int:
            return self._reply.status

        def getheaders(self) -> ItemsView[str, str]:
            """Without a rate limit that is no number: PyGithub would fail on it."""
            known = self._reply.headers.items()
            return {n: v for n, v in known if not n.startswith("x-ratelimit-") or _NUMBER.fullmatch(v)}.items()

        def read(self) -> str:
            """Return the body, if it is JSON."""
            return "" if self._reply.value is None else self._reply.body

        def close(self) -> None:
            """Do nothing, because the client keeps its connections."""

    return Connection
