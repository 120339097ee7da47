"""GitHub workflows and composite actions: insert the step, and turn off the cache of setup-go."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from go_prefetch.errors import Notice, notice
from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.insertions import Lines
from go_prefetch.workflows.new_step import NewStep, new_step
from go_prefetch.workflows.result import FileChange, Findings, refused
from go_prefetch.workflows.setup_go import turn_cache_off
from go_prefetch.workflows.steps import Step, steps_of
from go_prefetch.workflows.yaml_reader import read_yaml
from go_prefetch.workflows.yaml_tree import Document, Entry, Node, NotUnderstoodError, Scalar, SequenceNode

_WRITES = ("contents", "packages", "id-token", "deployments", "pages", "attestations")


def change_workflow(name: str, text: str, folders: GoFolders, composites: Collection[str] = ()) -> FileChange:
    """Return what to insert into a workflow. `composites` are folders of actions that fetch modules."""
    try:
        document = read_yaml(text)
    except NotUnderstoodError as error:
        return refused(name, text, error)
    lines, findings = Lines.of(text), Findings(name)
    start = document.text(_run_defaults(document, document.root), "working-directory") or "."
    every: dict[tuple[int, str], _Steps] = {}
    jobs = [_Job(document, entry, start, every) for entry in document.entries(document.get(document.root, "jobs"))]
    in_go = [job for job in jobs if job.uses_go]
    shared: dict[int, list[_Job]] = {}  # by their steps: an alias may stand for those of another job
    for job in in_go:
        if not job.is_served(composites):
            shared.setdefault(id(document.resolved(job.sequence)), []).append(job)
    for group in shared.values():
        _change_jobs(group, folders, lines, findings)
    return FileChange(name, text, tuple(findings.insertions), tuple(findings.notices), bool(in_go))


def change_composite(name: str, text: str, folders: GoFolders) -> FileChange:
    """Return what to insert into an action.yml. Only a composite action with setup-go gets the step."""
    try:
        document = read_yaml(text)
    except NotUnderstoodError as error:
        return refused(name, text, error)
    lines, findings = Lines.of(text), Findings(name)
    sequence = document.get(document.get(document.root, "runs"), "steps")
    steps = steps_of(document, sequence)
    has_go = any(step.is_setup_go for step in steps)
    if has_go:
        _change_steps(sequence, steps, _Surroundings(folders), lines, findings)
    return FileChange(name, text, tuple(findings.insertions), tuple(findings.notices), has_go)


def folder_of_action(name: str) -> str:
    """Return the folder of an action.yml, as `uses` names it."""
    return f"./{PurePosixPath(name).parent}"


@dataclass(frozen=True)
class _Surroundings:
    """What the steps of one job depend on."""

    folders: GoFolders
    checkout: str = "."
    publishing: str = ""  # the job that looks like one that publishes


@dataclass(frozen=True)
class _Steps:
    """The steps of one job, or of many through an alias: each answer is found once."""

    steps: tuple[Step, ...]

    @cached_property
    def uses_go(self) -> bool:
        """Return whether they set up Go, or run go commands that read the project."""
        own = (command for step in self.steps for command in step.commands)
        return any(step.is_setup_go or step.is_ours for step in self.steps) or any(not one.has_version for one in own)

    @cached_property
    def publish(self) -> bool:
        """Return whether one of them looks like one that publishes."""
        return any(step.publishes for step in self.steps)

    @cached_property
    def local_actions(self) -> frozenset[str]:
        """Return the folders of the repository's own actions."""
        return frozenset(f"./{posixpath.normpath(step.uses)}" for step in self.steps if step.uses.startswith("./"))

    @cached_property
    def bring_code(self) -> bool:
        """Return whether they may bring the repository."""
        return bool(self.local_actions) or any(step.is_checkout for step in self.steps)


class _Job:
    """One job of a workflow. `start` is where its scripts start. `every` has the steps that are known already."""

    def __init__(self, document: Document, entry: Entry, start: str, every: dict[tuple[int, str], _Steps]) -> None:
        self.document = document
        self.entry = entry
        defaults = document.text(_run_defaults(document, entry.value), "working-directory")
        self.sequence = document.get(entry.value, "steps")
        key = (id(document.resolved(self.sequence)), defaults or start)
        if key not in every:
            every[key] = _Steps(steps_of(document, self.sequence, defaults or start))
        self.all = every[key]
        self.steps = self.all.steps

    @property
    def name(self) -> str:
        """Return its key."""
        return self.entry.key.text

    @property
    def uses_go(self) -> bool:
        """Return whether its steps need modules."""
        return self.all.uses_go

    def is_served(self, composites: Collection[str]) -> bool:
        """Return whether a composite action of the repository fetches its modules."""
        return not self.all.local_actions.isdisjoint(composites)

    @property
    def image(self) -> str:
        """Return the image that the steps run in; empty for the runner itself."""
        container = self.document.get(self.entry.value, "container")
        return self.document.text(container) or self.document.text(container, "image")

    @property
    def may_publish(self) -> bool:
        """Return whether anything says that this job publishes. Its build cache could not be verified."""
        document = self.document
        permissions = document.get(self.entry.value, "permissions") or document.get(document.root, "permissions")
        writes = (entry for entry in document.entries(permissions) if entry.key.text in _WRITES)
        on = document.get(document.root, "on")
        on_push = document.get(document.get(on, "push"), "tags")
        return bool(
            self.all.publish
            or document.get(self.entry.value, "environment")
            or document.text(permissions) == "write-all"
            or any(document.text(entry.value) == "write" for entry in writes)
            or on_push
            or document.get(on, "release")
        )

    @property
    def checkout(self) -> str:
        """Return where the repository is in the folder of the job."""
        steps = [step for step in self.steps if step.is_checkout and step.uses]
        own = next((step for step in steps if not step.given("repository")), None)
        path = own.given("path") if own else ""
        return posixpath.normpath(path) if path else "."


