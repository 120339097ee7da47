"""GOAUTH: commands and git, against a proxy over TLS that asks for a login. Plain Go is the judge of the set-up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from go_prefetch.base.retry import AttemptError
from go_prefetch.web import goauth
from go_prefetch.web.http_settings import HttpSettings
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.raw_server import RawServer, answer
from tests.support.fakes.tls import server_tls, trusting
from tests.support.same_process import prefetch
from tests.support.transferring import received
from tests.support.workbench import Workbench

AUTHORITY = trustme.CA()
MODULES = tuple(FakeModule(f"example.com/m{number}", "v1.0.0") for number in range(4))
BASIC = "Basic bWU6c2VjcmV0"  # me:secret


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[ModuleProxy]:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    with ModuleProxy(MODULES, credentials=("me", "secret"), tls=server_tls(AUTHORITY)) as server:
        yield server


def script(folder: Path, body: str) -> str:
    """A program that notes how it is called, and does this."""
    path = folder / "login"
    path.write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\n{body}\n')
    path.chmod(0o755)
    return str(path)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def prints(url: str, header: str = f"Authorization: {BASIC}") -> str:
    return f"printf '%s\\n\\n%s\\n\\n' '{url}' '{header}'"


def variables(proxy: ModuleProxy, tmp_path: Path, way: str) -> dict[str, str]:
    return {"GOPROXY": proxy.url, "SSL_CERT_FILE": str(tmp_path / "ca.pem"), "GOAUTH": way}


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("fill", "filled"), ("docker", "--output", "folder"), ("doctor", "--samples", "1")],
    ids=lambda arguments: arguments[0],
)
def test_command_logs_every_subcommand_in(
    bench: Workbench, proxy: ModuleProxy, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Once, before the first request. What came with a login is not saved."""
    bench.write_project(MODULES)
    through = variables(proxy, tmp_path, script(tmp_path, prints(proxy.url)))
    pool = ("--store", f"dir:{bench.pool}") if arguments[0] in ("run", "doctor") else ()
    result = prefetch(bench, *arguments, *pool, **through)
    assert result.status == 0, result.text
    assert "401" not in {str(request.status_or_fault) for request in proxy.requests}
    assert calls(tmp_path)[0] == ""
    assert bench.module_files(bench.pool) == set()


