"""A name server that never answers, asked by the system's own look-up: network and mounts are the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fakes.modules import FakeModule
from tests.support.workbench import Workbench

pytestmark = pytest.mark.system

# The look-up would go on for minutes; nothing but DNS is asked, whatever this machine has.
CONFIGURATION = {
    "resolv.conf": "nameserver 127.0.0.53\noptions timeout:30 attempts:5\n",
    "nsswitch.conf": "hosts: files dns\n",
}
INSIDE = """
import os, socket, subprocess, sys
from pathlib import Path

from tests.support.fakes.module_proxy import ModuleProxy
from tests.integration.test_silent_name_server import CONFIGURATION, LIB

here = Path(sys.argv[1])
for name, text in CONFIGURATION.items():
    (here / name).write_text(text)
    subprocess.run(["mount", "--bind", here / name, f"/etc/{name}"], check=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, ModuleProxy([LIB]) as second:
    silent.bind(("127.0.0.53", 53))
    goproxy = os.environ["FIRST"] + (f"|{second.url}" if os.environ["SECOND"] else "")
    done = subprocess.run(sys.argv[2:], cwd=here / "project", env={**os.environ, "GOPROXY": goproxy}, timeout=60)
    silent.setblocking(False)
    print("asked:", b"modules" in silent.recv(1000), "served:", len(second.paths()))
sys.exit(done.returncode)
"""
LIB = FakeModule("example.com/lib", "v1.2.3")
NO_ANSWER = "DNS: no answer within 1s for modules.test"


def run_inside(bench: Workbench, *arguments: str, second: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """`go-prefetch run` where no name is ever found, and what its trace says."""
    bench.write_project([LIB])
    (bench.folder / "inside.py").write_text(INSIDE)
    trace = bench.folder / "trace.json"
    command = [*bench.command, "run", "--store", "none", "--connect-timeout", "1s", "--trace", str(trace), *arguments]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", "--mount", sys.executable, str(bench.folder / "inside.py"),
         str(bench.folder), *command],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=90, check=False,
        env={**bench.environ, "PYTHONPATH": os.pathsep.join(["src", "."]), "FIRST": "http://modules.test:8080",
             "SECOND": second},
    )  # fmt: skip
    return done, trace.read_text()


def test_unresolved_proxy_falls_back_to_the_next(bench: Workbench) -> None:
    """Within the connect limit, not the minutes of the system's look-up; the real name server was asked."""
    done, trace = run_inside(bench, second="yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "asked: True served: 3" in done.stdout
    assert NO_ANSWER in {event.get("args", {}).get("error") for event in json.loads(trace)["traceEvents"]}


def test_a_proxy_that_cannot_be_found_fails_the_run(bench: Workbench) -> None:
    """Alone in the list: exit 5, and the words say that it was DNS. Go's own look-up has a limit too."""
    done, _ = run_inside(bench, "--attempts", "2", "--deadline", "8s", second="")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "[deadline-passed]" in done.stderr
    assert f"http://modules.test:8080: {NO_ANSWER}" in done.stderr
