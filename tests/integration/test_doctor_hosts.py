"""Doctor measures what Go asks besides proxies: hosts behind `direct`, and the checksum database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.http_proxy import HttpProxy
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, layout
from tests.support.fakes.raw_server import Line, RawRequest, RawServer, Respond, answer
from tests.support.fakes.tls import server_tls
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

MODULES = tuple(FakeModule(path, "v1.0.0") for path in ("one.test/m", "one.test/n", "two.test/m"))
DATABASE = "sum.golang.org"
RECORD = b"1\ngolang.org/x/text v0.14.0 h1:x=\n\ngo.sum database tree\n1\nx=\n"


@pytest.fixture(autouse=True)
def project(bench: Workbench) -> None:
    bench.write_project(MODULES)


def diagnosed(bench: Workbench, goproxy: str, **variables: str) -> dict[str, Any]:
    """What doctor prints, as JSON. What is no proxy never makes it fail."""
    arguments = ("doctor", "--format", "json", "--samples", "2", "--store", "none")
    result = prefetch(bench, *arguments, GOPROXY=goproxy, **variables)
    assert result.status == 0, result.text
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def sources(found: dict[str, Any], role: str) -> dict[str, dict[str, Any]]:
    return {source["name"]: source for source in found["sources"] if source["role"] == role}


def names(found: dict[str, Any]) -> list[str]:
    return [finding["name"] for finding in found["findings"] if finding["name"].endswith("-unreachable")]


@contextmanager
def internet(servers: Mapping[str, RawServer], folder: Path, authority: trustme.CA) -> Iterator[dict[str, str]]:
    """Variables for an HTTP proxy behind which these hosts are."""
    authority.cert_pem.write_to_path(folder / "ca.pem")
    with HttpProxy({host: server.port for host, server in servers.items()}) as between:
        yield {"HTTPS_PROXY": between.url, "REQUESTS_CA_BUNDLE": str(folder / "ca.pem")}


def says(body: bytes, status: str = "200 OK") -> Respond:
    return lambda request, line: line.say(answer(body, status=status))


def mirror(status: str) -> Respond:
    """A proxy that answers so when it is asked whether it mirrors the database. It has the modules."""
    files = layout(MODULES)

    def respond(request: RawRequest, line: Line) -> None:
        if request.target.endswith("/supported"):
            line.say(answer(b"", status=status))
        elif "/sumdb/" in request.target or request.target.startswith("/lookup/"):
            line.say(answer(RECORD))
        else:
            content = files.get(request.target.removeprefix("/"))
            line.say(answer(content or b"", status="404 Not Found" if content is None else "200 OK"))

    return respond


def test_hosts_behind_direct_are_measured(bench: Workbench, tmp_path: Path) -> None:
    """A refusal is an answer. An error of the server and a missing host are problems, and none fails doctor."""
    authority = trustme.CA()
    context = server_tls(authority, "one.test")
    with RawServer(says(b"", "401 Unauthorized"), tls=context) as one, ExitStack() as stack:
        variables = stack.enter_context(internet({"one.test": one}, tmp_path, authority))
        found = diagnosed(bench, "direct", **variables)
        hosts = sources(found, "direct")
        assert {name: host["worth"] for name, host in hosts.items()} == {
            "https://one.test": "usable", "https://two.test": "unusable",
        }  # fmt: skip
        assert hosts["https://one.test"]["first_byte"] > 0
        assert {*one.targets} == {"/m?go-get=1"}
        assert names(found) == ["direct-unreachable"]
        one.respond = says(b"", "503 Service Unavailable")
        assert names(diagnosed(bench, "direct", **variables)) == ["direct-unreachable"] * 2


def test_host_of_a_module_that_a_proxy_has_is_not_asked(bench: Workbench) -> None:
    with ModuleProxy(MODULES) as proxy, ModuleProxy(MODULES[:2]) as lacking:
        assert sources(diagnosed(bench, f"{proxy.url},direct"), "direct") == {}
        assert [*sources(diagnosed(bench, f"{lacking.url},direct"), "direct")] == ["https://two.test"]
        assert sources(diagnosed(bench, f"{lacking.url},off"), "direct") == {}
        private = diagnosed(bench, f"{proxy.url},off", GONOPROXY="one.test")
        assert [*sources(private, "direct")] == ["https://one.test"]


@pytest.mark.parametrize(
    "respond", [says(b"<html>Please log in</html>"), says(b"", "404 Not Found"), says(b"", "500 Oops"), None]
)
def test_checksum_database_that_is_unreachable_is_found(bench: Workbench, respond: Respond | None) -> None:
    with ExitStack() as stack:
        proxy = stack.enter_context(ModuleProxy(MODULES))
        server = stack.enter_context(RawServer(respond)) if respond else None
        url = server.url if server else f"http://127.0.0.1:{stack.enter_context(refusing_port())}"
        found = diagnosed(bench, proxy.url, GOSUMDB=f"{DATABASE} {url}")
        assert [source["worth"] for source in sources(found, "checksums").values()] == ["unusable"]
        assert names(found) == ["checksums-unreachable"]


def test_checksum_database_is_measured_where_go_asks_it(bench: Workbench) -> None:
    """A URL in GOSUMDB goes before proxies, and its password is not shown."""
    with ModuleProxy(MODULES) as proxy, RawServer(mirror("200 OK")) as server:
        url = server.url.replace("//", "//me:s3cr3t-pass@")
        found = diagnosed(bench, proxy.url, GOSUMDB=f"{DATABASE} {url}")
        ((name, database),) = sources(found, "checksums").items()
        assert (database["worth"], name) == ("usable", url.replace("s3cr3t-pass", "xxxxx"))
        assert {*server.targets} == {"/lookup/golang.org/x/text@v0.14.0"}
        assert not [path for path in proxy.paths() if "sumdb" in path]


def test_checksum_database_that_go_never_asks_is_not_measured(bench: Workbench) -> None:
    with ModuleProxy(MODULES) as proxy, RawServer(says(RECORD)) as server:
        variables = {"GOSUMDB": f"{DATABASE} {server.url}"}
        for goproxy, more in (
            (proxy.url, {"GONOSUMDB": "*.test"}),
            ("off", {}),
            (proxy.url, {"GOSUMDB": "off"}),
            (proxy.url, {"GOSUMDB": "sum.golang.org http://[::"}),
        ):
            assert sources(diagnosed(bench, goproxy, **{**variables, **more}), "checksums") == {}
        (bench.project / "vendor").mkdir()
        (bench.project / "vendor" / "modules.txt").touch()
        assert sources(diagnosed(bench, proxy.url, **variables), "checksums") == {}
        assert server.targets == []


@pytest.mark.parametrize(
    ("separator", "status", "asked"),
    [
        (",", "200 OK", 0),
        (",", "404 Not Found", 1),
        ("|", "403 Forbidden", 1),
        (",", "403 Forbidden", None),  # Go gives up, so the first one is measured
    ],
)
def test_mirror_of_the_database_is_the_one_go_asks(
    bench: Workbench, separator: str, status: str, asked: int | None
) -> None:
    with RawServer(mirror(status)) as first, RawServer(mirror("200 OK")) as second:
        goproxy = f"{first.url}{separator}{second.url}"
        bench.go("mod", "download", "one.test/m@v1.0.0", cwd=bench.folder, GOPROXY=goproxy, GOSUMDB=DATABASE)
        by_go = [_asked_database(server) for server in (first, second)]
        assert by_go == [asked == 0, asked == 1]
        ((name, _),) = sources(diagnosed(bench, goproxy, GOSUMDB=DATABASE), "checksums").items()
        assert name == f"{(first.url, second.url)[asked or 0]}/sumdb/{DATABASE}"


def _asked_database(server: RawServer) -> bool:
    return any(target.startswith(f"/sumdb/{DATABASE}/lookup/one.test/") for target in server.targets)