def test_command_gets_the_url_and_the_answer_as_from_go(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """It prints a login only if it is given the answer that asks for one."""
    bench.write_project(MODULES)
    body = f'test "$1" || exit 0\nread -r status\ncase $status in *401*) {prints(proxy.url)};; *) exit 1;; esac'
    through = variables(proxy, tmp_path, script(tmp_path, body))
    assert bench.go("mod", "download", **through).status == 0
    bench.forget_modcache()
    result = bench.run("fill", "filled", "--attempts", "1", **through)
    assert result.status == 0, result.text
    ours = [call for call in calls(tmp_path) if call.startswith(proxy.url)]
    assert ours


def test_command_is_not_run_for_each_missing_file(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """A proxy that lacks everything answers 404 many times. The command has nothing new after the first."""
    bench.write_project(MODULES)
    proxy.files.clear()
    through = variables(proxy, tmp_path, script(tmp_path, prints(proxy.url)))
    assert bench.run("fill", "filled", **through).status == 5
    assert len(proxy.paths()) >= len(MODULES)
    assert len(calls(tmp_path)) == 2


def test_git_credentials_are_used_and_judged(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    """`git credential fill` in the folder that GOAUTH names; the helper learns that the login is good."""
    bench.write_project(MODULES)
    folder = tmp_path / "logins"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    helper = f"!f() {{ cat >/dev/null; echo $1 >>{tmp_path}/helper; echo username=me; echo password=secret; }}; f"
    subprocess.run(["git", "-C", str(folder), "config", "credential.helper", helper], check=True)
    through = variables(proxy, tmp_path, f"netrc; git {folder}")
    assert bench.go("mod", "download", **through).status == 0
    bench.forget_modcache()
    (tmp_path / "helper").unlink()
    result = prefetch(bench, "fill", "filled", "--attempts", "1", **through)
    assert result.status == 0, result.text
    assert (tmp_path / "helper").read_text().split() == ["get", "store"]


def test_first_entry_counts_for_the_same_host(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    bench.write_project(MODULES)
    netrc = bench.folder / "home" / ".netrc"
    netrc.write_text(f"machine 127.0.0.1:{proxy.port} login me password wrong\n")
    command = script(tmp_path, prints(proxy.url))
    assert bench.run("fill", "good", **variables(proxy, tmp_path, f"{command}; netrc")).status == 0
    proxy.clear()
    assert bench.run("fill", "bad", "--attempts", "1", **variables(proxy, tmp_path, f"netrc; {command}")).status == 5
    assert {request.status_or_fault for request in proxy.requests} == {401}


@pytest.mark.parametrize(
    ("body", "words"), [("exit 3", "status 3"), ("echo nonsense", "missing"), ("exec sleep 60", "did not end within")]
)
def test_command_that_fails_is_named_next_to_the_refusal(
    bench: Workbench, proxy: ModuleProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    bench.write_project(MODULES[:1])
    monkeypatch.setattr(goauth, "_SECONDS", 0.5)
    way = script(tmp_path, body)
    report = ("--report-file", str(bench.report_file))
    result = prefetch(bench, "fill", "filled", "--attempts", "1", *report, **variables(proxy, tmp_path, way))
    assert result.status == 5
    (first, *_) = [failure["attempts"][0] for failure in bench.report["download"]["failures"]]
    assert "401" in first
    assert f"(GOAUTH: {way}" in first
    assert words in first


def test_run_reads_goauth_from_the_file_of_go_env(bench: Workbench, proxy: ModuleProxy, tmp_path: Path) -> None:
    bench.write_project(MODULES)
    (tmp_path / "env").write_text(f"GOAUTH={script(tmp_path, prints(proxy.url))}\n")
    through = variables(proxy, tmp_path, "") | {"GOENV": str(tmp_path / "env")}
    result = bench.run("run", "--store", "none", "--report-file", str(bench.report_file), **through)
    assert result.status == 0, result.text
    assert bench.report["complete"]["files_by_go"] == 0


def test_login_of_a_command_stays_with_its_host(tmp_path: Path) -> None:
    """Whatever its header is called: a redirect to another server goes without, and so does a request over http."""
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    with RawServer(lambda request, line: line.say(answer(b"body")), tls=server_tls(AUTHORITY)) as storage:
        moved = answer(b"", status="302 Found", Location=f"{storage.url}/object")
        with RawServer(lambda request, line: line.say(moved), tls=server_tls(AUTHORITY)) as server:
            way = script(tmp_path, prints(server.url, "Private-Token: t0ken"))
            web = trusting(tmp_path / "ca.pem", goauth=way, environ={"PATH": "/usr/bin:/bin"})
            assert received(f"{server.url}/file", tmp_path / "file", web=web).has_login
            assert server.requests[0].headers["Private-Token"] == "t0ken"
            assert storage.requests[0].headers["Private-Token"] is None
    with RawServer(lambda request, line: line.say(answer(b"body"))) as plain:
        web = HttpSettings(goauth=script(tmp_path, prints(plain.url)), environ={"PATH": "/usr/bin:/bin"})
        assert not received(f"{plain.url}/file", tmp_path / "file", web=web).has_login
        assert plain.requests[0].headers["Authorization"] is None


def test_server_that_repeats_a_login_does_not_get_it_printed(tmp_path: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    echo = answer(b"", status="400 You sent s3cr3t-t0ken")
    with RawServer(lambda request, line: line.say(echo), tls=server_tls(AUTHORITY)) as server:
        way = script(tmp_path, prints(server.url, "Authorization: Bearer s3cr3t-t0ken"))
        web = trusting(tmp_path / "ca.pem", goauth=way, environ={"PATH": "/usr/bin:/bin"})
        with pytest.raises(AttemptError, match="400 You sent xxxxx"):
            received(f"{server.url}/file", tmp_path / "file", web=web)
