"""Which API and which token: a token goes to the host it is for, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from go_prefetch.errors import InputError
from go_prefetch.forge.access import find_access
from tests.support.notices import printed


@pytest.mark.parametrize(
    ("repo", "environ", "url", "token"),
    [
        ("a/b", {"GH_TOKEN": "t"}, "https://api.github.com", "t"),
        ("a/b", {"GH_TOKEN": "", "GITHUB_TOKEN": "t\n"}, "https://api.github.com", "t"),
        ("https://github.com/a/b", {"GITHUB_TOKEN": "t"}, "https://api.github.com", "t"),
        ("https://co.ghe.com/a/b", {"GH_TOKEN": "t"}, "https://api.co.ghe.com", "t"),
        ("https://ghe.co/a/b", {"GH_TOKEN": "x", "GH_ENTERPRISE_TOKEN": "t"}, "https://ghe.co/api/v3", "t"),
        ("a/b", {"GITHUB_API_URL": "https://ghe.co/api/v3", "GITHUB_TOKEN": "t"}, "https://ghe.co/api/v3", "t"),
        ("https://gitlab.com/a/b/c", {"GITLAB_TOKEN": "t"}, "https://gitlab.com/api/v4", "t"),
        ("a/b", {"CI_API_V4_URL": "https://git.co/api/v4", "GITLAB_TOKEN": "t"}, "https://git.co/api/v4", "t"),
        ("https://gitlab.co/a/b", {"GITLAB_HOST": "gitlab.co", "GITLAB_TOKEN": "t"}, "https://gitlab.co/api/v4", "t"),
    ],
)  # fmt: skip
def test_api_and_token(repo: str, environ: dict[str, str], url: str, token: str, tmp_path: Path) -> None:
    access = find_access(repo, "", environ, tmp_path)
    assert (access.api_url, access.token) == (url, token)


@pytest.mark.parametrize(
    ("given", "environ", "url"),
    [
        ("https://gitlab.com", {"GITLAB_TOKEN": "t"}, "https://gitlab.com/api/v4"),
        (
            "http://gitlab.co:8080",
            {"GITLAB_TOKEN": "t", "GITLAB_HOST": "gitlab.co:8080"},
            "http://gitlab.co:8080/api/v4",
        ),
        ("https://git.co", {"GITLAB_TOKEN": "t", "GITLAB_HOST": "https://git.co"}, "https://git.co/api/v4"),
        ("https://github.com", {"GH_TOKEN": "t"}, "https://api.github.com"),
        ("https://api.github.com", {"GH_TOKEN": "t"}, "https://api.github.com"),
        ("https://api.co.ghe.com", {"GH_TOKEN": "t"}, "https://api.co.ghe.com"),
        (
            "https://git.co",
            {"CI_SERVER_URL": "https://git.co", "CI_API_V4_URL": "https://git.co/x/api/v4", "GITLAB_TOKEN": "t"},
            "https://git.co/x/api/v4",
        ),
        ("https://ghe.co", {"GH_ENTERPRISE_TOKEN": "t"}, "https://ghe.co"),
        ("https://gitlab.com/api/v3", {"GH_ENTERPRISE_TOKEN": "t"}, "https://gitlab.com/api/v3"),
    ],
)
def test_api_url_without_a_path_is_completed(given: str, environ: dict[str, str], url: str, tmp_path: Path) -> None:
    """If it is clear whose API that is. Else it is taken as it is: a server may have its API there."""
    assert find_access("a/b", given, environ, tmp_path).api_url == url


def test_token_missing_at_an_unknown_host_asks_for_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # no gh to ask
    with pytest.raises(InputError) as raised:
        find_access("a/b", "https://git.co", {"GITLAB_TOKEN": "t"}, tmp_path)
    assert (raised.value.slug, raised.value.notice.case) == ("token-missing", "no-api-path")


@pytest.mark.parametrize(
    ("repo", "environ"),
    [
        ("https://ghe.co/a/b", {"GH_TOKEN": "x", "GITHUB_TOKEN": "x"}),
        ("https://notgithub.com/a/b", {"GH_TOKEN": "x"}),
        ("https://github.com.evil.example/a/b", {"GH_TOKEN": "x"}),
        ("https://gitlab.evil.example/a/b", {"GITLAB_TOKEN": "x"}),
        ("a/b", {"CI_API_V4_URL": "https://git.co/api/v4", "GH_TOKEN": "x"}),
    ],
)
def test_a_token_of_another_host_is_none(
    repo: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # no gh to ask
    with pytest.raises(InputError) as raised:
        find_access(repo, "", environ, tmp_path)
    assert raised.value.slug == "token-missing"


@pytest.mark.parametrize(
    ("repo", "environ", "case"),
    [
        ("a/b", {}, "github"),
        ("https://ghe.co/a/b", {"GH_TOKEN": "x"}, "github-enterprise"),
        ("https://gitlab.com/a/b", {}, "gitlab"),
        ("https://gitlab.co/a/b", {"GITLAB_TOKEN": "x"}, "gitlab-host"),
    ],
)
def test_the_variable_that_counts_for_this_host_is_named(
    repo: str, environ: dict[str, str], case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # no gh to ask
    with pytest.raises(InputError) as raised:
        find_access(repo, "", environ, tmp_path)
    assert (raised.value.slug, raised.value.notice.case) == ("token-missing", case)


def test_a_token_that_would_break_a_header_is_refused_unseen(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        find_access("a/b", "", {"GH_TOKEN": "abc\r\nX-Evil: 1"}, tmp_path)
    assert raised.value.slug == "token-refused"
    assert "abc" not in f"{raised.value!r} {printed(raised.value)}"
