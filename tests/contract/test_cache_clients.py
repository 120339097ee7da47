"""What any client of a cache service may expect: GitHub's own in two versions, and ours, against the same fake.

That the official client saves and restores through the fake shows that the fake is right. Ours then has to as well.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from go_prefetch.base.retry import Backoff, Deadline
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.endpoint import find_endpoint
from go_prefetch.stores.cache_service.protocol import Exchange, Found, NotAllowed
from go_prefetch.stores.cache_service.protocol_v1 import RestService
from go_prefetch.stores.cache_service.protocol_v2 import TwirpService
from go_prefetch.stores.cache_service.range_reader import Blob, RangeReader
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.cache_service import CacheService, Token
from tests.support.made_once import NPM_CI, built_once

OFFICIAL = Path(__file__).parents[1] / "programs" / "official_client"
LOOPBACK = Path(__file__).parents[2] / "bench" / "official" / "loopback.cjs"
AZURE_NAME = "fake.blob.core.windows.net"
MAIN = Token("main-token")
TOPIC = Token("topic-token", "refs/heads/topic", ("refs/heads/main",))
READER = Token("reader-token", writes=False)
PROTOCOLS = ("v2", "v1")
SMALL = b"a few bytes, \0 among them\n" * 40


class Client(Protocol):
    """Keeps the bytes of one file under keys."""

    def save(self, key: str, content: bytes) -> bool:
        """Whether they have become an entry."""

    def restore(self, key: str, *restore_keys: str) -> tuple[str, bytes] | None:
        """The matched key and the bytes."""


@dataclass(frozen=True)
class OfficialClient:
    """`@actions/cache` of one major version, a process for each call."""

    made: Path  # with the client's packages; other tests use it at the same time
    folder: Path
    version: str
    environ: dict[str, str]

    def save(self, key: str, content: bytes) -> bool:
        return self._run("save", key, content=content)[0] != -1

    def restore(self, key: str, *restore_keys: str) -> tuple[str, bytes] | None:
        matched, content = self._run("restore", key, *restore_keys)
        return (str(matched), content) if matched is not None else None

    def _run(self, *arguments: str, content: bytes | None = None) -> tuple[object, bytes]:
        work, temporary = self.folder / "work", self.folder / "temp"
        for folder in (work, temporary):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        if content is not None:
            (work / "content").write_bytes(content)
        program = ["node", "--require", str(LOOPBACK), str(self.made / "client.mjs"), self.version, *arguments]
        told = self.folder / "returned.json"
        environ = {**self.environ, "RUNNER_TEMP": str(temporary), "RETURNED": str(told)}
        done = subprocess.run(program, cwd=work, env=environ, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        returned = json.loads(told.read_text())
        with suppress(FileNotFoundError):
            return returned, (work / "content").read_bytes()
        return returned, b""


@dataclass(frozen=True)
class OurClient:
    """The two protocols as the store uses them."""

    environ: dict[str, str]

    def save(self, key: str, content: bytes) -> bool:
        deadline = Deadline.after(60)
        try:
            with uploading(lambda: self._service.reserve(key, deadline), deadline) as out:
                out.write(content)
        except NotAllowed:
            return False
        return True

    def restore(self, key: str, *restore_keys: str) -> tuple[str, bytes] | None:
        found = self._service.look_up([key, *restore_keys], Deadline.after(60))
        return (found.key, self._content(found)) if found else None

    def _content(self, found: Found) -> bytes:
        def same() -> str:
            return found.url

        content = bytearray()
        with RangeReader(self._http, Blob(found.url, same), Backoff(2), Deadline.after(60)) as reader:
            while piece := reader.read(1 << 20):
                content += piece
        return bytes(content)

    @property
    def _http(self) -> HttpClient:
        return HttpClient(Timeouts(5, 5), web=HttpSettings(), caller_authenticates=True)

    @property
    def _service(self) -> TwirpService | RestService:
        endpoint = find_endpoint(self.environ)
        assert endpoint is not None
        protocol = RestService if endpoint.protocol == "v1" else TwirpService
        return protocol(endpoint, "c" * 64, Exchange(self._http, Backoff(2)))


CLIENTS = (
    "ours",
    pytest.param("5", id="official 5", marks=pytest.mark.network),
    pytest.param("6", id="official 6", marks=pytest.mark.network),
)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Client]:
    """Makes a client for a service, a protocol and a token."""

    def made(service: CacheService, protocol: str, token: Token = MAIN) -> Client:
        environ = service.environ(protocol, token.text)
        if request.param == "ours":
            return OurClient(environ)
        path = {"PATH": os.environ["PATH"]}
        return OfficialClient(built_once(OFFICIAL, *NPM_CI), tmp_path, request.param, {**path, **environ})

    return made


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_saved_is_restored_byte_for_byte(client: Callable[..., Client], protocol: str) -> None:
    with CacheService(MAIN) as service:
        one = client(service, protocol)
        assert one.restore("key-1") is None
        assert one.save("key-1", SMALL)
        assert service.keys == ["key-1"]
        assert one.restore("key-1") == ("key-1", SMALL)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_keys_are_matched_by_prefix_the_newest_first(client: Callable[..., Client], protocol: str) -> None:
    with CacheService(MAIN) as service:
        one = client(service, protocol)
        assert one.save("key-1", SMALL)
        assert one.save("key-2", SMALL + b"2")
        assert one.restore("other", "key-") == ("key-2", SMALL + b"2")
        assert one.restore("other", "nothing-", "key-1") == ("key-1", SMALL)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_key_is_taken_once(client: Callable[..., Client], protocol: str) -> None:
    with CacheService(MAIN) as service:
        one = client(service, protocol)
        assert one.save("key", SMALL)
        assert not one.save("key", b"something else")
        assert one.restore("key") == ("key", SMALL)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_branch_reads_entries_of_main_but_not_main_of_branches(client: Callable[..., Client], protocol: str) -> None:
    with CacheService(MAIN, TOPIC) as service:
        main, topic = client(service, protocol), client(service, protocol, TOPIC)
        assert main.save("key", SMALL)
        assert topic.save("key-of-topic", SMALL)
        assert topic.restore("key") == ("key-of-topic", SMALL)
        assert main.restore("key") == ("key", SMALL)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_token_that_may_not_write(client: Callable[..., Client], protocol: str) -> None:
    with CacheService(MAIN, READER) as service:
        assert not client(service, protocol, READER).save("key", SMALL)
        assert service.keys == []


def test_as_act_has_it(client: Callable[..., Client]) -> None:
    """Keys in lower case; the answer to a look-up too."""
    with CacheService(MAIN, act_like=True) as service:
        one = client(service, "v1")
        assert one.save("key-1", SMALL)
        assert one.save("key-1", SMALL + b"again")
        assert one.restore("key-") == ("key-1", SMALL + b"again")


@pytest.mark.network
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_blocks_and_many_ranges(client: Callable[..., Client], protocol: str) -> None:
    """More than the 128 MiB that the official client sends at once, and from a host of which it reads ranges."""
    content = random.Random(1).randbytes(133 << 20)
    with CacheService(MAIN) as service:
        one = client(service, protocol)
        if isinstance(one, OfficialClient):
            service.blobs.base = service.url.replace("127.0.0.1", AZURE_NAME)
        assert one.save("key", content)
        sent = [route for route in service.routes if route in ("blob.block", "chunk")]
        service.clear()
        restored = one.restore("key")
        assert restored is not None
        assert restored[0] == "key"
        assert restored[1] == content, "other bytes came back"
        assert len(sent) > 2
        assert service.routes.count("blob.get") > 8
