"""docs/faults.md, row by row: plain `go mod download` and go-prefetch against the same proxies with the same fault.

P1 has the fault for one file (for its every request, or once where the row is about one failure), P2 is well.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fakes.go_proxy import GoProxy
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.workbench import Workbench

TABLE = Path(__file__).parents[2] / "docs" / "faults.md"
LIB = FakeModule("example.com/lib", "v1.2.3", padding=3_000)
OTHER = FakeModule("example.com/other", "v1.0.0")
MODULES = (LIB, OTHER)
QUICK = ("--stall-timeout", "1s", "--attempts", "3")
# Where it ends in failure, more patience only takes longer. A limit of the server lasts until the deadline.
SOONER = ("--stall-timeout", "500ms", "--attempts", "2", "--deadline", "5s")
REFUSED = "http://127.0.0.1:1"  # nobody listens there


@dataclass(frozen=True)
class Row:
    """One line of the table: the fault, the kind of file that meets it, and the name it has in the table."""

    name: str
    fault: Fault | str | None  # a word for the proxy that speaks HTTP/2; None: connections are refused
    kind: str = "zip"


ROWS = (
    Row("404", Fault.NOT_FOUND),
    Row("410", Fault.GONE),
    Row("403", Fault.FORBIDDEN),
    Row("429 with Retry-After", Fault.TOO_MANY),
    Row("500", Fault.SERVER_ERROR),
    Row("502", Fault.BAD_GATEWAY),
    Row("503 with Retry-After", Fault.UNAVAILABLE),
    Row("connection refused", None),
    Row("reset in place of a reply", Fault.RESET),
    Row("closed in place of a reply", Fault.CLOSED_EARLY),
    Row("half of the body", Fault.HALF_BODY),
    Row("half of the body in chunks", Fault.HALF_BODY_IN_CHUNKS),
    Row("half of the body, without a length", Fault.HALF_BODY_WITHOUT_LENGTH),
    Row("half of a .mod, without a length", Fault.HALF_BODY_WITHOUT_LENGTH, "mod"),
    Row("HTTP/2: aborted in the middle of the body", "abort"),
    Row("a web page with status 200", Fault.HTML),
    Row("another zip with status 200", Fault.WRONG_BYTES),
    Row("another .mod with status 200", Fault.WRONG_BYTES, "mod"),
    Row("a .info that is a web page", Fault.HTML, "info"),
    Row("a redirect to itself", Fault.REDIRECT_LOOP),
    Row("no reply", Fault.STALL_BEFORE_HEADERS),
    Row("HTTP/2: no reply", "silence"),
    Row("silence in the middle of the body", Fault.STALL_IN_BODY),
    Row("HTTP/2: silence in the middle of the body", "stall"),
    Row("the body one byte at a time", Fault.SLOW_DRIP),
)
LISTS = ("once, P1 alone", "P1,P2", "P1|P2")


def documented() -> dict[str, list[str]]:
    """The rows of docs/faults.md: for each list what Go does, then what we do."""
    rows = re.findall(r"^\| (.+?) \|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)] for row in rows]
    return {name: outcomes for name, *outcomes in cells[1:]}


def test_the_table_has_these_rows_and_no_others() -> None:
    assert list(documented()) == [row.name for row in ROWS]


@pytest.mark.slow  # 75 runs of both, most of which wait
@pytest.mark.parametrize(
    "goproxy", [pytest.param(list_, marks=pytest.mark.nightly if list_ == "P1,P2" else ()) for list_ in LISTS]
)
@pytest.mark.parametrize(
    "row",
    [pytest.param(row, id=row.name, marks=pytest.mark.nightly if row.fault == "stall" else ()) for row in ROWS],
)
def test_a_row_is_what_happens(bench: Workbench, row: Row, goproxy: str) -> None:
    """Plain Go is started first; where it hangs it still does when the same run of ours has long ended."""
    bench.write_project(MODULES)
    at = 2 * LISTS.index(goproxy)
    expected = documented()[row.name][at : at + 2]
    times = 1 if goproxy.startswith("once") else None
    with (
        first_proxy(row, times, bench) as for_go,
        first_proxy(row, times, bench) as for_us,
        ModuleProxy(MODULES) as second,
    ):
        plain_list, own_list = (
            goproxy.replace("once, P1 alone", "P1").replace("P1", url).replace("P2", second.url)
            for url in (for_go, for_us)
        )
        with started_go(bench, plain_list) as plain:
            ours = bench.prefetch(*(SOONER if expected[1] == "fails" else QUICK), goproxy=own_list)
            said = outcome(plain, patience=2 if expected[0] == "hangs" else 60)
    assert [said, "succeeds" if ours.status == 0 else "fails"] == expected, ours.text


def http2_proxy(bench: Workbench, kind: str, fault: str, times: int | None) -> GoProxy:
    """A P1 that speaks HTTP/2 and has such a fault for LIB's file of this kind."""
    folder = bench.folder / "proxy"
    write_proxy_folder(folder, MODULES)
    often = str(-1 if times is None else times)
    fails = ("-fault", fault, "-fault-name", f"lib/@v/v1.2.3.{kind}", "-fault-times", often)
    return GoProxy(folder, "-log", *fails)


