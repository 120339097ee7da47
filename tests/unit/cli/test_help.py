"""Help as users see it: what each command prints, how wide it is, and how long its sentences are."""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch import PROJECT_URL
from go_prefetch.cli.arguments import parse
from go_prefetch.cli.help_texts import HELP, PROGRAM, SPELLINGS
from go_prefetch.cli.subcommands import SUBCOMMANDS
from go_prefetch.config.inputs import SHIM_INPUTS
from tests.support.snapshots import TextFile

_LONGEST_SENTENCE = 20  # words
_ROWS = [row for subcommand in SUBCOMMANDS.values() for row in subcommand.inputs]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Help:
    return Help(monkeypatch, capsys)


class Help:
    """Prints help on a terminal of some width."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *argv: str, columns: int = 80) -> str:
        self._monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as caught:
            parse(argv, io.StringIO())
        assert caught.value.code == 0
        return self._capsys.readouterr().out


@pytest.mark.parametrize("command", ["", *SUBCOMMANDS])
def test_help(shown: Help, command: str, snapshot: SnapshotAssertion) -> None:
    assert shown(*command.split(), "--help") == snapshot(extension_class=TextFile)


@pytest.mark.parametrize("command", ["", *SUBCOMMANDS])
def test_help_has_three_spellings(shown: Help, command: str) -> None:
    named = command.split()
    assert shown("help", *named) == shown(*named, "-h") == shown(*named, "--help")


def test_help_parser_takes_the_color_of_python_3_14(monkeypatch: pytest.MonkeyPatch, shown: Help) -> None:
    """There, `add_parser` gives `color` to the class of the subparsers."""
    expected = shown("run", "--help")
    add_parser = argparse._SubParsersAction.add_parser

    def with_color(self: Any, name: str, **given: Any) -> Any:
        return add_parser(self, name, **{"color": True, **given})

    monkeypatch.setattr(argparse._SubParsersAction, "add_parser", with_color)
    assert shown("run", "--help") == expected


@pytest.mark.parametrize("name", SPELLINGS)
def test_help_of_a_spelling_is_the_main_help(shown: Help, name: str) -> None:
    assert shown("help", name) == shown("--help")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", ["", *SUBCOMMANDS])
def test_help_fits_the_terminal(shown: Help, command: str, columns: int) -> None:
    """On wide terminals its lines have 100 columns at most."""
    lines = shown(*command.split(), "--help", columns=columns).splitlines()
    assert [line for line in lines if len(line) > min(columns, 100)] == []


@pytest.mark.parametrize("command", SUBCOMMANDS)
def test_help_on_a_narrow_terminal_has_every_flag(shown: Help, command: str) -> None:
    narrow, wide = (
        set(re.findall(r"^  .*?(--[a-z0-9-]+)", shown(command, "-h", columns=n), re.MULTILINE)) for n in (30, 80)
    )
    assert narrow >= wide - {"--store", "--check"}


def test_help_sentences_are_short() -> None:
    texts = [PROGRAM, *SPELLINGS.values(), *SHIM_INPUTS.values(), *(row.meaning for row in _ROWS)]
    texts += [text for one in HELP.values() for text in (one.meaning, one.description)]
    sentences = [sentence for text in texts for sentence in re.split(r"[.:?] |\n\n", text)]
    assert [sentence for sentence in sentences if len(sentence.split()) > _LONGEST_SENTENCE or ";" in sentence] == []


def test_help_exit_statuses_are_in_the_main_help_only(shown: Help) -> None:
    assert "Exit status:" in shown("--help")
    assert [name for name in SUBCOMMANDS if "Exit status:" in shown(name, "--help")] == []


def test_the_project_url_is_that_of_the_package() -> None:
    assert f'Homepage = "{PROJECT_URL}"' in (Path(__file__).parents[3] / "pyproject.toml").read_text().splitlines()
