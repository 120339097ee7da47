"""Feed a tar of module files from a URL to go-prefetch's quarantine as it arrives, as a store of one archive would.

    cd PROJECT && GOMODCACHE=DIR python bench/intake.py https://127.0.0.1:1234/-/zips.tar [REPORT.json]

Every part but this reading is go-prefetch's own: the plan, the door for bytes from outside (incoming.received), the
quarantine, its admission. `go mod download` ends it, as in a run; what could not be admitted is Go's to unpack.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from shutil import copyfileobj

from go_prefetch.base.retry import Deadline
from go_prefetch.config.settings import read_settings
from go_prefetch.golang.command import GoCommand
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.plan import Plan
from go_prefetch.model.progress import Meter
from go_prefetch.modfiles.staging import received
from go_prefetch.run.steps.plan import make_plan
from go_prefetch.verification.quarantine import Quarantine

CHUNK = 256 << 10  # tarfile joins what it reads: larger pieces cost more, not less
LIMIT = 900.0  # seconds


class Phases:
    """Seconds since the start of the process, or as near as Python tells, by what was reached then."""

    def __init__(self) -> None:
        self.reached: dict[str, float] = {}
        self._origin = time.monotonic() - time.process_time()

    def reach(self, name: str) -> None:
        """Note that `name` is done."""
        self.reached[name] = round(time.monotonic() - self._origin, 3)


def take_in(url: str, plan: Plan, arrived: Callable[[ModuleFile], None], phases: Phases) -> None:
    """Place each file of the plan as it comes, and tell `arrived`; what the plan does not name is passed over."""
    wanted = {file.name: file for file in plan.missing}
    with urllib.request.urlopen(url) as response:
        phases.reach("first byte")
        with tarfile.open(fileobj=response, mode="r|", bufsize=CHUNK) as archive:
            for member in archive:
                file, content = wanted.get(member.name), archive.extractfile(member)
                if file is None or content is None:
                    continue
                with received(plan.folder, file) as copy:
                    copyfileobj(content, copy, CHUNK)
                arrived(file)
    phases.reach("last byte")


def main() -> None:
    """Plan, take in, admit, let Go judge; write what happened if asked."""
    phases = Phases()
    deadline = Deadline.after(LIMIT)
    environment = GoCommand(os.environ).environment(Path.cwd())
    plan = make_plan(read_settings({}, {}, Path.cwd()), environment, ModuleFolder.of_cache(environment.gomodcache))
    phases.reach("planned")
    with Quarantine(plan, environment, deadline) as unpacked:
        take_in(sys.argv[1], plan, unpacked.take, phases)
        admitted = unpacked.admit(Meter("Verify"))
        phases.reach("admitted")
    phases.reach("tidied up")
    subprocess.run(["go", "mod", "download"], check=True, env={**os.environ, "GOPROXY": "off"})
    phases.reach("go mod download")
    if len(sys.argv) > 2:
        told = {"phases": phases.reached, "admitted": len(admitted.modules), "left to Go": admitted.deferred_to_go}
        Path(sys.argv[2]).write_text(json.dumps({**told, "notice": admitted.notice}))


if __name__ == "__main__":
    main()
