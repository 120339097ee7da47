"""A proxy's password works and is seen nowhere: not in the log, the report, the outputs, the summary, the pool."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
PASSWORDS = ["s3cr3t-pass", "p@ss/w:rd%41"]
BINARY = (".zip", ".ziphash")


def spellings(proxy: ModuleProxy, password: str) -> list[str]:
    """The password as it is and as the URL has it."""
    return [password, proxy.url_with("user", password).split(":")[2].rpartition("@")[0]]


def assert_hidden(bench: Workbench, text: str, secrets: list[str]) -> None:
    """None of them in what was printed, nor in any file that was written."""
    written = [path for path in bench.folder.rglob("*") if path.is_file() and path.suffix not in BINARY]
    texts = {"output": text} | {str(path): path.read_text(errors="replace") for path in written}
    assert [where for where, content in texts.items() for secret in secrets if secret in content] == []


def on_github(folder: Path) -> dict[str, str]:
    """The environment of a workflow step."""
    files = {f"GITHUB_{name}": folder / name.lower() for name in ("STEP_SUMMARY", "OUTPUT", "STATE", "ENV", "PATH")}
    for path in files.values():
        path.touch()
    return {"GITHUB_ACTIONS": "true"} | {name: str(path) for name, path in files.items()}


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("where", ["terminal", "GitHub"])
@pytest.mark.parametrize("given_as", ["variable", "flag"])
def test_a_password_works_and_is_seen_nowhere(
    bench: Workbench, tmp_path: Path, password: str, where: str, given_as: str
) -> None:
    """The proxy is asked with it; every text we make is without it; the pool keeps nothing that came with it."""
    bench.write_project([LIB])
    variables = on_github(tmp_path) if where == "GitHub" else {}
    with ModuleProxy([LIB], credentials=("user", password)) as proxy:
        url = proxy.url_with("user", password)
        flag = ["--goproxy", url] if given_as == "flag" else []
        result = bench.prefetch("--verbose", *flag, goproxy="off" if flag else url, **variables)
        assert result.status == 0, result.text
        assert {request.status_or_fault for request in proxy.requests} == {200}
        assert "user:xxxxx@127.0.0.1" in result.text
        assert_hidden(bench, result.text, spellings(proxy, password))
    assert bench.outputs["cache-result"] == "miss"
    assert bench.module_files(bench.pool) == set()


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RESET, Fault.REDIRECT_LOOP, Fault.WRONG_BYTES])
def test_failures_tell_nothing_of_it_either(bench: Workbench, fault: Fault) -> None:
    """Whatever the proxy does, the error names it without its password."""
    bench.write_project([LIB])
    with ModuleProxy([LIB], credentials=("user", "s3cr3t-pass")) as proxy:
        proxy.fault("*", fault)
        result = bench.prefetch("--verbose", "--attempts", "2", goproxy=proxy.url_with("user", "s3cr3t-pass"))
        assert result.status == 5, result.text
        assert "user:xxxxx@127.0.0.1" in result.stderr
        assert_hidden(bench, result.text, ["s3cr3t-pass"])


def test_a_dead_proxy_s_password_is_not_told(bench: Workbench) -> None:
    """Go's own words about a connection that failed included."""
    bench.write_project([LIB])
    with refusing_port() as port:
        url = f"http://user:s3cr3t-pass@127.0.0.1:{port}"
        result = bench.prefetch("--verbose", "--attempts", "2", goproxy=url)
    assert result.status == 5, result.text
    assert_hidden(bench, result.text, ["s3cr3t-pass"])


def test_a_wrong_password_is_not_tried_again(bench: Workbench) -> None:
    """401 is an answer: one request a file from us, then Go's own verdict; the wrong one is hidden as well."""
    bench.write_project([LIB])
    with ModuleProxy([LIB], credentials=("user", "right")) as proxy:
        result = bench.prefetch("--verbose", "--attempts", "5", goproxy=proxy.url_with("user", "wr0ng-pass"))
        assert result.status == 5, result.text
        assert "401 Unauthorized" in result.stderr
        assert result.stderr.endswith("#proxy-unavailable\n")
        assert "0 files, 0 B, 3 failed attempts" in result.stdout
        ours = 3
        assert len(proxy.paths()) <= ours + 2
        assert_hidden(bench, result.text, ["wr0ng-pass"])


def test_a_password_in_a_misspelt_list_is_hidden(bench: Workbench) -> None:
    """The error about the entry shows it without."""
    bench.write_project([LIB])
    result = bench.prefetch(goproxy="htps://user:s3cr3t-pass@example.com")
    assert result.status == 2, result.text
    assert_hidden(bench, result.text, ["s3cr3t-pass"])


def test_save_private_keeps_what_came_with_a_password(bench: Workbench) -> None:
    """Whoever asks for it gets it, and the next run is exact without any proxy."""
    bench.write_project([LIB])
    with ModuleProxy([LIB], credentials=("user", "s3cr3t-pass")) as proxy:
        url = proxy.url_with("user", "s3cr3t-pass")
        assert bench.prefetch("--save-private", "true", goproxy=url).status == 0
        assert bench.module_files(bench.pool) == set(proxy.files)
    bench.forget_modcache()
    assert bench.prefetch(goproxy="off").status == 0
    assert bench.outputs["cache-result"] == "exact"
