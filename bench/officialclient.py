"""GitHub's own client of its cache service, at work on a whole module cache: what actions/cache does."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cacheservice import Job
from realproject import BenchError

HERE = Path(__file__).resolve().parent / "official"
FILES = ("package.json", "package-lock.json", "client.mjs", "loopback.cjs")
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]


@dataclass(frozen=True)
class OfficialClient:
    """The client, installed in `folder`."""

    folder: Path

    def command(self, what: str, key: str, prefix: str = "", matched: str = "") -> list[str]:
        """`save` or `restore` the folder GOMODCACHE. With a prefix as restore key, the key `matched` has to match."""
        fallback = [prefix, matched] if prefix else []
        loaded = ["--require", str(self.folder / "loopback.cjs"), str(self.folder / "client.mjs")]
        return ["node", *loaded, what, key, *fallback]

    def environ(self, job: Job, authority: Path) -> dict[str, str]:
        """Return what the command needs besides GOMODCACHE."""
        return {**job.environ(), "NODE_EXTRA_CA_CERTS": str(authority)}


def installed(cache: Path) -> OfficialClient:
    """Install the client as its lock file says, unless an earlier call has left it in the cache folder."""
    folder = cache / "official"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "package-lock.json"
    is_there = (folder / "installed").is_file() and lock.read_bytes() == (HERE / lock.name).read_bytes()
    for name in FILES:
        shutil.copyfile(HERE / name, folder / name)
    if not is_there:
        done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"npm ci ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
        (folder / "installed").touch()
    return OfficialClient(folder)
