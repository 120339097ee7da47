"""The jobs of a .gitlab-ci.yml: their scripts, images, and what they extend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from go_prefetch.workflows.scripts import go_commands
from go_prefetch.workflows.yaml_tree import Document, Entry, MappingNode, Node

HIDDEN_JOB = ".go-prefetch"
# Top-level keys that are no jobs. https://docs.gitlab.com/ci/yaml/
_NO_JOBS = frozenset(
    ("default", "include", "stages", "variables", "workflow", "image", "services", "cache", "before_script",
     "after_script", "spec")
)  # fmt: skip
_SCRIPTS = ("before_script", "script")
_MERGE = "<<"
_LEVELS = 11  # of `extends` that GitLab allows
_MOST_LINEAGE = 100  # jobs on one level


@dataclass(frozen=True, eq=False)
class GitlabJob:
    """One job, or a hidden one that others extend."""

    document: Document
    entry: Entry
    node: MappingNode

    @property
    def name(self) -> str:
        """Return its key."""
        return self.entry.key.text

    @property
    def is_hidden(self) -> bool:
        """Return whether it is a template for other jobs."""
        return self.name.startswith(".")

    def own(self, key: str) -> Node | None:
        """Return the value of a key that the job itself has."""
        return self.document.get(self.node, key)

    @cached_property
    def extended(self) -> tuple[str, ...]:
        """Return the names in its own `extends`."""
        return tuple(self.document.texts(self.own("extends")))

    @cached_property
    def merged(self) -> tuple[Node | None, ...]:
        """Return the nodes that merge keys bring in."""
        value = self.own(_MERGE)
        items = self.document.items(value)
        return tuple(self.document.resolved(item.value) for item in items) or (self.document.resolved(value),)

    @cached_property
    def scripts(self) -> tuple[str, ...]:
        """Return its own scripts. What `!reference` brings is not known."""
        return tuple(text for key in _SCRIPTS for text in self.document.texts(self.own(key)))

    @cached_property
    def has_go(self) -> bool:
        """Return whether its own scripts have go commands that read modules."""
        return any(not one.has_version for one in go_commands("\n".join(self.scripts)))

    @property
    def is_for_go(self) -> bool:
        """Return whether its image is one of Go."""
        image = self.document.text(self.own("image")) or self.document.text(self.own("image"), "name")
        return image.rpartition("/")[2].startswith("golang")


class GitlabJobs:
    """All jobs of a file."""

    def __init__(self, document: Document) -> None:
        entries = ((entry, document.resolved(entry.value)) for entry in document.entries(document.root))
        self.every = tuple(
            GitlabJob(document, entry, node) for entry, node in entries
            if isinstance(node, MappingNode) and entry.key.text not in _NO_JOBS and entry.value is node
        )  # fmt: skip
        self._by_name: Mapping[str, GitlabJob] = {job.name: job for job in self.every}
        self._by_node: Mapping[int, GitlabJob] = {id(job.node): job for job in self.every}
        self._extended = {parent for job in self.every for parent in self._parents(job)}

    def lineage(self, job: GitlabJob) -> tuple[GitlabJob, ...]:
        """Return a job and the jobs of this file that bring their `extends` to it, the nearest first."""
        found = {job: None}
        new = [job]
        for _ in range(_LEVELS):
            new = [parent for each in new for parent in self._parents(each) if parent not in found][:_MOST_LINEAGE]
            found |= dict.fromkeys(new)
        return tuple(found)

    def _parents(self, job: GitlabJob) -> Iterator[GitlabJob]:
        yield from (self._by_name[name] for name in job.extended if name in self._by_name)
        if not job.own("extends"):  # a key of the job hides the one that is merged in
            yield from (self._by_node[id(node)] for node in job.merged if id(node) in self._by_node)

    def uses_go(self, job: GitlabJob) -> bool:
        """Return whether a job has go commands, or a script in an image of Go: `make test` may be one."""
        images = (each for each in self.lineage(job) if each.own("image"))
        return job.has_go or bool(job.scripts and next((each.is_for_go for each in images), False))

    def _runs(self, job: GitlabJob) -> bool:
        """Return whether a job is more than a script for `!reference`: it runs, has an image, or others extend it."""
        return not job.is_hidden or job.is_for_go or job in self._extended

    def is_served(self, job: GitlabJob) -> bool:
        """Return whether this job extends a job of go-prefetch already."""
        return any(
            name == HIDDEN_JOB or name.startswith(f"{HIDDEN_JOB}:") for each in self.lineage(job)
            for name in each.extended
        )  # fmt: skip

    def targets(self) -> list[GitlabJob]:
        """Return the jobs that get `extends`: the nearest template for Go, or else the job that uses Go."""
        found: dict[GitlabJob, None] = {}
        for job in self.every:
            if self.uses_go(job) and not self.is_served(job) and self._runs(job):
                templates = (each for each in self.lineage(job) if each.is_hidden and each.is_for_go)
                found[next(templates, job)] = None
        # A job whose template is among them has it too.
        return [job for job in found if not any(each in found for each in self.lineage(job)[1:])]
