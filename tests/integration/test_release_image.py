"""The image for GitLab jobs, built by buildah from the files of a release, on a base with the Python of here.

Registries are not reached here, so the base image that the recipe names is not pulled.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from go_prefetch import __version__
from tests.support.fakes.modules import FakeModule, write_project, write_proxy_folder
from tests.support.image_builders import Buildah
from tests.support.released import ROOT, released

pytestmark = [pytest.mark.network, pytest.mark.system, pytest.mark.nightly]

RECIPE = ROOT / "examples" / "image" / "Containerfile"
BASE = "localhost/pythonbase"
PROGRAM = "/usr/local/bin/go-prefetch"
NOBODY = ("--user", "65534:65534")
APPLETS = ("sh", "env", "sha256sum", "mktemp", "mkdir", "cat", "id")
LIB = FakeModule("example.com/lib", "v1.0.0")


def lay_out_python(root: Path) -> None:
    """The Python of here with what it is linked to, at the same places, and a busybox."""
    stdlib, python = Path(sysconfig.get_path("stdlib")), Path(sys.executable).resolve()
    left_out = shutil.ignore_patterns("site-packages", "test", "__pycache__", "config-*", "idlelib")
    shutil.copytree(stdlib, root / stdlib.relative_to("/"), ignore=left_out)
    programs = (python, *(stdlib / "lib-dynload").glob("*.so"))
    linked = {match for path in programs for match in re.findall(r"(/\S+) \(0x", ldd(path))}
    for path in (python, *map(Path, linked), *Path("/lib").glob("*/libgcc_s.so.1")):
        (root / path.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path.relative_to("/"))
    for name in ("bin", "tmp", "usr/bin", "usr/local/bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(shutil.which("busybox") or "", root / "bin" / "busybox")
    for name in APPLETS:
        (root / "bin" / name).symlink_to("busybox")
    (root / "usr" / "bin" / "env").symlink_to("/bin/busybox")
    (root / "usr" / "local" / "bin" / "python3").symlink_to(python)
    (root / "tmp").chmod(0o777)


def ldd(path: Path) -> str:
    return subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """With the image of the recipe as the one built last."""
    folder = tmp_path_factory.mktemp("image")
    builder = Buildah(folder / "b")
    (folder / "base").mkdir()
    lay_out_python(folder / "base" / "root")
    recipe = folder / "base" / "Dockerfile"
    recipe.write_text("FROM scratch\nCOPY root/ /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n")
    builder.build_from("scratch", folder / "base", recipe, tag=BASE)
    builder.build_from(BASE, released(), RECIPE, "--timestamp", "0")
    yield builder
    builder.clean()


def test_image_prints_the_version_as_any_user(buildah: Buildah) -> None:
    for user in ((), NOBODY):
        assert buildah.run("go-prefetch", "--version", options=user) == f"go-prefetch {__version__}\n"


def test_two_builds_of_the_image_are_the_same(buildah: Buildah) -> None:
    buildah.build_from(BASE, released(), RECIPE, "--timestamp", "0", tag="again")
    assert re.fullmatch("sha256:[0-9a-f]{64}", buildah.digest("built"))
    assert buildah.digest("again") == buildah.digest("built")


def test_template_accepts_the_file_in_the_image(buildah: Buildah) -> None:
    """The shell of a release's template, with `archive` set to the path: its digest fits, and a wrong one does not."""
    argv = [sys.executable, str(ROOT / "tools" / "template_script.py")]
    script = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    template = (released() / "templates" / "go-prefetch.yml").read_text()
    found = re.search(r'archive-sha256:\n(?:      .*\n)*?      default: "([0-9a-f]{64})"', template)
    assert found
    for digest, answer in ((found[1], f"go-prefetch {__version__}"), ("0" * 64, "70")):
        environ = f"GO_PREFETCH_ARCHIVE={PROGRAM} GO_PREFETCH_ARCHIVE_SHA256={digest}"
        shell = f"{script}\n{environ}\ngo_prefetch_load && go_prefetch --version || echo $?"
        assert buildah.run("sh", "-c", shell).strip() == answer


@pytest.mark.parametrize("user", [(), NOBODY], ids=["root", "another user"])
def test_image_fills_a_folder_without_a_network(buildah: Buildah, tmp_path: Path, user: tuple[str, ...]) -> None:
    """A job as GitLab starts it: the project is writable for all, and the modules come from where the pipeline says."""
    write_project(tmp_path / "project", [LIB])
    write_proxy_folder(tmp_path / "proxy", [LIB])
    (tmp_path / "project").chmod(0o777)
    options = ("--volume", f"{tmp_path}/project:/project", "--volume", f"{tmp_path}/proxy:/proxy:ro", *user)
    script = "cd /project && HOME=/tmp go-prefetch fill .go-prefetch --goproxy file:///proxy --report-file report.json"
    buildah.run("sh", "-c", script, options=options)
    assert (tmp_path / "project" / ".go-prefetch" / "example.com/lib/@v/v1.0.0.zip").is_file()
    assert json.loads((tmp_path / "project" / "report.json").read_text())["outputs"]["modules"] == "1"
