"""The cache service store by itself, without Go: a few module files saved by it, and restored into empty folders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from go_prefetch.base.retry import Backoff, Deadline
from go_prefetch.config.choices import When
from go_prefetch.errors import StoreError
from go_prefetch.golang.modcache import Kind, ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cache_key import CacheKey, cache_key, hexadecimal
from go_prefetch.model.ports import Saving, Wanted
from go_prefetch.model.progress import Meter
from go_prefetch.model.results import Restored, Saved
from go_prefetch.stores.cache_service.compression import PLAIN, Encoding, best_encoding
from go_prefetch.stores.cache_service.endpoint import find_endpoint
from go_prefetch.stores.cache_service.protocol import Exchange
from go_prefetch.stores.cache_service.protocol_v1 import RestService
from go_prefetch.stores.cache_service.protocol_v2 import TwirpService
from go_prefetch.stores.cache_service.range_reader import Blob, RangeReader
from go_prefetch.stores.cache_service.reading import Connection
from go_prefetch.stores.cache_service.store import CacheServiceStore
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts
from tests.support.fakes.cache_service import CacheService
from tests.support.fakes.modules import FakeModule, layout
from tests.support.service_job import MAIN

# With an empty PATH: the module, not the program.
ENCODINGS = {"as they are": PLAIN, "zstd": best_encoding({"PATH": ""})}
KEY = cache_key("example.com/project", ["example.com/lib v1.0.0 h1:abc="])
LONG = 30.0  # seconds: more than anything here takes that does not go wrong


@dataclass
class Shelf:
    """`stall` is how many seconds a server that may be silent on purpose is waited for."""

    service: CacheService
    folder: Path
    modules: tuple[FakeModule, ...]
    protocol: str = "v2"
    encoding: Encoding = PLAIN
    stall: float = 20.0
    attempts: int = 3
    deadline: Deadline = field(default_factory=lambda: Deadline.after(LONG))

    @property
    def files(self) -> dict[str, bytes]:
        """What the modules' files are, by name."""
        return layout(self.modules)

    @property
    def wanted(self) -> tuple[ModuleFile, ...]:
        """The same as the store is asked for them."""
        kinds: tuple[Kind, ...] = ("zip", "mod", "info")
        return tuple(ModuleFile(ModuleVersion(m.path, m.version), kind) for m in self.modules for kind in kinds)

    @property
    def version(self) -> str:
        """Under which the service keeps the entries of this encoding."""
        return hexadecimal(self.encoding.name)

    def store(self, run: int = 1) -> CacheServiceStore:
        """As wiring makes it, with less patience."""
        endpoint = find_endpoint(self.service.environ(self.protocol, MAIN.text, run=str(run)))
        assert endpoint is not None
        backoff = Backoff(self.attempts, first=0.01, longest=0.02)
        stall = self.stall if self.service.faults.are_set else LONG
        client = HttpClient(Timeouts(5, stall), web=HttpSettings(), caller_authenticates=True)
        protocol = RestService if self.protocol == "v1" else TwirpService
        connection = Connection(
            protocol(endpoint, self.version, Exchange(client, backoff)),
            lambda url, renew, deadline, ranges: RangeReader(client, Blob(url, renew), backoff, deadline, ranges),
        )
        return CacheServiceStore(endpoint, self.encoding, lambda: connection, save=When.AUTO, proxies="proxies")

    def origin(self) -> Path:
        """A folder that has all files."""
        folder = self.folder / "origin"
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    def save(self, run: int = 1, key: CacheKey = KEY) -> Saved | StoreError:
        """Save all as a run that found nothing does; a StoreError is returned, for the step turns it into a warning."""
        none: frozenset[ModuleFile] = frozenset()
        saving = Saving(key, ModuleFolder.at(self.origin()), self.wanted, (), None, none, none, None)
        try:
            return self.store(run).save(saving, self.deadline, Meter("Save"))
        except StoreError as error:
            return error

    def restore(self, to: str = "restored", key: CacheKey = KEY) -> Restored:
        """Restore into an empty folder. Whatever befalls it: no error, and no file that is not the right one."""
        target = self.folder / to
        told: list[ModuleFile] = []
        restored = self.store().restore(Wanted(key, self.wanted, ModuleFolder.at(target)), self.deadline, told.append)
        there = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
        assert set(there) == {file.name for file in restored.files} == {file.name for file in told}
        for name, path in there.items():
            if name.endswith(".zip") and self.encoding.rewrites_zips:
                continue  # the same names and contents in other bytes: Go compares those
            assert path.read_bytes() == self.files[name], name
        return restored

    def has_all(self, restored: Restored) -> bool:
        """Whether everything came."""
        return restored.files == set(self.wanted)
