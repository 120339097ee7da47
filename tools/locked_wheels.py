"""Read packages from wheels whose hashes stand in a lock file. Nothing is installed, and nothing of a wheel is run."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

# A wheel brings these along that no program imports.
_SUPERFLUOUS = re.compile(
    r"^tests/|\.pyi$|\.dist-info/(RECORD|WHEEL|INSTALLER|REQUESTED|entry_points\.txt|top_level\.txt)$"
)
# What a Python loads without being asked for it by name, or no reader can compare with a source.
_UNREADABLE = re.compile(r"\.(?:pth|py[cod]|so(?:\.[0-9]+)*|dll|dylib|exe|egg|zip)$", re.IGNORECASE)


class WheelError(Exception):
    """What is wrong with a wheel, by the name of its file."""


def pinned(name: str, lock: Path) -> str:
    """Return the lines of a lock file that pin one package and its hashes."""
    block = re.search(rf"^{name}==.+(?:\n    --hash=.+)+", lock.read_text(), re.MULTILINE)
    assert block, f"{lock.name} does not pin {name}"
    return block[0]


def download(names: Sequence[str], lock: Path, folder: Path) -> list[Path]:
    """Download the wheels of these packages, for every Python from 3.10 on, and return them by name.

    pip compares them with the hashes of the lock file, and so does this function. Raises WheelError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "requirements.txt"
    wanted.write_text("\n".join(pinned(name, lock) for name in names) + "\n")
    argv = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--python-version", "3.10", "--implementation", "py", "--abi", "none", "--platform", "any",
        "--dest", str(folder), "--requirement", str(wanted),
    ]  # fmt: skip
    if subprocess.run(argv, check=False).returncode != 0:
        raise WheelError(f"pip could not download what {lock.name} pins: {', '.join(names)}")
    wheels, locked = sorted(folder.glob("*.whl")), wanted.read_text()
    for wheel in wheels:
        if f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" not in locked:
            raise WheelError(f"{wheel.name}: {lock.name} has no such hash")
    return wheels


def packages(wheels: Sequence[Path], taken: Sequence[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything in these wheels that a program could need.

    Raises WheelError, also for a name at the top that is `taken`.
    """
    seen: dict[str, str] = {}
    for wheel in wheels:
        for name, content in recorded(wheel):
            if _SUPERFLUOUS.search(name):
                continue
            key = name.casefold()  # some file systems take no notice of case
            if key.partition("/")[0] in map(str.casefold, taken):
                raise WheelError(f"{wheel.name}: {name} takes the place of a file of go-prefetch's")
            if key in seen:
                raise WheelError(f"{wheel.name}: {name} is in {seen[key]} too")
            seen[key] = wheel.name
            yield name, content


def recorded(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of a wheel, as its RECORD has them.

    https://packaging.python.org/specifications/binary-distribution-format. Raises WheelError for a file that is not in
    RECORD, differs from it, has a name that leads elsewhere or is nothing that a reader could compare with a source.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        record = next((name for name in names if re.fullmatch(r"[^/]+\.dist-info/RECORD", name)), "")
        rows = csv.reader(io.StringIO(archive.read(record).decode()) if record else ())
        hashes = {row[0]: row[1] for row in rows if len(row) == 3}
        if len(names) != len(set(names)) or set(hashes) != set(names):
            odd = sorted({*names} ^ {*hashes}) or sorted({name for name in names if names.count(name) > 1})
            raise WheelError(f"{wheel.name}: RECORD and contents differ: {', '.join(odd)}")
        for name in names:
            content = archive.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            if name != record and hashes[name] != f"sha256={digest}":
                raise WheelError(f"{wheel.name}: {name} is not what RECORD has")
            if _UNREADABLE.search(name):
                raise WheelError(f"{wheel.name}: {name} is no source")
            if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
                raise WheelError(f"{wheel.name}: {name} leads elsewhere")
            yield name, content
