"""Every way a source can be unusable or hard to reach, with real servers: doctor names it, and ends."""

from __future__ import annotations

import json
import signal
import stat
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.support.fakes.cache_service import CacheService, Token
from tests.support.fakes.dead_port import dead_port, refusing_port
from tests.support.fakes.github_api import payloads
from tests.support.fakes.github_api.server import GitHubApi
from tests.support.fakes.http_proxy import HttpProxy
from tests.support.fakes.module_proxy import Fault, ModuleProxy
from tests.support.fakes.modules import FakeModule, layout, write_proxy_folder
from tests.support.fakes.object_server import ObjectServer
from tests.support.fakes.raw_server import RawServer
from tests.support.fakes.tls import server_tls
from tests.support.same_process import prefetch
from tests.support.waiting import wait_until
from tests.support.workbench import Workbench

MODULES = tuple(FakeModule(f"example.com/m{number}", "v1.0.0", padding=2_000) for number in range(3))
QUICK = ("--samples", "2", "--store", "none")
LOGIN = "relay:s3cr3t-pass"
IMPATIENT = ("--connect-timeout", "500ms", "--stall-timeout", "500ms")  # where nobody answers, and only there


@pytest.fixture(autouse=True)
def project(bench: Workbench) -> None:
    bench.write_project(MODULES)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def diagnosed(bench: Workbench, *arguments: str, status: int = 0, **variables: str) -> dict[str, Any]:
    """What doctor says, as JSON."""
    result = prefetch(bench, "doctor", "--format", "json", *QUICK, *arguments, **variables)
    assert result.status == status, result.text
    assert "Traceback" not in result.text
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def source(bench: Workbench, *arguments: str, status: int, **variables: str) -> dict[str, Any]:
    """What it says of the first source."""
    found: dict[str, Any] = diagnosed(bench, *arguments, status=status, **variables)["sources"][0]
    return found


def store(bench: Workbench, pool: Path, goproxy: str) -> dict[str, Any]:
    """What it says of this pool."""
    sources: list[dict[str, Any]] = diagnosed(bench, "--store", f"dir:{pool}", GOPROXY=goproxy)["sources"]
    (found,) = [found for found in sources if found["role"] == "store"]
    return found


def words(found: dict[str, Any]) -> str:
    (failure,) = found["failures"]
    return str(failure["words"])


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_ca_of_ones_own_is_trusted_when_named(
    bench: Workbench, authority: trustme.CA, bundle: Path, variable: str
) -> None:
    """TLS then has a time of its own, as DNS and TCP have."""
    with ModuleProxy(MODULES, tls=server_tls(authority)) as proxy:
        arguments = ("doctor", "--format", "json", *QUICK)
        environ = {"SSL_CERT_FILE": "", "REQUESTS_CA_BUNDLE": "", variable: str(bundle)}
        result = bench.run(*arguments, GOPROXY=proxy.url, **environ)  # OpenSSL reads a process's own environment
        assert result.status == 0, result.text
        (found,) = json.loads(result.stdout)["sources"]
        assert all(found[phase] > 0 for phase in ("tcp", "tls", "first_byte"))
        assert found["lacks"] == []


@pytest.mark.parametrize("kind", ["unknown authority", "expired", "another name"])
def test_a_certificate_that_is_not_right_is_named(
    bench: Workbench, authority: trustme.CA, bundle: Path, kind: str
) -> None:
    """The reason is OpenSSL's own; nothing is asked."""
    past = datetime.now(timezone.utc) - timedelta(days=1) if kind == "expired" else None
    context = server_tls(authority, "elsewhere.test" if kind == "another name" else "127.0.0.1", not_after=past)
    trusted = {} if kind == "unknown authority" else {"REQUESTS_CA_BUNDLE": str(bundle)}
    with ModuleProxy(MODULES, tls=context) as proxy:
        found = source(bench, status=1, GOPROXY=proxy.url, **trusted)
        expected = {"expired": "expired", "another name": "mismatch", "unknown authority": "unable to get local issuer"}
        assert words(found).startswith("TLS: ")
        assert expected[kind] in words(found)
        assert found["worth"] == "unusable"
        assert proxy.paths() == []


