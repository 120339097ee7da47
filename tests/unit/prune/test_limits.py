"""A pool within its limits: what a run removes at its end, what it spares, and when it looks at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from go_prefetch.errors import InputError
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.prune.limits import keep_within

DAY = 86400.0
SIZE = 1000


class Pool:
    """Modules of 1,000 bytes each, by the days since their last use."""

    def __init__(self, folder: Path, **days: float) -> None:
        self.folder = folder
        for name, age in days.items():
            self.add(name, age)

    def add(self, name: str, days: float) -> None:
        path = self.folder / f"example.com/{name}/@v/v1.0.0.zip"
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(SIZE))
        os.utime(path, (time.time() - days * DAY,) * 2)

    @property
    def modules(self) -> str:
        return "".join(sorted(path.parts[-3] for path in self.folder.rglob("*.zip")))

    def keep_within(
        self, *, age: float | None = None, size: int | None = None, used: str = "", since: float | None = None
    ) -> str:
        """Return the modules that are gone."""
        versions = {ModuleVersion(f"example.com/{name}", "v1.0.0") for name in used}
        gone = keep_within(self.folder, age, size, versions, since or time.time() + DAY)
        return "".join(one.title.removeprefix("example.com/").removesuffix("@v1.0.0") for one in gone)

    def set_last_trim(self, seconds_ago: float) -> None:
        os.utime(self.folder / ".go-prefetch" / "trimmed", (time.time() - seconds_ago,) * 2)


@pytest.fixture(autouse=True)
def _times_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ctime cannot."""
    monkeypatch.setattr("go_prefetch.stores.pool_metadata.last_use", lambda found: max(found.st_atime, found.st_mtime))


def test_trim_to_a_size_removes_the_longest_unused(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "pool", a=1, b=3, c=2, d=4)
    assert pool.keep_within(size=2 * SIZE) == "db"
    assert pool.modules == "ac"


def test_trim_to_an_age_removes_what_was_not_used_since(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "pool", a=1, b=30, c=40)
    assert pool.keep_within(age=20 * DAY, size=10 * SIZE) == "cb"
    assert pool.modules == "a"


def test_trim_spares_what_this_run_used(tmp_path: Path) -> None:
    """Its modules, also if they are old in the pool, and what any run has touched since it began."""
    pool = Pool(tmp_path / "pool", a=30, b=30, c=0, d=30)
    assert pool.keep_within(age=20 * DAY, size=0, used="b", since=time.time() - 60) == "ad"
    assert pool.modules == "bc"


def test_trim_counts_what_it_spares(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "pool", a=1, b=2, c=3)
    assert pool.keep_within(size=2 * SIZE, used="c") == "b"


def test_trim_is_not_done_twice_in_ten_minutes(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "pool", a=1, b=2)
    assert pool.keep_within(size=SIZE) == "b"
    pool.add("c", 2)
    assert pool.keep_within(size=SIZE) == ""
    pool.set_last_trim(601)
    assert pool.keep_within(size=SIZE) == "c"


def test_trim_in_the_future_does_not_count(tmp_path: Path) -> None:
    """A clock was wrong, or another user set it."""
    pool = Pool(tmp_path / "pool", a=1, b=2)
    pool.keep_within(size=5 * SIZE)
    pool.set_last_trim(-1000)
    assert pool.keep_within(size=SIZE) == "b"


def test_trim_replaces_a_link_in_place_of_its_note(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "pool", a=1, b=2)
    other = tmp_path / "other"
    other.write_text("mine")
    os.utime(other, (1.0, 1.0))
    (tmp_path / "pool/.go-prefetch").mkdir()
    (tmp_path / "pool/.go-prefetch/trimmed").symlink_to(other)
    os.utime(tmp_path / "pool/.go-prefetch/trimmed", (1.0, 1.0), follow_symlinks=False)
    assert pool.keep_within(size=SIZE) == "b"
    assert other.read_text() == "mine"
    assert not (tmp_path / "pool/.go-prefetch/trimmed").is_symlink()


def test_trim_of_no_pool_does_nothing(tmp_path: Path) -> None:
    assert keep_within(tmp_path / "pool", 1.0, 0, (), 0.0) == []
    assert not (tmp_path / "pool").exists()


def test_trim_of_a_module_cache_is_refused(tmp_path: Path) -> None:
    pool = Pool(tmp_path / "pool", a=1)
    (tmp_path / "pool/example.com/a/@v/v1.0.0.ziphash").touch()
    with pytest.raises(InputError):
        pool.keep_within(size=0)
    assert pool.modules == "a"
