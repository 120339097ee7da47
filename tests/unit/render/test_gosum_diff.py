"""What changed in go.sum against the matched entry."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.golang.modcache import ModuleFile, file_named
from go_prefetch.golang.module import ModuleVersion, escape
from go_prefetch.model.report import Report
from go_prefetch.model.results import Restored, RestoredEntry
from go_prefetch.render.gosum_diff import changes
from tests.support.fakes.reports import KINDS, PRIVATE, A, B, files_of, plan, report

OLDER, NEWER, SECOND = (ModuleVersion(A.path, version) for version in ("v0.9.0", "v1.10.0", "v1.0.1"))


def _matched(*now: ModuleVersion, held: Iterable[str], key: str = "of other lines") -> Report:
    entry = RestoredEntry(key, held=frozenset(held))
    return report(plan(*now, private=[PRIVATE]), restored=Restored("store", entry=entry))


def _names(*modules: ModuleVersion) -> list[str]:
    return [file.name for file in files_of(*modules)]


def _found(
    *now: ModuleVersion, before: Iterable[ModuleVersion]
) -> list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    return [(c.kind, c.path, c.old, c.new) for c in changes(_matched(*now, held=_names(*before))).all]


def test_added_removed_upgraded_and_downgraded() -> None:
    """By path, versions compared as Go compares them: v1.10.0 is above v1.9.0."""
    assert _found(NEWER, before=[ModuleVersion(A.path, "v1.9.0")]) == [("upgraded", A.path, ("v1.9.0",), ("v1.10.0",))]
    assert _found(OLDER, before=[A]) == [("downgraded", A.path, ("v1.0.0",), ("v0.9.0",))]
    assert _found(A, B, before=[A]) == [("added", B.path, (), ("v2.0.0+incompatible",))]
    assert _found(A, before=[A, B]) == [("removed", B.path, ("v2.0.0+incompatible",), ())]
    assert _found(A, before=[A]) == []


def test_a_path_may_have_several_versions() -> None:
    """In a workspace, or an old go.sum."""
    assert _found(A, NEWER, before=[A, SECOND]) == [("upgraded", A.path, ("v1.0.0", "v1.0.1"), ("v1.0.0", "v1.10.0"))]


def test_private_modules_are_no_change() -> None:
    """They are not in the entry because they are not saved."""
    assert _found(A, PRIVATE, before=[A]) == []


def test_nothing_is_told_where_nothing_is_known() -> None:
    """Of an entry for the same lines, one that could not be read, and a pool."""
    same = plan(A, private=[PRIVATE]).key.digest
    assert changes(_matched(A, held=_names(B), key=f"x-full-{same}-1.1")).all == ()
    assert changes(_matched(A, held=[])).all == ()
    assert changes(report(plan(A))).all == ()


@given(st.lists(st.text() | st.text("abAZ!/@v.1zipmod-")))
def test_names_that_somebody_made_up_are_no_modules(names: list[str]) -> None:
    """A manifest comes from outside: what is no module file is left out, what is one is well formed."""
    found = changes(_matched(A, held=names + _names(A))).all
    for name in names:
        file = file_named(name)
        assert file is None or (file.name == name and file.kind in KINDS)
    assert {change.kind for change in found} <= {"removed", "upgraded", "downgraded"}


def test_every_file_is_found_by_its_name() -> None:
    for kind in KINDS:
        file = ModuleFile(B, kind)
        assert file_named(file.name) == file
        assert file_named(f"../{file.name}") is None
    assert file_named(f"{escape(B.path)}/@v/v2.0.0.zip") is None  # that path needs /v2, or +incompatible
