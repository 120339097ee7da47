"""A GOCACHE made by hand, and a store of build results in a pool, without Go."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from go_prefetch.base.retry import Deadline
from go_prefetch.buildcache.contents import contents, listing
from go_prefetch.golang.build_cache import Contents
from go_prefetch.model.build_lineage import Lineage, new_key
from go_prefetch.model.build_results import BuildRestored, BuildSaved, BuildState
from go_prefetch.model.progress import Meter
from go_prefetch.modfiles.zip_repack import Writable
from go_prefetch.run.steps.build_cache import save_build
from go_prefetch.stores.cache_service.archive import Outgoing, write_members
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.build_store import Access, BuildStore
from go_prefetch.stores.cache_service.compression import PLAIN, Encoding
from go_prefetch.stores.cache_service.entry_folder import folder_connection

Members = Sequence[tuple[str, bytes]]
DAY = 86_400.0
LINEAGE = Lineage.of({"GOOS": "linux"}, "example.com/project", "build")


def digest(text: str | bytes) -> str:
    """Return an id as Go makes it."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def action_line(action: str, output: str, size: int, moment: int = 1_700_000_000_000_000_000) -> bytes:
    """Return the content of an action's file."""
    return f"v1 {action} {output} {size:20d} {moment:20d}\n".encode()


def put(gocache: Path, name: str, content: bytes, *, executable: str = "", age: float = 0.0) -> tuple[Path, Path]:
    """Put an action called `name` and its output into a GOCACHE, as Go does. Return both files."""
    action, output = digest(name), digest(content)
    entry = gocache / action[:2] / f"{action}-a"
    file = gocache / output[:2] / f"{output}-d"
    if executable:
        file = file / executable
    for path, data in ((file, content), (entry, action_line(action, output, len(content)))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (time.time() - age,) * 2)
    if executable:
        file.chmod(0o755)
    return entry, file


def name_of(content: bytes) -> str:
    """Return the path of an output in GOCACHE."""
    return f"{digest(content)[:2]}/{digest(content)}-d"


def use(gocache: Path, *names: str) -> None:
    """Set the times of actions as Go does when it uses them."""
    for name in names:
        os.utime(gocache / digest(name)[:2] / f"{digest(name)}-a")


def files_of(gocache: Path) -> dict[str, bytes]:
    """Return every file in a GOCACHE, by its path."""
    return {path.relative_to(gocache).as_posix(): path.read_bytes() for path in gocache.rglob("*") if path.is_file()}


def contents_of(gocache: Path) -> Contents:
    """Return everything that is right in a GOCACHE."""
    found = listing(gocache)
    return contents(gocache, found, found.times)


@dataclass
class BuildShelf:
    """Jobs one after the other, each with a GOCACHE of its own: restore, then what the test does, then save."""

    folder: Path
    encoding: Encoding = PLAIN
    access: Access | None = None
    lineage: Lineage = LINEAGE
    state: BuildState | None = None
    jobs: int = field(default=0, init=False)

    @property
    def pool(self) -> Path:
        """The folder of the pool."""
        return self.folder / "pool"

    @property
    def gocache(self) -> Path:
        """The GOCACHE of the current job."""
        return self.folder / f"gocache{self.jobs}"

    @property
    def old(self) -> Path:
        """The folder for replaced outputs of the current job."""
        return self.folder / f"old{self.jobs}"

    def store(self) -> BuildStore:
        """Return the store as wiring makes it."""
        access = self.access or Access(f"{self.jobs}.1")
        return BuildStore("the pool", lambda: folder_connection(self.pool, self.encoding.name), self.encoding, access)

    def begin(self, *, empty: bool = True) -> BuildRestored:
        """Begin a job, on a new machine if `empty`, and restore."""
        self.jobs += empty
        self.gocache.mkdir(exist_ok=True)
        moment = time.time()
        restored = self.store().restore(self.gocache, self.old, self.lineage, moment, Deadline.after(30))
        self.state = BuildState(
            self.gocache, self.old, self.lineage, moment, restored.key, restored.base, restored.gave_up
        )
        return restored

    def end(self, *, succeeded: bool = True) -> BuildSaved:
        """Save, and end the job."""
        assert self.state is not None
        return save_build(self.store(), self.state, Deadline.after(30), Meter("Save"), succeeded=succeeded)

    def entries(self) -> list[Path]:
        """Return the files of all entries, oldest first."""
        found = (self.pool / ".go-prefetch" / "entries").glob("go-prefetch-build-*")
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def plant(shelf: BuildShelf, members: Members, below: Sequence[str] = ()) -> str:
    """Save an entry with these files, whatever they are. Return its id."""
    service = folder_connection(shelf.pool, shelf.encoding.name).service
    key = new_key(LINEAGE.own, [repr(members)], below, "1.1")
    deadline = Deadline.after(30)
    with uploading(lambda: service.reserve(key, deadline), deadline) as out:
        write_members(out, outgoing(members), shelf.encoding)
    return key.removeprefix(LINEAGE.own)[:16]


def outgoing(members: Members) -> list[Outgoing]:
    """Return these files as an archive takes them."""
    return [Outgoing(name, len(data), partial(_write, data)) for name, data in members]


def _write(data: bytes, out: Writable) -> None:
    out.write(data)
