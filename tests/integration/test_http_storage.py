"""A storage of objects on an HTTP server: what it asks, and what the answers mean."""

from __future__ import annotations

import io
from base64 import b64encode
from pathlib import Path

import pytest
import trustme

from go_prefetch.base.retry import Backoff, Deadline
from go_prefetch.stores.objects.http_server import HttpServer
from go_prefetch.stores.objects.port import ObjectError, Trouble
from go_prefetch.web.certificate_places import Certificates
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from go_prefetch.web.later_parts import CAN_WRITE_ANYWHERE, LEAST_BYTES
from tests.support.fakes.answers import Answer, Delivery
from tests.support.fakes.dead_port import dead_port
from tests.support.fakes.object_server import ObjectServer, basic
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, answer
from tests.support.fakes.tls import server_tls

NAME = "github.com/!burnt!sushi/toml/@v/v1.4.0.zip"
ODD = "example.com/a~b/c_d.e-f/@v/v2.0.0+incompatible.mod"
CONTENT = bytes(range(256)) * 40
SOON = Deadline()
PATIENT = Timeouts(5.0, 15.0, 0.0)


def storage(url: str, *, login: str = "", timeouts: Timeouts = PATIENT, attempts: int = 3) -> HttpServer:
    """The storage below `url`, with short waits between attempts."""
    return storage_of(HttpSettings(), url, login=login, timeouts=timeouts, attempts=attempts)


def storage_of(
    web: HttpSettings, url: str, *, login: str = "", timeouts: Timeouts = PATIENT, attempts: int = 3
) -> HttpServer:
    """The same, with settings of the environment."""
    client = HttpClient(timeouts, web=web.for_server(url, login))
    return HttpServer(url, client, Backoff(attempts, first=0.0))


def put(store: HttpServer, name: str = NAME, content: bytes = CONTENT, *, replaces: bool = False) -> bool:
    return store.put(name, io.BytesIO(content), SOON, replaces=replaces)


def got(store: HttpServer, name: str = NAME, most: int = 1 << 30) -> bytes:
    out = io.BytesIO()
    assert store.get(name, out, most, SOON) == len(out.getvalue())
    return out.getvalue()


def trouble_of(store: HttpServer, deadline: Deadline = SOON) -> Trouble:
    with pytest.raises(ObjectError) as caught:
        store.get(NAME, io.BytesIO(), 1 << 30, deadline)
    return caught.value.trouble


@pytest.mark.parametrize("speaks_dav", [False, True])
@pytest.mark.parametrize("name", [NAME, ODD, ".go-prefetch/bundles/0123.zst"])
def test_object_comes_back_as_it_was_put(name: str, speaks_dav: bool) -> None:
    with ObjectServer() as server:
        server.speaks_dav = speaks_dav
        store = storage(f"{server.url}/pool/")
        assert store.size(name, SOON) is None
        assert put(store, name)
        assert server.objects == {f"pool/{name}": CONTENT}
        assert store.size(name, SOON) == len(CONTENT)
        assert got(store, name) == CONTENT
        store.remove(name, SOON)
        store.remove(name, SOON)
        assert server.objects == {}
        assert store.name == f"{server.url}/pool"


@pytest.mark.parametrize("speaks_dav", [False, True])
def test_put_keeps_the_first_object_unless_it_replaces(speaks_dav: bool) -> None:
    with ObjectServer() as server:
        server.speaks_dav = speaks_dav
        store = storage(server.url)
        assert put(store)
        assert not put(store, content=b"second")
        assert server.objects == {NAME: CONTENT}
        assert put(store, content=b"second", replaces=True)
        assert server.objects == {NAME: b"second"}
        assert put(store, "new", content=b"first", replaces=True)


@pytest.mark.parametrize("speaks_dav", [False, True])
def test_put_makes_the_folders_that_a_server_lacks(speaks_dav: bool) -> None:
    with ObjectServer() as server:
        server.speaks_dav, server.folders = speaks_dav, {""}
        store = storage(f"{server.url}/go/pool")
        assert put(store)
        assert put(store, NAME.replace("zip", "mod"))
        assert set(server.objects) == {f"go/pool/{NAME}", f"go/pool/{NAME.replace('zip', 'mod')}"}