def test_a_port_that_never_answers(bench: Workbench) -> None:
    """No connection comes about: said so after the connect timeout, three times at most."""
    with dead_port() as port:
        found = source(bench, *IMPATIENT, "--samples", "9", status=1, GOPROXY=f"http://127.0.0.1:{port}")
    assert words(found) == "no connection within 0.5s"
    assert found["loss"] == 1.0
    assert len(found["samples"]) == 3
    assert len(found["notes"]) == 1


def test_a_host_that_takes_connections_and_is_silent(bench: Workbench) -> None:
    with RawServer(lambda request, line: line.wait()) as silent:
        assert words(source(bench, *IMPATIENT, status=1, GOPROXY=silent.url)) == "no answer within 0.5s"


def test_a_name_that_is_not_known(bench: Workbench) -> None:
    found = source(bench, *IMPATIENT, status=1, GOPROXY="https://proxy.invalid")
    assert words(found).startswith("DNS: ")
    assert found["tcp"] is None


def test_a_refused_connection(bench: Workbench) -> None:
    found = source(bench, status=1, GOPROXY="http://localhost:1")
    assert words(found) == "connection refused"
    assert found["dns"] > 0
    assert found["tcp"] is None
    assert source(bench, status=1, GOPROXY="http://127.0.0.1:1")["dns"] is None  # nobody is asked where that is


def test_proxy_without_modules_is_unusable_if_no_other_has_them(bench: Workbench) -> None:
    """A wrong path, most often. Behind another that has the modules it is merely of no use."""
    with ModuleProxy() as empty, ModuleProxy(MODULES) as good:
        found = source(bench, status=1, GOPROXY=f"{empty.url},direct")
        assert len(found["lacks"]) == 3
        assert found["worth"] == "unusable"
        both = diagnosed(bench, GOPROXY=f"{empty.url}|{good.url}")
        assert both["recommended"]["goproxy"] == good.url
        assert {found["name"]: found["worth"] for found in both["sources"]} == {good.url: "usable", empty.url: "empty"}


def test_a_web_page_in_place_of_modules(bench: Workbench) -> None:
    """A login page answers 200 to everything: it is no module proxy, and it has no zips either."""
    with ModuleProxy(MODULES) as proxy:
        proxy.fault("*", Fault.HTML)
        found = source(bench, status=1, GOPROXY=proxy.url)
        assert words(found) == "200, but no .info: a web page"
        assert found["loss"] == 0.0
        assert found["failed"] == 1.0
        assert len(found["unclear"]) == 3


def test_one_module_that_is_lacking_is_named(bench: Workbench) -> None:
    with ModuleProxy(MODULES[1:]) as proxy:
        assert source(bench, status=0, GOPROXY=proxy.url)["lacks"] == ["example.com/m0@v1.0.0"]
        text = prefetch(bench, "doctor", *QUICK, GOPROXY=proxy.url).stdout
        assert f"lacking\n  {proxy.url}: example.com/m0@v1.0.0\n" in text


@pytest.mark.parametrize("fault", [Fault.FORBIDDEN, Fault.BAD_GATEWAY, Fault.REDIRECT_LOOP], ids=lambda f: f.name)
def test_answers_that_say_no(bench: Workbench, fault: Fault) -> None:
    with ModuleProxy(MODULES) as proxy:
        proxy.fault("*", fault)
        found = source(bench, status=1, GOPROXY=proxy.url)
        expected = {Fault.FORBIDDEN: "403 Forbidden", Fault.BAD_GATEWAY: "502 Bad Gateway"}
        assert words(found) == expected.get(fault, "too many redirects")
        assert found["loss"] == 0.0


def test_a_login_in_the_url_is_used_and_not_shown(bench: Workbench) -> None:
    """Over https and to loopback; the recommended line says that a password belongs in it."""
    with ModuleProxy(MODULES, credentials=("user", "s3cr3t-pass")) as proxy:
        url = proxy.url.replace("//", "//user:s3cr3t-pass@")
        for form in ("text", "json", "markdown"):
            result = prefetch(bench, "doctor", *QUICK, "--format", form, "--also", url, GOPROXY=url)
            assert result.status == 0, result.text
            assert "s3cr3t" not in result.text
            assert "user:xxxxx@127.0.0.1" in result.text
        assert {request.status_or_fault for request in proxy.requests} <= {200, 206}
        assert words(source(bench, status=1, GOPROXY=proxy.url)) == "401 Unauthorized"


