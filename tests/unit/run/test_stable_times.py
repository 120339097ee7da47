"""Times that follow from the hash of a content."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.run.steps.stable_times import time_of, times_by_folder

HASHES = st.integers(0, 2**160 - 1).map("{:040x}".format) | st.integers(0, 2**256 - 1).map("{:064x}".format)
NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join)
BEGIN, END = (int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp()) * 10**9 for year in (2000, 2010))


@given(HASHES)
def test_time_of_any_hash_is_in_a_bounded_past(content: str) -> None:
    assert BEGIN < time_of(content) < END
    assert time_of(content) == time_of(content)


def test_time_of_a_hash_never_changes() -> None:
    """Other times would make every test run again after an upgrade."""
    assert time_of("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391") == 1146133266647898708
    assert time_of("0" * 40) == BEGIN + 10**9


@given(st.sets(st.integers(0, 2**160 - 1), max_size=200))
def test_time_of_other_content_differs(contents: set[int]) -> None:
    assert len({time_of(f"{content:040x}") for content in contents}) == len(contents)


@given(st.dictionaries(NAMES, HASHES, max_size=8))
def test_times_by_folder_name_every_file_and_folder(contents: dict[str, str]) -> None:
    given_times = {
        "/".join((*parts, name)): at for parts, names in times_by_folder(contents).items() for name, at in names.items()
    }
    folders = {name.rpartition("/")[0] for name in contents} | {name.split("/")[0] for name in contents if "/" in name}
    assert given_times.keys() >= contents.keys() | (folders - {""})
    assert all(at == BEGIN or at == time_of(contents[name]) for name, at in given_times.items())
