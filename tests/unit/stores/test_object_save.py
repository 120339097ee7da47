"""What a save to a pool of objects asks of the storage."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.retry import Deadline
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cache_key import CacheKey
from go_prefetch.model.ports import Saving
from go_prefetch.model.progress import Meter
from go_prefetch.stores.objects.save import Writing
from tests.support.fakes.memory_objects import MemoryObjects

FILES = [ModuleFile(ModuleVersion(f"example.com/m{number}", "v1.0.0"), "mod") for number in range(200)]


class InOrder(MemoryObjects):
    """Notes the names in the order in which they were put."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def put(self, name: str, content: BinaryIO, deadline: Deadline, *, replaces: bool = False) -> bool:
        """Note it first."""
        self.names.append(name)
        return super().put(name, content, deadline, replaces=replaces)


def test_save_puts_files_in_random_order(tmp_path: Path) -> None:
    """Else all jobs that start together send the same file at the same time."""
    folder, bucket, nothing = ModuleFolder.of_pool(tmp_path), InOrder(), frozenset[ModuleFile]()
    for size, file in enumerate(FILES, 1):
        path = folder.path_of(file)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"/" * size)
    saving = Saving(CacheKey("", "", 0), folder, FILES, (), None, nothing, nothing, None)
    Writing(bucket, saving, (), Deadline.after(60), Meter("Save")).run()
    assert sorted(bucket.names) == sorted(file.name for file in FILES)
    place = {name: number for number, name in enumerate(bucket.names)}
    for half in (FILES[:100], FILES[100:]):
        assert sum(place[file.name] for file in half) / 100 > 70  # about 50 for the half that comes first
