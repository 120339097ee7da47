"""The include of go-prefetch in a .gitlab-ci.yml, and its inputs."""

from __future__ import annotations

import re
from typing import NamedTuple

from go_prefetch import __version__
from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.insertions import Insertion, Lines
from go_prefetch.workflows.new_step import scalar
from go_prefetch.workflows.yaml_tree import Document, Entry, MappingNode, Node, Scalar, SequenceNode

COMPONENT = f"$CI_SERVER_FQDN/org/go-prefetch/go-prefetch@{__version__}"
_INCLUDED = re.compile(r"go-prefetch(?:@|\.ya?ml|$)")
_MOST_KEY_FILES = 2  # that GitLab allows


class ComponentInput(NamedTuple):
    """One input of the component: the text of its value, or several lines, and a comment."""

    name: str
    values: tuple[str, ...]
    note: str = ""

    def rows(self) -> list[str]:
        """Return it on lines."""
        note = f" # {self.note}" if self.note else ""
        if len(self.values) == 1:
            return [f"{self.name}: {self.values[0]}{note}"]
        return [f"{self.name}: |", *(f"  {value}" for value in self.values)]

    @property
    def in_braces(self) -> str:
        """Return it as it is written in braces, where no comment can be."""
        value = self.values[0] if len(self.values) == 1 else '"{}"'.format("\\n".join(self.values))
        return f"{self.name}: {value}"


def inputs_of(document: Document, folders: GoFolders) -> list[ComponentInput]:
    """Return the inputs that this repository needs."""
    found: list[ComponentInput] = []
    modules = sorted(folders.modules | folders.workspaces)
    if "." in folders.workspaces and "." not in folders.modules:
        found.append(ComponentInput("key-files", ("[go.work, go.work.sum]",)))
    elif not folders.has_top:
        found.append(ComponentInput("working-directory", (scalar(modules[0]),) if len(modules) == 1 else (*modules,)))
        files = ", ".join(scalar(f"{module}/go.sum") for module in modules[:_MOST_KEY_FILES])
        note = "" if len(modules) <= _MOST_KEY_FILES else "GitLab allows two: name those that change most often"
        found.append(ComponentInput("key-files", (f"[{files}]",), note))
    if any("merge_request_event" in text for text in _conditions(document)):
        found.append(ComponentInput("merge-request-pipelines", ("true",), "as the workflow has them"))
    goproxy = document.text(document.get(document.root, "variables"), "GOPROXY")
    if goproxy and not set(goproxy) & set("$'\"\\\n"):
        found.append(ComponentInput("goproxy", (f"'{goproxy}'",)))
    return found


def _conditions(document: Document) -> list[str]:
    rules = document.get(document.get(document.root, "workflow"), "rules")
    return [document.text(item.value, "if") for item in document.items(rules)]


def include(document: Document, inputs: list[ComponentInput], lines: Lines) -> list[Insertion] | None:
    """Return what adds the include: nothing if it is there, None if no insertion adds it."""
    entry = document.entry(document.root, "include")
    if entry is None:
        return _new(document, inputs, lines)
    if _INCLUDED.search("\n".join(_sources(document, entry.value))):
        return []
    return _added(entry, inputs, lines) or None


def _sources(document: Document, value: Node) -> list[str]:
    items = [item.value for item in document.items(value)] or [value]
    return [text for item in items for text in (document.text(item), *map(document.text, _values(document, item)))]


def _values(document: Document, node: Node) -> list[Node]:
    return [entry.value for entry in document.entries(node)]


def _item(inputs: list[ComponentInput]) -> list[str]:
    rows = [f"- component: {COMPONENT}"]
    return [*rows, "  inputs:", *(f"    {row}" for each in inputs for row in each.rows())] if inputs else rows


def _new(document: Document, inputs: list[ComponentInput], lines: Lines) -> list[Insertion] | None:
    """Return the include in front of the first key and of the comment that belongs to it."""
    entries = document.entries(document.root)
    if not entries or (isinstance(document.root, MappingNode) and document.root.is_flow):
        return None
    row = entries[0].key.start.row
    while lines.is_comment(row - 1):
        row -= 1
    return [lines.before(row, ["include:", *(f"  {line}" for line in _item(inputs)), ""])]


def _added(entry: Entry, inputs: list[ComponentInput], lines: Lines) -> list[Insertion]:
    """Return what adds the component to an include; nothing if no insertion does."""
    value = entry.value
    if isinstance(value, SequenceNode) and not value.is_flow and value.items:
        indent = " " * value.start.column
        return [lines.after(value.end.row, [indent + row for row in _item(inputs)])]
    if isinstance(value, MappingNode) and not value.is_flow and value.start.row == value.end.row > entry.key.start.row:
        indent = " " * value.start.column
        return [Insertion(value.start, "- "), lines.after(value.end.row, [indent + row for row in _item(inputs)])]
    given = f", inputs: {{ {', '.join(each.in_braces for each in inputs)} }}" if inputs else ""
    component = f", {{ component: {COMPONENT}{given} }}"
    if isinstance(value, SequenceNode) and value.is_flow and value.items:
        return [Insertion(value.items[-1].value.end, component)]
    if isinstance(value, Scalar) and value.fits_brackets:
        return [Insertion(value.start, "["), Insertion(value.end, f"{component}]")]
    return []
