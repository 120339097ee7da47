"""Every parser of foreign bytes takes any bytes: its seeds here, and inputs that are made of them.

`nox -s nightly` makes many more, and `nox -s fuzz` makes those that reach new code.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import mutated
from tests.fuzz.table import TARGETS
from tests.fuzz.target import Target

# A tenth of the profile: 10 in the default suite.
_EXAMPLES = settings().max_examples // 10
each = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@each
def test_seeds_keep_what_the_target_says(target: Target) -> None:
    assert target.seeds
    for seed in target.seeds:
        target.run(seed)


@each
@settings(max_examples=_EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_seeds_keep_what_the_target_says(target: Target, data: st.DataObject) -> None:
    target.run(data.draw(mutated(target.seeds)))