def _run_defaults(document: Document, node: Node) -> Node | None:
    return document.get(document.get(node, "defaults"), "run")


def _change_jobs(jobs: Sequence[_Job], folders: GoFolders, lines: Lines, findings: Findings) -> None:
    """Change the steps that these jobs have in common."""
    first = jobs[0]
    if not any(step.is_ours for step in first.steps):
        left = [said for job in jobs if (said := _why_left(job, findings))]
        for said in left:
            findings.add(said)
        if left:
            return
    publishing = next((job.name for job in jobs if job.may_publish), "")
    surroundings = _Surroundings(folders, first.checkout, publishing)
    _change_steps(first.sequence, first.steps, surroundings, lines, findings)


def _why_left(job: _Job, findings: Findings) -> Notice | None:
    """Return why the step would fail in a job."""
    place = findings.place(job.entry.key.start.row)
    if not job.all.bring_code:
        return notice("job-left", "no-checkout", place=place, job=job.name)
    image = job.image
    if image and ("alpine" in image or not image.rpartition("/")[2].startswith("golang")):
        return notice("job-left", "no-python", place=place, job=job.name, image=image)
    return None


def _change_steps(
    sequence: Node | None, steps: Sequence[Step], surroundings: _Surroundings, lines: Lines, findings: Findings
) -> None:
    resolved = steps[0].document.resolved(sequence)
    if not isinstance(resolved, SequenceNode):
        return
    if resolved.is_flow:
        findings.add(notice("edit-by-hand", "flow-steps", place=findings.place(resolved.start.row)))
        return
    is_served = any(step.is_ours for step in steps)
    behind = _last_preparation(steps)
    if behind is None and not is_served:
        findings.add(notice("edit-by-hand", "order", place=findings.place(resolved.start.row)))
        return
    had_cache = _advise(steps, lines, findings)
    if behind is None or is_served:
        return
    if had_cache and surroundings.publishing:
        place = findings.place(resolved.start.row)
        findings.add(notice("build-cache-left-out", place=place, job=surroundings.publishing))
    used = [folder for step in steps for folder in step.folders()]
    hints = used or [folder for step in steps for folder in step.file_folders()]
    setups = [step for step in steps if step.is_setup_go]
    new = NewStep(
        working_directory=surroundings.folders.used(hints, surroundings.checkout),
        build_cache=had_cache and not surroundings.publishing,
        condition=_condition(setups[0], lines) if len(setups) == 1 else "",
    )
    like = setups[-1] if setups and not setups[-1].is_shared else steps[behind]
    findings.insert(new_step(new, resolved, behind, like, lines))


def _advise(steps: Sequence[Step], lines: Lines, findings: Findings) -> bool:
    """Turn off the cache of setup-go, and name what is superfluous. Return whether setup-go cached."""
    had_cache = False
    for step in steps:
        if step.is_setup_go and step.caches(lines.lines[_uses_row(step)]):
            had_cache = True
            findings.insert(turn_cache_off(step, lines, findings))
        if step.is_module_cache:
            findings.add(notice("step-superfluous", "module-cache", place=findings.place(step.node.start.row)))
        if step.retries_download:
            findings.add(notice("step-superfluous", "retries", place=findings.place(step.node.start.row)))
    return had_cache


def _uses_row(step: Step) -> int:
    uses = step.document.get(step.node, "uses")
    return uses.end.row if uses else step.node.start.row


def _last_preparation(steps: Sequence[Step]) -> int | None:
    """Return the index of the step to insert behind: before the first go command, after what prepares it.

    Return None if there is no such step, or the repository comes later.
    """
    setup = next((at for at, step in enumerate(steps) if step.is_setup_go), -1)
    first = next((at for at, step in enumerate(steps) if at > setup and step.needs_modules), len(steps))
    behind = max(at for at in range(first) if steps[at].prepares) if setup >= 0 else first - 1
    checkouts = [at for at, step in enumerate(steps) if step.is_checkout]
    return None if behind < 0 or (checkouts and checkouts[0] > behind) else behind


def _condition(step: Step, lines: Lines) -> str:
    """Return the condition of setup-go as it is written, if it is on one line."""
    value = step.document.get(step.node, "if")
    if not isinstance(value, Scalar) or value.start.row != value.end.row:
        return ""
    return lines.lines[value.start.row][value.start.column : value.end.column]
