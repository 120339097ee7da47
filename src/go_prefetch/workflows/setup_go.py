"""Turn off the cache of a setup-go step by an insertion."""

from __future__ import annotations

from go_prefetch.errors import notice
from go_prefetch.workflows.insertions import Insertion, Lines
from go_prefetch.workflows.result import Findings
from go_prefetch.workflows.steps import Step
from go_prefetch.workflows.yaml_tree import Entry, MappingNode, Scalar

_OFF = "cache: false"


def turn_cache_off(step: Step, lines: Lines, findings: Findings) -> Insertion | None:
    """Return what turns the cache off. Return None, and say what to change by hand, where that is no insertion.

    `cache: true` becomes `cache: false # was true`, which is an insertion too: the old value is part of a comment.
    """
    document = step.document
    given = document.entry(step.node, "with")
    if given is None:
        return _with_inputs(step, lines)
    if not isinstance(given.value, MappingNode):
        findings.add(notice("edit-by-hand", "setup-go-cache", place=findings.place(given.key.start.row)))
        return None
    cache = document.entry(given.value, "cache")
    if cache:
        return _replaced(cache, given.value, findings)
    if given.value.is_flow:
        return _in_braces(given.value, _OFF)
    rows = [entry.value.end.row for entry in given.value.entries if _is_on_one_line(entry)]
    indent = " " * given.value.start.column
    return lines.after(rows[-1], [indent + _OFF]) if rows else lines.before(given.value.start.row, [indent + _OFF])


def _is_on_one_line(entry: Entry) -> bool:
    return isinstance(entry.value, Scalar) and entry.key.start.row == entry.value.end.row


def _with_inputs(step: Step, lines: Lines) -> Insertion | None:
    if step.node.is_flow:
        return _in_braces(step.node, f"with: {{ {_OFF} }}")
    uses = step.document.entry(step.node, "uses")
    indent = " " * step.node.start.column
    return lines.after(uses.value.end.row, [f"{indent}with:", f"{indent}  {_OFF}"]) if uses else None


def _in_braces(node: MappingNode, text: str) -> Insertion:
    if not node.entries:
        return Insertion(node.start._replace(column=node.start.column + 1), text)
    return Insertion(node.entries[-1].value.end, f", {text}")


def _replaced(cache: Entry, inputs: MappingNode, findings: Findings) -> Insertion | None:
    value = cache.value
    is_simple = isinstance(value, Scalar) and _is_on_one_line(cache) and value.text.lower() == "true"
    if inputs.is_flow or not is_simple:
        findings.add(notice("edit-by-hand", "setup-go-cache", place=findings.place(cache.key.start.row)))
        return None
    return Insertion(value.start, "false # was ")
