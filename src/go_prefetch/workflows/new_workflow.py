"""A workflow or pipeline for a repository that has none: build and test, as docs/examples/github-action.yml does."""

from __future__ import annotations

from go_prefetch.workflows.folders import GoFolders
from go_prefetch.workflows.gitlab import GITLAB_NAME, change_pipeline
from go_prefetch.workflows.insertions import Insertion
from go_prefetch.workflows.new_step import WARNING
from go_prefetch.workflows.result import FileChange
from go_prefetch.workflows.steps import ACTION
from go_prefetch.workflows.yaml_tree import Place

NEW_NAME = ".github/workflows/go.yml"
# Pins that tests compare with docs/examples/github-action.yml.
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
SETUP_GO = "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0"
_TEXT = """\
name: go

on:
  push:
    branches: [main]
  pull_request:

permissions:
  contents: read

jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    steps:
      - uses: {checkout}
        with:
          persist-credentials: false

      - uses: {setup_go}
        with:
          go-version-file: {go_version_file}
          cache: false # go-prefetch does it

      - uses: {action}
        with:
          build-cache: auto # {warning}

{commands}"""
_COMMANDS = ("go build ./...", "go test ./...")


def new_workflow(folders: GoFolders) -> FileChange:
    """Return the change that creates the workflow. Each module is built in its folder."""
    places = _places(folders)
    first = folders.definition(places[0])
    kind = "go.work" if first in folders.workspaces else "go.mod"
    text = _TEXT.format(
        checkout=CHECKOUT,
        setup_go=SETUP_GO,
        go_version_file=f"{first}/{kind}".removeprefix("./"),
        action=ACTION,
        warning=WARNING,
        commands="".join(_step(command, place) for place in places for command in _COMMANDS),
    )
    return FileChange(NEW_NAME, "", (Insertion(Place(0, 0), text),), uses_go=True)


def _places(folders: GoFolders) -> list[str]:
    """Return the folders in which `go build ./...` builds all."""
    return ["."] if "." in folders.modules else sorted(folders.modules)


def _step(command: str, place: str) -> str:
    folder = f"        working-directory: {place}\n" if place != "." else ""
    return f"      - run: {command}\n{folder}"


_PIPELINE = """\
# The jobs read modules from a folder that one job fills.
stages: [test]

test:
  stage: test
  image: golang:1.27
  script:
{commands}"""


def new_pipeline(folders: GoFolders) -> FileChange:
    """Return the change that creates a .gitlab-ci.yml."""
    scripts = [f"cd {place} && {{}}" if place != "." else "{}" for place in _places(folders)]
    commands = "".join(f"    - {script.format(command)}\n" for script in scripts for command in _COMMANDS)
    change = change_pipeline(GITLAB_NAME, _PIPELINE.format(commands=commands), folders)
    return FileChange(GITLAB_NAME, "", (Insertion(Place(0, 0), change.new),), uses_go=True)
