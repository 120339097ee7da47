"""A job that runs a stranger's code poisons act's cache service, and a release job of the same repository builds.

The stranger has all that such a job has: the service, the recipe of the keys, the writer of archives, and GOCACHE. Two
things are planted: a zip of other code under the key that the release asks for, and a compiled package with other code.
"""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.support.act import ActRunner, put_action
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_project, write_proxy_folder
from tests.support.workbench import Workbench

HONEST, POISON = "honest code", "poison code"  # of equal length: a build result is looked at by its size


def module_that_says(text: str) -> FakeModule:
    code = f'package lib\n\nfunc Hello() string {{ return "{text}" }}\n'
    return FakeModule("example.com/lib", "v1.0.0", files={"lib.go": code})


LIB = module_that_says(HONEST)

# What a pull request makes of the workflow. Its post step saves what the last step has made of GOCACHE.
PULL_REQUEST = """\
on: pull_request
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: modules
        uses: ./
        with:
          working-directory: app
          build-cache: auto
      - run: cd app && go build -o /dev/null .
      - run: python3 plant.py {poison}
        env:
          PYTHONPATH: ${{{{ github.workspace }}}}/src:${{{{ github.workspace }}}}/vendored
          KEY: ${{{{ steps.modules.outputs.cache-key }}}}
"""
PLANT = f"""\
import os, pathlib, sys
from go_prefetch.base.retry import Backoff, Deadline
from go_prefetch.golang.modcache import ModuleFolder, file_named
from go_prefetch.stores.cache_service.block_upload import uploading
from go_prefetch.stores.cache_service.compression import best_encoding
from go_prefetch.stores.cache_service.endpoint import find_endpoint
from go_prefetch.stores.cache_service.module_archive import write_archive
from go_prefetch.stores.cache_service.protocol import Exchange
from go_prefetch.stores.cache_service.protocol_v1 import RestService
from go_prefetch.model.cache_key import hexadecimal
from go_prefetch.web.client import HttpClient
from go_prefetch.web.http_settings import HttpSettings
from go_prefetch.web.in_flight import Timeouts

folder, deadline = pathlib.Path(sys.argv[1]), Deadline.after(60)
files = [file_named(path.relative_to(folder).as_posix()) for path in folder.rglob("v*") if path.is_file()]
lineage, _, digest = os.environ["KEY"].rpartition("-")
encoding = best_encoding(os.environ)
client = HttpClient(Timeouts(5, 20), web=HttpSettings(), caller_authenticates=True)
service = RestService(find_endpoint(os.environ), hexadecimal(encoding.name), Exchange(client, Backoff(3)))
with uploading(lambda: service.reserve(f"{{lineage}}-full-{{digest}}-999.1", deadline), deadline) as out:
    write_archive(out, ModuleFolder.at(folder), files, encoding)

swapped = 0
for path in pathlib.Path(os.environ["GOCACHE"]).glob("*/*-d"):
    content = path.read_bytes()
    if {HONEST.encode()!r} in content:
        path.write_bytes(content.replace({HONEST.encode()!r}, {POISON.encode()!r}))
        swapped += 1
assert swapped, "no compiled package has the honest code"
"""
RELEASE = """\
on: [push, release]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: modules
        uses: ./
        with:
          working-directory: app
          build-cache: auto
      - run: cd app && GOPROXY=off go build -o {folder}/program .
      - run: printf '%s' "$OUTPUTS" > {folder}/outputs.json
        env:
          OUTPUTS: ${{{{ toJSON(steps.modules.outputs) }}}}
"""

pytestmark = pytest.mark.network


def test_a_poisoned_cache_does_not_reach_a_release(bench: Workbench) -> None:
    """The job for a branch shows that the poison works: nothing verifies the build cache that it has turned on."""
    poison, event = bench.folder / "poison", bench.folder / "event.json"
    write_proxy_folder(poison, [module_that_says(POISON)])
    (poison / "example.com" / "lib" / "@v" / "v1.0.0.mod").write_bytes(LIB.mod)
    event.write_text(json.dumps({"action": "published", "release": {"tag_name": "v1.0.0"}}))
    with ModuleProxy([LIB]) as proxy:
        job = Jobs(bench, ActRunner(bench, proxy, bench.folder / "repository"))
        write_project(job.runner.repository / "app", [LIB])
        (job.runner.repository / "plant.py").write_text(PLANT)
        job.runner.commit(PULL_REQUEST.format(poison=poison))
        job("pull_request")

        job.runner.commit(RELEASE.format(folder=bench.folder))
        log = job("release", f"--eventpath={event}")
        assert job.program_says() == HONEST
        assert "The build cache is off" in log
        assert "[files-rejected]" in log
        assert job.outputs["cache-result"] == "partial"
        assert job.runner.asked == {"example.com/lib"}  # again, for Go has refused the restored zip

        log = job("push")
        assert job.program_says() == POISON
        assert "[files-rejected]" in log


class Jobs:
    """Jobs of one repository, each on a new machine."""

    def __init__(self, bench: Workbench, runner: ActRunner) -> None:
        self.runner = runner
        self._folder = bench.folder
        put_action(runner.repository)

    def __call__(self, event: str, *options: str) -> str:
        """Run the workflow for an event, and return its log."""
        gocache = self._folder / "gocache"
        shutil.rmtree(gocache, ignore_errors=True)
        (self._folder / "program").unlink(missing_ok=True)
        # -trimpath, because act has the checkout at another path in each run.
        settings = (f"--env=GOCACHE={gocache}", "--env=GOFLAGS=-modcacherw -trimpath")
        return self.runner(*settings, *options, event=event).text

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the last job that noted them."""
        values: dict[str, str] = json.loads((self._folder / "outputs.json").read_text())
        return values

    def program_says(self) -> str:
        """What the program prints that the last job has built."""
        program = str(self._folder / "program")
        return subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()
