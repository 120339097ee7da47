"""A private module by a secret mount: Go gets the login, and neither the image nor the builder nor the log keeps it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.documented import dockerfiles
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, layout
from tests.support.fakes.tls import server_tls
from tests.support.image_site import Site
from tests.support.workbench import Workbench

pytestmark = [pytest.mark.system, pytest.mark.network, pytest.mark.nightly]  # BuildKit is compiled first

PUBLIC = FakeModule("example.com/public", "v1.0.0")
PRIVATE = FakeModule("git.example.com/team/private", "v0.1.0", padding=100_000)
PASSWORD = "correct-horse-battery-staple"
DOWNLOAD = "go mod download"


@pytest.fixture
def proxy(bench: Workbench) -> Iterator[ModuleProxy]:
    """A company's proxy: TLS, and a login."""
    authority = trustme.CA()
    context = server_tls(authority)
    bench.write_project((PUBLIC, PRIVATE))
    authority.cert_pem.write_to_path(bench.project / "ca.pem")
    with ModuleProxy((PRIVATE,), tls=context, credentials=("job", PASSWORD)) as server:
        yield server


@pytest.fixture
def netrc(bench: Workbench, proxy: ModuleProxy) -> Path:
    """The login, and the Dockerfile of docs/docker.md, where this proxy and its authority take their places."""
    path = bench.folder / "netrc"
    # A port is part of the name to Go 1.24 and newer, and not to older ones.
    path.write_text(f"machine 127.0.0.1:{proxy.port} login job password {PASSWORD}\n")
    (text,) = [text for text in dockerfiles() if "id=netrc" in text]
    assert "ARG GOPROXY=file:///gomod,direct\n" in text
    trust = "--mount=type=bind,source=ca.pem,target=/ca.pem SSL_CERT_FILE=/ca.pem GOSUMDB=off"
    text = text.replace(",direct", f",{proxy.url}").replace(f" {DOWNLOAD}", f" {trust} {DOWNLOAD}")
    (bench.project / "Dockerfile").write_text(text)
    return path


@pytest.fixture
def gomod(bench: Workbench) -> Path:
    """A folder that has the public module only."""
    folder = bench.folder / "gomod"
    for name, content in layout((PUBLIC,)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_netrc(bench: Workbench, site: Site, proxy: ModuleProxy, netrc: Path, gomod: Path) -> None:
    """The private module is downloaded with the login; another password makes no layer anew; nobody keeps it."""
    image = bench.folder / "image.tar"
    archive = ("--output", f"type=oci,dest={image},compression=uncompressed,force-compression=true")
    arguments = ("--secret", f"id=netrc,src={netrc}", "--opt", "target=build")
    built = site.buildkit.build(bench.project, gomod, *arguments, *archive)
    assert not built.was_cached(DOWNLOAD)
    assert f"git.example.com/team/private/@v/{PRIVATE.version}.zip" in proxy.paths()
    assert any(request.status_or_fault == 200 for request in proxy.requests)
    assert PASSWORD not in built.log
    history = [step.get("created_by", "") for step in history_of(image)]
    assert any(DOWNLOAD in step for step in history)
    assert PASSWORD.encode() not in image.read_bytes()
    assert b"git.example.com/team/private@v0.1.0/" in image.read_bytes(), "layers that can be searched"
    assert site.buildkit.keeping(b"git.example.com/team/private@v0.1.0/"), "a search that finds"
    assert site.buildkit.keeping(PASSWORD.encode()) == []
    netrc.write_text("machine 127.0.0.1 login job password another\n")
    assert site.buildkit.build(bench.project, gomod, *arguments).was_cached(DOWNLOAD)


def test_without_the_secret(bench: Workbench, site: Site, netrc: Path, gomod: Path) -> None:
    """That it is the secret that opens the door: without it the build ends, with the proxy's status."""
    log = site.buildkit.fails(bench.project, gomod)
    assert "401 Unauthorized" in log
    assert PASSWORD not in log


def history_of(image: Path) -> list[dict[str, str]]:
    """The history of an image in an OCI archive."""
    with tarfile.open(image) as archive:

        def read(name: str) -> Any:
            file = archive.extractfile(name)
            assert file
            return json.load(file)

        def blob(digest: str) -> Any:
            return read(f"blobs/{digest.replace(':', '/')}")

        manifest = blob(read("index.json")["manifests"][0]["digest"])
        history: list[dict[str, str]] = blob(manifest["config"]["digest"])["history"]
    return history
