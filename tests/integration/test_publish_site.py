"""The script of docs.yml that publishes the site, against a real git server with a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.fakes.git_server import GitServer

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "docs.yml"


def publish(site: Path, server: GitServer) -> None:
    """Run the step as it stands in the workflow, with a folder that has the site."""
    workflow: dict[str, Any] = YAML(typ="safe", pure=True).load(WORKFLOW.read_text(encoding="utf-8"))
    (step,) = [step for step in workflow["jobs"]["publish"]["steps"] if "run" in step]
    assert step["env"].pop("GH_TOKEN") == "${{ github.token }}"
    environ = {name: str(value) for name, value in step["env"].items()} | {
        "PATH": os.environ["PATH"],
        "HOME": str(site.parent),
        "GIT_TERMINAL_PROMPT": "0",
        "GH_TOKEN": "secret",
        "GITHUB_SHA": "c0ffee",
        "GITHUB_SERVER_URL": server.url,
        "GITHUB_REPOSITORY": "org/site",
    }
    command = ["bash", "-e", "-c", step["run"]]
    done = subprocess.run(command, cwd=site, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the script is for the bash of Linux")
def test_publish_replaces_the_site_by_one_commit(tmp_path: Path) -> None:
    """A file that the new site lacks is gone, and so is the old commit. The token is the password."""
    bare = tmp_path / "served" / "org" / "site"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "config", "http.receivepack", "true"], check=True)
    with GitServer(tmp_path / "served", login="x-access-token:secret") as server:
        for number, name in enumerate(("old.html", "new.html")):
            site = tmp_path / f"site-{number}"
            site.mkdir()
            (site / name).write_text("text")
            (site / ".nojekyll").write_text("")
            publish(site, server)

    def git(*arguments: str) -> list[str]:
        return subprocess.run(["git", *arguments], cwd=bare, capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )

    assert git("ls-tree", "--name-only", "gh-pages") == [".nojekyll", "new.html", ""]
    assert git("log", "--format=%s", "gh-pages") == ["Site of c0ffee", ""]
