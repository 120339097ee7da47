"""Servers that quote in their answer every header they were sent: no secret of ours gets into a text that we make."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from tests.support.fakes.modules import FakeModule
from tests.support.fakes.quoting import quoting, spelled
from tests.support.fakes.raw_server import RawServer
from tests.support.fakes.tls import server_tls
from tests.support.workbench import Result, Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
USER, PASSWORD, TOKEN = "deploy", 'p@ss/w:rd "ü"+&%7', "t0ken_0123456789-abcdefghij"
HEADER = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
LOGIN = f"{USER}:{quote(PASSWORD, safe='')}"
PLACES = ("terminal", "GitHub", "GitLab")


SECRETS = {spelling for secret in (PASSWORD, TOKEN, HEADER) for spelling in spelled(secret)} | {LOGIN}


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(quoting) as server:
        yield server


def place(bench: Workbench, name: str) -> dict[str, str]:
    """The variables of a job."""
    if name == "terminal":
        return {}
    if name == "GitLab":
        given = {"CI_JOB_ID": "1", "CI_PROJECT_DIR": str(bench.project), "GO_PREFETCH_REPORTS": "reports"}
        return given | {"CI_DEBUG_TRACE": "true"}
    files = {
        f"GITHUB_{what}": bench.folder / what.lower() for what in ("STEP_SUMMARY", "OUTPUT", "STATE", "ENV", "PATH")
    }
    for path in files.values():
        path.touch()
    return {"GITHUB_ACTIONS": "true", "RUNNER_DEBUG": "1"} | {what: str(path) for what, path in files.items()}


def assert_refused_and_hidden(bench: Workbench, server: RawServer, result: Result, sent: str) -> None:
    """The server was sent this secret, and quoted it; what was printed and written does not."""
    assert any(sent in str(value) for request in server.requests for value in request.headers.values())
    assert "Traceback" not in result.text
    own = (bench.modcache, bench.folder / "home", bench.project / "go.sum")
    written = [path for path in bench.folder.rglob("*") if path.is_file() and not any(map(path.is_relative_to, own))]
    texts = {"output": result.text} | {str(path): path.read_text(errors="replace") for path in written}
    found = [(where, secret) for where, text in texts.items() for secret in SECRETS if secret in text]
    assert found == []


def files(bench: Workbench) -> tuple[str, ...]:
    """Flags for the files that a run can write."""
    return ("--report-file", str(bench.report_file), "--trace", str(bench.folder / "trace.json"), "--verbose")


COMMANDS = {
    "run": ("run", "--store", "none", "--attempts", "1"),
    "run that only warns": ("run", "--store", "none", "--attempts", "1", "--on-failure", "warn"),
    "fill": ("fill", "modules", "--attempts", "1"),
}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_login_of_proxy_url_is_hidden(
    bench: Workbench, server: RawServer, command: tuple[str, ...], where: str
) -> None:
    """Our own request is refused, and after a run Go's, which prints what the server says."""
    bench.write_project([LIB])
    url = f"http://{LOGIN}@127.0.0.1:{server.port}"
    result = bench.quickly(*command, *files(bench), GOPROXY=url, **place(bench, where))
    attempts = [attempt for failure in bench.report["download"]["failures"] for attempt in failure["attempts"]]
    assert attempts
    assert [attempt for attempt in attempts if "403" not in attempt] == []
    assert_refused_and_hidden(bench, server, result, HEADER)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("where", PLACES)
def test_login_of_proxy_url_is_hidden_by_doctor(bench: Workbench, server: RawServer, form: str, where: str) -> None:
    bench.write_project([LIB])
    url = f"http://{LOGIN}@127.0.0.1:{server.port}"
    arguments = ("doctor", "--samples", "1", "--format", form, "--also", f"{url}/also")
    result = bench.quickly(*arguments, "--store", "none", GOPROXY=url, **place(bench, where))
    assert result.status == 1, result.text
    assert "403" in result.text
    assert_refused_and_hidden(bench, server, result, HEADER)


