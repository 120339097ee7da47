"""What a fuzz target is, and what most of them say of a parser."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SEEDS = Path(__file__).parent / "seeds"
TARGETS: dict[str, Target] = {}

Run = Callable[[bytes], object]


class Target(NamedTuple):
    """`run` takes any bytes, and fails if a property does not hold. `parsers` are the modules that it is about."""

    name: str
    run: Run
    parsers: tuple[str, ...]

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """Good inputs, from which broken ones are made."""
        return tuple(path.read_bytes() for path in sorted((SEEDS / self.name).iterdir()))


def target(*parsers: str) -> Callable[[Run], Run]:
    """Enter a function into the table, under its own name, for these modules (`golang.gosum`)."""

    def enter(run: Run) -> Run:
        name = getattr(run, "__name__", "")
        TARGETS[name] = Target(name, run, parsers)
        return run

    return enter


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in a folder. Nothing may appear beside it."""
    with tempfile.TemporaryDirectory(prefix="fuzz") as outer:
        folder = Path(outer, "folder")
        folder.mkdir()
        yield folder
        assert [path.name for path in Path(outer).iterdir()] == ["folder"]


def text_of(data: bytes) -> str:
    """The text that the program makes of foreign bytes."""
    return data.decode(errors="replace")


def assert_inside(name: str) -> None:
    """A name that becomes a path below a folder does not lead out of it, on any system."""
    parts = name.split("/")
    assert name
    assert not any(part in ("", ".", "..") for part in parts), name
    assert not any(character in name for character in "\\:\0\n\r"), name
