"""Make the files of a release. `contents` is the one place that says what a release holds.

`python tools/release.py dist DIST` writes them. The same commit gives the same bytes everywhere: names sorted, times
and modes fixed, nothing compressed.

What others wrote comes from wheels whose hashes stand in lock files, and from a wheel only files that its RECORD has
with their hashes. Nothing is installed. Of what is downloaded, only the build backend of pyproject.toml is run.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from locked_wheels import download, packages
from third_party import bill_of_materials, describe, licences

ROOT = Path(__file__).parents[1]
SUMS = "SHA256SUMS"
PROJECT_URL = "https://github.com/org/go-prefetch"
DOWNLOADS = PROJECT_URL + "/releases/download/v{}"
RAW = "https://raw.githubusercontent.com/org/go-prefetch/v{}/"
# What `fill`, `run`, `plan` and `verify` import besides the standard library. All have wheels of pure Python.
PACKAGES = ("actions-toolkit", "certifi", "charset-normalizer", "idna", "requests", "urllib3")
# hatchling, and what it imports.
BACKEND = ("hatchling", "packaging", "pathspec", "pluggy", "tomli", "trove-classifiers")
# The times of files in archives. Zip knows no earlier one.
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_EARLIEST_EPOCH = 315_532_800
_MAIN = b"from go_prefetch.__main__ import main\n\nmain()\n"
_SHEBANG = b"#!/usr/bin/env python3\n"
_RUN_BACKEND = """
import sys
sys.path.insert(0, sys.argv[1])
from hatchling.build import build_sdist, build_wheel
build_sdist(sys.argv[2])
build_wheel(sys.argv[2])
"""


def contents(url: str, folder: Path) -> dict[str, bytes]:
    """Return every file of a release by its name. `folder` is for temporary files. Raises WheelError.

    Args:
        url: The folder from which jobs on GitLab download the archive.
        folder: An empty folder.
    """
    wheels = download(PACKAGES, ROOT / "requirements.txt", folder / "packages")
    others = [describe(wheel) for wheel in wheels]
    notices = {
        "THIRD-PARTY-LICENSES.txt": licences(others).encode(),
        "sbom.cdx.json": bill_of_materials(others, version(), PROJECT_URL).encode(),
    }
    own = {"__main__.py": _MAIN, "LICENSE": (ROOT / "LICENSE").read_bytes(), **dict(_sources())}
    bundled = notices | dict(packages(wheels, taken=(*own, *notices, "go_prefetch")))
    name = f"go-prefetch-{version()}.pyz"
    archive = stored_zip(sorted((own | bundled).items()), prefix=_SHEBANG)
    files = {
        name: archive,
        **distributions(folder),
        **notices,
        "templates/go-prefetch.yml": release_template(f"{url}/{name}", _sha256(archive)).encode(),
        **{f"vendored/{path}": content for path, content in bundled.items()},
    }
    return files | {SUMS: checksums(files).encode()}


def version() -> str:
    """Return the version of the package."""
    package = ROOT / "src" / "go_prefetch" / "__init__.py"
    found = re.search(r'^__version__ = "(.+)"$', package.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{package} has no version"
    return found[1]


def _sources() -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the package."""
    source = ROOT / "src"
    for path in (source / "go_prefetch").rglob("*"):
        if path.suffix in (".py", ".typed"):
            yield path.relative_to(source).as_posix(), path.read_bytes()


def distributions(folder: Path) -> dict[str, bytes]:
    """Return the wheel and the sdist, as the build backend of pyproject.toml makes them."""
    backend, source, made = folder / "backend", folder / "source", folder / "made"
    wheels = download(BACKEND, ROOT / ".ci" / "requirements-test.txt", folder / "backend-wheels")
    write_files(backend, dict(packages(wheels)))
    others = {name: (ROOT / name).read_bytes() for name in ("CHANGELOG.md", "LICENSE", "pyproject.toml")}
    readme = readme_for_elsewhere((ROOT / "README.md").read_text(encoding="utf-8"))
    code = {f"src/{name}": content for name, content in _sources()}
    write_files(source, {**others, **code, "README.md": readme.encode()})
    made.mkdir()
    argv = [sys.executable, "-I", "-S", "-c", _RUN_BACKEND, str(backend), str(made)]
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(_EARLIEST_EPOCH)}
    subprocess.run(argv, check=True, cwd=source, env=environ, stdout=subprocess.DEVNULL)
    (wheel,), (sdist,) = made.glob("*.whl"), made.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        files = [(name, archive.read(name)) for name in archive.namelist()]
    return {wheel.name: stored_zip(files), sdist.name: stored_gzip(plain_tar(sdist))}


def readme_for_elsewhere(text: str) -> str:
    """Return the README with links that lead to the files of this release: PyPI shows it without them."""
    text = re.sub(r"(!\[[^]]*\]\()(?!https://)", rf"\g<1>{RAW.format(version())}", text)
    text = re.sub(r'((?:src|srcset)=")(?!https://)', rf"\g<1>{RAW.format(version())}", text)
    return re.sub(r"(\]\()(?!https://|#)", rf"\g<1>{PROJECT_URL}/blob/v{version()}/", text)


def stored_zip(files: Iterable[tuple[str, bytes]], *, prefix: bytes = b"") -> bytes:
    """Return a zip of these files, in this order, without compression: its bytes would depend on the compressor."""
    target = io.BytesIO()
    target.write(prefix)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, wherever it is made
            archive.writestr(entry, content)
    return target.getvalue()


def plain_tar(path: Path) -> bytes:
    """Return the files of a tar by name, as a tar that knows no user, no time and no mode of the machine."""
    target = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted((member for member in old if member.isfile()), key=lambda member: member.name):
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mtime = member.size, _EARLIEST_EPOCH
            new.addfile(entry, old.extractfile(member))
    return target.getvalue()


def stored_gzip(content: bytes) -> bytes:
    """Return a gzip of stored blocks (RFC 1951, 3.2.4). What zlib writes depends on its version, even at level 0."""
    parts = [b"\x1f\x8b\x08\0" + struct.pack("<L", _EARLIEST_EPOCH) + b"\0\xff"]
    for start in range(0, len(content) or 1, 0xFFFF):
        block, is_last = content[start : start + 0xFFFF], start + 0xFFFF >= len(content)
        parts += [struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF), block]
    return b"".join([*parts, struct.pack("<LL", zlib.crc32(content), len(content))])


def release_template(url: str, digest: str) -> str:
    """Return the template with the archive of this release as the default of its inputs."""
    text = (ROOT / "templates" / "go-prefetch.yml").read_text(encoding="utf-8")
    for name, value in (("archive", url), ("archive-sha256", digest)):
        text, count = re.subn(rf'(\n    {name}:\n(?:      .*\n)*?      default: )""', rf'\g<1>"{value}"', text)
        assert count == 1, f"the template's input {name} has no empty default"
    return text


def checksums(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of every file, as `sha256sum --check` reads them."""
    return "".join(f"{_sha256(content)}  {name}\n" for name, content in sorted(files.items()))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a folder, which has nothing else afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
