"""Servers that answer with malice: doctor ends in time, and neither terminal nor table nor runner takes any of it."""

from __future__ import annotations

import json
import re

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from tests.support.fakes.modules import FakeModule
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

MODULES = [FakeModule("example.com/m0", "v1.0.0")]
LIMITS = ("--samples", "1", "--connect-timeout", "500ms", "--stall-timeout", "400ms", "--store", "none")
EVIL = b"\x1b[2J\x1b]0;owned\x07 | [x](https://evil.test) <script> `x` ::error::owned ##[error]owned \xff\x9b31m\r"


def endless(piece: bytes, start: bytes = b"HTTP/1.1 200 OK\r\n") -> Respond:
    def respond(request: RawRequest, line: Line) -> None:
        line.say(start)
        while True:
            line.say(piece)

    return respond


def says(answer: bytes) -> Respond:
    return lambda request, line: line.say(answer)


ANSWERS: dict[str, Respond] = {
    "control characters in the reason": says(b"HTTP/1.1 503 " + EVIL + b"\nContent-Length: 0\r\n\r\n"),
    "a reason without end": endless(b"x" * 65536, b"HTTP/1.1 503 "),
    "headers without end": endless(b"X-Header: " + b"x" * 1000 + b"\r\n"),
    "one header without end": endless(b"x" * 65536, b"HTTP/1.1 200 OK\r\nX: "),
    "a body without end": endless(b"x" * 65536, b"HTTP/1.1 200 OK\r\n\r\n"),
    "chunks without end": endless(b"1\r\nx\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "interim answers without end": endless(b"HTTP/1.1 100 Continue\r\n\r\n", b""),
    "hints without end": endless(b"HTTP/1.1 103 Early Hints\r\n\r\n", b""),
    "headers that drip": lambda request, line: line.drip(b"H" * 10_000, 0.05),
    "no HTTP": says(b"220 mail.test ESMTP\r\n"),
    "a length that is none": says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nPK"),
    "a length without measure": says(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 4000 + b"\r\n\r\nPK"),
    "a chunk that is none": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a redirect to a file": says(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
    "a redirect to nothing": says(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"),
    "a redirect to no URL": says(b"HTTP/1.1 302 Found\r\nLocation: http://[::\r\nContent-Length: 0\r\n\r\n"),
    "nested JSON": says(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"[" * 100_000),
    "no JSON": says(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"Version":"\xff\xfe"}'),
    "nothing": lambda request, line: None,
}


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.parametrize("respond", ANSWERS.values(), ids=ANSWERS)
def test_whatever_is_answered(bench: Workbench, respond: Respond, form: str) -> None:
    """The proxy is unusable, in words of one line; no control character, markup or command gets through."""
    bench.write_project(MODULES)
    with RawServer(respond) as server:
        result = prefetch(bench, "doctor", "--format", form, *LIMITS, GOPROXY=server.url)
    assert result.status == 1, result.text
    assert "[proxy-unusable]" in result.stderr
    assert "Traceback" not in result.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", result.text)
    assert not re.search(r"(?m)^\s*::|##\[", result.text)
    assert max(map(len, result.stdout.splitlines())) < 400
    if form == "markdown":
        html = cmarkgfm.github_flavored_markdown_to_html(result.stdout, Options.CMARK_OPT_UNSAFE)
        assert "<script" not in html
        assert "<a " not in html
        rows = [line for line in result.stdout.splitlines() if line.startswith("|")]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {13}


def test_evil_words_stay_data_in_json(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with RawServer(ANSWERS["control characters in the reason"]) as server:
        result = prefetch(bench, "doctor", "--format", "json", *LIMITS, GOPROXY=server.url)
    (failure,) = json.loads(result.stdout)["sources"][0]["failures"]
    assert failure["words"].startswith("503 ?[2J?]0;owned?")
    assert failure["words"].isprintable()


def test_a_body_that_never_ends_still_has_a_rate(bench: Workbench) -> None:
    """A zip is not read to an end it does not have: it is left at Go's own limit, or when its time is over."""
    bench.write_project(MODULES)

    def respond(request: RawRequest, line: Line) -> None:
        if request.target.endswith(".info"):
            line.say(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"Version":"v1.0.0"}')
            return
        endless(b"PK" + b"x" * 65534, b"HTTP/1.1 200 OK\r\n\r\n")(request, line)

    with RawServer(respond) as server:
        result = prefetch(bench, "doctor", "--format", "json", *LIMITS, "--deadline", "2s", GOPROXY=server.url)
    (source,) = json.loads(result.stdout)["sources"]
    assert source["bytes_per_second"] > 0
    assert source["worth"] == "usable"
