"""A module proxy behind a SOCKS5 proxy: every command goes through it, as Go does, and its refusals have words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler

import pytest
import trustme

from go_prefetch.base.retry import AttemptError
from go_prefetch.web.http_settings import HttpSettings
from tests.cli.test_passwords import assert_hidden
from tests.support.fakes.loopback import LoopbackServer, LoopbackService
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.raw_server import RawServer, answer
from tests.support.fakes.socks_proxy import SocksProxy
from tests.support.fakes.tls import server_tls
from tests.support.same_process import prefetch
from tests.support.transferring import received
from tests.support.workbench import Workbench

HOST = "modules.test"  # no name server knows it
MODULES = (FakeModule("example.com/lib", "v1.2.3", padding=200_000), FakeModule("example.com/other", "v1.0.0"))
LOGIN = "someone:s3cr3t p@ss"
IN_URL = "someone:s3cr3t%20p%40ss"


@pytest.fixture
def modules(tmp_path: Path) -> Iterator[ModuleProxy]:
    """The module proxy, with a certificate for HOST."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with ModuleProxy(MODULES, tls=server_tls(authority, HOST)) as server:
        yield server


def variables(proxy: SocksProxy, tmp_path: Path, login: str = "", scheme: str = "socks5") -> dict[str, str]:
    at = f"{login}@" if login else ""
    return {
        "HTTPS_PROXY": f"{scheme}://{at}{proxy.address}:{proxy.port}",
        "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
        "GOPROXY": f"https://{HOST}",
    }


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--store", "none"),
        ("fill", "filled"),
        ("docker", "--output", "folder"),
        ("doctor", "--samples", "1", "--store", "none"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_goes_through_a_socks_proxy(
    bench: Workbench, modules: ModuleProxy, tmp_path: Path, arguments: tuple[str, ...], scheme: str
) -> None:
    bench.write_project(MODULES)
    with SocksProxy({HOST: modules.port}) as proxy:
        result = bench.run(*arguments, **variables(proxy, tmp_path, scheme=scheme))
        assert result.status == 0, result.text
        assert {path for path in modules.paths() if path.endswith(".zip")} >= {
            f"{module.path}/@v/{module.version}.zip" for module in MODULES
        }
        assert set(proxy.asked) == {f"{HOST}:443"}


def test_a_login_is_used_as_by_go_and_hidden(bench: Workbench, modules: ModuleProxy, tmp_path: Path) -> None:
    """Plain Go is the judge of the proxy that the test has."""
    bench.write_project(MODULES)
    with SocksProxy({HOST: modules.port}, login=LOGIN) as proxy:
        through = variables(proxy, tmp_path, IN_URL)
        result = bench.run("run", "--store", "none", "--verbose", **through)
        assert result.status == 0, result.text
        assert_hidden(bench, result.text, ["s3cr3t p@ss", "s3cr3t%20p%40ss"])
        bench.forget_modcache()
        assert bench.go("mod", "download", **through).status == 0


@pytest.mark.parametrize(
    ("login", "refusal", "words", "times"),
    [
        ("someone:wr0ng-pass", 0, "SOCKS proxy: it rejected the login", 1),
        ("", 0, "SOCKS proxy: it wants another login", 1),
        (IN_URL, 2, "SOCKS proxy: not allowed by its rules", 1),
        (IN_URL, 5, "SOCKS proxy: connection refused", 2),
    ],
    ids=["wrong login", "no login", "rules", "refused"],
)
def test_a_refusal_is_named(
    bench: Workbench, modules: ModuleProxy, tmp_path: Path, *, login: str, refusal: int, words: str, times: int
) -> None:
    """Without the login, and as a failure of the proxy between. What no retry mends is not tried again."""
    bench.write_project(MODULES)
    with SocksProxy({HOST: modules.port}, login=LOGIN, refusal=refusal) as proxy:
        flags = ("--attempts", "2", "--report-file", str(bench.report_file))
        result = prefetch(bench, "fill", "filled", *flags, **variables(proxy, tmp_path, login))
    assert result.status == 5, result.text
    assert result.notice("proxy-unavailable").case == "http-proxy"
    attempts = [failure["attempts"] for failure in bench.report["download"]["failures"]]
    assert [f"https://{HOST}: {words}"] * times in attempts
    assert modules.requests == []
    assert "wr0ng-pass" not in result.text


class Silent(LoopbackService):
    """Accepts, sends these bytes, and nothing more."""

    def __init__(self, says: bytes) -> None:
        super().__init__()
        self.says = says

    def serve(self) -> LoopbackServer[Silent]:
        return LoopbackServer(self, _SilentHandler)


class _SilentHandler(StreamRequestHandler):
    server: LoopbackServer[Silent]

    def handle(self) -> None:
        self.wfile.write(self.server.owner.says)
        self.server.owner.stopped.wait()


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (b"", "SOCKS proxy: no connection within 0.3s"),
        (b"\x05\x00\x05\x00\x00\x03\xff", "SOCKS proxy: no connection within 0.3s"),
        (b"HTTP/1.1 400 Bad Request\r\n", "SOCKS proxy: it does not speak SOCKS5"),
    ],
    ids=["silence", "half an answer", "another protocol"],
)
def test_a_proxy_that_is_none_ends_within_the_connect_limit(tmp_path: Path, says: bytes, words: str) -> None:
    with Silent(says) as proxy:
        web = HttpSettings(http_proxy=f"socks5://127.0.0.1:{proxy.port}")
        with pytest.raises(AttemptError) as caught:
            received(f"http://{HOST}/file", tmp_path / "file", connect=0.3, web=web)
    assert caught.value.words == words


def test_http_goes_through_it_too_and_addresses_are_sent_as_such(tmp_path: Path) -> None:
    with RawServer(lambda request, line: line.say(answer(b"body"))) as server:
        known = {HOST: server.port, "192.0.2.1": server.port, "2001:db8::1": server.port}
        with SocksProxy(known) as proxy:
            web = HttpSettings(http_proxy=f"socks5://127.0.0.1:{proxy.port}")
            for host in (HOST, "192.0.2.1", "[2001:db8::1]"):
                received(f"http://{host}:8080/file?a=b", tmp_path / "file", web=web)
            assert proxy.asked == [f"{host}:8080" for host in known]
        assert server.targets == ["/file?a=b"] * 3


def test_socks4_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """Go does not have it either."""
    web = HttpSettings(https_proxy="socks4://me:s3cr3t@127.0.0.1:1")
    with pytest.raises(AttemptError, match="socks4 is not supported; use http, https or socks5") as caught:
        received(f"https://{HOST}/file", tmp_path / "file", web=web)
    assert (caught.value.transient, caught.value.at_http_proxy) == (False, True)
