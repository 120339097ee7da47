"""What servers answer: headers, bodies, redirects. And what the environment says about HTTP."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable
from email.parser import Parser

from go_prefetch.base.retry import AttemptError, Deadline, parse_retry_after
from go_prefetch.doctor.measure_proxy import kind_of
from go_prefetch.errors import StoreError
from go_prefetch.forge.api import Reply as ApiReply
from go_prefetch.forge.api import _moved, has_next, refusal_by
from go_prefetch.stores.cache_service.endpoint import find_endpoint
from go_prefetch.stores.cache_service.protocol import (
    Call,
    Exchange,
    NotAllowed,
    Reply,
    is_object_or_error,
    json_object,
    without_queries,
)
from go_prefetch.stores.cache_service.protocol_v1 import RestService
from go_prefetch.stores.cache_service.protocol_v2 import TwirpService, _text, _words
from go_prefetch.stores.cache_service.range_buffer import GoneError
from go_prefetch.stores.cache_service.range_reader import _announced, _has_ranges, _length_of
from go_prefetch.stores.objects.bucket import _trouble
from go_prefetch.stores.objects.bucket import _words as _bucket_words
from go_prefetch.stores.objects.http_server import Reply as StorageReply
from go_prefetch.stores.objects.port import Trouble
from go_prefetch.stores.objects.webdav import WebDav
from go_prefetch.web.addresses import Reach, address_of, is_loopback, is_written_within
from go_prefetch.web.answer import Answer, decode, read_short, up_to, whole_size
from go_prefetch.web.certificates import _certificates_in
from go_prefetch.web.http_settings import HttpSettings, authorization_in, logins
from go_prefetch.web.pacing import refusal_of
from go_prefetch.web.socks import SocksProxy
from go_prefetch.web.transfer import error_of
from tests.fuzz.target import target, text_of

_STATUSES = (200, 206, 302, 401, 403, 404, 410, 412, 416, 429, 503)
_MOST = 1 << 20


@target(
    "web.answer", "web.pacing", "web.transfer", "base.retry", "stores.cache_service.range_reader", "forge.api",
    "stores.objects.http_server", "stores.objects.webdav",
)  # fmt: skip
def answer_head(data: bytes) -> None:
    """Headers and body of an answer, with each status: AttemptError, GoneError, StoreError. Numbers have limits."""
    head, _, body = data.partition(b"\n\n")
    headers = _headers(head)
    for status in _STATUSES:
        answer = Answer(status, "reason", headers, iter([body]))
        size = whole_size(answer)
        assert size is None or 0 <= size < 10**15
        with contextlib.suppress(AttemptError, GoneError, StoreError):
            coming = _announced(0, answer)
            assert 0 < coming.bytes <= coming.total
        assert (_length_of(answer) or 0) < 10**15
        refusal = refusal_of(status, headers)
        assert refusal is None or refusal.retry_after is None or refusal.retry_after >= 0
        read_short(answer)
        error = error_of(Answer(status, "reason", headers, iter([body])))
        assert len(error.words) < 400
        assert "\n" not in error.words
        with contextlib.suppress(AttemptError):
            StorageReply(status, headers, error).check()
        lower = {name.lower(): value for name, value in headers.items()}
        api = ApiReply(status, lower, text_of(body))
        limit = refusal_by(api, 1e9)
        assert limit is None or limit.retry_after is None or limit.retry_after >= 0
        has_next(lower)
    waiting = parse_retry_after(text_of(head))
    assert waiting is None or 0 <= waiting < 1e12
    with contextlib.suppress(AttemptError):
        moved = _moved("https://api.example/repos/a/b", text_of(head))
        assert moved.startswith("https://api.example")
    dav = WebDav(lambda *_: StorageReply(200, headers, None))
    dav.is_spoken("https://files.example/", Deadline.after(60))


def _headers(head: bytes) -> dict[str, str]:
    """Headers with the names that the program reads, in the case that it uses."""
    known = ("Content-Range", "Content-Length", "Content-Type", "Retry-After", "ETag", "DAV", "Link", "Location")
    names = {name.lower(): name for name in known}
    message = Parser().parsestr(head.decode("latin-1"), headersonly=True)
    return {names.get(name.lower(), name): value for name, value in message._headers}  # type: ignore[attr-defined]


@target("web.answer")
def encoded_body(data: bytes) -> None:
    """A body that says it is gzip: AttemptError. Pieces are small, however much they bring."""
    for encoding in ("gzip", text_of(data[:20])):
        brought = 0
        with contextlib.suppress(AttemptError):
            for piece in up_to(_MOST, decode(iter([data[:7], data[7:]]), encoding)):
                assert len(piece) <= max(1 << 16, len(data))
                brought += len(piece)
        assert brought <= _MOST
    if data:
        assert b"".join(decode(iter([gzip.compress(data)]), "gzip")) == data


@target("stores.cache_service.protocol", "stores.cache_service.protocol_v2")
def cache_service_answer(data: bytes) -> None:
    """An answer of a cache service: no error, and one short line for people. A shown URL has no signature."""
    reply = Reply(200, {}, data)
    is_object_or_error(reply)
    values = json_object(reply) or {}
    for name in ("signed_download_url", "matched_key", "msg"):
        _text(values, name)
        words = _words(values, name)
        assert len(words) <= 200
        assert "\n" not in words
    _has_ranges(text_of(data))
    assert "?" not in without_queries(text_of(data).replace("?", "?x"))


@target("stores.cache_service.protocol_v1", "stores.cache_service.protocol_v2")
def cache_service_entry(data: bytes) -> None:
    """What a cache service says about an entry: an entry, none, NotAllowed or StoreError."""
    for protocol in ("v1", "v2"):
        endpoint = find_endpoint({"ACTIONS_CACHE_URL": "http://cache.example/"})
        assert endpoint
        service = (RestService if protocol == "v1" else TwirpService)(endpoint, "0" * 64, _Answering(data))
        for status in (200, 201, 204, 403, 409, 500):
            _Answering.status = status
            with contextlib.suppress(NotAllowed, StoreError):
                found = service.look_up(["go-prefetch-1-"], Deadline.after(60))
                assert found is None or (found.key and found.url)
            with contextlib.suppress(NotAllowed, StoreError):
                service.reserve("key", Deadline.after(60))


class _Answering(Exchange):
    """Answers each call with these bytes."""

    status = 200

    def __init__(self, data: bytes) -> None:
        self._data = data

    def call(self, call: Call, deadline: Deadline, understood: Callable[[Reply], bool] | None = None) -> Reply:
        del call, deadline, understood
        return Reply(self.status, {}, self._data)


@target("stores.objects.bucket")
def bucket_error(data: bytes) -> None:
    """The text of an error of a bucket's client, which quotes the server: a trouble, and words without a query."""
    text = text_of(data)
    assert isinstance(_trouble(text), Trouble)
    words = _bucket_words(OSError(text))
    assert len(words) <= 203
    assert "?" not in words.replace("? ", "").rstrip("?")