def test_put_to_a_server_without_conditions_replaces() -> None:
    """nginx: the object is the same by its name."""
    with ObjectServer() as server:
        server.has_conditions = False
        store = storage(server.url)
        assert put(store)
        assert put(store)


@pytest.mark.parametrize("status", [409, 412])
def test_put_that_meets_another_is_no_error(status: int) -> None:
    with ObjectServer() as server:
        server.answers = lambda request: Answer(status) if request.method == "PUT" else None
        assert not put(storage(server.url))
        with pytest.raises(ObjectError) as caught:
            put(storage(server.url), replaces=True)
        assert caught.value.trouble is Trouble.REFUSED


def test_put_to_webdav_that_cannot_move_is_a_plain_one() -> None:
    with ObjectServer() as server:
        server.speaks_dav, server.moves = True, False
        store = storage(server.url)
        assert put(store)
        assert not put(store)
        assert server.objects == {NAME: CONTENT}
        assert len(server.asked("MOVE")) == 1
        assert len(server.asked("OPTIONS")) == 1


@pytest.mark.parametrize("method", ["PUT", "MOVE"])
def test_put_that_fails_leaves_no_temporary_file(method: str) -> None:
    """Not even a half of it, on a server that keeps what has come."""
    with ObjectServer() as server:
        server.speaks_dav, server.is_atomic = True, False
        server.delivery = lambda request: Delivery.RESET if request.method == method else Delivery.WHOLE
        with pytest.raises(ObjectError):
            put(storage(server.url, attempts=1))
        assert len(server.asked("DELETE")) == 1
        assert all(not name.endswith(".tmp") for name in server.objects)


@pytest.mark.parametrize("size", [0, 1, 3 << 20])
def test_put_sends_an_open_file_with_its_length(tmp_path: Path, size: int) -> None:
    content = (tmp_path / "file").open("w+b")
    content.write(bytes(size))
    with ObjectServer() as server, content:
        assert storage(server.url).put(NAME, content, SOON)
        sent = server.requests[-1].headers
        assert server.objects == {NAME: bytes(size)}
    assert sent["content-length"] == str(size)
    assert "transfer-encoding" not in sent


def test_put_is_sent_again_from_its_beginning() -> None:
    statuses = [503, 502]
    with ObjectServer() as server:
        server.answers = lambda request: Answer(statuses.pop()) if request.method == "PUT" and statuses else None
        assert put(storage(server.url))
        assert server.objects == {NAME: CONTENT}


def test_put_of_a_file_that_shrinks_is_refused() -> None:
    class Shrinking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return b""

    with ObjectServer() as server, pytest.raises(ObjectError):
        storage(server.url).put(NAME, Shrinking(CONTENT), SOON)
    assert server.objects == {}


def test_put_to_a_server_that_reads_nothing_ends() -> None:
    with RawServer(lambda request, line: line.wait() if request.method == "PUT" else line.say(answer(b""))) as server:
        store = storage(server.url, timeouts=Timeouts(0.2, 0.2, 0.0), attempts=1)
        with pytest.raises(ObjectError) as caught:
            store.put(NAME, io.BytesIO(bytes(64 << 20)), SOON)
    assert caught.value.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize("speaks_dav", [False, True])
def test_put_ends_with_its_deadline(speaks_dav: bool) -> None:
    """Between two pieces, though the server takes each of them. What has come under a temporary name is removed."""
    deadline = Deadline()

    class Cancelling(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            deadline.cancel()
            return super().read(size)

    with ObjectServer() as server:
        server.speaks_dav = speaks_dav
        store, content = storage(server.url), Cancelling(CONTENT * 100)
        with pytest.raises(ObjectError) as caught:
            store.put(NAME, content, deadline)
        assert caught.value.trouble is Trouble.UNREACHABLE
        assert server.objects == {}
        assert len(server.asked("DELETE")) == speaks_dav


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.LOGIN),
        (403, Trouble.DENIED),
        (404, Trouble.MISSING),
        (410, Trouble.MISSING),
        (429, Trouble.LIMITED),
        (500, Trouble.UNREACHABLE),
        (503, Trouble.LIMITED),
        (418, Trouble.REFUSED),
        (302, Trouble.REFUSED),  # to nowhere
    ],
)
def test_status_of_an_answer_is_a_trouble(status: int, trouble: Trouble) -> None:
    with ObjectServer() as server:
        server.answers = lambda request: Answer(status, b"why\n", {"Content-Type": "text/plain"})
        assert trouble_of(storage(server.url)) is trouble
        assert len(server.requests) == (3 if status in (500, 503) else 1)