@contextmanager
def first_proxy(row: Row, times: int | None, bench: Workbench) -> Iterator[str]:
    """The address of a P1 that has the row's fault so many times (None: always)."""
    if row.fault is None:
        yield REFUSED
    elif isinstance(row.fault, str):
        with http2_proxy(bench, row.kind, row.fault, times) as proxy:
            with (bench.folder / "trusted.pem").open("a") as trusted:  # those of both, for Go's and for ours
                trusted.write(proxy.certificate.read_text())
            bench.environ["SSL_CERT_FILE"] = trusted.name
            yield proxy.url
    else:
        with ModuleProxy(MODULES) as proxy:
            proxy.retry_after = 1
            proxy.fault(f"*/lib/@v/*.{row.kind}", row.fault, times)
            yield proxy.url


def started_go(bench: Workbench, goproxy: str) -> subprocess.Popen[bytes]:
    environ = {**bench.environ, "GOPROXY": goproxy, "GOMODCACHE": str(bench.folder / "plain")}
    silent = subprocess.DEVNULL
    return subprocess.Popen(
        ["go", "mod", "download"], cwd=bench.project, env=environ, stdin=silent, stdout=silent, stderr=silent
    )


def outcome(plain: subprocess.Popen[bytes], patience: float) -> str:
    """What came of it within so many seconds."""
    try:
        return "succeeds" if plain.wait(timeout=patience) == 0 else "fails"
    except subprocess.TimeoutExpired:
        plain.kill()
        return "hangs"


@pytest.mark.slow  # it compiles net/http
def test_go_meets_the_abort_over_http2_and_we_over_http1(bench: Workbench) -> None:
    """What the rows on HTTP/2 rest on: the same server, and what each of the two asked it in."""
    bench.write_project(MODULES)
    spoken: dict[str, set[str]] = {}
    for who in ("go", "ours"):
        with http2_proxy(bench, "zip", "abort", times=1) as proxy:
            trusted = {"GOPROXY": proxy.url, "SSL_CERT_FILE": str(proxy.certificate)}
            fill = ("fill", str(bench.folder / "filled"))
            done = bench.go("mod", "download", **trusted) if who == "go" else bench.run(*fill, **trusted)
        spoken[who] = {protocol for protocol, _ in proxy.requests}
        if who == "go":
            assert "stream error: stream ID" in done.stderr
            assert "INTERNAL_ERROR; received from peer" in done.stderr
    assert spoken == {"go": {"HTTP/2.0"}, "ours": {"HTTP/1.1"}}
