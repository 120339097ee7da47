"""Proxies that fail in every way: one bad answer costs a retry, a bad proxy costs the next one in the list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from go_prefetch.model.results import FailedAttempt, Failure, PassedOver
from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, layout
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, answer
from tests.support.notices import facts
from tests.support.workbench import Result, Workbench

pytestmark = pytest.mark.slow  # real silences of proxies

LIB = FakeModule("example.com/lib", "v1.2.3")
TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", padding=5_000)
MODULES = (LIB, TOML)
QUICK = ("--stall-timeout", "1s", "--connect-timeout", "5s", "--attempts", "3")
CIRCLE = answer(b"", status="302 Found", Location="/again", Connection="close")
LATE = answer(b"not found: fetch timed out", status="404 Not Found", Content_Type="text/plain")

ON_ONE_FILE = [
    *(("zip", fault) for fault in Fault),
    *((kind, fault) for kind in ("mod", "info") for fault in (
        Fault.NOT_FOUND, Fault.HALF_BODY, Fault.HALF_BODY_WITHOUT_LENGTH, Fault.WRONG_BYTES, Fault.HTML
    )),
]  # fmt: skip


def named(value: object) -> str:
    return value.name.lower() if isinstance(value, Fault) else str(value)


def failures(result: Result) -> tuple[Failure, ...]:
    """The files that could not be downloaded, as the error of the run has them."""
    found: tuple[Failure, ...] = next(
        facts(notice)["failures"] for notice in result.notices if "failures" in facts(notice)
    )
    return found


def contents(bench: Workbench) -> dict[str, bytes]:
    """The pool's module files."""
    return {name: (bench.pool / name).read_bytes() for name in bench.module_files(bench.pool)}


@pytest.mark.parametrize(("kind", "fault"), ON_ONE_FILE, ids=named)
def test_one_bad_answer_does_not_fail_the_run(bench: Workbench, kind: str, fault: Fault) -> None:
    """A file that fails once is had all the same; what Go and the pool get are the right bytes."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.fault(f"*/toml/@v/v1.4.0.{kind}", fault, times=1)
        result = bench.prefetch(*QUICK, goproxy=proxy.url)
        assert result.status == 0, result.text
        assert bench.outputs["cache-result"] == "miss"
        assert contents(bench) == proxy.files
    assert bench.go("mod", "verify").status == 0
    assert bench.leftovers() == []


@pytest.mark.parametrize("fault", list(Fault), ids=named)
def test_pipe_goes_on_to_the_next_proxy_on_any_fault(bench: Workbench, fault: Fault) -> None:
    """In `P1|P2` nothing that P1 does to every request keeps the run from success."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault("*", fault)
        result = bench.prefetch(*QUICK, goproxy=f"{first.url}|{second.url}")
        assert result.status == 0, result.text
        assert contents(bench) == second.files
        assert first.paths()
    assert bench.go("mod", "verify").status == 0
    assert bench.leftovers() == []


@pytest.mark.parametrize("fault", [Fault.NOT_FOUND, Fault.GONE], ids=named)
def test_comma_goes_on_where_a_file_is_not_found(bench: Workbench, fault: Fault) -> None:
    """In `P1,P2` a 404 or 410 is an answer: P1 is asked once for each file, then P2; Go has nothing left to ask."""
    bench.write_project([LIB])  # fewer than ten requests: none of them gets a rival, however slow the machine is
    with ModuleProxy([LIB]) as first, ModuleProxy([LIB]) as second:
        first.fault("*", fault)
        result = bench.prefetch(goproxy=f"{first.url},{second.url}")
        assert result.status == 0, result.text
        assert sorted(first.paths()) == sorted(second.paths()) == sorted(second.files)


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.BAD_GATEWAY, Fault.CLOSED_EARLY, Fault.HTML], ids=named)
def test_comma_protects_the_paths_behind_it(bench: Workbench, fault: Fault) -> None:
    """In `P1,P2` of unknown proxies any other failure ends the walk: P2 never hears of the module."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault("*/toml/*", fault)
        result = bench.prefetch(*QUICK, goproxy=f"{first.url},{second.url}")
        assert result.status == 5, result.text
        assert second.paths() == []
        asked = {attempt.source for failure in failures(result) for attempt in failure.attempts if attempt.words}
        assert asked == {first.url}
        assert {str(failure.file.module) for failure in failures(result)} == {"github.com/BurntSushi/toml@v1.4.0"}
    assert bench.leftovers() == []


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.BAD_GATEWAY, Fault.CLOSED_EARLY, Fault.HTML], ids=named)
def test_fallback_any_goes_on_past_a_comma(bench: Workbench, fault: Fault) -> None:
    """With `--fallback any` the same list reaches P2."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as first, ModuleProxy(MODULES) as second:
        first.fault("*/toml/*", fault)
        result = bench.prefetch(*QUICK, "--fallback", "any", goproxy=f"{first.url},{second.url}")
        assert result.status == 0, result.text
        assert {path.partition("/@v/")[0] for path in second.paths()} == {"github.com/!burnt!sushi/toml"}


@pytest.mark.parametrize("share", [0.2], ids=["a fifth of all requests"])
def test_random_faults_do_not_fail_the_run(bench: Workbench, share: float) -> None:
    """With many files and a fifth of all requests failing, every file arrives."""
    modules = [FakeModule(f"example.com/lib{number}", "v1.0.0") for number in range(25)]
    bench.write_project(modules)
    with ModuleProxy(modules) as proxy:
        proxy.random_faults(share, seed=1)
        result = bench.prefetch("--stall-timeout", "5s", goproxy=proxy.url)
        assert result.status == 0, result.text
        assert contents(bench) == proxy.files
    assert bench.go("mod", "verify").status == 0
    assert bench.leftovers() == []


