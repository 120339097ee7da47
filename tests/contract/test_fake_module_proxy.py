"""The fake module proxy against real Go and plain HTTP: it serves what Go accepts and fails as it is told to."""

from __future__ import annotations

import base64
import http.client
import io
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
import zipfile
from typing import TYPE_CHECKING

import pytest
import requests
import trustme

from tests.support.clock import Clock
from tests.support.fakes.module_proxy import Fault, ModuleProxy, Request, RequestLimit
from tests.support.fakes.modules import FakeModule, escape, layout, write_project, write_proxy_folder
from tests.support.fakes.tls import server_tls
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEAF = FakeModule("example.com/leaf", "v0.3.0", padding=50_000)
SHOUTED = FakeModule("github.com/BurntSushi/TOML", "v1.0.0-RC1", requires=(("example.com/leaf", "v0.3.0"),))
SECOND = FakeModule("example.com/lib/v2", "v2.1.0", requires=(("example.com/leaf", "v0.3.0"),))
OLD = FakeModule("gopkg.in/old.v1", "v1.4.2", has_gomod=False)
INCOMPATIBLE = FakeModule("example.com/big", "v5.0.0+incompatible", has_gomod=False)
GRAPH = (LEAF, SHOUTED, SECOND, OLD, INCOMPATIBLE)
ZIP = "example.com/leaf/@v/v0.3.0.zip"
AT_ONCE = 20.0  # seconds; who waits for a client waits for ever, or for its fifty thousand bytes one by one


@pytest.fixture(autouse=True)
def _one_build_cache(gocache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCACHE", str(gocache))


@pytest.fixture
def proxy() -> Iterator[ModuleProxy]:
    with ModuleProxy(GRAPH) as served:
        yield served


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path / "app", GRAPH)
    return tmp_path / "app"