@pytest.mark.parametrize("command", [*COMMANDS.values(), ("doctor", "--samples", "1", "--store", "none")])
def test_login_of_netrc_is_hidden(bench: Workbench, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Only over https, as Go; and nothing in netrc is percent-encoded."""
    authority = trustme.CA()
    tls = server_tls(authority, "localhost")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    password = PASSWORD.replace(" ", "")
    (bench.folder / "home" / ".netrc").write_text(f"machine localhost login {USER} password {password}\n")
    bench.write_project([LIB])
    with RawServer(quoting, tls=tls) as server:
        result = bench.run(
            *command, *(files(bench) if command[0] != "doctor" else ()),
            GOPROXY=f"https://localhost:{server.port}", SSL_CERT_FILE=str(tmp_path / "ca.pem"),
            **place(bench, "GitHub"),
        )  # fmt: skip
        header = b64encode(f"{USER}:{password}".encode()).decode()
        SECRETS.update(spelled(password), spelled(header))
        assert_refused_and_hidden(bench, server, result, header)


@pytest.mark.parametrize("command", [*COMMANDS.values(), ("doctor", "--samples", "1", "--store", "none")])
def test_login_of_http_proxy_is_hidden(bench: Workbench, server: RawServer, command: tuple[str, ...]) -> None:
    """In the clear to a server behind it; the reason of a refused tunnel comes from the HTTP library."""
    bench.write_project([LIB])
    for scheme in ("http", "https"):
        result = bench.quickly(
            *command, *(files(bench) if command[0] != "doctor" else ()), GOPROXY=f"{scheme}://proxy.invalid",
            **{f"{scheme}_proxy": f"{LOGIN}@127.0.0.1:{server.port}"}, **place(bench, "GitHub"),
        )  # fmt: skip
        assert "403" in result.text, result.text
        assert_refused_and_hidden(bench, server, result, HEADER)


@pytest.mark.parametrize("protocol", ["v1", "v2"])
@pytest.mark.parametrize("command", ["run", "doctor"])
def test_token_of_cache_service_is_hidden(bench: Workbench, server: RawServer, protocol: str, command: str) -> None:
    bench.write_project([LIB])
    url = f"http://127.0.0.1:{server.port}/"
    offered = {"ACTIONS_RUNTIME_TOKEN": TOKEN, "ACTIONS_CACHE_URL": url}
    offered |= {"ACTIONS_RESULTS_URL": url, "ACTIONS_CACHE_SERVICE_V2": "1"} if protocol == "v2" else {}
    flags = ("--samples", "1") if command == "doctor" else files(bench)
    result = bench.quickly(command, "--store", "github", *flags, GOPROXY="off", **offered, **place(bench, "GitHub"))
    assert_refused_and_hidden(bench, server, result, TOKEN)


@pytest.mark.parametrize(("command", "forge"), [("report", "GitHub"), ("report", "GitLab"), ("prune", "GitHub")])
def test_token_of_forge_is_hidden(bench: Workbench, server: RawServer, command: str, forge: str) -> None:
    bench.write_project([LIB])
    api = f"http://127.0.0.1:{server.port}/api/{'v3' if forge == 'GitHub' else 'v4'}"
    variables = {"GITHUB_API_URL": api, "GITHUB_TOKEN": TOKEN, "GITHUB_REPOSITORY": "o/r"}
    if forge == "GitLab":
        variables = {"CI_API_V4_URL": api, "GITLAB_TOKEN": TOKEN, "CI_PROJECT_PATH": "o/r"}
    result = bench.run(command, **variables, **place(bench, forge))
    assert result.status == 2, result.text
    assert "[token-refused]" in result.text
    assert_refused_and_hidden(bench, server, result, TOKEN)


def test_token_of_merge_request_note_is_hidden(bench: Workbench, server: RawServer) -> None:
    bench.write_project([LIB])
    variables = {
        "GO_PREFETCH_MERGE_REQUEST_NOTE": "true", "GO_PREFETCH_NOTE_TOKEN": TOKEN, "CI_MERGE_REQUEST_IID": "1",
        "CI_PROJECT_ID": "1", "CI_API_V4_URL": f"http://127.0.0.1:{server.port}/api/v4",
    }  # fmt: skip
    result = bench.quickly(
        "run", "--store", "none", *files(bench), GOPROXY="off", **variables, **place(bench, "GitLab")
    )
    assert any(("status", 403) in notice.facts for notice in result.notices), result.text
    assert_refused_and_hidden(bench, server, result, TOKEN)


def test_trace_with_a_secret_that_begins_like_an_escape_is_json(bench: Workbench, server: RawServer) -> None:
    """Texts are cleaned before they become JSON: `\\n` and a password `nothing` must not become one."""
    bench.write_project([LIB])
    url = f"http://{USER}:nothing@127.0.0.1:{server.port}/%0Aothing/a%5Cnothing"
    bench.quickly(*COMMANDS["fill"], *files(bench), GOPROXY=url)
    events = json.loads((bench.folder / "trace.json").read_text())["traceEvents"]
    names = " ".join(event["name"] for event in events)
    assert "\nothing/a\\xxxxx" in names
