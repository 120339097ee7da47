"""A large file that breaks off is gone on with where the server can; never put together from two different ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from go_prefetch.base.retry import AttemptError
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, layout
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.same_process import prefetch
from tests.support.transferring import received
from tests.support.workbench import Workbench

LARGE = FakeModule("example.com/large", "v1.0.0", padding=3_000_000)
# Its Go file is in the second half of the zip.
MIXED = FakeModule(LARGE.path, LARGE.version, files={"a.bin": random.Random(0).randbytes(100_000), **LARGE.files})
ZIP = "example.com/large/@v/v1.0.0.zip"
BODY = bytes(range(256)) * 12_000  # 3 MB
HALF = len(BODY) // 2
ETAG = '"one"'


@pytest.mark.parametrize("fault", [Fault.HALF_BODY, Fault.STALL_IN_BODY], ids=lambda fault: fault.name.lower())
def test_a_half_received_zip_is_gone_on_with(bench: Workbench, fault: Fault) -> None:
    """The second request asks for the rest only; Go accepts what was put together; the report tells of the first."""
    bench.write_project([LARGE])
    with ModuleProxy([LARGE]) as proxy:
        proxy.has_etags = True
        proxy.fault(ZIP, fault, times=1)
        result = bench.prefetch("--stall-timeout", "1s", "--verbose", goproxy=proxy.url)
        assert result.status == 0, result.text
        ranges = [request.range for request in proxy.requests if request.path == ZIP]
        assert ranges == [None, f"bytes={len(LARGE.zip) // 2}-"]
    assert [source["failed_attempts"] for source in bench.report["download"]["sources"]] == [1]
    assert bench.go("mod", "verify").status == 0


def test_without_etag_it_is_asked_for_again(bench: Workbench) -> None:
    """Nothing tells whether it is still the same file: from its beginning."""
    bench.write_project([LARGE])
    with ModuleProxy([LARGE]) as proxy:
        proxy.fault(ZIP, Fault.HALF_BODY, times=1)
        assert bench.prefetch(goproxy=proxy.url).status == 0
        assert [request.range for request in proxy.requests if request.path == ZIP] == [None, None]


class Breaking:
    """Breaks the first answer off in its middle and gives `then` to the second request."""

    def __init__(self, then: bytes, **headers: str) -> None:
        self.then = then
        self.headers = {"ETag": ETAG, **headers}
        self.asked = 0

    def __call__(self, request: RawRequest, line: Line) -> None:
        self.asked += 1
        line.say(answer(BODY[:HALF], length=len(BODY), **self.headers) if self.asked == 1 else self.then)


def partial(start: int, *, total: int = len(BODY), said: int | None = None) -> bytes:
    shown = start if said is None else said
    content_range = f"bytes {shown}-{total - 1}/{total}"
    return answer(BODY[start:], status="206 Partial Content", ETag=ETAG, Content_Range=content_range)


def test_the_rest_is_added_to_what_came(tmp_path: Path) -> None:
    """`Range` and `If-Range` are sent, and the whole is what the server has."""
    with RawServer(Breaking(partial(HALF))) as server:
        came = received(server.url, tmp_path / "file")
        assert (tmp_path / "file").read_bytes() == BODY
        assert (came.bytes, len(came.interruptions)) == (len(BODY), 1)
        headers = server.requests[1].headers
        assert (headers["Range"], headers["If-Range"]) == (f"bytes={HALF}-", ETAG)


@pytest.mark.parametrize(
    "then",
    [answer(BODY, ETag='"two"'), answer(b"another" * 300_000, ETag='"two"')],
    ids=["no ranges after all", "changed meanwhile"],
)
def test_a_whole_answer_takes_the_place_of_the_half(tmp_path: Path, then: bytes) -> None:
    """A 200 to a range request is the file as it is now: nothing of the first answer stays."""
    with RawServer(Breaking(then)) as server:
        received(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == then.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "then",
    [
        partial(HALF, said=HALF - 1),
        partial(HALF, total=len(BODY) + 1),
        answer(BODY[HALF:], status="206 Partial Content", ETag=ETAG),
        answer(BODY[:HALF], status="206 Partial Content", Content_Range="bytes 0-9/x"),
    ],
    ids=["another beginning", "another length", "no range said", "nonsense"],
)
def test_another_part_than_was_asked_for_is_no_part_of_the_file(tmp_path: Path, then: bytes) -> None:
    """It is an error of this attempt, and nothing is resumed from it."""
    with RawServer(Breaking(then)) as server, pytest.raises(AttemptError, match="another part of the file"):
        received(server.url, tmp_path / "file")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "headers",
    [{"ETag": 'W/"weak"'}, {"Accept_Ranges": "none"}, {"Content_Encoding": "gzip"}],
    ids=["weak etag", "no ranges", "encoded"],
)
def test_what_cannot_be_resumed_is_not(tmp_path: Path, headers: dict[str, str]) -> None:
    """One request, and the error goes to whoever decides on the next attempt."""
    with RawServer(Breaking(partial(HALF), **headers)) as server, pytest.raises(AttemptError):
        received(server.url, tmp_path / "file")
    assert len(server.requests) == 1


def breaks_after(count: int) -> Respond:
    """Break every answer off after so many bytes."""

    def respond(request: RawRequest, line: Line) -> None:
        start = int((request.headers["Range"] or "bytes=0-")[6:-1])
        whole = partial(start) if start else answer(BODY, ETag=ETAG)
        head, _, body = whole.partition(b"\r\n\r\n")
        line.say(head + b"\r\n\r\n" + body[:count])

    return respond


def test_any_progress_counts(tmp_path: Path) -> None:
    """Though it is little each time."""
    with RawServer(breaks_after(100_000)) as server:
        assert received(server.url, tmp_path / "file").is_joined
        assert (tmp_path / "file").read_bytes() == BODY
        assert len(server.requests) == -(-len(BODY) // 100_000)


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (10, 101)])
def test_a_server_that_always_breaks_off_is_given_up(tmp_path: Path, count: int, requests: int) -> None:
    """At once if nothing came, and after a hundred times of little progress."""
    with RawServer(breaks_after(count)) as server, pytest.raises(AttemptError, match="closed after"):
        received(server.url, tmp_path / "file")
    assert len(server.requests) == requests


def test_only_zips_are_resumed(bench: Workbench) -> None:
    """The other files are small, and come whole or not at all."""
    module = FakeModule("example.com/wordy", "v1.0.0")
    bench.write_project([module])
    with ModuleProxy([module]) as proxy:
        proxy.has_etags = True
        for kind in ("mod", "info", "zip"):
            proxy.fault(f"example.com/wordy/@v/v1.0.0.{kind}", Fault.HALF_BODY, times=1)
        assert bench.prefetch("--jobs", "1", "--verbose", goproxy=proxy.url).status == 0
        ranges = [(request.path.rpartition(".")[2], bool(request.range)) for request in proxy.requests]
        assert ("zip", True) in ranges
        assert not {("mod", True), ("info", True)} & set(ranges)


# The connection stays open after half a zip.
SOON = ("--stall-timeout", "500ms")


class Patchwork:
    """A proxy that resumes a zip with the bytes of another one, under the same validator."""

    def __init__(self, module: FakeModule, answers_wrong: int) -> None:
        self.files = layout([module])
        self.wrong = damaged(".zip", module.zip)
        assert len(self.wrong) == len(module.zip)
        self.answers_wrong = answers_wrong  # whole answers that are wrong too
        self.zips: list[str | None] = []  # the ranges that were asked for

    def __call__(self, request: RawRequest, line: Line) -> None:
        path = request.target.lstrip("/")
        content = self.files.get(path)
        if content is None or not path.endswith(".zip"):
            line.say(answer(content or b"", status="200 OK" if content else "404 Not Found"))
            return
        self.zips.append(request.headers["Range"])
        half = len(content) // 2
        if request.headers["Range"]:
            head = f"bytes {half}-{len(content) - 1}/{len(content)}"
            line.say(answer(self.wrong[half:], status="206 Partial Content", ETag=ETAG, Content_Range=head))
        elif len(self.zips) == 1:
            line.say(answer(content[:half], length=len(content), ETag=ETAG))
        else:
            line.say(answer(self.wrong if len(self.zips) < 3 + self.answers_wrong else content, ETag=ETAG))


@pytest.mark.parametrize("command", ["run", "fill"])
def test_a_wrong_zip_in_parts_is_downloaded_whole_and_no_verdict(bench: Workbench, command: str) -> None:
    """The one proxy may send it again, without a range, and no file counts as rejected."""
    bench.write_project([MIXED])
    proxy = Patchwork(MIXED, answers_wrong=0)
    with RawServer(proxy, keeps_alive=True) as server:
        given = ("run", "--store", "none") if command == "run" else ("fill", "filled")
        result = prefetch(bench, *given, *SOON, "--report-file", str(bench.report_file), GOPROXY=server.url)
    assert result.status == 0, result.text
    assert [bool(range_) for range_ in proxy.zips] == [False, True, False]
    assert [notice.slug for notice in result.notices if notice.slug == "files-rejected"] == []
    assert bench.report["complete"]["rejected"] == []


def test_a_zip_that_is_wrong_as_a_whole_too_is_a_verdict(bench: Workbench) -> None:
    """From another proxy then."""
    bench.write_project([MIXED])
    proxy = Patchwork(MIXED, answers_wrong=1)
    with RawServer(proxy, keeps_alive=True) as server, ModuleProxy([MIXED]) as second:
        result = prefetch(bench, "run", "--store", "none", *SOON, GOPROXY=f"{server.url}|{second.url}")
        assert second.paths() == [ZIP]
    assert result.status == 0, result.text
    assert result.notice("files-rejected").case == "replaced"
    assert [bool(range_) for range_ in proxy.zips] == [False, True, False]
