"""Private modules from a real git server on loopback, by https and ssh: with a login, without, and without an end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socketserver import BaseRequestHandler

import pytest

from go_prefetch.golang.module import ModuleVersion
from tests.support.fakes.dead_port import refusing_port
from tests.support.fakes.git_server import GitServer, make_repository
from tests.support.fakes.loopback import LoopbackServer, LoopbackService
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule
from tests.support.notices import facts
from tests.support.waiting import is_running, wait_until
from tests.support.workbench import Result, Workbench

PUBLIC = FakeModule("example.com/public", "v1.0.0")
PRIVATE = FakeModule("git.example.com/team/private.git", "v1.2.3")  # `.git`: Go asks no server where it lives
PRIVATE_VERSION = ModuleVersion(PRIVATE.path, PRIVATE.version)
QUICK = ("--stall-timeout", "300ms", "--attempts", "2")

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32", reason="git http-backend and sshd are tried on Unix"),
]


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """A folder with the private module's bare repository."""
    folder = tmp_path / "repositories"
    make_repository(folder / "team" / "private.git", PRIVATE)
    return folder


@pytest.fixture
def proxy(bench: Workbench) -> Iterator[ModuleProxy]:
    """It has both modules, and must not be asked for the private one."""
    bench.write_project((PUBLIC, PRIVATE))
    with ModuleProxy((PUBLIC, PRIVATE)) as proxy:
        yield proxy
        assert not any("private" in path for path in proxy.paths())


def prefetch(bench: Workbench, proxy: ModuleProxy, remote: str, *flags: str, **variables: str) -> Result:
    """A run in which git finds `remote` in place of the host of the private module."""
    settings = {
        "GOPRIVATE": "git.example.com",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{remote}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://git.example.com/",
    }
    return bench.prefetch(*flags, goproxy=proxy.url, **{**settings, **variables})


def words_of_go(result: Result, slug: str) -> str:
    """What Go and git said of the event that is behind this error."""
    return str(facts(facts(result.notice(slug))["cause"])["stderr"])


def assert_complete(bench: Workbench, result: Result) -> None:
    assert result.status == 0, result.text
    assert bench.go("build", "./...").status == 0
    assert not any("private" in name for name in bench.module_files(bench.pool))


def test_over_http_without_a_login(bench: Workbench, proxy: ModuleProxy, repositories: Path) -> None:
    """Go gets it by git; neither the proxy nor the pool hears of it."""
    with GitServer(repositories) as server:
        assert_complete(bench, prefetch(bench, proxy, server.url))
        assert any("git-upload-pack" in path for path in server.requests)


def test_over_http_with_a_login_from_netrc(bench: Workbench, proxy: ModuleProxy, repositories: Path) -> None:
    """git reads it; it is in no line of ours."""
    (bench.folder / "home" / ".netrc").write_text("machine 127.0.0.1 login me password very-secret\n")
    with GitServer(repositories, login="me:very-secret") as server:
        result = prefetch(bench, proxy, server.url, "--verbose")
        assert_complete(bench, result)
    assert "very-secret" not in result.text


def test_over_http_with_a_login_of_a_credential_helper(
    bench: Workbench, proxy: ModuleProxy, repositories: Path
) -> None:
    """A helper that reads the CI's own token from the environment: it is there for git, and for nobody's log."""
    with GitServer(repositories, login="ci:job-token") as server:
        helper = '!f() { echo username=ci; echo "password=$CI_JOB_TOKEN"; }; f'
        settings = {
            "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_1": "credential.helper", "GIT_CONFIG_VALUE_1": helper,
            "CI_JOB_TOKEN": "job-token",
        }  # fmt: skip
        result = prefetch(bench, proxy, server.url, "--verbose", **settings)
        assert_complete(bench, result)
    assert "job-token" not in result.text


def test_over_http_without_the_login_it_needs(bench: Workbench, proxy: ModuleProxy, repositories: Path) -> None:
    """Go's git may not ask: at once status 4 and the module."""
    with GitServer(repositories, login="me:secret") as server:
        result = prefetch(bench, proxy, server.url)
    assert result.status == 4, result.text
    assert str(PRIVATE_VERSION) in words_of_go(result, "git-unreadable")


def test_git_is_started_again_after_a_failure_that_may_pass(bench: Workbench, repositories: Path) -> None:
    """A server that is down for a moment. One that is not there is named."""
    known = FakeModule("github.com/team/known", "v1.0.0")  # Go asks such a path with git at once
    make_repository(repositories / "team" / "known", known)
    bench.write_project((known,))
    with GitServer(repositories) as server, ModuleProxy(()) as proxy, refusing_port() as port:
        settings = {
            "GOPRIVATE": "github.com", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_VALUE_0": "https://github.com/",
        }  # fmt: skip
        away = {"GIT_CONFIG_KEY_0": f"url.http://127.0.0.1:{port}/.insteadOf"}
        result = bench.prefetch("--attempts", "1", goproxy=proxy.url, **settings, **away)
        assert (result.status, result.notice("git-unreadable").case) == (4, "no-host"), result.text
        server.refusals = [503]
        there = {"GIT_CONFIG_KEY_0": f"url.{server.url}/.insteadOf"}
        assert bench.prefetch(goproxy=proxy.url, **settings, **there).status == 0
        assert server.refusals == []


