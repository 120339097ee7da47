"""Each parser of foreign bytes has a fuzz target, as far as its module can be told from others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.table import COVERED, NOT_FUZZED
from tests.fuzz.target import SEEDS, TARGETS

PACKAGE = Path(__file__).parents[3] / "src" / "go_prefetch"
# Who imports one of these reads a format. Everything but untrusted_json is of the standard library.
READERS = {
    "go_prefetch.base.untrusted_json", "binascii", "configparser", "csv", "email", "gzip", "marshal", "pickle",
    "plistlib", "struct", "tarfile", "tomllib", "xml", "zipfile", "zlib",
}  # fmt: skip
NAME = re.compile(r"_?(parse|decode)(_\w+)?")


def modules() -> dict[str, ast.Module]:
    """The source of each module, by its name below the package."""
    found = {path.relative_to(PACKAGE): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {
        name.with_suffix("").as_posix().replace("/", "."): ast.parse(path.read_text(encoding="utf-8"))
        for name, path in found.items()
    }


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def looks_like_a_parser(tree: ast.Module) -> bool:
    """Whether it imports a reader, or has a function of its own that is called `parse_…` or `decode_…`.

    A module that takes foreign text apart with `split` alone, under another name, is not found.
    """
    names = {name.split(".")[0] if not name.startswith("go_prefetch") else name for name in imported(tree)}
    functions = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return bool(names & READERS) or any(map(NAME.fullmatch, functions))


def test_each_parser_has_a_target_or_a_reason() -> None:
    found = {name for name, tree in modules().items() if looks_like_a_parser(tree)}
    assert len(found) > 30
    assert sorted(found - COVERED.keys() - NOT_FUZZED.keys()) == []
    assert sorted(NOT_FUZZED.keys() - found) == []
    assert sorted(NOT_FUZZED.keys() & COVERED.keys()) == []


def test_each_target_is_about_modules_that_exist() -> None:
    assert sorted(COVERED.keys() - modules().keys()) == []


def test_each_target_has_seeds_and_says_what_holds() -> None:
    assert {path.name for path in SEEDS.iterdir()} == TARGETS.keys()
    assert [name for name, each in TARGETS.items() if not (each.seeds and each.run.__doc__)] == []
