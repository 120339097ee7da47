"""Facts about the project and the environment that findings are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from go_prefetch.errors import Notice
from go_prefetch.golang.module import ModuleVersion


@dataclass(frozen=True)
class Definition:
    """One go.mod or go.work in scope, as far as findings need it."""

    path: Path
    go: str  # of its go line; empty without one
    toolchain: str
    has_sums: bool  # whether a go.sum is there
    requires: bool  # whether it requires any module
    is_vendored: bool  # whether Go builds it from vendor/
    sum_zips: int  # go.sum lines for zips
    planned_zips: int  # those of them that Go will want


@dataclass(frozen=True)
class Surroundings:
    """What the checks look at."""

    environ: Mapping[str, str] = field(repr=False)
    go_problem: Notice | None  # why there is no Go to ask
    variables: Mapping[str, str] = field(repr=False)  # what `go env` says, or without Go the environment
    goproxy: str = field(repr=False)  # the list that counts, as it is written: the input, else Go's
    goproxy_problem: Notice | None  # why it is no list
    definitions: tuple[Definition, ...]
    plan_problem: Notice | None  # why there is no plan
    modules: tuple[ModuleVersion, ...]  # of the plan, private ones too
    workflows: Mapping[str, str]  # GitHub workflow files: name to text
    has_vendor: bool = False
