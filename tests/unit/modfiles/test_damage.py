"""A pool of which every file is wrong is a few sentences in the log, not one for each file."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.base import nofollow
from go_prefetch.base.retry import Deadline
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.ports import Wanted
from go_prefetch.modfiles.damage import damage
from go_prefetch.stores.directory_pool import DirectoryPool
from tests.support.service_shelf import KEY

FILES = [ModuleFile(ModuleVersion(f"example.com/m{n}", "v1.0.0"), "zip") for n in range(50)]


def test_damage_of_one_file_names_file_and_problem() -> None:
    assert damage("pool P", {FILES[0]: "the file is empty"}) == (
        "pool P holds a damaged example.com/m0@v1.0.0 .zip: the file is empty",
    )


def test_damage_with_one_problem_is_one_sentence() -> None:
    (said,) = damage("pool P", dict.fromkeys(FILES, "the file is empty"))
    assert said.startswith("pool P holds 50 damaged files, example.com/m0@v1.0.0 .zip, ")
    assert said.endswith(" and 47 more: the file is empty")


def test_damage_with_many_problems_counts_the_rest() -> None:
    said = damage("/folder", {file: f"problem of {file}" for file in FILES}, "held")
    assert len(said) == 11
    assert said[-1] == "/folder held 40 more damaged files"


def test_pool_of_another_user_is_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files may be right: they are not called damaged."""

    def refused(root: Path, name: str) -> None:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(nofollow, "open_file", refused)
    pool = DirectoryPool(tmp_path / "pool", asked="https://proxy.example", takes_files=True)
    wanted = Wanted(KEY, FILES, tmp_path / "modules")
    restored = pool.restore(wanted, Deadline.after(60), lambda file: None)
    (said,) = restored.warnings
    assert "50 files that this user may not read" in said
    assert said.endswith("Permission denied. Give this user read access, or name another pool [store-unreadable]")
    assert "damaged" not in said