def run_go(project: Path, goproxy: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "GOENV": "off",
        "GOFLAGS": "-modcacherw",
        "GOMODCACHE": str(project.parent / "modcache"),
        "GONOPROXY": "none",
        "GOPROXY": goproxy,
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    go = shutil.which("go")
    assert go is not None
    return subprocess.run(
        [go, *arguments],
        cwd=project,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def connect(proxy: ModuleProxy) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urllib.parse.urlsplit(proxy.url).netloc, timeout=60)


def fetch(proxy: ModuleProxy, path: str = ZIP, **headers: str) -> requests.Response:
    return requests.get(f"{proxy.url}/{path}", headers=headers, timeout=60, allow_redirects=False)


class TestWithRealGo:
    @pytest.mark.slow
    def test_a_graph_downloads_verifies_and_builds(self, proxy: ModuleProxy, project: Path) -> None:
        sums = (project / "go.sum").read_bytes()
        downloaded = run_go(project, proxy.url, "mod", "download")
        assert (downloaded.returncode, downloaded.stdout, downloaded.stderr) == (0, "", "")
        assert set(proxy.paths()) == set(layout(GRAPH))
        assert run_go(project, "off", "mod", "verify").stdout == "all modules verified\n"
        built = run_go(project, "off", "build", "./...")
        assert (built.returncode, built.stderr) == (0, "")
        assert (project / "go.sum").read_bytes() == sums

    def test_the_program_greets_from_every_module(self, proxy: ModuleProxy, project: Path) -> None:
        greeting = "".join(f"{module.path} {module.version}\n" for module in GRAPH)
        assert run_go(project, proxy.url, "run", ".").stdout == greeting

    def test_only_required_modules_need_be_served(self, tmp_path: Path) -> None:
        write_project(tmp_path / "app", GRAPH, requires=[SECOND])
        with ModuleProxy([SECOND, LEAF]) as proxy:
            assert run_go(tmp_path / "app", proxy.url, "run", ".").stdout == f"{SECOND.path} {SECOND.version}\n"

    def test_an_older_project_downloads_all(self, proxy: ModuleProxy, tmp_path: Path) -> None:
        older = tuple(FakeModule(module.path, module.version, go="1.16") for module in (LEAF, SECOND))
        proxy.files = layout(older)
        write_project(tmp_path / "app", older, go="1.16")
        assert run_go(tmp_path / "app", proxy.url, "mod", "download").stderr == ""
        assert run_go(tmp_path / "app", "off", "build", "./...").stderr == ""

    def test_a_project_without_modules_builds(self, tmp_path: Path) -> None:
        write_project(tmp_path / "app", [])
        assert run_go(tmp_path / "app", "off", "build", "./...").returncode == 0

    def test_a_proxy_folder_serves_too(self, project: Path) -> None:
        write_proxy_folder(project.parent / "proxy", GRAPH)
        goproxy = f"{(project.parent / 'proxy').as_uri()},off"
        assert run_go(project, goproxy, "mod", "download").returncode == 0

    @pytest.mark.parametrize("ending", ["zip", "mod"])
    def test_wrong_bytes_are_a_checksum_mismatch(self, proxy: ModuleProxy, project: Path, ending: str) -> None:
        proxy.fault(f"*/leaf/@v/*.{ending}", Fault.WRONG_BYTES)
        done = run_go(project, proxy.url, "mod", "download")
        assert done.returncode == 1
        assert "checksum mismatch" in done.stderr

    def test_wrong_bytes_in_a_zip_are_right_but_for_the_hash(self, proxy: ModuleProxy, project: Path) -> None:
        proxy.fault("*", Fault.WRONG_BYTES)
        (project / "go.sum").write_text("")
        built = run_go(project, proxy.url, "build", "-mod=mod", "./...")
        assert built.returncode == 0, built.stderr

    @pytest.mark.parametrize(
        ("fault", "complaint"),
        [
            (Fault.NOT_FOUND, "404 Not Found"),
            (Fault.GONE, "410 Gone"),
            (Fault.FORBIDDEN, "403 Forbidden"),
            (Fault.TOO_MANY, "429 Too Many Requests"),
            (Fault.SERVER_ERROR, "500 Internal Server Error"),
            (Fault.BAD_GATEWAY, "502 Bad Gateway"),
            (Fault.UNAVAILABLE, "503 Service Unavailable"),
            (Fault.RESET, "connection reset by peer"),
            (Fault.CLOSED_EARLY, "EOF"),
            (Fault.HALF_BODY, "unexpected EOF"),
            (Fault.HALF_BODY_WITHOUT_LENGTH, "not a valid zip file"),
            (Fault.HALF_BODY_IN_CHUNKS, "unexpected EOF"),
            (Fault.HTML, "not a valid zip file"),
            (Fault.REDIRECT_LOOP, "stopped after 10 redirects"),
        ],
        ids=lambda value: value.name if isinstance(value, Fault) else "",
    )
    def test_go_complains_as_in_the_field(
        self, proxy: ModuleProxy, project: Path, fault: Fault, complaint: str
    ) -> None:
        proxy.fault("*/leaf/@v/*.zip", fault)
        done = run_go(project, proxy.url, "mod", "download")
        assert done.returncode == 1
        assert complaint in done.stderr


class TestModules:
    def test_bytes_are_the_same_every_time(self) -> None:
        again = FakeModule(LEAF.path, LEAF.version, padding=LEAF.padding)
        assert again == LEAF
        assert hash(again) == hash(LEAF)
        assert layout([again]) == layout([LEAF])

    def test_padding_does_not_compress_and_differs_by_path(self) -> None:
        other = FakeModule("example.com/other", "v0.3.0", padding=LEAF.padding)
        assert len(LEAF.zip) > LEAF.padding
        assert other.zip[-LEAF.padding :] != LEAF.zip[-LEAF.padding :]

    def test_upper_case_is_escaped(self) -> None:
        assert escape("github.com/BurntSushi") == "github.com/!burnt!sushi"
        assert "github.com/!burnt!sushi/!t!o!m!l/@v/v1.0.0-!r!c1.mod" in layout(GRAPH)

    def test_files_may_be_given(self) -> None:
        module = FakeModule("example.com/given", "v1.0.0", files={"LICENSE": b"free", "sub/a.go": "package sub\n"})
        assert not module.says_hello
        with zipfile.ZipFile(io.BytesIO(module.zip)) as archive:
            names = [name.removeprefix("example.com/given@v1.0.0/") for name in archive.namelist()]
        assert names == ["LICENSE", "go.mod", "sub/a.go"]


class TestAnswers:
    def test_the_record_has_range_and_authorization(self, proxy: ModuleProxy) -> None:
        fetch(proxy, "github.com/%21burnt%21sushi/a", Range="bytes=1-", Authorization="Basic eA==")
        assert proxy.requests == [Request("github.com/!burnt!sushi/a", 404, "bytes=1-", "Basic eA==")]
        proxy.clear()
        assert proxy.paths() == []

    def test_a_connection_is_kept(self, proxy: ModuleProxy) -> None:
        connection = connect(proxy)
        connection.request("GET", f"/{ZIP}")
        assert connection.getresponse().read() == LEAF.zip
        kept = connection.sock
        connection.request("GET", "/sumdb/sum.golang.org/supported")
        assert connection.getresponse().read().startswith(b"not found")
        assert connection.sock is kept
        connection.close()

    def test_a_range_is_answered_in_part(self, proxy: ModuleProxy) -> None:
        part = fetch(proxy, Range="bytes=100-")
        assert (part.status_code, part.content) == (206, LEAF.zip[100:])
        assert part.headers["Content-Range"] == f"bytes 100-{len(LEAF.zip) - 1}/{len(LEAF.zip)}"
        assert fetch(proxy, Range="bytes=0-0").content == LEAF.zip[:1]
        assert fetch(proxy, Range=f"bytes={len(LEAF.zip)}-").status_code == 416

    def test_files_can_be_added_and_removed(self, proxy: ModuleProxy) -> None:
        proxy.files["extra"] = b"more"
        del proxy.files[ZIP]
        assert fetch(proxy, "extra").content == b"more"
        assert fetch(proxy).status_code == 404

    def test_credentials_are_asked_for(self) -> None:
        with ModuleProxy(GRAPH, credentials=("ci", "p@ss:word")) as proxy:
            refused = fetch(proxy)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].startswith("Basic ")
            url = f"{proxy.url_with('ci', 'p@ss:word')}/{ZIP}"
            assert requests.get(url, timeout=60).status_code == 200
            expected = "Basic " + base64.b64encode(b"ci:p@ss:word").decode()
            assert [(r.status_or_fault, r.authorization) for r in proxy.requests] == [(401, None), (200, expected)]

    def test_tls_and_rates(self, tmp_path: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        with ModuleProxy(GRAPH, rate=1e6, link_rate=1e6, tls=server_tls(authority)) as proxy:
            trusted = ssl.create_default_context(cafile=tmp_path / "authority.pem")
            began = time.monotonic()
            with urllib.request.urlopen(f"{proxy.url}/{ZIP}", context=trusted, timeout=60) as answer:
                assert answer.read() == LEAF.zip
            assert time.monotonic() - began >= len(LEAF.zip) / 1e6

    def test_latency_delays_but_does_not_queue(self) -> None:
        with ModuleProxy(GRAPH, latency=0.1) as proxy:
            began = time.monotonic()
            assert fetch(proxy).content == LEAF.zip
            assert time.monotonic() - began >= 0.1
            proxy.latency = 60
            connections = [connect(proxy) for _ in range(8)]
            for connection in connections:
                connection.request("GET", f"/{ZIP}")
            wait_until(lambda: len(proxy.requests) == 9, "all requests, though none is answered")
        for connection in connections:
            connection.close()


class TestFaults:
    @pytest.mark.parametrize("fault", [f for f in Fault if isinstance(f.value, int)], ids=lambda f: f.name)
    def test_statuses(self, proxy: ModuleProxy, fault: Fault) -> None:
        proxy.fault("*.zip", fault)
        answer = fetch(proxy)
        assert answer.status_code == fault.value
        assert answer.headers.get("Retry-After") == ("0" if fault in (Fault.TOO_MANY, Fault.UNAVAILABLE) else None)
        assert proxy.requests[0].status_or_fault is fault

    def test_retry_after_can_be_set(self, proxy: ModuleProxy) -> None:
        proxy.retry_after = 7
        proxy.fault("*", Fault.TOO_MANY)
        assert fetch(proxy).headers["Retry-After"] == "7"

    def test_reset(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.RESET)
        connection = connect(proxy)
        connection.request("GET", f"/{ZIP}")
        with pytest.raises(ConnectionResetError) as caught:
            connection.getresponse()
        assert not isinstance(caught.value, http.client.RemoteDisconnected)
        connection.close()

    def test_closed_early(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.CLOSED_EARLY)
        connection = connect(proxy)
        connection.request("GET", f"/{ZIP}")
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
        connection.close()

    def test_half_body(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.HALF_BODY)
        connection = connect(proxy)
        connection.request("GET", f"/{ZIP}")
        with pytest.raises(http.client.IncompleteRead) as caught:
            connection.getresponse().read()
        assert caught.value.partial == LEAF.zip[: len(LEAF.zip) // 2]
        connection.close()

    def test_half_body_of_a_part(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.HALF_BODY, times=1)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            fetch(proxy, Range="bytes=1000-")
        assert fetch(proxy, Range="bytes=1000-").content == LEAF.zip[1000:]

    def test_half_body_without_length(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.HALF_BODY_WITHOUT_LENGTH)
        answer = fetch(proxy)
        assert (answer.status_code, answer.content) == (200, LEAF.zip[: len(LEAF.zip) // 2])
        assert "Content-Length" not in answer.headers

    def test_wrong_bytes(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.WRONG_BYTES)
        for path, right in layout(GRAPH).items():
            answer = fetch(proxy, path)
            assert answer.status_code == 200
            assert answer.content != right
        with zipfile.ZipFile(io.BytesIO(fetch(proxy).content)) as wrong:
            assert wrong.testzip() is None
            assert wrong.namelist() == list(LEAF.contents)
            changed = [name for name, content in LEAF.contents.items() if wrong.read(name) != content]
        assert changed == ["example.com/leaf@v0.3.0/leaf.go"]

    def test_html(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.HTML)
        answer = fetch(proxy)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "<html>" in answer.text

    def test_stall_before_headers(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.STALL_BEFORE_HEADERS)
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(f"{proxy.url}/{ZIP}", timeout=0.3)

    def test_stall_in_body(self, proxy: ModuleProxy) -> None:
        proxy.fault("*", Fault.STALL_IN_BODY)
        half = len(LEAF.zip) // 2
        connection = connect(proxy)
        connection.request("GET", f"/{ZIP}")
        answer = connection.getresponse()
        assert answer.headers["Content-Length"] == str(len(LEAF.zip))
        assert answer.read(half) == LEAF.zip[:half]
        connection.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            answer.read(1)
        connection.close()

    def test_slow_drip(self, proxy: ModuleProxy) -> None:
        proxy.drip = 0.05
        proxy.files["short"] = b"drip"
        proxy.fault("*", Fault.SLOW_DRIP)
        began = time.monotonic()
        assert fetch(proxy, "short").content == b"drip"
        assert time.monotonic() - began >= 4 * 0.05

    def test_redirect_loop(self, proxy: ModuleProxy) -> None:
        path = "github.com/!burnt!sushi/!t!o!m!l/@v/v1.0.0-!r!c1.zip"
        proxy.fault("*", Fault.REDIRECT_LOOP)
        with pytest.raises(requests.exceptions.TooManyRedirects):
            requests.get(f"{proxy.url}/{path}", timeout=60)
        assert set(proxy.paths()) == {path}

    def test_the_first_rule_with_times_left_applies(self, proxy: ModuleProxy) -> None:
        proxy.fault("*/leaf/@v/*.zip", Fault.BAD_GATEWAY, times=2)
        proxy.fault("*.zip", Fault.GONE, times=1)
        assert [fetch(proxy).status_code for _ in range(4)] == [502, 502, 410, 200]
        assert fetch(proxy, "example.com/leaf/@v/v0.3.0.mod").status_code == 200

    def test_a_rule_can_pick_requests_by_their_number(self, proxy: ModuleProxy) -> None:
        proxy.fault("*.zip", Fault.GONE, picks=lambda number: number % 2 == 0)
        assert [fetch(proxy).status_code for _ in range(4)] == [200, 410, 200, 410]

    def test_random_faults_repeat_with_the_seed(self) -> None:
        def statuses(seed: int) -> list[int]:
            with ModuleProxy(GRAPH) as proxy:
                proxy.random_faults(0.3, seed, [Fault.SERVER_ERROR, Fault.GONE])
                return [fetch(proxy).status_code for _ in range(60)]

        first = statuses(1)
        assert first == statuses(1)
        assert first != statuses(2)
        assert 6 <= 60 - first.count(200) <= 30


class TestClosing:
    @pytest.mark.parametrize("fault", [Fault.STALL_BEFORE_HEADERS, Fault.STALL_IN_BODY, Fault.SLOW_DRIP, None], ids=str)
    def test_it_breaks_off_open_connections(self, fault: Fault | None) -> None:
        with ModuleProxy(GRAPH) as proxy:
            if fault:
                proxy.fault("*", fault)
            connections = [connect(proxy) for _ in range(5)]
            for connection in connections:
                connection.request("GET", f"/{ZIP}")
            wait_until(lambda: len(proxy.requests) >= 5, "all five requests")
            began = time.monotonic()
        assert time.monotonic() - began < AT_ONCE
        for connection in connections:
            connection.close()

    def test_it_does_not_wait_for_a_client_that_does_not_read(self) -> None:
        with ModuleProxy() as proxy:
            proxy.files["huge"] = bytes(30_000_000)
            connection = connect(proxy)
            connection.request("GET", "/huge")
            wait_until(lambda: proxy.requests, "the request")
            began = time.monotonic()
        assert time.monotonic() - began < AT_ONCE
        connection.close()

    def test_afterwards_connections_are_refused(self) -> None:
        with ModuleProxy() as proxy:
            pass
        proxy.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=60)

    def test_a_proxy_never_started_needs_no_closing(self) -> None:
        ModuleProxy(GRAPH).close()


class TestLimit:
    def test_so_many_requests_at_once_and_then_per_second(self) -> None:
        clock = Clock()
        limit = RequestLimit(5, clock=clock)

        def taken(requests: int) -> int:
            return sum(limit.refusal() is None for _ in range(requests))

        assert taken(20) == 5
        clock.now += 0.5
        assert taken(20) == 2
        clock.now += 60
        assert taken(20) == 5

    @pytest.mark.parametrize(("retry_after", "header"), [(True, "1"), (False, None)])
    def test_refusal(self, proxy: ModuleProxy, *, retry_after: bool, header: str | None) -> None:
        proxy.limit = RequestLimit(1, retry_after=retry_after, clock=Clock())
        assert fetch(proxy).status_code == 200
        refused = fetch(proxy)
        assert (refused.status_code, refused.headers.get("Retry-After")) == (429, header)
        assert [request.status_or_fault for request in proxy.requests] == [200, 429]
