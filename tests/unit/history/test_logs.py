"""Record lines out of logs: what a job printed is found, and no log of any kind does harm."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from go_prefetch.history.logs import LogError, lines_in_text, lines_in_zip
from go_prefetch.render.record import parse_record
from tests.support.fakes import records


def written(folder: Path, data: bytes) -> Path:
    path = folder / "logs.zip"
    path.write_bytes(data)
    return path


def results(lines: list[str]) -> list[str]:
    return [record.result for record in map(parse_record, lines) if record]


@pytest.mark.parametrize(
    "log",
    [
        records.log(records.line()),
        records.line().encode(),
        b"2026-03-02T09:00:01.123456Z 00O " + records.line().encode() + b"\n",
        b"\x1b[0KRunning\r\n\x1b[0;m" + records.line().encode() + b"\x1b[0;m\r\n",
        b"\xff\xfe\x00 not text\n" + records.line().encode() + b"\n",
    ],
    ids=["github", "the last line without an end", "gitlab with times", "gitlab with colors", "beside bytes"],
)
def test_the_record_of_a_log(log: bytes) -> None:
    assert results(list(lines_in_text(io.BytesIO(log)))) == ["exact"]


@pytest.mark.parametrize(
    "log",
    [
        records.log("echo '" + records.line() + "'"),
        records.log("go-prefetch-record/2 {}"),
        records.log(records.line()[:-20]),
        records.log(records.line(modules=-1)),
        records.log(records.line(seconds=1e300)),
        records.log(records.line(modules=10**400)),
        b"x" * 70_000 + records.line().encode(),
    ],
    ids=["quoted", "another version", "cut off", "less than nothing", "for ever", "too many", "within a long line"],
)
def test_what_is_no_record(log: bytes) -> None:
    assert list(lines_in_text(io.BytesIO(log))) == []


@given(st.binary(max_size=400) | st.text().map(lambda text: f"go-prefetch-record/1 {text}".encode()))
def test_any_bytes_are_a_log(data: bytes) -> None:
    """Every line that is given is a record, whatever came."""
    assert all(parse_record(line) for line in lines_in_text(io.BytesIO(data)))


@given(before=st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=40), max_size=5))
def test_a_record_is_found_after_any_lines(before: list[str]) -> None:
    log = "\n".join([*before, records.line(), "after"]).encode(errors="replace")
    assert "exact" in results(list(lines_in_text(io.BytesIO(log))))


def test_a_log_without_end_is_not_read_to_its_end() -> None:
    class Endless(io.RawIOBase):
        def readline(self, size: int | None = -1, /) -> bytes:
            return b"y\n"

    with pytest.raises(LogError, match="MB of log"):
        list(lines_in_text(Endless(), most=1 << 20))


def test_each_job_counts_once(tmp_path: Path) -> None:
    zipped = records.zipped({"test (ubuntu, 1.27)": records.log(records.line()), "lint": records.log("nothing")})
    assert [job for job, _ in lines_in_zip(written(tmp_path, zipped))] == ["test (ubuntu, 1.27)"]


def test_a_zip_of_steps_alone(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("build/2_go-prefetch.txt", records.log(records.line()))
    assert [job for job, _ in lines_in_zip(written(tmp_path, out.getvalue()))] == ["build"]


def test_a_zip_bomb_is_given_up(tmp_path: Path) -> None:
    """200 kB that unpack to 100 MB."""
    bomb = records.zipped({"a": b"\0" * (100 << 20)})
    assert len(bomb) < 1 << 19
    with pytest.raises(LogError, match="MB of log"):
        lines_in_zip(written(tmp_path, bomb), most=16 << 20)


def test_many_logs_share_one_limit(tmp_path: Path) -> None:
    logs = {f"job {number}": b"line\n" * 10_000 for number in range(10)}
    with pytest.raises(LogError, match="MB of log"):
        lines_in_zip(written(tmp_path, records.zipped(logs)), most=1 << 18)


def test_a_zip_with_very_many_files_is_refused_unread(tmp_path: Path) -> None:
    """Its table of contents would have to be held in memory as a whole."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number:090}.txt", b"")
    with pytest.raises(LogError, match="too many files"):
        lines_in_zip(written(tmp_path, out.getvalue()))


def test_a_flood_of_records_in_a_plain_log_is_given_up_too() -> None:
    with pytest.raises(LogError, match="more than 1000 records"):
        list(lines_in_text(io.BytesIO(records.log(*[records.line()] * 1001))))


def test_a_flood_of_records_is_given_up(tmp_path: Path) -> None:
    flood = records.zipped({"a": records.log(*[records.line()] * 1100)})
    with pytest.raises(LogError, match="1000 records"):
        lines_in_zip(written(tmp_path, flood))


@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, 1 << 20), value=st.integers(0, 255))
def test_a_damaged_zip_does_no_harm(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    """One byte changed anywhere: no other exception comes out."""
    data = bytearray(records.zipped({"test": records.log(records.line())}))
    data[place % len(data)] = value
    path = written(tmp_path_factory.mktemp("zip"), bytes(data))
    with suppress(LogError):
        assert all(parse_record(line) for _, line in lines_in_zip(path))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06", b"\0" * 100_000, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(LogError):
        lines_in_zip(written(tmp_path, data))
