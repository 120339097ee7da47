"""A project with the GitLab template in it, and gitlab-ci-local to run its pipelines."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from go_prefetch import __version__
from tests.support.made_once import NPM_CI, built_once
from tests.support.workbench import Result, Workbench

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "templates" / "go-prefetch.yml"
ARCHIVE = f"go-prefetch-{__version__}.pyz"
# A job without image runs in its own folder; one with image would be told that it is in a container.
NO_IMAGE = 'go-prefetch:\n  image: ""\n'


def gitlab_ci_local() -> Path:
    """Return the program, installed by its lock file."""
    return built_once(ROOT / "tests/programs/gitlab_ci_local", *NPM_CI) / "node_modules/.bin/gitlab-ci-local"


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """The files of a folder over HTTP; the URL of the folder."""
    handler = partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        del format, args


class Pipeline:
    """A repository at `folder` whose pipelines gitlab-ci-local runs."""

    def __init__(self, bench: Workbench, program: Path) -> None:
        self.bench = bench
        self.folder = bench.folder / "repository"
        self._program = program
        self.folder.mkdir()

    def write(self, ci: str, template: Path = TEMPLATE) -> None:
        """Write `.gitlab-ci.yml` and the template, and commit everything."""
        (self.folder / "templates").mkdir(exist_ok=True)
        shutil.copy(template, self.folder / "templates" / "go-prefetch.yml")
        (self.folder / ".gitlab-ci.yml").write_text(ci)
        (self.folder / ".gitignore").write_text(".gitlab-ci-local/\n")
        self.commit()

    def commit(self) -> None:
        """Everything, as the branch main of a project that GitLab knows."""
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main")
        for words in (
            ("init", "-q"), ("add", "-A"), ("commit", "-qm", "change", "--allow-empty"),
            ("remote", "add", "origin", "https://gitlab.example.com/org/app.git"),
            ("update-ref", "refs/remotes/origin/main", "HEAD"),
            ("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"),
        ):  # fmt: skip
            self.bench.program(["git", *identity, *words], cwd=self.folder)

    def run(self, *arguments: str, **variables: str) -> Result:
        """Run the pipeline, or the jobs named; every change counts as one of the files that rules look at."""
        argv = [
            str(self._program), "--shell-isolation", "--force-shell-executor", "--no-color",
            "--evaluate-rule-changes=false", "--ignore-schema-paths", "#/definitions/image/oneOf/0/minLength",
            *arguments, *(part for item in variables.items() for part in ("--variable", "=".join(item))),
        ]  # fmt: skip
        return self.bench.program(argv, cwd=self.folder)

    def preview(self, *arguments: str) -> str:
        """The pipeline with includes, inputs and references expanded."""
        done = self.bench.program([str(self._program), "--preview", *arguments], cwd=self.folder)
        assert done.status == 0, done.text
        return done.stdout

    def built(self, job: str, name: str) -> Path:
        """A file that a job left in its folder."""
        return self.folder / ".gitlab-ci-local" / "builds" / job / name

    def outputs(self, job: str = "go-prefetch") -> dict[str, str]:
        """The variables that a job handed to later ones."""
        lines = self.built(job, ".go-prefetch-reports/outputs.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


def include(url: str, *, how: str = "local: templates/go-prefetch.yml", **inputs: object) -> str:
    """The head of a `.gitlab-ci.yml` that takes the template with these inputs."""
    given: Mapping[str, object] = {"archive": f"{url}/{ARCHIVE}", **{k.replace("_", "-"): v for k, v in inputs.items()}}
    lines = "".join(f"      {name}: {json.dumps(value)}\n" for name, value in given.items())
    return f"include:\n  - {how}\n    inputs:\n{lines}"
