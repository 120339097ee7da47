"""Look for known vulnerabilities in everything that this repository pins: Python packages, npm packages, Go modules.

python tools/audit.py [--list]

Reads each tracked requirements*.txt, package-lock.json and go.mod, so a new one is never left out. Starts pip-audit
(.ci/requirements-audit.txt), `npm audit` and govulncheck, which ask the databases of PyPI, npm and Go. Fails if one of
them finds something or gets no answer. `--list` prints the commands, and starts none.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
_GOVULNCHECK = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\]+)", re.MULTILINE)


def tracked(pattern: str) -> list[Path]:
    """Return the files of the repository whose name has this pattern."""
    command = ["git", "ls-files", "-z", "--", pattern, f"**/{pattern}"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(names.split("\0")) - {""})]


def pinned(locks: list[Path]) -> list[dict[str, str]]:
    """Return the versions of all packages, in as many tables as a package has versions.

    A lock file has more than one where they depend on the system or the Python. pip-audit looks at those of its own
    Python alone, and wants each name once.
    """
    found: dict[str, set[str]] = {}
    for lock in locks:
        for name, version in _PIN.findall(lock.read_text(encoding="utf-8")):
            found.setdefault(name.lower(), set()).add(version)
    rows = {name: sorted(versions) for name, versions in sorted(found.items())}
    most = max(map(len, rows.values()), default=0)
    return [{name: row[number] for name, row in rows.items() if number < len(row)} for number in range(most)]


def commands(scratch: Path) -> Iterator[tuple[Path, list[str]]]:
    """Return each command and the folder it runs in."""
    for number, versions in enumerate(pinned(tracked("requirements*.txt"))):
        listed = scratch / f"packages-{number}.txt"
        listed.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        # Strict: a package that the database does not know is an error, and not one without vulnerabilities.
        yield ROOT, ["pip-audit", "--strict", "--disable-pip", "--no-deps", "--progress-spinner=off", "-r", str(listed)]
    for lock in tracked("package-lock.json"):
        yield lock.parent, ["npm", "audit", "--package-lock-only", "--audit-level=moderate"]
    for module in tracked("go.mod"):
        yield module.parent, ["go", "run", _GOVULNCHECK, "./..."]


def main(arguments: list[str]) -> int:
    """Start every command, also after one has failed. Return the exit status."""
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        for folder, command in commands(Path(scratch)):
            shown = f"{folder.relative_to(ROOT).as_posix()}: {shlex.join(command)}"
            print(shown, flush=True)
            if arguments != ["--list"] and subprocess.run(command, cwd=folder, check=False).returncode:
                failed.append(shown)
    for shown in failed:
        print(f"Failed: {shown}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