def test_a_git_server_that_never_answers(bench: Workbench, proxy: ModuleProxy, repositories: Path) -> None:
    """The watchdog ends git: status 5, the command, the repository and the module."""
    with GitServer(repositories) as server:
        server.is_silent = True
        result = prefetch(bench, proxy, server.url, *QUICK)
    assert result.status == 5, result.text
    stall = facts(result.notice("git-stalled"))
    assert stall["modules"] == (PRIVATE_VERSION,)
    assert stall["command"].startswith("git ")
    assert stall["remote"].startswith("https://git.example.com/team/private")


def test_a_password_helper_that_waits_for_somebody(
    bench: Workbench, proxy: ModuleProxy, repositories: Path, tmp_path: Path
) -> None:
    """GIT_ASKPASS opens a window that nobody sees: ended, with it and its children."""
    helper, pid = tmp_path / "askpass", tmp_path / "pid"
    helper.write_text(f"#!/bin/sh\necho $$ >{pid}\nexec sleep 600\n")
    helper.chmod(0o755)
    with GitServer(repositories, login="me:secret") as server:
        result = prefetch(bench, proxy, server.url, *QUICK, GIT_ASKPASS=str(helper))
    assert result.status == 5, result.text
    assert facts(result.notice("git-stalled"))["modules"] == (PRIVATE_VERSION,)
    wait_until(lambda: not is_running(int(pid.read_text())), "the end of the helper")


class SshServer(LoopbackService):
    """An sshd for each connection, as inetd starts it: the port is ours from the beginning."""

    def __init__(self, command: list[str]) -> None:
        super().__init__()
        self.command = command

    def serve(self) -> LoopbackServer[SshServer]:
        """See LoopbackService."""
        return LoopbackServer(self, _SshHandler)


class _SshHandler(BaseRequestHandler):
    server: LoopbackServer[SshServer]

    def handle(self) -> None:
        line = self.request.fileno()
        subprocess.run(self.server.owner.command, stdin=line, stdout=line, stderr=subprocess.DEVNULL, check=False)


@pytest.fixture
def ssh_server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A real sshd on a loopback port, and the key of the one user it takes."""
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert sshd, "openssh-server is not installed"
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copyfile(folder / "user.pub", folder / "authorized")
    config = folder / "config"
    config.write_text(
        f"HostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'authorized'}\n"
        f"PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists on it, as root
    with SshServer([sshd, "-i", "-e", "-f", str(config)]) as server:
        yield server.port, folder / "user"


def ssh_settings(port: int, key: Path, known: str) -> dict[str, str]:
    options = f"-i {key} -p {port} -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile={known}"
    return {"GIT_SSH_COMMAND": f"ssh -F none {options} -o StrictHostKeyChecking=accept-new"}


@pytest.mark.system
def test_over_ssh_with_a_key(
    bench: Workbench, proxy: ModuleProxy, repositories: Path, ssh_server: tuple[int, Path], tmp_path: Path
) -> None:
    """The user's own SSH settings reach git."""
    port, key = ssh_server
    remote = f"ssh://127.0.0.1:{port}{repositories}"
    result = prefetch(bench, proxy, remote, **ssh_settings(port, key, str(tmp_path / "known")))
    assert_complete(bench, result)


@pytest.mark.system
def test_over_ssh_without_the_key(
    bench: Workbench, proxy: ModuleProxy, repositories: Path, ssh_server: tuple[int, Path], tmp_path: Path
) -> None:
    """Another key: the module is named."""
    port, _ = ssh_server
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    remote = f"ssh://127.0.0.1:{port}{repositories}"
    result = prefetch(bench, proxy, remote, **ssh_settings(port, other, str(tmp_path / "known")))
    assert result.status == 4, result.text
    assert str(PRIVATE_VERSION) in words_of_go(result, "git-unreadable")


@pytest.mark.system
def test_over_ssh_to_a_host_that_is_silent(
    bench: Workbench, proxy: ModuleProxy, repositories: Path, tmp_path: Path
) -> None:
    """It takes the connection and sends no greeting: ssh waits for ever, and the run does not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        remote = f"ssh://127.0.0.1:{port}{repositories}"
        settings = ssh_settings(port, tmp_path / "none", str(tmp_path / "known"))
        result = prefetch(bench, proxy, remote, *QUICK, **settings)
    assert result.status == 5, result.text
    assert facts(result.notice("git-stalled"))["modules"] == (PRIVATE_VERSION,)
