"""GitLab pipelines: insert the include, and `extends` into the jobs with go commands."""

from __future__ import annotations

from go_prefetch.errors import notice
from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.gitlab_cache import keep_own_cache, warn_of_default_cache
from go_prefetch.workflows.gitlab_include import include, inputs_of
from go_prefetch.workflows.gitlab_jobs import HIDDEN_JOB, GitlabJob, GitlabJobs
from go_prefetch.workflows.insertions import Insertion, Lines
from go_prefetch.workflows.result import FileChange, Findings, refused
from go_prefetch.workflows.scripts import retries_download
from go_prefetch.workflows.yaml_reader import read_yaml
from go_prefetch.workflows.yaml_tree import Document, NotUnderstoodError, Scalar, SequenceNode

GITLAB_NAME = ".gitlab-ci.yml"


def change_pipeline(name: str, text: str, folders: GoFolders) -> FileChange:
    """Return what to insert into a .gitlab-ci.yml."""
    try:
        document = read_yaml(text)
    except NotUnderstoodError as error:
        return refused(name, text, error)
    lines, findings = Lines.of(text), Findings(name)
    jobs = GitlabJobs(document)
    _change_jobs(document, jobs, folders, lines, findings)
    for job in jobs.every:
        if any(map(retries_download, job.scripts)):
            findings.add(notice("step-superfluous", "retries", place=findings.place(job.entry.key.start.row)))
    uses_go = any(map(jobs.uses_go, jobs.every))
    return FileChange(name, text, tuple(findings.insertions), tuple(findings.notices), uses_go)


def _change_jobs(document: Document, jobs: GitlabJobs, folders: GoFolders, lines: Lines, findings: Findings) -> None:
    """Change the jobs and the include, or nothing: GitLab refuses `extends` of a job that no include brings."""
    targets = jobs.targets()
    included = include(document, inputs_of(document, folders), lines) if targets else []
    if included is None:
        row = document.root.start.row
        findings.add(notice("edit-by-hand", "gitlab-include", place=findings.place(row)))
        return
    changed = [job for job in targets if _extend(job, lines, findings)]
    for insertion in included if changed else ():
        findings.insert(insertion)
    warn_of_default_cache(document, changed, findings)


def _extend(job: GitlabJob, lines: Lines, findings: Findings) -> bool:
    """Insert `extends`, and keep the cache of the job. Return False, and say so, where that is no insertion."""
    row = job.entry.key.start.row
    found = _extends(job, lines)
    if not found or _hides_merged(job):
        findings.add(notice("edit-by-hand", "gitlab-extends", place=findings.place(row), job=job.name))
        return False
    for insertion in found:
        findings.insert(insertion)
    keep_own_cache(job, lines, findings)
    if job.document.get(job.own("variables"), "GOPROXY"):
        findings.add(notice("edit-by-hand", "gitlab-goproxy", place=findings.place(row), job=job.name))
    return True


def _hides_merged(job: GitlabJob) -> bool:
    """Return whether a new `extends` would hide the one of a merged mapping."""
    return not job.own("extends") and any(job.document.get(node, "extends") for node in job.merged)


def _extends(job: GitlabJob, lines: Lines) -> list[Insertion]:
    """Return what adds the hidden job to `extends`; nothing if no insertion does."""
    value = job.own("extends")
    if value is None:
        if job.node.is_flow or job.node.start.row == job.entry.key.start.row:
            return []
        column = job.node.start.column
        return [lines.after(job.entry.key.start.row, [f"{' ' * column}extends: {HIDDEN_JOB}"])]
    if isinstance(value, Scalar) and value.fits_brackets:
        return [Insertion(value.start, "["), Insertion(value.end, f", {HIDDEN_JOB}]")]
    if isinstance(value, SequenceNode) and value.items:
        if value.is_flow:
            return [Insertion(value.items[-1].value.end, f", {HIDDEN_JOB}")]
        return [lines.after(value.end.row, [f"{' ' * value.start.column}- {HIDDEN_JOB}"])]
    return []
