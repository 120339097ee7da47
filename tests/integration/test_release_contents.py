"""What a release holds: all of it has a checksum, and what others wrote is named with its licence."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from go_prefetch import __version__
from tests.integration.test_release import load, write_wheel
from tests.support.released import ROOT, released

third_party = load("third_party")
METADATA = (
    "Metadata-Version: 2.4\nName: Pack_age\nVersion: 1\nRequires-Dist: idna<4\nRequires-Dist: ruff; extra == 'all'\n"
)
LICENCE = {"pack-1.dist-info/licenses/LICENSE.md": b"Do what you want.\n"}


@pytest.fixture(scope="module")
def dist() -> Path:
    return released()


@pytest.fixture(scope="module")
def bill(dist: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((dist / "sbom.cdx.json").read_text())
    return values


def carried(names: list[str]) -> dict[str, str]:
    """The packages whose metadata are among these files, with their versions."""
    found = (re.match(r"([^/]+)-([^-/]+)\.dist-info/METADATA$", name) for name in names)
    return {match[1].replace("_", "-"): match[2] for match in found if match}


def files_below(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


@pytest.mark.network
def test_checksums_fit_all_files(dist: Path) -> None:
    """By the program that readers are told to use."""
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=dist, check=False)
    assert done.returncode == 0
    named = [line.split("  ")[1] for line in (dist / "SHA256SUMS").read_text().splitlines()]
    assert sorted(named) == sorted(name for name in files_below(dist) if name != "SHA256SUMS")


@pytest.mark.network
def test_bill_of_materials_is_valid(dist: Path) -> None:
    """By CycloneDX's own schema: no unknown field, and licences and package URLs that exist."""
    from cyclonedx.schema import SchemaVersion  # of the extra `dev`: the default suite has `test` alone
    from cyclonedx.validation.json import JsonStrictValidator

    text, validator = (dist / "sbom.cdx.json").read_text(), JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"MIT"', '"MTI"')) is not None


@pytest.mark.network
def test_bill_of_materials_names_what_is_there(dist: Path, bill: dict[str, Any]) -> None:
    """The packages of both bundles, the hashes of the lock file, and nothing else."""
    (archive,) = dist.glob("*.pyz")
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
    named = {component["name"]: component["version"] for component in bill["components"]}
    assert named == carried(names) == carried(files_below(dist / "vendored"))
    assert bill["metadata"]["component"]["version"] == __version__
    lock = (ROOT / "requirements.txt").read_text()
    for component in bill["components"]:
        pinned = re.search(rf"^{component['name']}=={component['version']} (?:.+\n)+", lock, re.MULTILINE)
        assert pinned
        assert component["hashes"][0]["content"] in pinned[0]


@pytest.mark.network
def test_licences_of_all_packages_are_there(dist: Path, bill: dict[str, Any]) -> None:
    text = (dist / "THIRD-PARTY-LICENSES.txt").read_text()
    for component in bill["components"]:
        licence = component["licenses"][0]["license"]["id"]
        assert f"\n{component['name']} {component['version']}\n{licence}, https://" in text
    for path in (dist / "vendored").glob("*.dist-info/**/LICENSE*"):
        assert path.read_text().strip() in text


@pytest.mark.network
def test_bundles_hold_the_same_files(dist: Path) -> None:
    """The archive has go-prefetch besides. Both have the licences and the bill of materials."""
    (archive,) = dist.glob("*.pyz")
    with zipfile.ZipFile(archive) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    vendored = {name: (dist / "vendored" / name).read_bytes() for name in files_below(dist / "vendored")}
    own = {name for name in content if name.startswith("go_prefetch/")} | {"__main__.py", "LICENSE"}
    assert {name: text for name, text in content.items() if name not in own} == vendored
    assert {"THIRD-PARTY-LICENSES.txt", "sbom.cdx.json"} < vendored.keys()


@pytest.mark.network
def test_wheel_holds_go_prefetch_alone(dist: Path) -> None:
    """So its metadata name the licence of go-prefetch alone."""
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        (metadata,) = (packed.read(name).decode() for name in packed.namelist() if name.endswith("/METADATA"))
        tops = {name.partition("/")[0] for name in packed.namelist()}
    assert tops == {"go_prefetch", f"go_prefetch-{__version__}.dist-info"}
    fields = Parser().parsestr(metadata)
    assert (fields["License-Expression"], fields.get_all("License-File")) == ("Apache-2.0", ["LICENSE"])


