"""The caches of GitLab jobs that extend go-prefetch: a job's own `cache` replaces the one that it extends."""

from __future__ import annotations

from collections.abc import Sequence

from go_prefetch.errors import notice
from go_prefetch.workflows.gitlab_jobs import HIDDEN_JOB, GitlabJob
from go_prefetch.workflows.insertions import Insertion, Lines
from go_prefetch.workflows.result import Findings
from go_prefetch.workflows.scripts import is_module_cache
from go_prefetch.workflows.yaml_tree import Document, MappingNode, Node, Place, SequenceNode

_REFERENCE = f"- !reference [{HIDDEN_JOB}, cache]"


def keep_own_cache(job: GitlabJob, lines: Lines, findings: Findings) -> None:
    """Add the cache of go-prefetch to the cache that a job has. A single cache becomes a list."""
    entry = job.document.entry(job.node, "cache")
    if entry is None:
        return
    value = entry.value
    _name_module_cache(job.document, value, findings)
    if isinstance(value, SequenceNode) and not value.is_flow and value.items:
        findings.insert(lines.before(value.start.row, [f"{' ' * value.start.column}{_REFERENCE}"]))
    elif _may_become_a_list(job.document, value) and value.start.row > entry.key.start.row:
        for insertion in _as_list(value, lines):
            findings.insert(insertion)
    else:
        findings.add(notice("edit-by-hand", "gitlab-cache", place=findings.place(entry.key.start.row), job=job.name))


def _may_become_a_list(document: Document, value: Node) -> bool:
    """Return whether a cache is a mapping on lines of its own that no alias stands for."""
    is_anchor = any(value is node for node in document.anchors.values())
    return isinstance(value, MappingNode) and not value.is_flow and not is_anchor


def _as_list(value: Node, lines: Lines) -> list[Insertion]:
    column = value.start.column
    first, *rest = range(value.start.row, value.end.row + 1)
    reference = lines.before(first, [f"{' ' * column}{_REFERENCE}"])
    deeper = [Insertion(Place(row, 0), "  ") for row in rest if not lines.is_blank(row)]
    return [reference, Insertion(Place(first, column), "- "), *deeper]


def warn_of_default_cache(document: Document, changed: Sequence[GitlabJob], findings: Findings) -> None:
    """Say that jobs no longer have the cache of `default`, unless it has nothing but modules."""
    default = document.get(document.get(document.root, "default"), "cache") or document.get(document.root, "cache")
    without = [job.name for job in changed if not job.own("cache")]
    if default is None or not without:
        return
    _name_module_cache(document, default, findings)
    if not all(map(is_module_cache, _paths(document, default))):
        place = findings.place(default.start.row)
        findings.add(notice("edit-by-hand", "gitlab-default-cache", place=place, jobs=tuple(without)))


def _name_module_cache(document: Document, value: Node, findings: Findings) -> None:
    if any(map(is_module_cache, _paths(document, value))):
        findings.add(notice("step-superfluous", "module-cache", place=findings.place(value.start.row)))


def _paths(document: Document, value: Node) -> list[str]:
    caches: list[Node] = [item.value for item in document.items(value)] or [value]
    return [text for cache in caches for text in document.texts(document.get(cache, "paths"))]
