"""Files of a repository that other people wrote: workflows, pipelines, Dockerfiles, Go files."""

from __future__ import annotations

import contextlib

from go_prefetch.docker.context import read_context
from go_prefetch.docker.dockerignore import parse_ignore
from go_prefetch.docker.go_files import embeds_of, parse_go_file
from go_prefetch.docker.rules import check
from go_prefetch.docker.shell import commands_in
from go_prefetch.docker.stages import read_stages
from go_prefetch.doctor.project_checks import doubled_caches
from go_prefetch.errors import InputError
from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.github import change_composite, change_workflow
from go_prefetch.workflows.gitlab import change_pipeline
from go_prefetch.workflows.yaml_reader import read_yaml
from go_prefetch.workflows.yaml_tree import NotUnderstoodError
from tests.fuzz.target import scratch, target, text_of

_FOLDERS = GoFolders(frozenset({".", "tools"}))


@target("workflows.yaml_reader", "workflows.yaml_flow", "workflows.yaml_scalars", "workflows.yaml_tree")
def yaml_text(data: bytes) -> None:
    """Only NotUnderstoodError, with a row of the text."""
    text = text_of(data)
    try:
        read_yaml(text)
    except NotUnderstoodError as error:
        row = error.row
    else:
        row = 0
    assert 0 <= row <= text.count("\n") + text.count("\r") + 1


@target(
    "workflows.github", "workflows.gitlab", "workflows.insertions", "workflows.steps", "workflows.scripts",
    "workflows.setup_go", "workflows.gitlab_jobs", "workflows.gitlab_cache", "workflows.gitlab_include",
    "doctor.project_checks",
)  # fmt: skip
def workflow_file(data: bytes) -> None:
    """No error. What is written has all of the old text, in its order, and a second time changes nothing."""
    text = text_of(data)
    assert all(0 < line <= text.count("\n") + text.count("\r") + len(text) for line in doubled_caches(text))
    for change in (
        change_workflow("w.yml", text, _FOLDERS),
        change_composite("action.yml", text, _FOLDERS),
        change_pipeline(".gitlab-ci.yml", text, _FOLDERS),
    ):
        new = change.new
        following = iter(new)
        assert all(character in following for character in text)
        assert len(new) <= len(text) + 2000 * (1 + len(change.insertions))
    again = change_workflow("w.yml", change_workflow("w.yml", text, _FOLDERS).new, _FOLDERS)
    assert again.insertions == ()


@target("docker.syntax", "docker.stages", "docker.shell", "docker.rules", "docker.context")
def dockerfile(data: bytes) -> None:
    """Only InputError."""
    text = text_of(data)
    with scratch() as folder:
        (folder / "go.mod").write_text("module example.com/app\n")
        with contextlib.suppress(InputError):
            context = read_context(folder)
            for finding in check(text, context):
                assert 0 < finding.line <= text.count("\n") + 1
        with contextlib.suppress(InputError):
            read_stages(text)
    list(commands_in(text))


@target("docker.dockerignore", "docker.linear_matcher")
def dockerignore(data: bytes) -> None:
    """Only InputError, and an answer for every path."""
    try:
        ignore = parse_ignore(text_of(data), ".dockerignore")
    except InputError:
        return
    for path in ("go.mod", "a/b/c.go", ".git/config"):
        ignore.excludes(path)
        ignore.may_include_below(path)


@target("docker.go_files")
def go_file(data: bytes) -> None:
    """None, or what the file imports and embeds; an embedded file is inside of the context."""
    found = parse_go_file("main.go", data)
    if found:
        for embed in embeds_of("cmd/app/main.go", found):
            assert not embed.path.startswith(("/", "../"))
