"""The two lines of docs/examples/gate.yml, run by act: they fail a job whose hit rate is low, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.test_action_under_act import MODULES, ROOT, TOKEN, USE, act, commit, head, repository
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.released import put_vendored
from tests.support.workbench import Workbench

__all__ = ["repository"]  # the fixture

TAIL = """\
      - run: printf '%s' "$STEPS" > {bench.folder}/steps.json
        env:
          STEPS: ${{{{ toJSON(steps) }}}}
"""


def gate(name: str) -> str:
    """The lines as they are documented, for the step `name`, and such that the job goes on behind them."""
    example = (ROOT / "docs" / "examples" / "gate.yml").read_text(encoding="utf-8")
    lines = re.findall(r"^      (?:- if: .*outputs.hit-rate.*|  run: echo .*)$", example, re.MULTILINE)
    assert len(lines) == 2
    text = "\n".join(lines).replace("steps.prefetch", f"steps.{name}")
    return f"{text}\n        id: gate-{name}\n        continue-on-error: true\n"


@pytest.mark.network
def test_two_lines_gate_one_run(bench: Workbench, repository: Path) -> None:
    """A miss fails; an exact hit, and a run that had nothing to do, do not."""
    uses = {name: USE.format(name=name, bench=bench) + gate(name) for name in ("cold", "warm", "present")}
    wipe = f"      - run: rm -rf {bench.modcache}\n"
    put_vendored(repository)
    with ModuleProxy(MODULES) as proxy:
        workflow = head(proxy, bench) + uses["cold"] + wipe + uses["warm"] + uses["present"]
        commit(repository, workflow + TAIL.format(bench=bench))
        run = act(repository, bench)
    assert run.status == 0, run.text
    steps = json.loads((bench.folder / "steps.json").read_text())
    assert [steps[name]["outputs"]["hit-rate"] for name in uses] == ["0.000", "1.000", ""]
    assert [steps[f"gate-{name}"]["outcome"] for name in uses] == ["failure", "skipped", "skipped"]
    assert "Fewer than 80 % of the modules came from the cache" in run.text
    assert TOKEN not in run.text
