"""`--trace`: every request, unpacking and check, in the format that Chrome and Perfetto read."""

from __future__ import annotations

import json
from typing import Any

from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.workbench import Workbench

# Fewer than ten requests: none of them gets a rival, however slow the machine is.
MODULES = [FakeModule(f"example.com/lib{number}", "v1.0.0") for number in range(2)]


def events(bench: Workbench) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((bench.project / "trace.json").read_text())["traceEvents"]
    return found


def test_a_run_in_a_trace(bench: Workbench) -> None:
    """A request an event, failed ones with their error; steps, unpacking, checks, Go's own run; no password."""
    bench.write_project(MODULES)
    with ModuleProxy(MODULES, credentials=("me", "secret")) as proxy:
        proxy.fault("*/lib1/*.mod", Fault.BAD_GATEWAY, times=1)
        goproxy = proxy.url_with("me", "secret")
        result = bench.prefetch("--trace", "trace.json", "--jobs", "2", goproxy=goproxy, GONOSUMDB="*")
        requests = [event for event in events(bench) if event.get("cat") == "request"]
        assert len(requests) == len(proxy.requests), result.text
    assert sum(event["args"].get("status") == 200 for event in requests) == 6
    assert [event["args"]["status"] for event in requests if "error" in event["args"]] == [502]
    names = {event["name"] for event in events(bench)}
    assert {"Plan", "Restore", "Download", "Verify", "Save", "go mod verify", "go mod download"} <= names
    assert sum(len(event["args"]["zips"]) for event in events(bench) if event.get("cat") == "unpack") == 2
    assert all(event["dur"] >= 0 and event["ts"] >= 0 for event in events(bench) if event["ph"] == "X")
    assert {event["args"]["name"] for event in events(bench) if event["ph"] == "M"} >= {"download 1", "download 2"}
    assert "secret" not in (bench.project / "trace.json").read_text()


def test_a_failed_run_has_one_too(bench: Workbench) -> None:
    """It is there to explain failures most of all."""
    bench.write_project(MODULES)
    with ModuleProxy() as proxy:
        assert bench.prefetch("--trace", "trace.json", goproxy=proxy.url).status == 5
    assert any(event.get("cat") == "request" for event in events(bench))


def test_one_that_cannot_be_written_is_a_warning(bench: Workbench) -> None:
    bench.write_project(MODULES)
    with ModuleProxy(MODULES) as proxy:
        result = bench.prefetch("--trace", "/proc/none/trace.json", goproxy=proxy.url)
    assert result.status == 0, result.text
    assert str(facts(result.notice("trace-unwritable"))["path"]) == "/proc/none/trace.json"
    assert "[trace-unwritable]" in result.stderr