@target("doctor.measure_proxy")
def probed_body(data: bytes) -> None:
    """The body that a proxy sends to `doctor`: one of a few words about it."""
    assert kind_of(data) in ("a body without end", "a web page", "something else")


@target("web.http_settings", "web.addresses")
def http_setting(data: bytes) -> None:
    """netrc, NO_PROXY, and hosts that a redirect names: no error, and no public name for this machine."""
    text = text_of(data)
    for host, (user, password) in logins(text).items():
        assert host
        assert user
        assert password
    first, _, rest = text.partition("\n")
    settings = HttpSettings(http_proxy="proxy.example:3128", https_proxy="http://proxy.example:3128", no_proxy=first)
    settings.proxy_for("https://module.example:8443/a")
    host = first.strip()
    address_of(host)
    is_loopback(host)
    if rest:
        is_written_within(rest.strip()[:300], Reach.PUBLIC)
    with contextlib.suppress(ValueError):
        authorization_in(f"https://{host}@proxy.example/")


@target("web.certificates")
def certificate_file(data: bytes) -> None:
    """A file of certificates: those that are Base64."""
    assert sum(map(len, _certificates_in(data))) <= len(data)


@target("web.socks")
def socks_answers(data: bytes) -> None:
    """A SOCKS proxy that answers anything: AttemptError, OSError, or a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[:4096])
        theirs.shutdown(socket.SHUT_WR)
        reader = threading.Thread(target=_drain, args=(theirs,), daemon=True)
        reader.start()
        with contextlib.suppress(AttemptError, OSError):
            SocksProxy.of_url("socks5h://user:password@127.0.0.1").open(ours, "module.example", 443, lambda: 10.0)
        ours.close()
        reader.join()


def _drain(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass
