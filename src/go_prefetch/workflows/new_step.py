"""The step that is inserted, written like the steps around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from go_prefetch.workflows.insertions import Insertion, Lines
from go_prefetch.workflows.steps import ACTION, Step, quote_of
from go_prefetch.workflows.yaml_tree import MappingNode, SequenceNode

_NAME = "Fetch Go modules"
WARNING = "leave this line out in jobs that publish: nothing can verify a build cache"
_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*|\$\{\{[^#'\"\n]*\}\}[\w./-]*|[\w./-]+/\$\{\{[^#'\"\n]*\}\}[\w./-]*")


@dataclass(frozen=True)
class NewStep:
    """What the step says."""

    working_directory: tuple[str, ...]  # empty for the default
    build_cache: bool
    condition: str  # that of setup-go as it is written; empty for none


def new_step(new: NewStep, sequence: SequenceNode, behind: int, like: Step, lines: Lines) -> Insertion:
    """Return the insertion of a step behind the one with this index, in the style of the step `like`."""
    item = sequence.items[behind]
    indent = " " * item.dash.column
    rows = [f"{indent}{' ' if at else '-'}{row}" for at, row in enumerate(_rows(new, like))]
    end = item.value.end.row
    if _has_gap(sequence, behind, lines):
        rows = ["", *rows]
    return lines.after(end, rows)


def _rows(new: NewStep, like: Step) -> Iterator[str]:
    """Yield the lines of the step, from the column behind the dash."""
    quote = quote_of(like.document, like)
    gap = " " * (like.node.start.column - like.item.dash.column - 1) if not like.is_shared else " "
    is_named = bool(like.node.entries) and like.node.entries[0].key.text == "name"
    gap = gap if gap and not like.node.is_flow and like.node.start.row == like.item.dash.row else " "
    if is_named:
        yield f"{gap}name: {_NAME}"
    yield f"{gap}uses: {quote}{ACTION}{quote}"
    if new.condition:
        yield f"{gap}if: {new.condition}"
    if not new.working_directory and not new.build_cache:
        return
    yield f"{gap}with:"
    deeper = gap + _indent_below(like)
    if len(new.working_directory) == 1:
        yield f"{deeper}working-directory: {scalar(new.working_directory[0])}"
    elif new.working_directory:
        yield f"{deeper}working-directory: |"
        yield from (f"{deeper}  {folder}" for folder in new.working_directory)
    if new.build_cache:
        yield f"{deeper}build-cache: auto # {WARNING}"


def _indent_below(like: Step) -> str:
    """Return how far the inputs of a step are indented below its keys."""
    inputs = like.document.get(like.node, "with")
    if not isinstance(inputs, MappingNode) or inputs.is_flow or like.node.is_flow:
        return "  "
    return " " * (inputs.start.column - like.node.start.column)


def scalar(text: str) -> str:
    """Return a text as YAML has it: plain if that is safe, otherwise in quotes."""
    return text if _PLAIN.fullmatch(text) else "'{}'".format(text.replace("'", "''"))


def _has_gap(sequence: SequenceNode, behind: int, lines: Lines) -> bool:
    """Return whether blank lines separate the steps here."""
    end = sequence.items[behind].value.end.row
    if behind + 1 < len(sequence.items):
        return lines.is_blank(end + 1)
    return behind > 0 and lines.is_blank(sequence.items[behind - 1].value.end.row + 1)
