"""An https module proxy behind an HTTP proxy: tunnels that open, tunnels that are refused, hosts that need none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from go_prefetch.base.retry import AttemptError
from go_prefetch.web.dns import AddressInfo, Resolver
from go_prefetch.web.http_settings import HttpSettings
from tests.cli.test_passwords import assert_hidden, on_github
from tests.support.fakes.dead_port import dead_port, refusing_port
from tests.support.fakes.http_proxy import HttpProxy
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.raw_server import RawServer
from tests.support.fakes.tls import server_tls
from tests.support.transferring import received
from tests.support.workbench import Workbench

HOST = "modules.test"  # no name server knows it
LIB = FakeModule("example.com/lib", "v1.2.3", padding=200_000)
OTHER = FakeModule("example.com/other", "v1.0.0")
MODULES = (LIB, OTHER)
FILES = ModuleProxy(MODULES).files
LOGIN = "someone:s3cr3t p@ss"
IN_URL = "someone:s3cr3t%20p%40ss"
SECRETS = ["s3cr3t p@ss", "s3cr3t%20p%40ss"]


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[ModuleProxy]:
    """The module proxy, with a certificate for HOST."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = server_tls(authority, HOST)
    with ModuleProxy(MODULES, tls=context) as server:
        yield server


def variables(proxy: HttpProxy, tmp_path: Path, login: str = "") -> dict[str, str]:
    at = f"{login}@" if login else ""
    return {"HTTPS_PROXY": f"http://{at}{proxy.address}:{proxy.port}", "SSL_CERT_FILE": str(tmp_path / "authority.pem")}


@pytest.mark.parametrize("where", ["terminal", "GitHub"])
def test_files_come_through_a_tunnel_with_a_login(
    bench: Workbench, modules: ModuleProxy, tmp_path: Path, where: str
) -> None:
    """Every file, by us and by plain Go alike; what the proxy is told is told to nobody else."""
    bench.write_project(MODULES)
    with HttpProxy({HOST: modules.port}, login=LOGIN) as proxy:
        through = variables(proxy, tmp_path, IN_URL) | (on_github(tmp_path) if where == "GitHub" else {})
        trace = ("--verbose", "--trace", str(bench.folder / "trace.json"))
        result = bench.prefetch(*trace, goproxy=f"https://{HOST}", **through)
        assert result.status == 0, result.text
        assert sorted(modules.paths()) == sorted(FILES)
        assert set(proxy.asked) == {f"{HOST}:443"}
        assert_hidden(bench, result.text, SECRETS)
        bench.forget_modcache()
        assert bench.go("mod", "download", **through, GOPROXY=f"https://{HOST}").status == 0
    assert {name: (bench.pool / name).read_bytes() for name in bench.module_files(bench.pool)} == FILES


@pytest.mark.parametrize("command", ["run", "fill"])
@pytest.mark.parametrize(
    ("login", "refusal", "times"),
    [("someone:wr0ng-pass", "407 Proxy Authentication Required", 1), (IN_URL, "403 Forbidden", 1),
     (IN_URL, "502 Bad Gateway", 2)],
    ids=["407", "403", "502"],
)  # fmt: skip
def test_a_tunnel_that_is_refused_is_told(
    bench: Workbench, modules: ModuleProxy, tmp_path: Path, *, login: str, refusal: str, times: int, command: str
) -> None:
    """As a failure of the HTTP proxy, with its status and without the login; a wrong login is not tried again."""
    bench.write_project(MODULES)
    with HttpProxy({HOST: modules.port}, login=LOGIN, refusal=refusal) as proxy:
        through = variables(proxy, tmp_path, login)
        given = ("run", "--store", "none") if command == "run" else ("fill", str(bench.folder / "filled"))
        flags = ("--verbose", "--attempts", "2", "--report-file", str(bench.report_file))
        result = bench.run(*given, *flags, GOPROXY=f"https://{HOST}", **through)
        by_go = 2 if command == "run" else 0
        ours = times * len(FILES)
        assert len(proxy.asked) <= ours + ours // 10 + by_go  # of ten one may be a rival, where the machine pauses
    assert result.status == 5, result.text
    assert "[proxy-unavailable]" in result.stderr
    words = f"https://{HOST}: HTTP proxy: Tunnel connection failed: {refusal}"
    attempts = [failure["attempts"] for failure in bench.report["download"]["failures"]]
    assert (len(attempts), [words] * times in attempts) == (len(FILES), True)
    assert modules.requests == []
    assert_hidden(bench, result.text, [*SECRETS, "wr0ng-pass"])


@pytest.mark.parametrize("place", ["a.test:x", ":80", "[::", "a b", "a.test"], ids=repr)
def test_an_http_proxy_that_is_no_address_is_refused(place: str, tmp_path: Path) -> None:
    """Nothing is sent, nothing is tried again, and its login is in no message."""
    proxy = f"{'ftp' if place == 'a.test' else 'http'}://me:s3cr3t@{place}"
    web = HttpSettings(http_proxy=proxy, https_proxy=proxy)
    for scheme in ("http", "https"):
        with pytest.raises(AttemptError) as caught:
            received(f"{scheme}://{HOST}/file", tmp_path / "file", web=web)
        assert (caught.value.kind, caught.value.transient) == ("refused", False)
        assert caught.value.at_http_proxy
        assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_proxy_on_the_way_that_fails_is_named(scheme: str, tmp_path: Path) -> None:
    """Not the server behind it: its name and address are right."""

    def look_up(host: str, port: int, *_: object) -> list[AddressInfo]:
        if host == "unknown.test":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    def failure(place: str, limit: float = 5.0) -> AttemptError:
        web, resolver = HttpSettings(https_proxy=f"{scheme}://{place}"), Resolver(look_up)
        with pytest.raises(AttemptError) as caught:
            received(f"https://{HOST}/file", tmp_path / "file", connect=limit, stall=limit, web=web, resolver=resolver)
        return caught.value

    with (
        refusing_port() as refusing, dead_port() as dead,
        RawServer(lambda request, line: line.wait()) as silent, RawServer(lambda request, line: None) as hanging_up,
    ):  # fmt: skip
        errors = [
            failure("unknown.test"), failure(f"127.0.0.1:{refusing}"), failure(f"127.0.0.1:{hanging_up.port}", 0.3),
            failure(f"127.0.0.1:{dead}", 0.2), failure(f"127.0.0.1:{silent.port}", 0.2),
        ]  # fmt: skip
    assert [str(error) for error in errors if not error.at_http_proxy or "<" in str(error)] == []


def test_a_host_of_no_proxy_is_reached_directly(modules: ModuleProxy, tmp_path: Path) -> None:
    """Not even asked for: the HTTP proxy would refuse."""
    here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", modules.port))]
    with HttpProxy({}, refusal="502 Bad Gateway") as proxy:
        environ = variables(proxy, tmp_path) | {"REQUESTS_CA_BUNDLE": str(tmp_path / "authority.pem")}
        for no_proxy in (HOST, ".test", "*", f"{HOST}:443", "other.test, modules.test"):
            web = HttpSettings.from_environ({**environ, "NO_PROXY": no_proxy})
            url = f"https://{HOST}/example.com/lib/@v/v1.2.3.zip"
            received(url, tmp_path / "file", web=web, resolver=Resolver(lambda *_: here))
            assert (tmp_path / "file").read_bytes() == LIB.zip
        assert proxy.asked == []
