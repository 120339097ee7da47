"""A name with an IPv6 address that accepts and is silent, and an IPv4 address that is well."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from go_prefetch.base.retry import AttemptError
from go_prefetch.web import client
from go_prefetch.web.dns import Resolver
from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.same_process import prefetch
from tests.support.transferring import received
from tests.support.workbench import Workbench

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "::1"])
MODULES = tuple(FakeModule(f"example.com/m{number}", "v1.0.0") for number in range(6))
URL = "http://two.test"


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and never reads from them."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def good() -> Iterator[ModuleProxy]:
    with ModuleProxy(MODULES) as proxy:
        yield proxy


def lookup(silent_port: int, good_port: int) -> Any:
    """IPv6 first, as most systems have it."""
    rows = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", silent_port, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", good_port)),
    ]
    return lambda *_: rows


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_retry_starts_with_the_next_address(silent: int, good: ModuleProxy, tmp_path: Path, scheme: str) -> None:
    """Whether the first one is silent after a request, or in the TLS handshake."""
    resolver = Resolver(lookup(silent, good.port))
    url = f"{scheme}://two.test/{MODULES[0].path}/@v/v1.0.0.mod"
    with pytest.raises(AttemptError, match="within"):
        received(url, tmp_path / "file", connect=0.3, stall=0.3, resolver=resolver)
    assert resolver.addresses("two.test", 80, 1.0)[0][0] is socket.AF_INET
    assert received(url.replace("https", "http"), tmp_path / "file", stall=0.3, resolver=resolver).bytes
    assert good.connections == 1


def test_address_that_refuses_is_tried_last_from_then_on(good: ModuleProxy, tmp_path: Path) -> None:
    with refusing_port() as refused:
        resolver = Resolver(lookup(refused, good.port))
        assert received(f"{URL}/{MODULES[0].path}/@v/v1.0.0.mod", tmp_path / "file", resolver=resolver).bytes
        assert [str(row[4][0]) for row in resolver.addresses("two.test", 80, 1.0)] == ["127.0.0.1", "::1"]


def test_address_that_answers_again_comes_first_again() -> None:
    resolver = Resolver(lookup(1, 2))
    resolver.failed("::1")
    resolver.failed("127.0.0.1")
    resolver.failed("127.0.0.1")
    resolver.answered("127.0.0.1")
    assert [str(row[4][0]) for row in resolver.addresses("two.test", 80, 1.0)] == ["127.0.0.1", "::1"]
    resolver.answered("::1")
    assert [str(row[4][0]) for row in resolver.addresses("two.test", 80, 1.0)] == ["::1", "127.0.0.1"]


def test_fill_is_green_with_one_good_address(
    bench: Workbench, silent: int, good: ModuleProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two attempts are enough, however many files wait for the silent one at first."""
    bench.write_project(MODULES)
    monkeypatch.setattr(client, "Resolver", lambda: Resolver(lookup(silent, good.port)))
    result = prefetch(bench, "fill", "filled", "--attempts", "2", "--stall-timeout", "500ms", GOPROXY=URL)
    assert result.status == 0, result.text
    assert set(good.paths()) == set(good.files)
