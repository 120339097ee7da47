"""Whole jobs over a pool on an HTTP server."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
import trustme

from tests.support.fakes.answers import Answer, Delivery
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, layout
from tests.support.fakes.object_server import ObjectRequest, ObjectServer
from tests.support.fakes.raw_server import Line, RawRequest, RawServer
from tests.support.fakes.tls import server_tls
from tests.support.servers.seaweedfs import SeaweedFS
from tests.support.servers.webdav import Apache, Nginx
from tests.support.workbench import Result, Workbench

# Enough for a bundle.
MODULES = tuple(FakeModule(f"example.com/lib{number}", "v1.0.0") for number in range(9))
INCOMPATIBLE = FakeModule("example.com/Old", "v2.0.0+incompatible")
OTHER = FakeModule("example.com/other", "v1.0.0")
LIB = "pool/example.com/lib0/@v/v1.0.0"
LOGIN = "t0ken-of-the-pool"


def run(bench: Workbench, url: str, proxy: ModuleProxy, *arguments: str, **variables: str) -> Result:
    """A run of a job with an empty module cache that may save."""
    bench.forget_modcache()
    proxy.clear()
    given = ("--store", url, "--save", "true", "--report-file", str(bench.report_file), *arguments)
    done = bench.quickly("run", *given, GOPROXY=proxy.url, **variables)
    assert done.status == 0, done.text
    assert bench.go("mod", "verify").status == 0
    return done


def modules_in(server: ObjectServer) -> dict[str, bytes]:
    return {name.removeprefix("pool/"): data for name, data in server.objects.items() if "/.go-prefetch/" not in name}


@pytest.mark.parametrize("speaks_dav", [False, True])
def test_pool_is_filled_and_then_has_every_file(bench: Workbench, tmp_path: Path, *, speaks_dav: bool) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    bench.write_project(MODULES)
    with ObjectServer(tls=server_tls(authority)) as server, ModuleProxy(MODULES) as proxy:
        server.login, server.speaks_dav = f"Bearer {LOGIN}", speaks_dav
        given = {"GO_PREFETCH_STORE_LOGIN": LOGIN, "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem")}
        run(bench, f"{server.url}/pool", proxy, **given)
        assert bench.outputs["cache-result"] == "miss"
        assert bench.warnings == []
        assert modules_in(server).keys() == layout(MODULES).keys()
        server.requests.clear()
        run(bench, f"{server.url}/pool", proxy, **given)
        assert bench.outputs["cache-result"] == "exact"
        assert proxy.paths() == []
        assert server.asked("PUT") == []
        assert not any(path.endswith((".mod", ".info")) for path in server.asked("GET"))
        assert LOGIN not in bench.report_file.read_text()


@pytest.mark.parametrize(
    ("variables", "saves"),
    [
        ({}, False),
        ({"GO_PREFETCH_STORE_LOGIN": LOGIN}, True),
        ({"CI": "woodpecker", "GO_PREFETCH_STORE_LOGIN": LOGIN}, False),
        ({"CI": "true", "CI_JOB_ID": "1", "CI_PROJECT_DIR": "/builds", "CI_COMMIT_REF_PROTECTED": "true"}, True),
        ({"CI": "true", "CI_JOB_ID": "1", "CI_PROJECT_DIR": "/builds", "CI_MERGE_REQUEST_IID": "7"}, False),
    ],
)
def test_pool_gets_files_of_merged_code_only(bench: Workbench, variables: dict[str, str], *, saves: bool) -> None:
    """With `save: auto`, and outside of CI from machines that have a login."""
    bench.write_project(MODULES[:1])
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        run(bench, f"{server.url}/pool", proxy, "--save", "auto", **variables)
        assert bench.outputs["cache-result"] == "miss"
        assert bench.warnings == []
        assert bool(server.objects) == saves
        assert bool(server.asked("PUT")) == saves


def half(_: str, content: bytes) -> bytes:
    return content[: len(content) // 2]


def page(_: str, content: bytes) -> bytes:
    return b"<html>Please sign in</html>"


def archive(_: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w"):
        pass
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("zip", half),
        ("zip", damaged),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in [("mod", page), ("info", archive), ("mod", damaged)]),
    ],
)
def test_wrong_object_is_replaced(bench: Workbench, kind: str, spoil: Callable[[str, bytes], bytes]) -> None:
    """Some are found by their structure, others by Go."""
    bench.write_project(MODULES[:4])
    name = f"{LIB}.{kind}"
    with ObjectServer() as server, ModuleProxy(MODULES[:4]) as proxy:
        run(bench, f"{server.url}/pool", proxy)
        right = server.objects[name]
        server.objects[name] = spoil(name, right)
        run(bench, f"{server.url}/pool", proxy)
        assert server.objects[name] == right
        assert name.removeprefix("pool/") in proxy.paths()
        run(bench, f"{server.url}/pool", proxy)
        assert proxy.paths() == []


def test_login_that_expires_in_the_middle_is_a_warning(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        run(bench, f"{server.url}/pool", proxy)
        zips = [name for name in server.objects if name.endswith(".zip")]
        for name in zips[:3]:
            del server.objects[name]
        server.answers = lambda request: Answer(401) if request.path in zips[3:] or request.method == "PUT" else None
        run(bench, f"{server.url}/pool", proxy)
        assert {name.removeprefix("pool/") for name in zips} <= set(proxy.paths())
        assert bench.warnings == ["store-denied"]


def test_server_that_denies_what_it_lacks_is_filled(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        server.missing = 403
        run(bench, f"{server.url}/pool", proxy)
        assert modules_in(server).keys() == layout(MODULES).keys()
        run(bench, f"{server.url}/pool", proxy)
        assert proxy.paths() == []


def test_server_with_a_limit_is_not_waited_for(bench: Workbench) -> None:
    """The proxies have the files too."""
    bench.write_project(MODULES)
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        server.answers = lambda request: Answer(429, b"", {"Retry-After": "100"})
        run(bench, f"{server.url}/pool", proxy, "--save", "false")
        assert bench.warnings == ["store-limited"]


@pytest.mark.slow
def test_server_that_shows_new_objects_late_fails_no_job(bench: Workbench) -> None:
    """It knows at once that there is one, and says so to PUT alone."""
    bench.write_project(MODULES)
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        server.answers = lambda request: Answer(404) if request.method in ("GET", "HEAD") else None
        for _ in range(2):
            run(bench, f"{server.url}/pool", proxy)
            assert bench.warnings == []
        assert modules_in(server).keys() == layout(MODULES).keys()
        server.answers = lambda _: None
        run(bench, f"{server.url}/pool", proxy)
        assert proxy.paths() == []


@pytest.mark.slow
def test_directory_pool_behind_a_static_server_is_read(bench: Workbench) -> None:
    """Python's own server: no ranges, no connection is kept, and no PUT."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        bench.prefetch(goproxy=proxy.url)
        handler = partial(_Silent, directory=str(bench.pool))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            Thread(target=server.serve_forever, args=(0.02,)).start()
            run(bench, f"http://127.0.0.1:{server.server_port}", proxy)
            server.shutdown()
        assert proxy.paths() == []
        assert bench.outputs["cache-result"] == "exact"


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server uses
        """Say nothing."""


