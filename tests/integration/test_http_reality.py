"""HTTP as it is found in the field: middleboxes, odd servers, redirects, logins; each with a real server."""

from __future__ import annotations

import base64
import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from go_prefetch.base.retry import AttemptError, Cause
from go_prefetch.web.dns import Resolver
from go_prefetch.web.http_settings import HttpSettings
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.fakes.tls import server_tls, trusting
from tests.support.transferring import received
from tests.support.workbench import Workbench

BODY = b'{"Version":"v1.0.0"}' * 500
CHUNK = b"%x;a=b\r\n" % len(BODY) + BODY + b"\r\n"
LIB = FakeModule("example.com/lib", "v1.2.3", padding=20_000)
OTHER = FakeModule("example.com/other", "v1.0.0")
MODULES = (LIB, OTHER)
AUTHORITY = trustme.CA()


def says(*parts: bytes) -> Respond:
    def respond(request: RawRequest, line: Line) -> None:
        for part in parts:
            line.say(part)

    return respond


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The certificate of the authority that vouches for the test's servers."""
    path = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return path


@pytest.mark.parametrize(
    ("whole", "why"),
    [
        (answer(gzip.compress(BODY), Content_Encoding="gzip"), "gzip, though none was asked for"),
        (answer(gzip.compress(BODY), Content_Encoding="X-GZIP"), "its old name"),
        (answer(BODY, Content_Encoding="identity"), "identity"),
        (answer(BODY, version="1.0"), "HTTP/1.0 with a length"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, "HTTP/1.0 to the end of the connection"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY, "no length"),
        (b"HTTP/1.1 200\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY, "no reason"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(BODY), "an interim answer first"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + answer(BODY), "hints first"),
        (b"HTTP/1.1 102 Processing\r\nTransfer-Encoding: chunked\r\n\r\n" + answer(BODY), "another that ends nothing"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + b"0\r\n\r\n", "chunked"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_odd_and_right_answers_are_understood(tmp_path: Path, whole: bytes, why: str) -> None:
    with RawServer(says(whole)) as server:
        received(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"blocked by policy:\n\t\x1b[31mCVE-1\n", "text/plain; charset=utf-8", ": blocked by policy: \x1b[31mCVE-1"),
        (b'{"error": "quota"}', "application/json", ': {"error": "quota"}'),
        (b"<html>Sign in</html>", "text/html", ""),
        (b"\xff" * 4000, "text/plain", ": " + "\N{REPLACEMENT CHARACTER}" * 300 + "..."),
        (b"", "text/plain", ""),
    ],
)
def test_refusal_has_the_words_of_the_server(tmp_path: Path, content: bytes, kind: str, words: str) -> None:
    """As Go shows them: one line, of text only. Control characters are removed where it is printed."""
    whole = answer(content, status="403 Forbidden", Content_Type=kind)
    with RawServer(says(whole)) as server, pytest.raises(AttemptError) as caught:
        received(server.url, tmp_path / "file")
    assert (str(caught.value), caught.value.status) == (f"403 Forbidden{words}", 403)


def test_refusal_with_silent_words_is_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are worth two seconds, not the limit for silence of a file."""
    monkeypatch.setattr("go_prefetch.web.transfer._WORDS_SECONDS", 0.1)

    def respond(request: RawRequest, line: Line) -> None:
        line.say(answer(b"", status="403 Forbidden", length=9, Content_Type="text/plain"))
        line.wait()

    with RawServer(respond) as server, pytest.raises(AttemptError, match=r"403 Forbidden$"):
        received(server.url, tmp_path / "file")


@pytest.mark.parametrize(
    ("content", "transient"),
    [(b"not found: x: fetch timed out", True), (b"not found: x: no such revision", False)],
)
def test_refusal_for_want_of_time_may_pass(tmp_path: Path, content: bytes, transient: bool) -> None:
    """proxy.golang.org answers 404 where an origin is slow, and has the module a little later."""
    whole = answer(content, status="404 Not Found", Content_Type="text/plain")
    with RawServer(says(whole)) as server, pytest.raises(AttemptError) as caught:
        received(server.url, tmp_path / "file")
    assert (caught.value.not_found, caught.value.transient) == (True, transient)


def test_server_without_a_tls_handshake_is_connected(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(AttemptError) as caught:
        received(f"https://127.0.0.1:{server.getsockname()[1]}/x", tmp_path / "file", connect=0.3)
    assert caught.value.cause is Cause.HANDSHAKE
    assert "connected" in str(caught.value)


def test_untrusted_certificate_is_the_cause(tmp_path: Path) -> None:
    with RawServer(says(answer(BODY)), tls=server_tls(AUTHORITY)) as server, pytest.raises(AttemptError) as caught:
        received(server.url, tmp_path / "file")
    assert caught.value.cause is Cause.CERTIFICATE
    assert not caught.value.transient


@pytest.mark.parametrize(
    ("error", "cause"), [(socket.EAI_NONAME, Cause.NO_SUCH_HOST), (socket.EAI_AGAIN, Cause.NO_NAME_SERVER)]
)
def test_name_without_an_address_is_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, cause: Cause
) -> None:
    def look_up(*arguments: object) -> None:
        raise socket.gaierror(error, "no")

    monkeypatch.setattr(Resolver.__init__, "__defaults__", (look_up, 60.0))
    with pytest.raises(AttemptError) as caught:
        received("http://proxy.test/x", tmp_path / "file")
    assert caught.value.cause is cause


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (answer(BODY, length=len(BODY) + 1), "closed after"),
        (answer(gzip.compress(BODY)[:-9], Content_Encoding="gzip"), "gzip"),
        (answer(BODY, Content_Encoding="gzip"), "not the gzip it says it is"),
        (answer(gzip.compress(b"0" * (80 << 20), 1), Content_Encoding="gzip"), "more than"),
        (answer(BODY, Content_Encoding="br"), "an encoding that was not asked for"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx", "."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxx", "."),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n", "100 headers"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "."),
        (b"", "."),
    ],
    ids=["length too long", "gzip cut short", "no gzip", "a bomb", "brotli", "two lengths", "no chunk", "half a chunk",
         "a long header", "many headers", "another protocol", "nothing"],
)  # fmt: skip
def test_wrong_answers_are_errors_of_the_attempt(tmp_path: Path, whole: bytes, words: str) -> None:
    """Told in words, never as a file and never as a traceback."""
    with RawServer(says(whole)) as server, pytest.raises(AttemptError, match=words):
        received(server.url, tmp_path / "file")


def test_more_bytes_than_promised_do_not_reach_the_next_answer(bench: Workbench) -> None:
    """Content-Length too small, the connection kept: the rest is not taken for the beginning of the next file."""
    bench.write_project(MODULES)
    files = ModuleProxy(MODULES).files

    def respond(request: RawRequest, line: Line) -> None:
        path = request.target.lstrip("/")
        too_little = path.endswith("lib/@v/v1.2.3.zip") and server.targets.count(request.target) == 1
        line.say(answer(files[path], length=len(files[path]) - 1000 if too_little else None))

    with RawServer(respond, keeps_alive=True) as server:
        result = bench.prefetch("--jobs", "1", goproxy=server.url)
    assert result.status == 0, result.text
    assert {name: (bench.pool / name).read_bytes() for name in bench.module_files(bench.pool)} == files


@pytest.mark.parametrize("attempts", ["1", "4"])
def test_kept_connection_that_was_closed_is_replaced(bench: Workbench, attempts: str) -> None:
    """A server may close a connection at the moment of the next request. net/http asks again too."""
    bench.write_project(MODULES)
    files = ModuleProxy(MODULES).files
    served: set[int] = set()

    def respond(request: RawRequest, line: Line) -> None:
        if line.number in served:
            raise ConnectionError
        served.add(line.number)
        line.say(answer(files[request.target.lstrip("/")]))

    with RawServer(respond, keeps_alive=True) as server:
        result = bench.prefetch("--jobs", "1", "--attempts", attempts, goproxy=server.url)
    assert result.status == 0, result.text
    assert len(server.requests) > len(files)
    assert [source["failed_attempts"] for source in bench.report["download"]["sources"]] == [0]


def test_new_connection_that_closes_is_an_attempt(tmp_path: Path) -> None:
    with RawServer(says()) as server, pytest.raises(AttemptError) as raised:
        received(server.url, tmp_path / "file")
    assert (raised.value.kind, len(server.requests)) == ("lost", 1)


def test_a_certificate_of_ones_own_authority(bench: Workbench, bundle: Path, tmp_path: Path) -> None:
    """SSL_CERT_FILE as for Go, REQUESTS_CA_BUNDLE as for requests; without either the proxy is not believed."""
    bench.write_project(MODULES)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        bench.environ.pop(name, None)
    with ModuleProxy(MODULES, tls=server_tls(AUTHORITY)) as server:
        report = ("--report-file", str(bench.report_file))
        refused = bench.run("fill", str(tmp_path / "none"), "--attempts", "1", *report, GOPROXY=server.url)
        assert refused.status == 5
        attempts = [attempt for failure in bench.report["download"]["failures"] for attempt in failure["attempts"]]
        assert "certificate verify failed" in attempts[0]
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            filled = bench.run("fill", str(tmp_path / variable), GOPROXY=server.url, **{variable: str(bundle)})
            assert filled.status == 0, filled.text
        assert bench.prefetch(goproxy=server.url, SSL_CERT_FILE=str(bundle)).status == 0


def test_a_bundle_that_is_not_there_is_named(bench: Workbench, tmp_path: Path) -> None:
    """Go gets along without REQUESTS_CA_BUNDLE, so the run does; what we could not do is told."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url, REQUESTS_CA_BUNDLE=str(tmp_path / "none.pem"))
    assert "Traceback" not in result.stderr
    assert result.status == 0, result.text


@pytest.mark.parametrize("way", ["netrc", "URL"])
def test_a_login_is_used_and_what_it_brought_is_not_saved(bench: Workbench, bundle: Path, way: str) -> None:
    """netrc over https, or user and password in the URL: the proxy serves us, the shared pool goes without."""
    bench.write_project(MODULES)
    netrc = bench.folder / "home" / ".netrc"
    with ModuleProxy(MODULES, credentials=("me", "se cret"), tls=server_tls(AUTHORITY)) as server:
        if way == "netrc":
            netrc.write_text("machine 127.0.0.1 login me password secret\n")
            server.credentials = ("me", "secret")
        url = server.url if way == "netrc" else server.url.replace("https://", "https://me:se%20cret@")
        result = bench.prefetch(goproxy=url, SSL_CERT_FILE=str(bundle))
        assert result.status == 0, result.text
    assert bench.outputs["bytes-downloaded"] != "0"
    assert bench.module_files(bench.pool) == set()
    assert "se cret" not in result.text
    assert "secret" not in result.text


@pytest.mark.parametrize("way", ["GOAUTH", "netrc", "URL"])
def test_what_go_fetched_with_a_login_is_not_saved(bench: Workbench, bundle: Path, way: str) -> None:
    """A login that only Go has, or a proxy that was well for Go alone: what came from there stays out of the pool."""
    bench.write_project(MODULES)
    files = ModuleProxy(MODULES).files
    basic = f"Basic {base64.b64encode(b'me:secret').decode()}"

    def respond(request: RawRequest, line: Line) -> None:
        if request.headers["User-Agent"].startswith("go-prefetch"):
            line.say(answer(b"", status="503 Not For You"))
        elif request.headers["Authorization"] == basic:
            line.say(answer(files[request.target.lstrip("/")]))
        else:
            line.say(answer(b"who?\n", status="401 Unauthorized", WWW_Authenticate='Basic realm="modules"'))

    with RawServer(respond, tls=server_tls(AUTHORITY)) as server:
        script = bench.folder / "login"
        script.write_text(f"#!/bin/sh\nprintf '{server.url}\\n\\nAuthorization: {basic}\\n\\n'\n")
        script.chmod(0o755)
        if way == "netrc":
            (bench.folder / "home" / ".netrc").write_text(f"machine 127.0.0.1:{server.port} login me password secret\n")
        variables = {"SSL_CERT_FILE": str(bundle)} | ({"GOAUTH": str(script)} if way == "GOAUTH" else {})
        url = server.url.replace("://", "://me:secret@") if way == "URL" else server.url
        result = bench.prefetch("--attempts", "1", goproxy=url, **variables)
        assert result.status == 0, result.text
        assert bench.report["complete"]["files_by_go"] == len(bench.module_files(bench.download_folder)) == 6
        assert bench.module_files(bench.pool) == set()
        if way == "GOAUTH":  # and the others alike
            bench.forget_modcache()
            assert bench.prefetch("--attempts", "1", "--save-private", "true", goproxy=url, **variables).status == 0
            assert len(bench.module_files(bench.pool)) == 6


@pytest.mark.parametrize("login", ["me:pässword", "мы:секрет", "me:"], ids=["Latin-1", "Cyrillic", "no password"])
def test_a_login_is_sent_in_utf_8(tmp_path: Path, login: str) -> None:
    """As by Go, to a server and to an HTTP proxy; also a login that Latin-1 has no letters for."""
    written = ":".join(map(quote, login.split(":")))
    user, _, password = login.partition(":")
    with ModuleProxy(credentials=(user, password)) as server:
        server.files["file"] = BODY
        received(server.url.replace("://", f"://{written}@") + "/file", tmp_path / "file")
    with RawServer(says(answer(BODY))) as proxy:
        web = HttpSettings(http_proxy=proxy.url.replace("://", f"://{written}@"))
        received("http://modules.test/file", tmp_path / "file", web=web)
        sent = proxy.requests[0].headers["Proxy-Authorization"]
    assert sent == f"Basic {base64.b64encode(login.encode()).decode()}"


@pytest.mark.parametrize("via", ["http", "https"])
def test_an_http_proxy_is_gone_through(tmp_path: Path, bundle: Path, via: str) -> None:
    """HTTP_PROXY gets the whole URL, HTTPS_PROXY a CONNECT; the names are the proxy's to look up."""

    def respond(request: RawRequest, line: Line) -> None:
        if request.method == "CONNECT":
            line.say(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        else:
            line.say(answer(BODY))

    with RawServer(respond) as server:
        web = trusting(bundle, http_proxy=server.url, https_proxy=server.url)
        if via == "http":
            received("http://modules.test/file", tmp_path / "file", web=web)
            assert server.targets == ["http://modules.test/file"]
        else:
            with pytest.raises(AttemptError, match=r"HTTP proxy: .*403"):
                received("https://modules.test/file", tmp_path / "file", web=web)
            assert server.targets == ["modules.test:443"]


def test_loopback_and_no_proxy_go_direct(bench: Workbench) -> None:
    """As for Go: a proxy on loopback is reached directly, whatever HTTP_PROXY says."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch(goproxy=proxy.url, HTTP_PROXY="http://192.0.2.1:9", http_proxy="http://192.0.2.1:9")
        assert result.status == 0, result.text
        assert sorted(proxy.paths()) == sorted(proxy.files)


def test_redirects_are_followed_and_logins_stay_behind(tmp_path: Path, bundle: Path) -> None:
    """To another host, as large proxies send zips to object storage: no login is for that host, and it counts still."""
    with RawServer(says(answer(BODY)), tls=server_tls(AUTHORITY)) as storage:
        moved = answer(b"", status="302 Found", Location=f"{storage.url}/object?signature=1")
        with RawServer(lambda request, line: line.say(moved), tls=server_tls(AUTHORITY)) as server:
            netrc = tmp_path / "netrc"
            netrc.write_text("machine 127.0.0.1 login me password secret")
            url = server.url.replace("https://", "https://me:secret@")
            assert received(f"{url}/file", tmp_path / "file", web=trusting(bundle)).has_login
            by_netrc = trusting(bundle, netrc=netrc)
            assert received(f"{server.url}/file", tmp_path / "file", web=by_netrc).has_login
            assert not received(f"{server.url}/file", tmp_path / "file", web=trusting(bundle)).has_login
            assert [bool(request.headers["Authorization"]) for request in server.requests] == [True, True, False]
            moved = moved.replace(b"https://127", b"https://other:login@127")
            assert received(f"{url}/file", tmp_path / "file", web=by_netrc).has_login
        assert storage.targets == ["/object?signature=1"] * 4
        assert [request.headers["Authorization"] for request in storage.requests] == [None] * 4
    assert (tmp_path / "file").read_bytes() == BODY


def test_no_redirect_leads_from_https_to_http(tmp_path: Path, bundle: Path) -> None:
    with RawServer(says(answer(BODY))) as plain:
        moved = answer(b"", status="302 Found", Location=plain.url)
        with (
            RawServer(says(moved), tls=server_tls(AUTHORITY)) as server,
            pytest.raises(AttemptError, match="redirected from https to http"),
        ):
            received(server.url, tmp_path / "file", web=trusting(bundle))
        assert plain.requests == []


@pytest.mark.system
def test_redirect_from_internet_to_private_address_is_refused(tmp_path: Path) -> None:
    """A public proxy may not send us to what only this machine can reach: in a network of its own, where 1.2.3.4 is."""
    script = tmp_path / "inside.py"
    script.write_text(INSIDE)
    done = subprocess.run(
        ["unshare", "--net", sys.executable, str(script), str(tmp_path)], cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "redirected from a public to a private address",
        "requests at the private address: 0",
        "between private addresses: 10 bytes",
    ], done.stderr


INSIDE = """
import subprocess, sys
from pathlib import Path

for command in ("ip link set lo up", "ip address add 1.2.3.4/32 dev lo"):
    subprocess.run(command.split(), check=True)

from go_prefetch.base.retry import AttemptError
from tests.support.fakes.raw_server import RawServer, answer
from tests.support.transferring import received

target = Path(sys.argv[1], "file")
with RawServer(lambda request, line: line.say(answer(b"metadata!!"))) as inner:
    moved = answer(b"", status="302 Found", Location=inner.url)
    with RawServer(lambda request, line: line.say(moved), address="1.2.3.4") as outer:
        try:
            received(f"http://1.2.3.4:{outer.port}/file", target)
        except AttemptError as error:
            print(error)
    print("requests at the private address:", len(inner.requests))
    with RawServer(lambda request, line: line.say(moved)) as outer:
        print("between private addresses:", received(outer.url, target).bytes, "bytes")
"""
