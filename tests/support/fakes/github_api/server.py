"""The two servers: the API with its paging, ETags, rate limit and faults; and the host of the logs."""

from __future__ import annotations

import json
import re
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.fakes.github_api import payloads
from tests.support.fakes.loopback import Beside, KeepsAlive, LoopbackServer, LoopbackService

TOKEN = "ghp_loopback"
_MOST_FILTERED = 1000  # results GitHub gives to a search with a filter
_FILTERS = {"actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"}
_DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Request:
    """One request as it was met."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str
    status: int


@dataclass(frozen=True)
class Said:
    """A status, a value to be sent as JSON (or bytes as they are), and headers."""

    status: int
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class GitHubApi(LoopbackService):
    """The repository `acme/widget`. Lists and dictionaries are what a test fills; the newest run comes first."""

    name = "acme/widget"

    def __init__(self, *, prefix: str = "", latency: float = 0.0) -> None:
        super().__init__()
        self.prefix = prefix  # "/api/v3" for a server of GitHub Enterprise
        self.latency = latency  # seconds before each answer of the API
        self.runs: list[dict[str, Any]] = []
        self.jobs: dict[int, list[dict[str, Any]]] = {}
        self.run_logs: dict[int, bytes | int] = {}  # by run; a number is a status in place of the redirect
        self.job_logs: dict[int, bytes | int] = {}  # by job
        self.blob_faults: dict[str, int] = {}  # path on the other host to status
        self.caches: list[dict[str, Any]] = []
        self.pulls: dict[int, str] = {}  # number to state
        self.branches: set[str] = {"main"}
        self.commits: dict[str, str] = {}  # SHA to moment
        self.storage_limit_gb: int | None = None
        self.former_names: set[str] = set()
        self.remaining = 5000
        self.reset_in = 3600.0  # seconds until the limit is renewed
        self.faults: list[tuple[str, Said]] = []  # regular expression of a path, and what is said once
        self.requests: list[Request] = []
        self.blob_requests: list[Request] = []
        self._path = ""  # of the request that is being answered
        self._lock = threading.Lock()
        self.blobs = Beside(self, _BlobHandler)  # the host of the logs

    def serve(self) -> LoopbackServer[GitHubApi]:
        """See LoopbackService."""
        self.blobs.__enter__()
        return LoopbackServer(self, _ApiHandler)

    def close(self) -> None:
        """See LoopbackService."""
        self.blobs.close()
        super().close()

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"{super().url}{self.prefix}"

    def environ(self, **more: str) -> dict[str, str]:
        """What a job's step would see."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": self.name, "GITHUB_TOKEN": TOKEN, **more}

    def inject(self, path: str, said: Said, times: int = 1) -> None:
        """Say this to the next requests whose path matches."""
        self.faults += [(path, said)] * times

    def paths(self) -> list[str]:
        """Of the requests so far, below the repository."""
        return [re.sub(r"^/repos/[^/]+/[^/]+", "", request.path) for request in self.requests]

    def answer(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Said:
        """What a request is met with, its rate limit told."""
        with self._lock:
            if headers.get("authorization", "") not in (f"token {TOKEN}", f"Bearer {TOKEN}"):
                return Said(401, {"message": "Bad credentials", "documentation_url": _DOCUMENTATION, "status": "401"})
            fault = next((item for item in self.faults if re.search(item[0], path)), None)
            if fault:
                self.faults.remove(fault)
                return fault[1]
            limited = {"x-ratelimit-limit": "5000", "x-ratelimit-reset": str(int(time.time() + self.reset_in))}
            if self.remaining <= 0:
                message = "API rate limit exceeded for user ID 1. If you reach out to GitHub Support for help, …"
                return Said(403, {"message": message}, {**limited, "x-ratelimit-remaining": "0"})
            said = self._routed(method, path, query)
            etag = f'W/"{zlib.crc32(json.dumps(said.value).encode()):08x}"' if said.status == 200 else ""
            if etag and headers.get("if-none-match") == etag:
                said = Said(304, None, {k: v for k, v in said.headers.items() if k != "link"})
            else:
                self.remaining -= 1
            counted = {**limited, "x-ratelimit-remaining": str(self.remaining)}
            return Said(said.status, said.value, {**said.headers, **counted, **({"etag": etag} if etag else {})})

    def _routed(self, method: str, path: str, query: Mapping[str, str]) -> Said:
        self._path = path
        match = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", path)
        if match and match[1] in self.former_names:
            return Said(
                301, {"message": "Moved Permanently"}, {"location": f"{self.url}/repos/{self.name}{match[2] or ''}"}
            )
        if not match or match[1] != self.name:
            return _not_found()
        for (verb, pattern), route in _ROUTES.items():
            found = re.fullmatch(pattern, match[2] or "")
            if verb == method and found:
                return route(self, query, *found.groups())
        return _not_found()

    # -- routes

    def _repository(self, query: Mapping[str, str]) -> Said:
        return Said(200, payloads.repository(self.name, self.url))

    def _list_runs(self, query: Mapping[str, str], workflow: str = "") -> Said:
        runs = sorted(self.runs, key=lambda run: run["created_at"], reverse=True)
        if workflow:
            runs = [run for run in runs if workflow in (str(run["workflow_id"]), run["path"].rsplit("/", 1)[-1])]
        if "branch" in query:
            runs = [run for run in runs if run["head_branch"] == query["branch"]]
        if _FILTERS & set(query):
            runs = runs[:_MOST_FILTERED]
        return self._paged("workflow_runs", runs, query)

    def _run(self, query: Mapping[str, str], run: str) -> Said:
        found = next((one for one in self.runs if one["id"] == int(run)), None)
        return Said(200, found) if found else _not_found()

    def _list_workflows(self, query: Mapping[str, str]) -> Said:
        known = {run["path"]: {"id": run["workflow_id"], "name": run["name"], "path": run["path"], "state": "active"}
                 for run in self.runs}  # fmt: skip
        return self._paged("workflows", list(known.values()), query)

    def _list_jobs(self, query: Mapping[str, str], run: str) -> Said:
        return self._paged("jobs", self.jobs.get(int(run), []), query)

    def _run_logs(self, query: Mapping[str, str], run: str) -> Said:
        return self._redirected(self.run_logs.get(int(run), 404), f"/runs/{run}.zip")

    def _job_logs(self, query: Mapping[str, str], job: str) -> Said:
        return self._redirected(self.job_logs.get(int(job), 404), f"/jobs/{job}.txt")

    def _redirected(self, log: bytes | int, path: str) -> Said:
        if isinstance(log, int):
            return Said(log, {"message": "Gone" if log == 410 else "Not Found"})
        return Said(302, b"", {"location": f"{self.blobs.url}{path}?sig=secret&se=soon"})

    def _usage(self, query: Mapping[str, str]) -> Said:
        size = sum(cache["size_in_bytes"] for cache in self.caches)
        return Said(200, {"full_name": self.name, "active_caches_size_in_bytes": size,
                          "active_caches_count": len(self.caches)})  # fmt: skip

    def _limit(self, query: Mapping[str, str]) -> Said:
        if self.storage_limit_gb is None:
            return Said(403, {"message": "Resource not accessible by integration"})
        return Said(200, {"max_cache_size_gb": self.storage_limit_gb})

    def _list_caches(self, query: Mapping[str, str]) -> Said:
        found = [c for c in self.caches if c["key"].startswith(query.get("key", ""))]
        return self._paged("actions_caches", [c for c in found if query.get("ref", c["ref"]) == c["ref"]], query)

    def _delete_cache(self, query: Mapping[str, str], number: str) -> Said:
        left = [cache for cache in self.caches if cache["id"] != int(number)]
        if len(left) == len(self.caches):
            return _not_found()
        self.caches = left
        return Said(204)

    def _pull(self, query: Mapping[str, str], number: str) -> Said:
        state = self.pulls.get(int(number))
        return Said(200, {"number": int(number), "state": state}) if state else _not_found()

    def _ref(self, query: Mapping[str, str], branch: str) -> Said:
        name = unquote(branch)
        return Said(200, {"ref": f"refs/heads/{name}"}) if name in self.branches else _not_found()

    def _commit(self, query: Mapping[str, str], commit: str) -> Said:
        found = [(sha, when) for sha, when in self.commits.items() if sha.startswith(commit)]
        if not found:
            return Said(422, {"message": f"No commit found for SHA: {commit}"})
        sha, when = found[0]
        return Said(200, {"sha": sha, "commit": {"message": "A change", "committer": {"name": "G", "date": when}}})

    def _paged(self, name: str, items: list[Any], query: Mapping[str, str]) -> Said:
        size, number = min(100, int(query.get("per_page", 30))), int(query.get("page", 1))
        last = max(1, -(-len(items) // size))
        rest = "&".join(f"{k}={v}" for k, v in query.items() if k != "page")
        links = [
            f'<{self.url}{self._path}?{rest}&page={number + 1}>; rel="next"',
            f'<{self.url}{self._path}?{rest}&page={last}>; rel="last"',
        ]
        shown = items[(number - 1) * size : number * size]
        return Said(200, {"total_count": len(items), name: shown}, {"link": ", ".join(links)} if number < last else {})


def _not_found() -> Said:
    return Said(404, {"message": "Not Found", "documentation_url": _DOCUMENTATION, "status": "404"})


_ROUTES: dict[tuple[str, str], Callable[..., Said]] = {
    ("GET", ""): GitHubApi._repository,
    ("GET", "/actions/runs"): GitHubApi._list_runs,
    ("GET", "/actions/workflows"): GitHubApi._list_workflows,
    ("GET", "/actions/workflows/([^/]+)/runs"): lambda api, query, workflow: api._list_runs(query, workflow),
    ("GET", r"/actions/runs/(\d+)"): GitHubApi._run,
    ("GET", r"/actions/runs/(\d+)/jobs"): GitHubApi._list_jobs,
    ("GET", r"/actions/runs/(\d+)/logs"): GitHubApi._run_logs,
    ("GET", r"/actions/jobs/(\d+)/logs"): GitHubApi._job_logs,
    ("GET", "/actions/cache/usage"): GitHubApi._usage,
    ("GET", "/actions/cache/storage-limit"): GitHubApi._limit,
    ("GET", "/actions/caches"): GitHubApi._list_caches,
    ("DELETE", r"/actions/caches/(\d+)"): GitHubApi._delete_cache,
    ("GET", r"/pulls/(\d+)"): GitHubApi._pull,
    ("GET", "/git/ref/heads/(.+)"): GitHubApi._ref,
    ("GET", "/commits/([^/]+)"): GitHubApi._commit,
}


class _Handler(KeepsAlive, BaseHTTPRequestHandler):
    server: LoopbackServer[GitHubApi]

    def do_GET(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query))
        said, seen = self._said(parts.path, query, headers)
        seen.append(
            Request(self.command, self._below(parts.path), query, headers.get("authorization", ""), said.status)
        )
        body = (
            said.value
            if isinstance(said.value, bytes)
            else b""
            if said.value is None
            else json.dumps(said.value).encode()
        )
        self.send_response(said.status)
        for name, value in {"content-type": "application/json; charset=utf-8", **said.headers}.items():
            self.send_header(name, value)
        if said.status not in (204, 304):
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if said.status not in (204, 304):
            self.wfile.write(body)

    def _below(self, path: str) -> str:
        return path

    def _said(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[Said, list[Request]]:
        raise NotImplementedError


class _ApiHandler(_Handler):
    def _below(self, path: str) -> str:
        return path.removeprefix(self.server.owner.prefix)

    def _said(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[Said, list[Request]]:
        api = self.server.owner
        time.sleep(api.latency)
        if not path.startswith(api.prefix):
            return _not_found(), api.requests
        return api.answer(self.command, path.removeprefix(api.prefix), query, headers), api.requests


class _BlobHandler(_Handler):
    """Azure refuses a request that carries a login besides the signature in its URL."""

    def _said(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> tuple[Said, list[Request]]:
        api = self.server.owner
        number = int(re.findall(r"\d+", path)[0])
        log = (api.run_logs if path.startswith("/runs/") else api.job_logs).get(number)
        if "authorization" in headers or query.get("sig") != "secret":
            return Said(403, b"<Error><Code>AuthenticationFailed</Code></Error>"), api.blob_requests
        if path in api.blob_faults:
            return Said(api.blob_faults[path], b"<Error/>"), api.blob_requests
        return (Said(200, log) if isinstance(log, bytes) else Said(404, b"")), api.blob_requests
