"""A pool of which every file is wrong is a few sentences in the log, not one for each file."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.base import nofollow
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import Notice
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.ports import Wanted
from go_prefetch.modfiles.damage import damage
from go_prefetch.stores.directory_pool import DirectoryPool
from tests.support.service_shelf import KEY

FILES = [ModuleFile(ModuleVersion(f"example.com/m{n}", "v1.0.0"), "zip") for n in range(50)]


def test_damage_of_one_file_names_file_and_problem() -> None:
    (one,) = damage("pool P", {FILES[0]: "the file is empty"})
    assert dict(one.facts) == {"place": "pool P", "count": 1, "files": (FILES[0],), "problem": "the file is empty"}


def test_damage_with_one_problem_is_one_notice() -> None:
    (one,) = damage("pool P", dict.fromkeys(FILES, "the file is empty"))
    assert dict(one.facts)["files"] == tuple(FILES)


def test_damage_with_many_problems_counts_the_rest() -> None:
    notices = damage("/folder", {file: f"problem of {file}" for file in FILES})
    assert len(notices) == 11
    assert (notices[-1].case, dict(notices[-1].facts)["count"]) == ("more-files", 40)


def test_pool_of_another_user_is_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files may be right: they are not called damaged."""

    def refused(root: Path, name: str) -> None:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(nofollow, "open_file", refused)
    pool = DirectoryPool(tmp_path / "pool", proxies="https://proxy.example", takes_files=True)
    wanted = Wanted(KEY, FILES, ModuleFolder.at(tmp_path / "modules"))
    restored = pool.restore(wanted, Deadline.after(60), lambda file: None)
    (one,) = restored.warnings
    assert isinstance(one, Notice)
    assert one.slug == "store-unreadable"
    assert (dict(one.facts)["count"], dict(one.facts)["words"]) == (50, "Permission denied")