@pytest.mark.parametrize("status", [429, 503])
def test_limit_that_lasts_is_limited(status: int) -> None:
    with ObjectServer() as server:
        server.answers = lambda request: Answer(status, b"", {"Retry-After": "60"})
        assert trouble_of(storage(server.url)) is Trouble.LIMITED


def test_server_that_is_not_there_is_unreachable() -> None:
    with dead_port() as port:
        quick = Timeouts(0.1, 0.1, 0.0)
        assert trouble_of(storage(f"http://127.0.0.1:{port}", timeouts=quick)) is Trouble.UNREACHABLE


def test_deadline_that_has_passed_is_unreachable() -> None:
    with ObjectServer() as server:
        assert trouble_of(storage(server.url), Deadline.after(0)) is Trouble.UNREACHABLE


def test_silent_server_costs_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("go_prefetch.stores.objects.http_server._TRY_FOR", 0.0)
    with RawServer(lambda request, line: line.wait()) as server:
        assert trouble_of(storage(server.url, timeouts=Timeouts(5.0, 0.1, 0.0))) is Trouble.UNREACHABLE
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "delivery", [Delivery.RESET, Delivery.CLOSED, Delivery.TRUNCATED, Delivery.IN_CHUNKS], ids=lambda kind: kind.name
)
def test_body_that_is_cut_is_fetched_again(delivery: Delivery) -> None:
    with ObjectServer() as server:
        server.objects[NAME] = CONTENT
        server.delivery = lambda _: delivery if len(server.requests) == 1 else Delivery.WHOLE
        assert got(storage(server.url)) == CONTENT
        assert len(server.requests) == 2


@pytest.mark.skipif(not CAN_WRITE_ANYWHERE, reason="Windows has no pwrite")
def test_large_object_comes_in_parts(tmp_path: Path) -> None:
    content = bytes(LEAST_BYTES + 1)
    with ObjectServer() as server, (tmp_path / "out").open("w+b", buffering=0) as out:
        server.objects[NAME] = content
        assert storage(server.url).get(NAME, out, 1 << 30, SOON) == len(content)
        assert len(server.requests) > 1
        out.seek(0)
        assert out.read() == content


