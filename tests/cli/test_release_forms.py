"""A release in all its forms does the same: wheel, zipapp, action and checkout. Nothing of it needs a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from go_prefetch import __version__
from go_prefetch.render.record import parse_record
from tests.support.fakes.modules import FakeModule, write_project, write_proxy_folder
from tests.support.released import locked_packages, release_tree, released
from tests.support.workbench import Result, Workbench

# pip downloads locked wheels, once for each content of the lock files.
pytestmark = pytest.mark.network

MODULES = (FakeModule("example.com/lib", "v1.0.0", padding=50_000), FakeModule("github.com/Upper/Letters", "v0.1.0"))
WORKFLOW = """\
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - run: test "$(sed -n '3,$s/:.*//p' /proc/net/dev | tr -d ' ')" = lo
      - id: prefetch
        uses: org/go-prefetch@v1
      - run: "! python3 -c 'import requests'"
      - run: echo "found '$RESULT'" && GOPROXY=off go run .
        env:
          RESULT: ${{ steps.prefetch.outputs.cache-result }}
"""


@dataclass(frozen=True)
class Form:
    """How a release is started, with which additional variables."""

    command: tuple[str, ...]
    environ: Mapping[str, str]


def uvx(bench: Workbench) -> Form:
    """As the README says, with a folder in place of PyPI."""
    environ = {
        "UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(wheels(bench)), "UV_PYTHON": sys.executable,
        "UV_CACHE_DIR": str(bench.folder / "uv"), "UV_PYTHON_DOWNLOADS": "never",
    }  # fmt: skip
    return Form(("uvx", "--quiet", "go-prefetch"), environ)


def pipx(bench: Workbench) -> Form:
    """The same. pipx lets uv install where it finds one. With pip it would look for a newer pip first."""
    environ = {"PIPX_HOME": str(bench.folder / "pipx"), "PIPX_DEFAULT_PYTHON": sys.executable, **uvx(bench).environ}
    return Form(("pipx", "run", "--quiet", "go-prefetch"), environ)


def zipapp(bench: Workbench) -> Form:
    (archive,) = released().glob("*.pyz")
    return Form((sys.executable, "-I", "-S", str(archive)), {})


def action(bench: Workbench) -> Form:
    """As shim/start.mjs starts it. There is no site-packages."""
    tree = release_tree(bench.folder / "tree")
    return Form((sys.executable, "-I", "-S", str(tree / "shim" / "launch.py"), ""), {})


def checkout(bench: Workbench) -> Form:
    return Form(tuple(bench.command), {})


FORMS: tuple[Callable[[Workbench], Form], ...] = (uvx, pipx, zipapp, action, checkout)


def wheels(bench: Workbench) -> Path:
    """A folder with the wheel of a release and all that it needs."""
    folder = bench.folder / "wheels"
    if not folder.exists():
        shutil.copytree(locked_packages(), folder)
        (wheel,) = released().glob("*.whl")
        shutil.copy(wheel, folder)
    return folder


def run(bench: Workbench, form: Form, *arguments: str) -> Result:
    done = bench.program([*form.command, *arguments], **form.environ)
    assert done.status == 0, done.text
    return done


def without_times(value: Any) -> Any:
    """What does not depend on the speed of the machine."""
    if isinstance(value, dict):
        return {key: without_times(part) for key, part in value.items() if "seconds" not in key and key != "steps"}
    return [without_times(part) for part in value] if isinstance(value, list) else value


def reports(bench: Workbench, form: Form, proxy: Path) -> list[Any]:
    """Report and record of a first run, and of a second one that finds everything."""
    shutil.rmtree(bench.pool, ignore_errors=True)
    found = []
    for _ in range(2):
        bench.forget_modcache()
        options = ("--store", f"dir:{bench.pool}", "--report-file", str(bench.report_file))
        done = run(bench, Form(form.command, {**form.environ, "GOPROXY": f"file://{proxy}"}), "run", *options)
        (record,) = filter(None, map(parse_record, done.stdout.splitlines()))
        assert (record.version, record.modules) == (__version__, len(MODULES))
        found.append([without_times(bench.report), without_times(asdict(record))])
    return found


def test_all_forms_print_the_same_version_and_report(bench: Workbench) -> None:
    bench.write_project(MODULES)
    write_proxy_folder(bench.folder / "proxy", MODULES)
    forms = {form.__name__: form(bench) for form in FORMS}
    versions = {name: run(bench, form, "--version").stdout for name, form in forms.items()}
    assert versions == dict.fromkeys(forms, f"go-prefetch {__version__}\n")
    found = {name: reports(bench, form, bench.folder / "proxy") for name, form in forms.items()}
    wanted = found["checkout"]
    assert [record["result"] for _, record in wanted] == ["miss", "exact"]
    assert [name for name in forms if found[name] != wanted] == []


@pytest.mark.system
def test_action_of_a_release_needs_no_network(bench: Workbench) -> None:
    """`uses: org/go-prefetch@v1` of the tagged tree under act, with a loopback device alone: a miss, then a hit.

    Its Python has no packages.
    """
    repository, tree = bench.folder / "repository", release_tree(bench.folder / "tree")
    write_project(repository, list(MODULES))
    write_proxy_folder(bench.folder / "proxy", MODULES)
    workflow = repository / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(WORKFLOW)
    assert not (tree / "tests").exists()  # a runner downloads the archive of the tag, which is without them
    bare = bench.folder / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    bench.environ["PATH"] = os.pathsep.join([str(bare / "bin"), bench.environ["PATH"]])
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x")):
        subprocess.run(["git", "-C", str(repository), *words], check=True)
    for proxy, result in ((f"file://{bench.folder / 'proxy'}", "miss"), ("off", "exact")):
        bench.forget_modcache()
        variables = {
            "GOPROXY": proxy, "GOMODCACHE": str(bench.modcache), "GOSUMDB": "off", "GOFLAGS": "-modcacherw",
            "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "RUNNER_TOOL_CACHE": str(bench.folder / "tools"),
        }  # fmt: skip
        argv = [
            "unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
            "act", "push", "-P", "ubuntu-latest=-self-hosted", "--action-offline-mode",
            "--cache-server-addr", "127.0.0.1", "--cache-server-path", str(bench.folder / "actcache"),
            f"--local-repository=org/go-prefetch@v1={tree}",
            *(f"--env={name}={value}" for name, value in variables.items()),
        ]  # fmt: skip
        done = bench.program(argv, cwd=repository)
        assert done.status == 0, done.text
        assert f"found '{result}'" in done.text


@pytest.mark.parametrize("command", [("report",), ("prune",)], ids=" ".join)
def test_archive_says_that_it_has_no_pygithub(bench: Workbench, command: tuple[str, ...]) -> None:
    """`report` and `prune` on GitHub need the wheel."""
    bench.project.mkdir()
    form = zipapp(bench)
    done = bench.program([*form.command, *command, "--repo", "org/app"], GH_TOKEN="unused")
    assert (done.status, done.stdout) == (2, "")
    assert "[github-client-missing]" in done.stderr
    assert "uvx go-prefetch" in done.stderr
