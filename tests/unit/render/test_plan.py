"""A Plan for people and for programs."""

from __future__ import annotations

import json

import pytest

from go_prefetch.render.plan import plan_json, plan_text
from tests.support.fakes.reports import PRIVATE, A, B, files_of, plan
from tests.support.golden_files import assert_golden

PLAN = plan(A, B, PRIVATE, present=files_of(B), private=[PRIVATE], warnings=("go.sum:3: ignored",))


@pytest.mark.parametrize("every_module", [True, False])
def test_text(every_module: bool) -> None:
    name = "plan_every_module.txt" if every_module else "plan.txt"
    assert_golden(name, plan_text(PLAN, every_module=every_module) + "\n")


def test_json() -> None:
    assert_golden("plan.json", plan_json(PLAN) + "\n")


def test_nothing_to_do_is_one_line() -> None:
    nothing = plan(disabled_because="no modules are required")
    assert plan_text(nothing, every_module=True) == "nothing to do: no modules are required"
    assert json.loads(plan_json(nothing))["disabled_because"] == "no modules are required"
