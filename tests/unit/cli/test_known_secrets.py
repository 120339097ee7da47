"""Where secrets are: every variable, netrc and argument that may hold one."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from go_prefetch.cli.known_secrets import known_secrets

TOKENS = (
    "ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN",
    "GO_PREFETCH_NOTE_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_BEARER_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_CLIENT_SECRET",
)  # fmt: skip
PASSWORDS = {
    "GOPROXY": "https://u:pw-goproxy@a.example,direct",
    "GOSUMDB": "sum.example https://u:pw-gosumdb@sum.example",
    "HTTP_PROXY": "http://u:pw-HTTP@squid.example",
    "HTTPS_PROXY": "http://u:pw-HTTPS@squid.example",
    "http_proxy": "http://u:pw-http@squid.example",
    "https_proxy": "u:pw-https@squid.example:3128",
    "ALL_PROXY": "socks5://u:pw-ALL@squid.example",
    "all_proxy": "socks5://u:pw-all@squid.example",
    "INPUT_GOPROXY": "https://u:pw-input@a.example|https://b.example",
    "GO_PREFETCH_STORE": "https://u:pw-store@cache.example",
    "CI_REPOSITORY_URL": "https://gitlab-ci-token:pw-repository@gitlab.example/o/r.git",
    "GIT_CONFIG_KEY_0": "url.https://oauth2:pw-git@gitlab.example/.insteadOf",
}


@pytest.mark.parametrize("name", TOKENS)
def test_token_in_variable_is_known(name: str) -> None:
    assert known_secrets({name: " t0ken\n"}, []) == {"t0ken"}


@pytest.mark.parametrize("name", PASSWORDS)
def test_login_in_variable_is_known(name: str) -> None:
    """The password, and the header that it is sent in."""
    password, header = sorted(known_secrets({name: PASSWORDS[name]}, []), key=len)
    assert password.startswith("pw-")
    assert header.rstrip("=") in {encoded(user, password) for user in ("u", "gitlab-ci-token", "oauth2")}


def test_login_in_netrc_is_known_as_it_is_written(tmp_path: Path) -> None:
    """Nothing in it is percent-encoded; a token may be the login, beside a password that is none."""
    netrc = tmp_path / ".netrc"
    netrc.write_text(
        "machine a.example login u password pw%41-1\nmachine b.example login t0ken password x-oauth-basic\n",
        encoding="utf-8",
    )
    found = {secret.rstrip("=") for secret in known_secrets({"NETRC": str(netrc)}, [])}
    assert found == {"pw%41-1", encoded("u", "pw%41-1"), "t0ken", encoded("t0ken", "x-oauth-basic")}


@pytest.mark.parametrize("name", ["GO_PREFETCH_STORE_LOGIN", "INPUT_STORE-LOGIN"])
def test_login_of_a_store_is_known(name: str) -> None:
    assert known_secrets({name: "t0ken\n"}, []) == {"t0ken", b64encode(b"t0ken:").decode()}
    assert known_secrets({name: "u:pw:1"}, []) == {"pw:1", b64encode(b"u:pw:1").decode()}


def test_header_of_git_is_known() -> None:
    environ = {"GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_VALUE_0": "AUTHORIZATION: basic eDpwdw=="}
    assert known_secrets(environ, []) == {"eDpwdw=="}


def test_runner_that_has_the_credential_in_a_path_is_known() -> None:
    url = "http://10.0.0.1:34567/0123456789abcdef0123456789abcdef/"
    assert known_secrets({"ACTIONS_CACHE_URL": url}, []) == {"0123456789abcdef0123456789abcdef"}


@pytest.mark.parametrize("argument", ["https://u:pw-1@a.example,direct", "--goproxy=htps://u:pw-1@a.example"])
def test_login_in_argument_is_known(argument: str) -> None:
    """In one that is refused, too: its error quotes it."""
    assert "pw-1" in known_secrets({}, ["run", argument])


def test_environment_without_secrets_has_none() -> None:
    environ = {"GOPROXY": "https://proxy.golang.org,direct", "HTTPS_PROXY": "http://squid.example", "HOME": "/nowhere"}
    assert known_secrets(environ, ["run", "--store", "dir:/srv/p@ol", "example.com/lib@v1"]) == frozenset()


def encoded(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode().rstrip("=")
