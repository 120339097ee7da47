"""The real Go without go-prefetch, over a pool on an HTTP server: what docs/fleet.md says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from tests.support.fakes.checksum_database import checksum_database
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, damaged, layout
from tests.support.fakes.object_server import ObjectServer, basic
from tests.support.fakes.tls import server_tls
from tests.support.workbench import Workbench

OLD = FakeModule("example.com/lib", "v1.0.0")
NEW = FakeModule("example.com/lib", "v1.1.0")
OTHER = FakeModule("example.com/Other", "v2.0.0+incompatible")
MISSING = "example.com/!other/@v/v2.0.0+incompatible"


def pool_with(*modules: FakeModule) -> dict[str, bytes]:
    """The objects of a pool `go` that holds these modules."""
    return {f"go/{name}": content for name, content in layout(modules).items()}


def test_go_takes_all_modules_of_a_pool(bench: Workbench) -> None:
    bench.write_project([OLD, OTHER])
    with ObjectServer() as pool, ModuleProxy([OLD, OTHER]) as proxy:
        pool.objects = pool_with(OLD, OTHER)
        done = bench.go("mod", "download", GOPROXY=f"{pool.url}/go|{proxy.url}")
        assert done.status == 0, done.text
        assert proxy.paths() == []


@pytest.mark.parametrize(
    ("missing", "separator", "works"), [(404, ",", True), (404, "|", True), (403, ",", False), (403, "|", True)]
)
def test_go_asks_the_proxy_for_what_a_pool_lacks(
    bench: Workbench, missing: int, separator: str, *, works: bool
) -> None:
    """A bucket answers 403 for what is missing, if the caller may not list it."""
    bench.write_project([OLD, OTHER])
    with ObjectServer() as pool, ModuleProxy([OLD, OTHER]) as proxy:
        pool.objects, pool.missing = pool_with(OLD), missing
        done = bench.go("mod", "download", GOPROXY=f"{pool.url}/go{separator}{proxy.url}")
        assert (done.status == 0) is works, done.text
        assert set(proxy.paths()) == ({f"{MISSING}.{kind}" for kind in ("info", "mod", "zip")} if works else set())


@pytest.mark.parametrize("missing", [403, 404])
@pytest.mark.parametrize(
    "command", [("list", "-m", "-versions", OLD.path), ("get", f"{OLD.path}@latest"), ("list", "-m", "-u", "all")]
)
def test_go_asks_the_proxy_for_versions(bench: Workbench, command: tuple[str, ...], missing: int) -> None:
    bench.write_project([OLD, NEW], requires=[OLD])
    with ObjectServer() as pool, ModuleProxy([OLD, NEW]) as proxy:
        pool.objects, pool.missing = pool_with(OLD, NEW), missing
        proxy.files[f"{OLD.path}/@v/list"] = b"v1.0.0\nv1.1.0\n"
        alone = bench.go(*command, GOPROXY=f"{pool.url}/go")
        assert NEW.version not in alone.stdout
        done = bench.go(*command, GOPROXY=f"{pool.url}/go|{proxy.url}")
        assert done.status == 0, done.text
        assert NEW.version in done.text
        assert f"{OLD.path}/@v/list" in proxy.paths()


@pytest.mark.parametrize("missing", [403, 404])
def test_go_asks_the_checksum_database_elsewhere(bench: Workbench, missing: int) -> None:
    """go.sum has no line for it yet. Go asks each proxy of the list for the database first."""
    bench.write_project([OLD])
    (bench.project / "go.sum").write_text("")
    database = checksum_database([OLD])
    with ObjectServer() as pool, ModuleProxy([OLD]) as proxy:
        pool.objects, pool.missing = pool_with(OLD), missing
        proxy.files |= database.files
        done = bench.go("mod", "download", OLD.path, GOPROXY=f"{pool.url}/go|{proxy.url}", GOSUMDB=database.key)
        assert done.status == 0, done.text
        assert f"go/sumdb/{database.name}/supported" in pool.asked("GET")


def test_go_goes_on_where_a_pool_is_down(bench: Workbench) -> None:
    bench.write_project([OLD])
    with ModuleProxy([OLD]) as proxy:
        with ObjectServer() as pool:
            url = f"{pool.url}/go"
        assert bench.go("mod", "download", GOPROXY=f"{url},{proxy.url}").status != 0
        assert bench.go("mod", "download", GOPROXY=f"{url}|{proxy.url}").status == 0


def test_go_refuses_a_wrong_object_and_asks_no_other(bench: Workbench) -> None:
    bench.write_project([OLD])
    with ObjectServer() as pool, ModuleProxy([OLD]) as proxy:
        pool.objects = {name: damaged(name, content) for name, content in pool_with(OLD).items()}
        done = bench.go("mod", "download", GOPROXY=f"{pool.url}/go|{proxy.url}")
        assert "checksum mismatch" in done.stderr
        assert proxy.paths() == []


def test_go_has_the_login_of_netrc(bench: Workbench, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    bench.write_project([OLD])
    with ObjectServer(tls=server_tls(authority)) as pool:
        (tmp_path / "netrc").write_text(f"machine 127.0.0.1:{pool.port} login user password secret\n")
        pool.objects, pool.login = pool_with(OLD), basic("user", "secret")
        variables = {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "GOPROXY": f"{pool.url}/go,off"}
        assert bench.go("mod", "download", **variables).status != 0
        done = bench.go("mod", "download", NETRC=str(tmp_path / "netrc"), **variables)
        assert done.status == 0, done.text
