"""Make what a GitLab job downloads: go-prefetch and the packages it imports as one file that a Python runs.

python tools/make_archive.py DIST [--url URL]

Writes DIST/go-prefetch-VERSION.pyz, its digest beside it, DIST/templates/go-prefetch.yml: the template of a release,
which names both, and DIST/vendored/: the same packages as a folder, for the action of a release. The same commit gives
the same bytes everywhere: names sorted, times fixed, nothing compressed.

Packages come from wheels whose hashes stand in requirements.txt, and from a wheel only files that its RECORD has with
their hashes. Nothing is installed, and nothing of a wheel is run.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# What `fill`, `run`, `plan` and `verify` import besides the standard library. All have wheels of pure Python.
PACKAGES = ("actions-toolkit", "certifi", "charset-normalizer", "idna", "requests", "urllib3")
# A wheel brings these along that no program imports.
_SUPERFLUOUS = re.compile(
    r"^tests/|\.pyi$|\.dist-info/(RECORD|WHEEL|INSTALLER|REQUESTED|entry_points\.txt|top_level\.txt)$"
)
# What a Python loads without being asked for it by name, or no reader can compare with a source.
_UNREADABLE = re.compile(r"\.(?:pth|py[cod]|so(?:\.[0-9]+)*|dll|dylib|exe|egg|zip)$", re.IGNORECASE)
_OWN = ("__main__.py", "go_prefetch", "license")
_MAIN = b"from go_prefetch.__main__ import main\n\nmain()\n"
_EARLIEST = (1980, 1, 1, 0, 0, 0)


class WheelError(Exception):
    """What is wrong with a wheel, by the name of its file."""


def version() -> str:
    """Return the version of the package."""
    package = ROOT / "src" / "go_prefetch" / "__init__.py"
    found = re.search(r'^__version__ = "(.+)"$', package.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{package} has no version"
    return found[1]


def pinned(name: str) -> str:
    """Return the lines of requirements.txt that pin one package and its hashes."""
    block = re.search(rf"^{name}==.+(?:\n    --hash=.+)+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert block, f"requirements.txt does not pin {name}"
    return block[0]


def download(folder: Path) -> list[Path]:
    """Return the wheels of PACKAGES, by the hashes of requirements.txt."""
    lock = folder / "requirements.txt"
    lock.write_text("\n".join(map(pinned, PACKAGES)) + "\n")
    argv = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--python-version", "3.10", "--implementation", "py", "--abi", "none", "--platform", "any",
        "--dest", str(folder), "--requirement", str(lock),
    ]  # fmt: skip
    subprocess.run(argv, check=True)
    wheels, locked = sorted(folder.glob("*.whl")), lock.read_text()
    for wheel in wheels:
        if f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" not in locked:
            raise WheelError(f"{wheel.name}: requirements.txt has no such hash")
    return wheels


def members(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything that belongs into the archive."""
    yield "__main__.py", _MAIN
    package = ROOT / "src" / "go_prefetch"
    for path in package.rglob("*"):
        if path.suffix in (".py", ".typed"):
            yield f"go_prefetch/{path.relative_to(package).as_posix()}", path.read_bytes()
    yield "LICENSE", (ROOT / "LICENSE").read_bytes()
    yield from packages(wheels)


def packages(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything in these wheels that a program could need. Raises WheelError."""
    seen: dict[str, str] = {}
    for wheel in wheels:
        for name, content in recorded(wheel):
            if _SUPERFLUOUS.search(name):
                continue
            if name.casefold().partition("/")[0] in _OWN:
                raise WheelError(f"{wheel.name}: {name} takes the place of a file of go-prefetch's")
            key = name.casefold()  # some file systems take no notice of case
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


def write_archive(path: Path, files: Iterator[tuple[str, bytes]]) -> str:
    """Write the archive and return its SHA-256 in hexadecimal."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, wherever it is made
            archive.writestr(entry, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_folder(folder: Path, files: Iterator[tuple[str, bytes]]) -> None:
    """Write the files into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def release_template(url: str, digest: str) -> str:
    """Return the template with the archive of this release as the default of its inputs."""
    text = (ROOT / "templates" / "go-prefetch.yml").read_text()
    for name, value in (("archive", url), ("archive-sha256", digest)):
        text, count = re.subn(rf'(\n    {name}:\n(?:      .*\n)*?      default: )""', rf'\g<1>"{value}"', text)
        assert count == 1, f"the template's input {name} has no empty default"
    return text


def main() -> int:
    """Write all four."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dist", type=Path, metavar="DIST")
    name = f"go-prefetch-{version()}.pyz"
    parser.add_argument(
        "--url",
        default=f"https://github.com/org/go-prefetch/releases/download/v{version()}/{name}",
        help="where jobs are to find it (default: %(default)s)",
    )
    arguments = parser.parse_args()
    (arguments.dist / "templates").mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            wheels = download(Path(folder))
            digest = write_archive(arguments.dist / name, members(wheels))
            write_folder(arguments.dist / "vendored", packages(wheels))
    except WheelError as error:
        print(f"make_archive: {error}", file=sys.stderr)
        return 1
    (arguments.dist / f"{name}.sha256").write_text(f"{digest}  {name}\n")
    (arguments.dist / "templates" / "go-prefetch.yml").write_text(release_template(arguments.url, digest))
    print(f"{arguments.dist / name}: {(arguments.dist / name).stat().st_size} bytes, sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
