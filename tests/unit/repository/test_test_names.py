"""The names of tests can be read in a list of failures."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[2]
LONGEST_NAME = 60  # characters


def names_of(text: str) -> Iterator[str]:
    """Yield the names of the tests in a module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_names_of_tests_are_short() -> None:
    """`test_<unit>_<condition>_<result>`; the docstring has the rest."""
    modules = sorted(TESTS.rglob("test_*.py"))
    found = [(path.name, name) for path in modules for name in names_of(path.read_text(encoding="utf-8"))]
    assert len(found) > 1000
    assert [one for one in found if len(one[1]) > LONGEST_NAME] == []