def test_object_without_end_is_too_large() -> None:
    def respond(_: RawRequest, line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\n\r\n")
        while not line.stopped.is_set():
            line.say(bytes(1 << 16))

    with RawServer(respond) as server, pytest.raises(ObjectError) as caught:
        storage(server.url).get(NAME, io.BytesIO(), 1 << 20, SOON)
    assert caught.value.trouble is Trouble.TOO_LARGE


@pytest.mark.parametrize("length", ["1000", "-1", "1e3", "9" * 400])
def test_length_that_is_wrong_brings_nothing(length: str) -> None:
    def respond(_: RawRequest, line: Line) -> None:
        line.say(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + b"short")

    with RawServer(respond) as server:
        store = storage(server.url)
        if length.isdigit():
            assert trouble_of(store) is Trouble.UNREACHABLE
        else:
            assert got(store) == b"short"
        if length == "1000":
            assert store.size(NAME, SOON) == 1000
        else:
            with pytest.raises(ObjectError):
                store.size(NAME, SOON)


def test_headers_without_end_are_no_answer() -> None:
    def respond(_: RawRequest, line: Line) -> None:
        line.say(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000)

    with RawServer(respond) as server:
        assert trouble_of(storage(server.url, attempts=1)) is Trouble.UNREACHABLE


def test_answers_of_all_kinds_keep_the_connection() -> None:
    with ObjectServer() as server:
        store = storage(server.url)
        for _ in range(2):
            put(store, replaces=True)
            put(store)
            got(store)
            store.size(NAME, SOON)
            store.size("missing", SOON)
            trouble_of(storage_without(store))
            store.remove(NAME, SOON)
        assert server.connections == 1


def storage_without(store: HttpServer) -> HttpServer:
    """The same storage, after the object is removed."""
    store.remove(NAME, SOON)
    return store


@pytest.mark.parametrize("login", ["user:pass:word ü", "t0ken"])
def test_login_is_sent_with_every_request(login: str) -> None:
    with ObjectServer() as server:
        user, colon, password = login.partition(":")
        encoded = b64encode(f"{user}:{password}".encode()).decode()
        server.login = f"Basic {encoded}" if colon else "Bearer t0ken"
        with pytest.raises(ObjectError) as caught:
            put(storage(server.url))
        assert caught.value.trouble is Trouble.LOGIN
        store = storage(server.url, login=login)
        assert put(store)
        assert store.size(NAME, SOON) == len(CONTENT)
        assert got(store) == CONTENT
        store.remove(NAME, SOON)


def test_login_that_expires_in_the_middle_is_denied() -> None:
    with ObjectServer() as server:
        server.objects[NAME] = CONTENT
        store = storage(server.url, login="t0ken")
        assert got(store) == CONTENT
        server.login = "Bearer other"
        assert trouble_of(store) is Trouble.LOGIN
        with pytest.raises(ObjectError) as caught:
            put(store)
        assert caught.value.trouble is Trouble.LOGIN
        assert server.objects == {NAME: CONTENT}


def test_redirect_to_another_server_has_no_login() -> None:
    """A signed URL, as Artifactory and GitLab redirect to. No HEAD is signed, so one byte says the size."""
    with ObjectServer() as bucket, ObjectServer() as server:
        server.redirects_to = f"http://localhost:{bucket.port}/bucket"
        bucket.objects[f"bucket/{NAME}"] = CONTENT
        bucket.answers = lambda request: Answer(403) if request.method == "HEAD" else None
        store = storage(server.url, login="t0ken")
        assert got(store) == CONTENT
        assert store.size(NAME, SOON) == len(CONTENT)
        assert all(request.headers["authorization"] == "Bearer t0ken" for request in server.requests)
        assert bucket.requests
        assert not any("authorization" in request.headers for request in bucket.requests)
        bucket.objects.clear()
        with pytest.raises(ObjectError) as caught:
            got(store)
        assert "s3cr3t" not in caught.value.words


def test_login_is_never_sent_in_clear_text() -> None:
    for call in (put, got):
        with pytest.raises(ObjectError) as caught:
            call(storage("http://pool.invalid/", login="user:secret"))
        assert caught.value.trouble is Trouble.REFUSED
        assert "secret" not in caught.value.words


def test_login_of_netrc_is_sent_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
    environ = {"HOME": str(tmp_path), "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    with ObjectServer(tls=server_tls(authority)) as server:
        server.login = basic("user", "secret")
        assert put(storage_of(HttpSettings.from_environ(environ), server.url))
        server.login = "Bearer t0ken"
        assert put(storage_of(HttpSettings.from_environ(environ), server.url, login="t0ken"), "other")
        untrusting = HttpSettings(certificates=Certificates())
        assert trouble_of(storage_of(untrusting, server.url)) is Trouble.UNREACHABLE


def test_put_is_sent_again_with_a_renewed_login(tmp_path: Path) -> None:
    """A command of GOAUTH has one for a URL that was refused. The body is sent from its beginning."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    command = tmp_path / "command"
    with ObjectServer(tls=server_tls(authority)) as server:
        server.login = "Bearer t0ken"
        lines = f"{server.url}\n\nAuthorization: {server.login}\n\n"
        command.write_text(f"#!/bin/sh\n[ -z \"$1\" ] || printf '{lines}'\n")
        command.chmod(0o755)
        environ = {"GOAUTH": str(command), "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        assert put(storage_of(HttpSettings.from_environ(environ), server.url))
        assert server.objects == {NAME: CONTENT}


def test_server_that_denies_what_it_lacks_is_denied() -> None:
    with ObjectServer() as server:
        server.missing = 403
        store = storage(server.url)
        assert trouble_of(store) is Trouble.DENIED
        assert put(store)
        assert got(store) == CONTENT


def test_list_of_objects_is_refused() -> None:
    with pytest.raises(ObjectError) as caught:
        next(storage("http://127.0.0.1:1").entries("", SOON))
    assert caught.value.trouble is Trouble.REFUSED