def test_a_login_from_netrc_goes_over_https_only(
    bench: Workbench, authority: trustme.CA, bundle: Path, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password s3cr3t-pass\n")
    netrc.chmod(stat.S_IRUSR | stat.S_IWUSR)
    variables = {"NETRC": str(netrc), "REQUESTS_CA_BUNDLE": str(bundle)}
    with ModuleProxy(MODULES, credentials=("user", "s3cr3t-pass"), tls=server_tls(authority)) as proxy:
        assert source(bench, status=0, GOPROXY=proxy.url, **variables)["worth"] == "usable"
    with ModuleProxy(MODULES) as clear:
        source(bench, status=0, GOPROXY=clear.url, **variables)
        assert {request.authorization for request in clear.requests} == {None}


def test_a_login_over_http_to_elsewhere_is_refused(bench: Workbench) -> None:
    found = source(bench, status=1, GOPROXY="http://user:s3cr3t-pass@modules.test:1")
    assert words(found) == "refusing to pass credentials to an insecure URL"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_http_proxy_on_the_way_is_used_and_said(
    bench: Workbench, authority: trustme.CA, bundle: Path, scheme: str
) -> None:
    """By absolute URL or by CONNECT, with its own login; NO_PROXY and loopback go past it."""
    context = server_tls(authority, "modules.test") if scheme == "https" else None
    with ModuleProxy(MODULES, tls=context) as proxy, HttpProxy({"modules.test": proxy.port}, login=LOGIN) as between:
        variables = {
            f"{scheme.upper()}_PROXY": between.url.replace("//", f"//{LOGIN}@"),
            "REQUESTS_CA_BUNDLE": str(bundle),
        }
        url = f"{scheme}://modules.test:{proxy.port}"
        found = source(bench, status=0, GOPROXY=url, **variables)
        assert found["lacks"] == []
        assert found["notes"] == [f"through the HTTP proxy 127.0.0.1:{between.port}"]
        asked = len(between.asked)
        assert asked > 0
        source(bench, *IMPATIENT, status=1, GOPROXY=url, NO_PROXY=".test", **variables)
        source(bench, status=0 if scheme == "http" else 1, GOPROXY=proxy.url, **variables)
        assert len(between.asked) == asked


def test_an_http_proxy_that_says_no_is_named(bench: Workbench) -> None:
    refusal = b"HTTP/1.1 407 Proxy \x1b[31mlogin\r\nContent-Length: 0\r\n\r\n"
    with RawServer(lambda request, line: line.say(refusal)) as between:
        found = source(bench, status=1, GOPROXY="https://modules.test", HTTPS_PROXY=between.url)
        assert words(found) == "HTTP proxy: Tunnel connection failed: 407 Proxy ?[31mlogin"


def test_private_modules_are_asked_from_nobody(bench: Workbench) -> None:
    """Neither their .info nor their zip, by no method, from no proxy, named in the list or besides."""
    with ModuleProxy(MODULES) as listed, ModuleProxy(MODULES) as besides:
        for variables in ({"GOPRIVATE": "example.com/m1"}, {"GONOPROXY": "example.com/m1"}):
            found = diagnosed(bench, "--also", besides.url, status=0, GOPROXY=listed.url, **variables)
            assert (found["modules"], found["private_modules"]) == (2, 1)
        for proxy in (listed, besides):
            assert proxy.paths()
            assert not [path for path in proxy.paths() if "/m1/" in path]


def test_proxy_behind_a_comma_is_not_asked_for_modules(bench: Workbench) -> None:
    """Go would ask it only for what the first does not have. It is measured with a public module."""
    with ModuleProxy(MODULES) as company, ModuleProxy(MODULES) as behind:
        found = diagnosed(bench, GOPROXY=f"{company.url},{behind.url}")
        assert {path.split("/@v/")[0] for path in behind.paths()} == {"golang.org/x/text"}
        notes = {source["name"]: len(source["notes"]) for source in found["sources"]}
        assert notes == {company.url: 0, behind.url: 1}
        behind.clear()
        prefetch(bench, "doctor", *QUICK, "--fallback", "any", GOPROXY=f"{company.url},{behind.url}")
        assert any("example.com/m0" in path for path in behind.paths())


def test_a_file_proxy_is_read(bench: Workbench, tmp_path: Path) -> None:
    write_proxy_folder(tmp_path / "files", MODULES[:2])
    found = source(bench, status=0, GOPROXY=f"file://{tmp_path / 'files'},off")
    assert found["lacks"] == ["example.com/m2@v1.0.0"]
    assert found["first_byte"] > 0
    narrow = prefetch(bench, "doctor", *QUICK, COLUMNS="80", GOPROXY=f"file://{tmp_path / 'files'},off")
    assert f"\n      file://{tmp_path / 'files'}\n" in narrow.stdout  # a line of its own
    missing = source(bench, status=1, GOPROXY=f"file://{tmp_path / 'nowhere'},off")
    assert words(missing) == "there is no such folder"


def test_the_directory_pool_is_a_row(bench: Workbench) -> None:
    """It never makes doctor fail: an empty one is only empty."""
    with ModuleProxy(MODULES) as proxy:
        assert store(bench, bench.pool, proxy.url)["worth"] == "empty"
        write_proxy_folder(bench.pool, MODULES)
        full = store(bench, bench.pool, proxy.url)
        assert (full["lacks"], full["worth"]) == ([], "usable")


def test_no_time_left_ends_it(bench: Workbench) -> None:
    """A deadline that is over before the samples are: what was measured is shown."""
    with ModuleProxy(MODULES, latency=0.1) as proxy:
        found = source(bench, "--samples", "1000", "--deadline", "2s", status=0, GOPROXY=proxy.url)
        assert 0 < len(found["samples"]) < 1000
        assert len(found["notes"]) == 1


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_the_cache_service_is_a_row(bench: Workbench, protocol: str) -> None:
    """A restore into a folder that is thrown away says what it has; nothing is left, and no token is told."""
    token = Token("main-token")
    with CacheService(token) as service, ModuleProxy(MODULES) as proxy:
        offered = getattr(service, protocol)(token.text)
        saved = bench.run("run", "--store", "github", **{"GOPROXY": proxy.url, **offered})
        assert saved.status == 0, saved.text
        arguments = ("doctor", "--format", "json", *QUICK[:-2], "--store", "github")
        result = bench.run(*arguments, **{"GOPROXY": proxy.url, "TMPDIR": str(bench.folder), **offered})
        assert result.status == 0, result.text
        (row,) = [row for row in json.loads(result.stdout)["sources"] if row["role"] == "store"]
        assert (row["name"], row["lacks"], row["loss"]) == ("the cache service", [], 0.0)
        assert row["tcp"] > 0
        assert "main-token" not in result.text
        assert list(bench.folder.glob("go-prefetch-*")) == []


def test_proxies_are_measured_without_go_and_module(bench: Workbench, tmp_path: Path) -> None:
    """By a public module; what was missing is a finding."""
    with ModuleProxy([FakeModule("golang.org/x/text", "v0.14.0")]) as proxy:
        (tmp_path / "empty").mkdir()
        result = prefetch(
            bench, "doctor", *QUICK, cwd=tmp_path / "empty", GOPROXY=proxy.url, PATH=str(tmp_path / "empty")
        )
        assert result.status == 0, result.text
        assert "[go-missing]" in result.stdout
        assert "[no-plan]" in result.stdout
        assert {path.split("/@v/")[0] for path in proxy.paths()} == {"golang.org/x/text"}


@pytest.mark.parametrize("named", ["nowhere", "empty", "*/none"])
def test_a_folder_that_was_named_in_vain_is_an_input_error(bench: Workbench, named: str) -> None:
    """As in `run`: a misspelt folder is not measured with a public module."""
    (bench.project / "empty").mkdir()
    (bench.project / "go.mod").unlink()
    with ModuleProxy(MODULES) as proxy:
        result = prefetch(bench, "doctor", *QUICK, "--working-directory", named, GOPROXY=proxy.url)
        assert (result.status, result.stdout, proxy.paths()) == (2, "", [])
    assert "-not-found]\n" in result.stderr


def test_a_list_that_is_none_is_a_finding_and_fails(bench: Workbench) -> None:
    """The others are measured nevertheless."""
    with ModuleProxy(MODULES) as proxy:
        said = diagnosed(bench, "--also", proxy.url, status=1, GOPROXY="htps://a.test")
        assert "goproxy-invalid" in [finding["name"] for finding in said["findings"]]
        assert [(found["name"], found["role"]) for found in said["sources"]] == [(proxy.url, "also")]


def test_toolchain_ahead_and_workflows_are_seen_where_they_lie(bench: Workbench) -> None:
    """Facts come from the files and from the real Go, which downloads no toolchain to answer."""
    (bench.project / "go.mod").write_text("module example.com/app\n\ngo 1.99.0\n\nrequire example.com/m0 v1.0.0\n")
    workflows = bench.project / ".github" / "workflows"
    workflows.mkdir(parents=True)
    text = "jobs:\n  a:\n    steps:\n      - uses: actions/setup-go@v6\n      - uses: org/go-prefetch@v1\n"
    (workflows / "ci.yml").write_text(text)
    with ModuleProxy(MODULES) as proxy:
        result = prefetch(bench, "doctor", *QUICK, GOPROXY=proxy.url, GOTOOLCHAIN="auto", GOFLAGS="-mod=mod")
        assert result.status == 0, result.text
        for name in ("toolchain-ahead", "cache-doubled", "goflags"):
            assert f"[{name}]" in result.stdout
        assert not [path for path in proxy.paths() if "toolchain" in path]


def test_doctor_lists_the_caches_of_the_repository(bench: Workbench) -> None:
    """All families, with the finding that no run of the default branch saves one of them."""
    with GitHubApi() as api, ModuleProxy(MODULES) as proxy:
        api.caches = [
            payloads.cache(1, "setup-go-Linux-x64-abc", ref="refs/pull/7/merge", size=3000),
            payloads.cache(2, "Linux-lint-1-abc", size=2000),
        ]
        found = diagnosed(bench, status=0, GOPROXY=proxy.url, **api.environ())
        assert [(one["name"], one["bytes"]) for one in found["caches"]["families"]] == [
            ("setup-go", 3000), ("Linux-lint-…", 2000),
        ]  # fmt: skip
        assert (found["caches"]["repository"], found["caches"]["limit_bytes"]) == ("acme/widget", None)
        assert "default-branch-unsaved" in [one["name"] for one in found["findings"]]
        assert {request.method for request in api.requests} == {"GET"}


@pytest.mark.wording
@pytest.mark.parametrize(
    ("variables", "words"),
    [({"GITHUB_TOKEN": ""}, "No token"), ({"GITHUB_TOKEN": "ghp_wrong"}, "401")],
)
def test_doctor_without_the_caches_says_why(bench: Workbench, variables: dict[str, str], words: str) -> None:
    with GitHubApi() as api, ModuleProxy(MODULES) as proxy:
        found = diagnosed(bench, status=0, GOPROXY=proxy.url, **{**api.environ(), **variables})
        assert found["caches"] is None
        assert words.lower() in found["caches_left_out"].lower()


@pytest.mark.wording
def test_doctor_does_not_wait_for_an_api_that_is_silent(bench: Workbench) -> None:
    with GitHubApi(latency=1.5) as api, ModuleProxy(MODULES) as proxy:
        found = diagnosed(bench, "--deadline", "1s", status=0, GOPROXY=proxy.url, **api.environ())
        assert found["caches_left_out"] == "GitHub did not answer in time"


def test_the_job_summary_has_it_on_github(bench: Workbench, tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.touch()
    with ModuleProxy(MODULES) as proxy:
        variables = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
        result = bench.run("doctor", *QUICK, GOPROXY=proxy.url, **variables)
        assert result.status == 0, result.text
        assert summary.read_text().startswith("### go-prefetch doctor\n")


def test_watch_ends_with_its_time_and_shows_a_series(bench: Workbench) -> None:
    """A proxy that is dead at first is asked again."""
    with ModuleProxy(MODULES) as proxy, refusing_port() as port:
        dead = f"http://127.0.0.1:{port}"
        found = diagnosed(bench, "--watch", "1s", "--samples", "5", status=1, GOPROXY=f"{proxy.url}|{dead}")
        parts = {part["name"]: part for part in found["series"]["parts"]}
        assert (parts[proxy.url]["failed"], parts[dead]["failed"]) == (0, parts[dead]["samples"])
        samples = {source["name"]: source["samples"] for source in found["sources"]}
        assert len(samples[proxy.url]) == 5 + parts[proxy.url]["samples"]
        assert len(samples[dead]) == 3 + parts[dead]["samples"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to another process")
def test_ctrl_c_of_a_watch_prints_what_was_measured(bench: Workbench) -> None:
    bench.write_project(MODULES[:1])
    with ModuleProxy(MODULES[:1]) as proxy:
        arguments = ("--format", "json", "--store", "none", "--samples", "1", "--watch", "10m")
        run = bench.start("doctor", *arguments, GOPROXY=proxy.url)
        wait_until(lambda: [path[-5:] for path in proxy.paths()].count(".info") == 3, "the second sample of the watch")
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=30)
        assert run.returncode == 0, stderr
        (part,) = json.loads(stdout)["series"]["parts"]
        assert part["samples"] in (1, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send to another process")
def test_ctrl_c_ends_it_at_once(bench: Workbench) -> None:
    """Though a proxy is silent, and others are waited for."""
    with ModuleProxy(MODULES) as proxy:
        proxy.fault("*", Fault.STALL_BEFORE_HEADERS)
        run = bench.start("doctor", "--store", "none", GOPROXY=proxy.url)
        wait_until(proxy.paths, "the first request")
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=30)
        assert (run.returncode, stdout) == (130, ""), stderr
        assert stderr.endswith("#interrupted\n")
        assert "arrived" not in stderr


def store_of(found: dict[str, Any]) -> dict[str, Any]:
    """The one source that is the store."""
    (store,) = [one for one in found["sources"] if one["role"] == "store"]
    return dict(store)


def test_doctor_measures_a_pool_on_a_server(bench: Workbench) -> None:
    with ObjectServer() as server, ModuleProxy(MODULES) as proxy:
        server.objects = {f"pool/{name}": content for name, content in layout(MODULES[1:]).items()}
        server.login = "Bearer t0ken-of-the-pool"
        arguments = ("--store", f"dir:{bench.pool} {server.url}/pool")
        found = store_of(diagnosed(bench, *arguments, GOPROXY=proxy.url, GO_PREFETCH_STORE_LOGIN="t0ken-of-the-pool"))
        assert found["name"] == f"{server.url}/pool"
        assert len(found["samples"]) == 2
        assert found["lacks"] == ["example.com/m0@v1.0.0"]
        assert set(server.asked("HEAD")) == {f"pool/{name}" for name in layout(MODULES[1:]) if name.endswith(".zip")}
        denied = store_of(diagnosed(bench, *arguments, GOPROXY=proxy.url))
        assert denied["worth"] == "unusable"


@pytest.mark.slow
def test_doctor_does_not_wait_for_a_pool_that_is_down(bench: Workbench) -> None:
    with refusing_port() as port, ModuleProxy(MODULES) as proxy:
        found = diagnosed(bench, "--store", f"http://127.0.0.1:{port}/pool", GOPROXY=proxy.url)
        assert len(store_of(found)["samples"]) == 1


def test_doctor_without_a_client_for_buckets_says_so(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with ModuleProxy(MODULES) as proxy:
        found = diagnosed(bench, "--store", "s3://bucket/pool", GOPROXY=proxy.url)
    assert "store" not in {one["role"] for one in found["sources"]}
