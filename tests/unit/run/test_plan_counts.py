"""What a plan costs, in counts: a plan of twice as much reads twice as many files and makes twice as many calls."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from go_prefetch.config.settings import read_settings
from go_prefetch.golang.environment import environment_without_go
from go_prefetch.golang.modcache import ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.run.steps.plan import make_plan

_HASH = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
_REQUIRED = 10  # modules of each scope


def _module(number: int) -> str:
    return f"example.com/module{number}"


def _gomod(path: str, requires: range) -> str:
    return (
        f"module {path}\n\ngo 1.23\n\nrequire (\n{''.join(f'	{_module(n)} v1.0.0' + chr(10) for n in requires)})\n"
    )


def _write_scope(folder: Path, first: int) -> None:
    """Write a main module with some modules of its own, and some that the next one has too."""
    folder.mkdir(parents=True)
    requires = range(first, first + 2 * _REQUIRED)
    (folder / "go.mod").write_text(_gomod(f"example.com/{folder.name}", requires))
    lines = (f"{_module(n)} v1.0.0{suffix} {_HASH}\n" for n in requires for suffix in ("", "/go.mod"))
    (folder / "go.sum").write_text("".join(lines))


def scopes(project: Path, count: int) -> None:
    """Write main modules. Each count has modules of its own: what was parsed for another plan is remembered."""
    for number in range(count):
        _write_scope(project / f"scope{number}", (count * 100 + number) * _REQUIRED)


def workspace(project: Path, count: int) -> None:
    """Write a go.work with members, and the `.mod` of every module that they require, which require others."""
    scopes(project, count)
    uses = "".join(f"\t./scope{number}\n" for number in range(count))
    (project / "go.work").write_text(f"go 1.23\n\nuse (\n{uses})\n")
    for number in range(count * 100 * _REQUIRED, (count * 100 + count + 1) * _REQUIRED):
        folder = project / "modcache" / "cache" / "download" / _module(number) / "@v"
        folder.mkdir(parents=True)
        (folder / "v1.0.0.mod").write_text(_gomod(_module(number), range(number + 1, number + 4)))


SHAPES = pytest.mark.parametrize("write", [scopes, workspace])
Writer = Callable[[Path, int], None]


def _planned(project: Path) -> Plan:
    folder = project / "modcache"
    settings = read_settings({"working-directory": "**"}, {}, project)
    return make_plan(settings, environment_without_go({}, folder), ModuleFolder.of_cache(folder))


@SHAPES
def test_plan_reads_each_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Writer) -> None:
    write(tmp_path, 5)
    read: Counter[Path] = Counter()
    plain = Path.open

    def counted(path: Path, *arguments: Any) -> Any:
        read[path] += 1
        return plain(path, *arguments)

    monkeypatch.setattr(Path, "open", counted)
    plan = _planned(tmp_path)
    assert len(plan.modules) == 6 * _REQUIRED
    assert {path.name for path in read} >= {"go.mod", "go.sum"}
    assert set(read.values()) == {1}, read


@SHAPES
def test_calls_of_a_plan_grow_with_the_repository(tmp_path: Path, write: Writer) -> None:
    """Python's own calls are counted, because seconds depend on the machine."""
    calls = []
    for count in (20, 40, 80):
        write(tmp_path / str(count), count)
        calls.append(_calls_of(lambda folder=tmp_path / str(count): _planned(folder)))  # type: ignore[misc]
    assert calls[2] - calls[1] < 2.2 * (calls[1] - calls[0]), calls


def _calls_of(action: Callable[[], object]) -> int:
    made = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        del frame, argument
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(None)
    return made
