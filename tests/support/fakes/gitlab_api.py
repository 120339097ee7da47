"""GitLab's REST API as far as `report` asks it: projects, pipelines, jobs, traces; an object store for old traces."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.fakes.loopback import Beside, KeepsAlive, LoopbackServer, LoopbackService

TOKEN = "glpat-loopback"
PROJECT = "group/sub/widget"


def pipeline(number: int, created: str, updated: str, **changed: Any) -> dict[str, Any]:
    """One element of a project's pipelines."""
    return {"id": number, "iid": number, "project_id": 1, "sha": f"{number:040x}", "ref": "main", "status": "success",
            "source": "push", "created_at": created, "updated_at": updated, "name": None,
            "web_url": f"https://gitlab.example.com/{PROJECT}/-/pipelines/{number}", **changed}  # fmt: skip


def job(number: int, name: str = "test", **changed: Any) -> dict[str, Any]:
    """One element of a pipeline's jobs."""
    return {"id": number, "name": name, "stage": "test", "status": "success", "ref": "main", "duration": 61.5,
            "created_at": "2026-03-02T09:00:00.000Z", "started_at": "2026-03-02T09:00:05.123Z",
            "finished_at": "2026-03-02T09:01:06.623+00:00", **changed}  # fmt: skip


class GitLabApi(LoopbackService):
    """The project `group/sub/widget`; the newest pipeline has the highest id."""

    def __init__(self) -> None:
        super().__init__()
        self.pipelines: list[dict[str, Any]] = []
        self.details: dict[int, dict[str, Any]] = {}
        self.jobs: dict[int, list[dict[str, Any]]] = {}
        self.traces: dict[int, bytes] = {}
        self.stored: set[int] = set()  # jobs whose traces lie in the object store
        self.remaining = 2000
        self.traces_refused = 0  # how many requests for traces are refused from now on, because of their rate
        self.requests: list[tuple[str, str, int]] = []  # path, authorization, status
        self.store_requests: list[dict[str, str]] = []  # headers
        self._lock = threading.Lock()

        self.store = Beside(self, _StoreHandler)

    def serve(self) -> LoopbackServer[GitLabApi]:
        """See LoopbackService."""
        self.store.__enter__()
        return LoopbackServer(self, _Handler)

    def close(self) -> None:
        """See LoopbackService."""
        self.store.close()
        super().close()

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"{super().url}/api/v4"

    def environ(self) -> dict[str, str]:
        """What a job sees, and a token besides."""
        return {"CI_API_V4_URL": self.url, "CI_PROJECT_PATH": PROJECT, "GITLAB_TOKEN": TOKEN}

    def answer(self, path: str, query: Mapping[str, str], login: str) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers."""
        with self._lock:
            if login != f"Bearer {TOKEN}":
                return 401, {"message": "401 Unauthorized"}, {}
            if self.remaining <= 0:
                reset = {
                    "RateLimit-Remaining": "0",
                    "RateLimit-Reset": str(int(time.time()) + 600),
                    "Retry-After": "600",
                }
                return 429, b"Retry later", reset
            self.remaining -= 1
            match = re.fullmatch(r"/api/v4/projects/([^/]+)(/.*)?", path)
            if not match or unquote(match[1]) != PROJECT:
                return 404, {"message": "404 Project Not Found"}, {}
            return self._project(match[2] or "", query)

    def _project(self, path: str, query: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:  # noqa: PLR0911
        number = int((re.findall(r"/(\d+)", path) or ["0"])[0])
        if path == "":
            return 200, {"id": 1, "path_with_namespace": PROJECT, "default_branch": "main", "web_url": "https://x"}, {}
        if path == "/pipelines":
            found = [one for one in self.pipelines if query.get("ref", one["ref"]) == one["ref"]]
            return self._page(sorted(found, key=lambda one: -one["id"]), query)
        if re.fullmatch(r"/pipelines/\d+", path):
            known = next(one for one in self.pipelines if one["id"] == number)
            return 200, {**known, **self.details.get(number, {})}, {}
        if re.fullmatch(r"/pipelines/\d+/jobs", path):
            return self._page(self.jobs.get(number, []), query)
        if path.endswith("/trace") and self.traces_refused:
            self.traces_refused -= 1
            return 429, b"Retry later", {"Retry-After": "0"}
        if re.fullmatch(r"/jobs/\d+/trace", path) and number in self.traces:
            if number in self.stored:
                return 302, b"", {"Location": f"{self.store.url}/{number}?X-Amz-Signature=secret"}
            return 200, self.traces[number], {"Content-Type": "text/plain"}
        return 404, {"message": "404 Not found"}, {}

    def _page(self, items: list[Any], query: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        size, number = min(100, int(query.get("per_page", 20))), int(query.get("page", 1))
        more = number * size < len(items)
        link = {"Link": f'<{self.url}/x?page={number + 1}>; rel="next"'} if more else {}
        return 200, items[(number - 1) * size : number * size], link


class _Handler(KeepsAlive, BaseHTTPRequestHandler):
    server: LoopbackServer[GitLabApi]

    def do_GET(self) -> None:
        api, parts = self.server.owner, urlsplit(self.path)
        login = self.headers.get("Authorization", "")
        status, value, headers = api.answer(parts.path, dict(parse_qsl(parts.query)), login)
        api.requests.append((parts.path, login, status))
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.say(status, body, **{"Content-Type": "application/json", **headers})


class _StoreHandler(KeepsAlive, BaseHTTPRequestHandler):
    server: LoopbackServer[GitLabApi]

    def do_GET(self) -> None:
        api = self.server.owner
        api.store_requests.append(dict(self.headers.items()))
        self.say(200, api.traces[int(re.findall(r"\d+", self.path)[0])])
