"""Workflows as real projects have them: the files of tests/unit/workflows/shapes, in every kind of line end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.result import FileChange
from go_prefetch.workflows.yaml_reader import split_lines
from go_prefetch.workflows.yaml_tree import Document, MappingNode, Node, Scalar

FOLDER = Path(__file__).parents[1] / "unit" / "workflows" / "shapes"
ONE_MODULE = GoFolders(frozenset({"."}))
SEVERAL = GoFolders(frozenset({"api", "worker", "tools/gen"}))
WORKSPACE = GoFolders(frozenset({"api", "worker"}), frozenset({"."}))
# The repositories of the shapes that have more than a go.mod at the top.
REPOSITORIES = {
    "matrix-of-modules": SEVERAL,
    "several-modules": SEVERAL,
    "workspace": WORKSPACE,
}
LINE_ENDS = ("lf", "crlf", "no end", "blank end", "mark")


def shapes(kind: str) -> list[Path]:
    """The files of one kind."""
    return sorted((FOLDER / kind).glob("*.yml"))


def text_of(path: Path, line_ends: str = "lf") -> str:
    """The text of a shape, with these line ends."""
    text = path.read_text(encoding="utf-8")
    changed = {
        "crlf": text.replace("\n", "\r\n"),
        "no end": text.rstrip("\n"),
        "blank end": f"{text}\n  \n",
        "mark": f"\ufeff{text}",
    }
    return changed.get(line_ends, text)


def folders_of(path: Path) -> GoFolders:
    """The modules of the repository that a shape belongs to."""
    return REPOSITORIES.get(path.stem, ONE_MODULE)


def parsed(text: str) -> Any:
    """What a real YAML parser reads, every scalar as a text. Raises YAMLError."""
    return _words(YAML(typ="base", pure=True).load(io.StringIO(text)))


def read(document: Document, node: Node | None = None) -> Any:
    """What the reader of go-prefetch reads, in the same form."""
    node = document.resolved(node or document.root)
    if isinstance(node, Scalar):
        return _words(node.text)
    if isinstance(node, MappingNode):
        return {entry.key.text: read(document, entry.value) for entry in node.entries}
    return [read(document, item.value) for item in document.items(node)]


def assert_only_inserts(change: FileChange, line_ends: str) -> None:
    """Check that the old text is left without the insertions, and that new lines end like the old ones."""
    left = change.new
    for insertion in sorted(change.insertions, key=lambda one: one.place):
        row, column = insertion.place
        at = sum(map(len, split_lines(left)[:row])) + column + (not row and left.startswith("\ufeff"))
        assert left[at:].startswith(insertion.text)
        left = left[:at] + left[at + len(insertion.text) :]
    assert left == change.old
    if line_ends == "crlf":
        assert "\n" not in change.new.replace("\r\n", "")
    if line_ends == "no end":
        assert not change.new.endswith("\n")


def _words(value: Any) -> Any:
    """A value whose texts are words: how line breaks are folded does not matter."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else repr(key): _words(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_words(one) for one in value]
    return " ".join(value.split()) if isinstance(value, str) else ""
