"""The plain Dockerfile built with kaniko: offline modules from the context, and its cache finds their layer again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fakes.module_proxy import ModuleProxy
from tests.fakes.modules import FakeModule
from tests.fakes.repacked_proxy import RepackedProxy
from tests.image_kaniko import Kaniko
from tests.image_site import Site
from tests.same_process import prefetch
from tests.workbench import Workbench

pytestmark = [pytest.mark.system, pytest.mark.network]

LIB = FakeModule("example.com/lib", "v1.2.3", padding=100_000)
TOML = FakeModule("github.com/BurntSushi/toml", "v1.4.0", go="1.16")
DOWNLOAD = "RUN go mod download"


def test_kaniko(bench: Workbench, site: Site, tmp_path: Path) -> None:
    """Another file system and another proxy's zips: the layer of the download comes from the cache."""
    bench.write_project((LIB, TOML))
    (bench.project / "Dockerfile").write_text(prefetch(bench, "docker", "--dockerfile", "plain").stdout)
    kaniko = Kaniko(tmp_path / "kaniko", site.registry)
    logs = []
    with ModuleProxy((LIB, TOML)) as proxy, RepackedProxy((LIB, TOML)) as other:
        for server in (proxy, other):
            shutil.rmtree(bench.project / "gomod", ignore_errors=True)
            filled = prefetch(bench, "docker", "--output", "gomod", "--store", "none", GOPROXY=server.url)
            assert filled.status == 0, filled.text
            logs.append(kaniko.build(bench.project, "by-kaniko"))
    first, second = logs
    running = "Running: [/bin/sh -c go mod download]"
    assert running in first
    assert running not in second
    assert f"Using caching version of cmd: {DOWNLOAD}" in second
    assert "by-kaniko" in site.registry.repositories()
