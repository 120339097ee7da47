"""Workflows that use this action, run by act on this machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.released import put_vendored
from tests.support.workbench import Result, Workbench

ROOT = Path(__file__).parents[2]


class ActRunner:
    """Runs workflows of one repository with act; what a hosted machine does not keep is removed before each."""

    def __init__(self, bench: Workbench, proxy: ModuleProxy, repository: Path) -> None:
        self._bench = bench
        self._proxy = proxy
        self.repository = repository
        repository.mkdir()

    def commit(self, workflow: str) -> None:
        """Make the repository's workflow this one."""
        path = self.repository / ".github" / "workflows" / "ci.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(workflow)
        (self.repository / ".gitignore").write_text("node_modules\n")
        author = ["-c", "user.name=t", "-c", "user.email=t@t"]
        for argv in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-qm", "x", "--allow-empty"]):
            subprocess.run(["git", *argv], cwd=self.repository, check=True)

    def __call__(self, *options: str, event: str = "push", fails: bool = False) -> Result:
        """Run the workflow for an event, which must succeed unless it `fails`."""
        self._bench.forget_modcache()
        self._proxy.clear()
        go = {"GOPROXY": self._proxy.url, "GOMODCACHE": str(self._bench.modcache), "GOSUMDB": "off"}
        go |= {"GOFLAGS": "-modcacherw", "RUNNER_TOOL_CACHE": str(self._bench.folder / "tools")}
        argv = [
            "act", event, "-P", "ubuntu-latest=-self-hosted", "-W", ".github/workflows/ci.yml",
            "--cache-server-addr", "127.0.0.1", "--cache-server-path", str(self._bench.folder / "actcache"),
            "--action-offline-mode", *(f"--env={name}={value}" for name, value in go.items()), *options,
        ]  # fmt: skip
        done = self._bench.program(argv, cwd=self.repository)
        assert (done.status != 0) == fails, done.text
        return done

    @property
    def asked(self) -> set[str]:
        """The modules that the last run asked the proxy for."""
        return {path.partition("/@v")[0] for path in self._proxy.paths()}


def put_action(folder: Path) -> Path:
    """A copy of this action's own files, with the packages that a release carries."""
    folder.mkdir(exist_ok=True)
    for name in ("action.yml", "shim", "src", "requirements.txt", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    put_vendored(folder)
    return folder
