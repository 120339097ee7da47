"""The lint of words finds what is on the stop list, where it is, and leaves terms alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "plain_words.py"


def lint(*places: Path) -> tuple[int, list[str]]:
    """Return the exit status, and what is printed of each finding."""
    done = subprocess.run([sys.executable, TOOL, *places], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_texts_have_no_word_of_the_stop_list() -> None:
    assert lint() == (0, [])


@pytest.mark.parametrize(
    "text",
    [
        "Whoever reads it", "nobody's file", "written anew", "It heeds no flag", "what is had by a run", "Go is told",
        "it could not be had", "ends by itself", "find what bends it", "waits for ever", "asked in vain", "as ever",
        "a slip of the pen", "it lies beside it", "a folder of ours",
    ],
)  # fmt: skip
def test_planted_word_is_found_with_its_line(tmp_path: Path, text: str) -> None:
    planted = tmp_path / "planted.md"
    planted.write_text(f"# Title\n\n{text}.\n")
    status, lines = lint(tmp_path)
    assert status == 1
    assert [line.startswith(f"{planted}:3: ") for line in lines] == [True]


def test_phrase_is_found_across_the_lines_of_a_comment(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("# A server may wait for\n# ever, or longer.\n")
    assert lint(tmp_path)[0] == 1


def test_allowed_terms_and_longer_words_are_left_alone(tmp_path: Path) -> None:
    terms = "A zip slip by the user `nobody`: see goproxy-asks-nobody. Besides, it has a slipstream, as everyone has."
    (tmp_path / "terms.md").write_text(terms)
    assert lint(tmp_path) == (0, [])