@pytest.fixture
def dead_proxies() -> Iterator[tuple[str, str]]:
    """Two addresses that refuse connections."""
    with refusing_port() as first, refusing_port() as second:
        yield f"http://127.0.0.1:{first}", f"http://127.0.0.1:{second}"


@pytest.mark.parametrize("separator", [",", "|"])
def test_dead_proxies_fail_the_run_and_every_attempt_is_named(
    bench: Workbench, dead_proxies: tuple[str, str], separator: str
) -> None:
    """Where no proxy answers the run ends with status 5 and says what each proxy did to each file."""
    bench.write_project([LIB])
    first, second = dead_proxies
    result = bench.prefetch(*QUICK, "--deadline", "30s", goproxy=f"{first}{separator}{second}")
    assert result.status == 5, result.text
    assert "[proxy-unavailable]" in result.stderr
    refused = [FailedAttempt(url, "connection refused") for url in (first, second)]
    passed_over = FailedAttempt(second, passed_over=PassedOver.AFTER_COMMA)
    expected = Counter(refused * 3 if separator == "|" else [*refused[:1] * 3, passed_over])
    assert [Counter(failure.attempts) for failure in failures(result)] == [expected] * 3
    assert "Traceback" not in result.stderr


def test_on_failure_warn_leaves_dead_proxies_to_later_go(bench: Workbench, dead_proxies: tuple[str, str]) -> None:
    """With `--on-failure warn` the same is a warning and status 0."""
    bench.write_project([LIB])
    dead, _ = dead_proxies
    result = bench.prefetch(*QUICK, "--on-failure", "warn", goproxy=dead)
    assert result.status == 0, result.text
    assert "warning: " in result.stderr
    assert {attempt.source for failure in failures(result) for attempt in failure.attempts} == {dead}
    assert bench.outputs["cache-result"] == "miss"


@pytest.mark.parametrize(
    "fault", [Fault.STALL_BEFORE_HEADERS, Fault.STALL_IN_BODY, Fault.SLOW_DRIP], ids=named
)  # fmt: skip
def test_silence_for_ever_ends_at_the_deadline(bench: Workbench, fault: Fault) -> None:
    """A proxy that takes every request and never finishes one cannot hold the run past its deadline."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.fault("*", fault)
        result = bench.prefetch("--stall-timeout", "1s", "--deadline", "3s", goproxy=proxy.url)
        assert result.status == 5, result.text
        assert proxy.url in {attempt.source for failure in failures(result) for attempt in failure.attempts}
    assert "Traceback" not in result.stderr
    assert bench.leftovers() == []
    assert bench.module_files(bench.download_folder) == set()


def test_the_deadline_holds_while_all_attempts_stall(bench: Workbench) -> None:
    """A stall timeout longer than the deadline does not prolong it, and the files under way are named."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        proxy.fault("*", Fault.STALL_IN_BODY)
        result = bench.prefetch("--stall-timeout", "50s", "--deadline", "2s", goproxy=proxy.url)
        assert result.status == 5, result.text
        assert proxy.url in {attempt.source for failure in failures(result) for attempt in failure.attempts}
    assert bench.leftovers() == []


@pytest.mark.parametrize(
    ("says", "tls", "of_run", "of_fill"),
    [
        (answer(b"<html>Log in</html>"), False, ("checksum-mismatch", "content"), ("proxy-unavailable", "content")),
        (LATE, False, ("module-not-found", "slow-origin"), ("module-not-found", "slow-origin")),
        (answer(b""), True, ("proxy-unavailable", "handshake"), ("proxy-unavailable", "handshake")),
        (CIRCLE, False, ("proxy-unavailable", "redirects"), ("proxy-unavailable", "redirects")),
    ],
    ids=["a login page", "a slow origin", "no TLS", "a circle"],
)
def test_hint_fits_what_the_only_proxy_answers(
    bench: Workbench, says: bytes, tls: bool, of_run: tuple[str, str], of_fill: tuple[str, str]
) -> None:
    bench.write_project([LIB])
    with ModuleProxy() as plain, RawServer(lambda request, line: line.say(says)) as server:
        url = plain.url.replace("http:", "https:") if tls else server.url
        variables = {"GOPROXY": url}
        for command, expected in ((("run", "--store", "none"), of_run), (("fill", str(bench.pool)), of_fill)):
            result = bench.quickly(*command, "--attempts", "1", **variables)
            assert result.status == 5, result.text
            assert expected in {(notice.slug, notice.case) for notice in result.notices}


def test_password_over_http_is_the_cause_and_not_shown(bench: Workbench) -> None:
    bench.write_project([LIB])
    result = bench.quickly("run", "--store", "none", GOPROXY="http://me:s3cr3t-pass@modules.test")
    assert result.notice("proxy-unavailable").case == "clear-text"
    assert "s3cr3t-pass" not in result.text


def test_not_found_for_lack_of_time_is_asked_again(bench: Workbench) -> None:
    """As proxy.golang.org answers for a slow origin: another proxy after `,` is asked at once, and then both again."""
    bench.write_project([LIB])
    asked: Counter[str] = Counter()
    files = layout([LIB])

    def respond(request: RawRequest, line: Line) -> None:
        name = request.target.removeprefix("/")
        asked[name] += 1
        line.say(LATE if asked[name] == 1 else answer(files[name]))

    with RawServer(respond) as first, ModuleProxy() as second:
        result = bench.prefetch(*QUICK, goproxy=f"{first.url},{second.url}")
        assert result.status == 0, result.text
        assert set(second.paths()) == set(asked) == set(files)
    assert set(asked.values()) == {2}
    assert [source["files"] for source in bench.report["download"]["sources"]] == [3]
