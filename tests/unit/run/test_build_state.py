"""The file between `build-cache restore` and `build-cache save`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.model.build_results import BuildBase, BuildState
from go_prefetch.run.build_state import forget_old_outputs, old_outputs, read_state, write_state
from tests.support.build_shelf import LINEAGE, digest

STATE = BuildState(
    Path("/home/ci/.cache/go-build").absolute(),  # on Windows with a drive
    Path("/home/ci/state.json.old").absolute(),
    LINEAGE,
    1_800_000_000.25,
    f"{LINEAGE.own}{'1' * 16}-1.1",
    BuildBase(
        ("1" * 16,),
        {digest("a"): digest("b")},
        {digest("b"): 5},
        {digest("c"): 7},
        {digest("b"): digest("c")},
        5,
        0,
        4,
    ),
    gave_up=True,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_read_state_returns_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.json"
    for state in (STATE, BuildState(STATE.gocache, STATE.old, LINEAGE, 1.0)):
        write_state(path, state)
        assert read_state(path) == replace(state, old=old_outputs(path))


def test_read_state_of_no_file_is_none(tmp_path: Path) -> None:
    assert read_state(tmp_path / "none") is None


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("state") / "state.json"
    write_state(path, STATE)
    return dict(json.loads(path.read_bytes()))


@given(data=st.data(), value=json_values)
def test_read_state_takes_any_values(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, Any], data: st.DataObject, value: object
) -> None:
    path = tmp_path_factory.mktemp("state") / "state.json"
    name = data.draw(st.sampled_from(sorted(written)))
    path.write_text(json.dumps({**written, name: value}))
    read_state(path)
    path.write_text(json.dumps({one: text for one, text in written.items() if one != name}))
    assert read_state(path) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gocache", "/a\0b"),
        ("gocache", "relative"),
        ("ids", ["../../evil"]),
        ("ids", ["1" * 16] * 17),
        ("ids", "1"),
        ("made_from", {digest("a"): "../evil"}),
        ("made_from", {"../evil": digest("a")}),
        ("replaced", {"../evil": 1}),
    ],
)
def test_read_state_with_a_value_that_cannot_be_is_none(
    tmp_path: Path, written: dict[str, Any], name: str, value: object
) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps({**written, name: value}))
    assert read_state(path) is None


def test_read_state_takes_the_longest_chain(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state = BuildState(
        STATE.gocache, STATE.old, LINEAGE, 1.0, base=BuildBase(tuple(f"{one:016x}" for one in range(16)))
    )
    write_state(path, state)
    assert read_state(path) == replace(state, old=old_outputs(path))


def test_forget_old_outputs_removes_no_file_of_others(tmp_path: Path) -> None:
    state, other = tmp_path / "state.json", tmp_path / "other"
    folder = old_outputs(state)
    for place in (folder, other):
        place.mkdir()
        (place / digest("a")).write_bytes(b"a")
    (folder / "file").write_bytes(b"of a user")
    forget_old_outputs(state)
    assert [path.name for path in folder.iterdir()] == ["file"]
    (folder / "file").unlink()
    forget_old_outputs(state)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_forget_old_outputs_follows_no_link(tmp_path: Path) -> None:
    state, other = tmp_path / "state.json", tmp_path / "other"
    other.mkdir()
    (other / digest("a")).write_bytes(b"a")
    old_outputs(state).symlink_to(other)
    forget_old_outputs(state)
    assert (other / digest("a")).exists()


def test_old_outputs_of_a_folder_are_not_next_to_it() -> None:
    """A user may give one as the state file."""
    assert old_outputs(Path("/")).name == ".go-prefetch-old"
