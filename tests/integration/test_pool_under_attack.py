"""Many rounds of three runs on one pool and one module cache: two are killed, and a program changes the pool meanwhile.

ATTACK_ROUNDS says how many rounds, ATTACK_SEED the seed of the first one: that is how one is repeated.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.pool_writer import ACTIONS
from tests.support.pool_content import modules
from tests.support.pool_round import STEPS, Round, Tally

pytestmark = pytest.mark.system

ROUNDS = int(os.environ.get("ATTACK_ROUNDS", "10"))
MOST_TOLD = 5  # of one kind
FIRST_SEED = int(os.environ.get("ATTACK_SEED", "1"))


@pytest.mark.timeout(120 + 30 * ROUNDS)
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9, and the fast way")
def test_killed_runs_beside_a_hostile_writer(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Every final run succeeds, what it leaves is what go.sum says, and the next run tidies up."""
    tally, made = Tally(), modules()
    with ModuleProxy(made, latency=0.01) as proxy:
        for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
            attacked = Round(seed, tmp_path / str(seed), made, tally)
            attacked.run(proxy.url)
            tally.rounds += 1
            if attacked.problems:
                tally.failed[seed] = Counter(what for what, _ in attacked.problems)
                print(f"ATTACK_SEED={seed} ATTACK_ROUNDS=1 repeats {attacked}")
                for what in tally.failed[seed]:
                    details = [text for kind, text in attacked.problems if kind == what]
                    print(f"  {what}:", *details[:MOST_TOLD], sep="\n    ")
            attacked.clear()
    record_property("summary", str(tally))
    assert not tally.failed, "\n".join(f"seed {seed}: {dict(what)}" for seed, what in tally.failed.items())
    if ROUNDS >= 10:
        assert tally.killed.total() >= ROUNDS, "most runs are over before they are killed"
        assert tally.changes.total() >= 20 * ROUNDS, "the writer had little to do"
    if ROUNDS >= 100:
        assert not [step for step in STEPS if not tally.killed[step]], "a step in which no run was killed"
        assert not [name for name in ACTIONS if not tally.changes[name]], "something that the writer never did"
        assert tally.planted
