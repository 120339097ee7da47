"""Servers whose authority only a folder or a CI variable names: every command that speaks TLS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trustme

from tests.support.fakes.gitlab_api import GitLabApi
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.fakes.tls import server_tls
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

AUTHORITY = trustme.CA()
MODULES = (FakeModule("example.com/lib", "v1.0.0"),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for SSL_CERT_DIR, with a file whose name is no hash."""
    found = tmp_path / "certs"
    found.mkdir()
    AUTHORITY.cert_pem.write_to_path(found / "company.pem")
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--store", "none"),
        ("fill", "filled"),
        ("docker", "--output", "folder"),
        ("doctor", "--samples", "1", "--store", "none"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_ssl_cert_dir_counts_in_every_command(bench: Workbench, folder: Path, arguments: tuple[str, ...]) -> None:
    bench.write_project(MODULES)
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        bench.environ.pop(name, None)
    with ModuleProxy(MODULES, tls=server_tls(AUTHORITY)) as proxy:
        refused = bench.run(*arguments, GOPROXY=proxy.url)
        assert refused.status != 0
        assert proxy.paths() == []
        done = bench.run(*arguments, GOPROXY=proxy.url, SSL_CERT_DIR=f"/nowhere:{folder}")
        assert done.status == 0, done.text
        assert "example.com/lib/@v/v1.0.0.zip" in proxy.paths()


def test_report_trusts_the_authority_that_gitlab_names(bench: Workbench, folder: Path) -> None:
    with GitLabApi() as api:
        api.tls = server_tls(AUTHORITY)
        arguments = ("report", "--format", "json")
        refused = prefetch(bench, *arguments, cwd=bench.folder, **api.environ())
        assert refused.notice("api-unreachable")
        environ = {**api.environ(), "CI_SERVER_TLS_CA_FILE": str(folder / "company.pem")}
        done = prefetch(bench, *arguments, cwd=bench.folder, **environ)
        assert done.status == 0, done.text
        assert json.loads(done.stdout)["repository"] == "group/sub/widget"
