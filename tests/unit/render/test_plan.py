"""A Plan for people and for programs."""

from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from go_prefetch.errors import notice
from go_prefetch.render.plan import plan_json, plan_text
from tests.support.fakes.reports import PRIVATE, A, B, files_of, plan
from tests.support.snapshots import JsonFile, TextFile

IGNORED = notice("go-sum-line-ignored", source="go.sum", number=3, problem="version 'v1' is not canonical")
PLAN = plan(
    A,
    B,
    PRIVATE,
    present=files_of(B),
    private=[PRIVATE],
    warnings=(IGNORED,),
)


@pytest.mark.parametrize("every_module", [True, False], ids=["every module", "summary"])
def test_text(snapshot: SnapshotAssertion, every_module: bool) -> None:
    assert plan_text(PLAN, every_module=every_module) + "\n" == snapshot(extension_class=TextFile)


def test_json(snapshot: SnapshotAssertion) -> None:
    assert plan_json(PLAN) + "\n" == snapshot(extension_class=JsonFile)


def test_nothing_to_do_is_one_line() -> None:
    nothing = plan(disabled_because=notice("no-requirements", definition="go.mod"))
    assert plan_text(nothing, every_module=True) == "nothing to do: go.mod requires no modules"
    assert json.loads(plan_json(nothing))["disabled_because"] == "go.mod requires no modules"