@pytest.mark.network
def test_readme_of_the_wheel_has_links_that_lead_somewhere(dist: Path) -> None:
    """PyPI shows it without the other files: links lead to those of the tag, or to a heading of the same page."""
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        text = packed.read(f"go_prefetch-{__version__}.dist-info/METADATA").decode()
    page = cmarkgfm.github_flavored_markdown_to_html(text.partition("\n\n")[2], options=Options.CMARK_OPT_UNSAFE)
    links = re.findall(r'(?:href|src|srcset)="([^"]+)"', page)
    own = "https://github.com/org/go-prefetch/blob/v"
    files = [link.removeprefix(f"{own}{__version__}/").partition("#")[0] for link in links if link.startswith(own)]
    assert len(files) > 20
    assert [name for name in files if not (ROOT / name).exists()] == []
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    assert f"https://raw.githubusercontent.com/org/go-prefetch/v{__version__}/docs/summary.png" in links


@pytest.mark.nightly
@pytest.mark.network
def test_sdist_builds_the_wheel_of_the_release(dist: Path, tmp_path: Path) -> None:
    """By pip and the build backend of here, as a distribution would."""
    (sdist,), (wheel,) = dist.glob("*.tar.gz"), dist.glob("*.whl")
    options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(tmp_path))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(sdist)], check=True)
    with zipfile.ZipFile(wheel) as ours, zipfile.ZipFile(tmp_path / wheel.name) as theirs:
        assert {name: ours.read(name) for name in ours.namelist()} == {n: theirs.read(n) for n in theirs.namelist()}


def test_stored_gzip_is_read_by_gzip() -> None:
    """Of any size, blocks of 65,535 bytes and an empty file included."""
    stored_gzip = load("release_files").stored_gzip
    for size in (0, 1, 65_535, 65_536, 200_000):
        content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        done = subprocess.run(["gzip", "-dc"], input=stored_gzip(content), capture_output=True, check=True)
        assert done.stdout == content


def test_tar_knows_nothing_of_the_machine(tmp_path: Path) -> None:
    """Not who made it and when, in which order, and with which modes."""
    release_files = load("release_files")
    made = []
    for order, mode in ((("a", "b"), 0o600), (("b", "a"), 0o755)):
        path = tmp_path / f"{mode}.tar"
        with tarfile.open(path, "w") as tar:
            for name in order:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime, entry.uname = 1, mode, mode, f"user {mode}"
                tar.addfile(entry, io.BytesIO(name.encode()))
        made.append(release_files.plain_tar(path))
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("metadata", "files", "named"),
    [
        ("License-Expression: GPL-3.0-only\n", LICENCE, "GPL-3.0-only"),
        ("", LICENCE, "licence ''"),
        ("License: MIT\n", {}, "text of its licence"),
        ("License: MIT\n", {"pack-1.dist-info/LICENSE": b"\n"}, "text of its licence"),
    ],
)
def test_wheel_without_an_accepted_licence_is_refused(
    tmp_path: Path, metadata: str, files: dict[str, bytes], named: str
) -> None:
    wheel = tmp_path / "pack-1-py3-none-any.whl"
    write_wheel(wheel, {"pack-1.dist-info/METADATA": (METADATA + metadata).encode(), **files})
    with pytest.raises(third_party.WheelError, match=named):
        third_party.describe(wheel)


def test_wheel_is_described_by_its_metadata(tmp_path: Path) -> None:
    """Its name as an index spells it. Packages of its extras are none that it needs."""
    wheel = tmp_path / "pack-1-py3-none-any.whl"
    text = METADATA + "License: MIT\nProject-URL: Source, https://example.com/pack\n"
    write_wheel(wheel, {"pack-1.dist-info/METADATA": text.encode(), **LICENCE})
    package = third_party.describe(wheel)
    assert (package.purl, package.requires) == ("pkg:pypi/pack-age@1", ("idna",))
    assert (package.licence, package.source) == ("MIT", "https://example.com/pack")
    assert package.texts == ("Do what you want.\n",)