def test_static_server_is_read_and_not_written(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        server.objects = {f"pool/{name}": data for name, data in layout(MODULES[1:]).items()}
        server.answers = lambda request: Answer(405) if request.method not in ("GET", "HEAD") else None
        run(bench, f"{server.url}/pool", proxy)
        assert {path.partition("/@v/")[0] for path in proxy.paths()} == {MODULES[0].path}
        assert bench.warnings == ["store-unusable"]
        run(bench, f"{server.url}/pool", proxy, "--save", "false")
        assert bench.warnings == []


@pytest.mark.slow
def test_server_that_redirects_elsewhere_gets_no_login(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ObjectServer() as bucket, ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        server.redirects_to = f"http://localhost:{bucket.port}"
        server.login = f"Bearer {LOGIN}"
        bucket.objects = {f"pool/{name}": data for name, data in layout(MODULES).items()}
        run(bench, f"{server.url}/pool", proxy, GO_PREFETCH_STORE_LOGIN=LOGIN)
        assert proxy.paths() == []
        assert not any("authorization" in request.headers for request in bucket.requests)


def test_login_that_a_server_repeats_is_hidden(bench: Workbench) -> None:
    def repeat(request: ObjectRequest) -> Answer:
        return Answer(403, f"no {request.headers['authorization']}\n".encode(), {"Content-Type": "text/plain"})

    bench.write_project(MODULES)
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        server.answers = repeat
        for login in (LOGIN, f"user:{LOGIN}"):
            done = run(bench, f"{server.url}/pool", proxy, GO_PREFETCH_STORE_LOGIN=login)
            assert "store-denied" in bench.warnings
            assert LOGIN not in done.text + bench.report_file.read_text()


def endless(_: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\n\r\n")
    while not line.stopped.is_set():
        line.say(bytes(1 << 16))


def headers_without_end(_: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 200 OK\r\n")
    while not line.stopped.is_set():
        line.say(b"X: " + bytes(100) + b"\r\n")


def long_headers(_: RawRequest, line: Line) -> None:
    line.say(b'HTTP/1.1 200 OK\r\nETag: "' + b"x" * 60_000 + b'"\r\nContent-Length: 5\r\n\r\nshort')


def circle(request: RawRequest, line: Line) -> None:
    line.say(f"HTTP/1.1 302 Found\r\nLocation: {request.target}\r\nContent-Length: 0\r\n\r\n".encode())


def inwards(_: RawRequest, line: Line) -> None:
    line.say(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")


def garbage(_: RawRequest, line: Line) -> None:
    line.say(b"\x16\x03\x01 no HTTP at all\r\n\r\n")


@pytest.mark.slow
@pytest.mark.parametrize("respond", [endless, headers_without_end, long_headers, circle, inwards, garbage])
def test_hostile_server_fails_no_job(bench: Workbench, respond: Callable[[RawRequest, Line], None]) -> None:
    bench.write_project(MODULES[:2])
    with RawServer(respond) as server, ModuleProxy(MODULES[:2]) as proxy:
        run(bench, server.url, proxy, "--attempts", "1", "--restore-deadline", "1s", "--save-deadline", "1s")
        assert set(proxy.paths()) == layout(MODULES[:2]).keys()


@pytest.mark.slow
@pytest.mark.parametrize("delivery", [Delivery.SILENCE, Delivery.STUCK, Delivery.DRIP, Delivery.TRUNCATED])
def test_server_that_stalls_fails_no_job(bench: Workbench, delivery: Delivery) -> None:
    bench.write_project(MODULES[:2])
    with ObjectServer() as server, ModuleProxy(MODULES[:2]) as proxy:
        server.objects = {f"pool/{name}": data for name, data in layout(MODULES[:2]).items()}
        server.delivery, server.drip_bytes, server.drip = lambda _: delivery, 1, 0.01
        limits = ("--stall-timeout", "200ms", "--attempts", "1", "--restore-deadline", "1s", "--save", "false")
        run(bench, f"{server.url}/pool", proxy, *limits)


def test_pool_on_seaweedfs_is_read_by_plain_go(bench: Workbench, seaweedfs: SeaweedFS) -> None:
    url = seaweedfs.new_folder()
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        run(bench, url, proxy)
        run(bench, url, proxy)
        assert bench.outputs["cache-result"] == "exact"
        assert proxy.paths() == []
        bench.forget_modcache()
        done = bench.go("mod", "download", GOPROXY=f"{url},off")
        assert done.status == 0, done.text


@pytest.mark.slow
def test_public_bucket_is_read_over_http(bench: Workbench, seaweedfs: SeaweedFS) -> None:
    """Without a client for buckets and without a login, by go-prefetch and by plain Go."""
    bucket = seaweedfs.new_bucket(is_public=True)
    url = f"{seaweedfs.s3_url}/{bucket}/go"
    bench.write_project((*MODULES, INCOMPATIBLE))
    with ModuleProxy((*MODULES, INCOMPATIBLE)) as proxy:
        run(bench, seaweedfs.object_path(bucket, "go"), proxy)
        run(bench, url, proxy)
        assert bench.outputs["cache-result"] == "exact"
        assert bench.warnings == []
        bench.forget_modcache()
        done = bench.go("mod", "download", GOPROXY=f"{url},off")
        assert done.status == 0, done.text
        bench.write_project((*MODULES, OTHER))
        proxy.files |= layout([OTHER])
        run(bench, url, proxy)
        assert bench.warnings == ["store-denied"]


@pytest.mark.system
def test_pool_on_nginx_is_set_up_as_documented(bench: Workbench, tmp_path: Path) -> None:
    bench.write_project(MODULES)
    with Nginx(tmp_path / "nginx") as server, ModuleProxy(MODULES) as proxy:
        url = f"{server.url()}/go"
        run(bench, url, proxy)
        assert bench.warnings == ["store-denied"]
        run(bench, url, proxy, GO_PREFETCH_STORE_LOGIN=server.login)
        assert bench.warnings == []
        assert bench.module_files(server.root / "go") == layout(MODULES).keys()
        (server.root / "go" / f"{LIB.removeprefix('pool/')}.zip").write_bytes(b"half")
        run(bench, url, proxy, GO_PREFETCH_STORE_LOGIN=server.login)
        run(bench, url, proxy)
        assert proxy.paths() == []
        bench.forget_modcache()
        done = bench.go("mod", "download", GOPROXY=f"{url},off")
        assert done.status == 0, done.text


@pytest.mark.system
def test_pool_on_apache_gets_files_by_renaming(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with (
        TemporaryDirectory() as folder,  # in reach of every user
        Apache(Path(folder)) as server,
        ModuleProxy(MODULES) as proxy,
    ):
        Path(folder).chmod(0o755)
        url = f"{server.url()}/pools/go"
        run(bench, url, proxy)
        assert bench.warnings == []
        pool = server.root / "pools" / "go"
        assert bench.module_files(pool) == layout(MODULES).keys()
        (pool / f"{LIB.removeprefix('pool/')}.zip").write_bytes(b"half")
        run(bench, url, proxy)
        run(bench, url, proxy)
        assert proxy.paths() == []
        assert list(pool.rglob("*.tmp")) == []
