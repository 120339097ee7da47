"""Find which repository, at which API, with which token: from inputs, the job's variables, git and gh.

There is no `--token`: every user of the machine can read the arguments of a process.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from go_prefetch.base import process_group
from go_prefetch.base.child_environment import environment_of
from go_prefetch.base.git_command import GitCommand, NotTrustedError
from go_prefetch.errors import InputError

_SECONDS = 10.0  # that gh may take
_REMOTE = re.compile(r"(?:[a-z+]+://(?:[^@/]*@)?|(?:[^@/:]*@)?)([A-Za-z0-9.-]+)(?::\d+/|[:/])/?(.+?)(?:\.git)?/?")
_GITHUB_DOMAINS = ("github.com", "ghe.com")
_OF_GITHUB = ("GH_TOKEN", "GITHUB_TOKEN")
_OF_ENTERPRISE = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")

# https://docs.github.com/actions/reference/workflows-and-actions/dependency-caching
FREE_CACHE_BYTES = 10 << 30  # that GitHub keeps for a repository, unless its limit was raised

Kind = Literal["github", "gitlab"]


@dataclass(frozen=True)
class Access:
    """How to ask about a repository."""

    kind: Kind
    api_url: str
    repository: str
    token: str = field(repr=False)

    @property
    def host(self) -> str:
        """The host of the API, with its port."""
        return urlsplit(self.api_url).netloc


@dataclass(frozen=True)
class Repository:
    """A repository's name as the forge spells it now, its page and its default branch."""

    name: str
    url: str
    default_branch: str


def find_access(repo: str, api_url: str, environ: Mapping[str, str], cwd: Path) -> Access:
    """Return how to ask. Raises InputError if the repository is unknown, or if there is no token."""
    host, name = _repository(repo, environ, cwd)
    url = _whole(api_url, environ) if api_url else _api_url(host, environ)
    kind: Kind = "gitlab" if url.endswith("/api/v4") else "github"
    token = _gitlab_token(url, environ) if kind == "gitlab" else _github_token(url, environ)
    if not token:
        raise _token_missing(kind, url)
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise InputError("token-refused", "characters")
    return Access(kind, url, name, token)


def _repository(repo: str, environ: Mapping[str, str], cwd: Path) -> tuple[str, str]:
    """Return host and name. The host is empty if the job's own API is meant."""
    if "://" in repo:
        parts = urlsplit(repo)
        return parts.netloc, parts.path.strip("/")
    if repo:
        return "", repo
    named = environ.get("GITHUB_REPOSITORY") or environ.get("CI_PROJECT_PATH")
    if named:
        return "", named
    match = _REMOTE.fullmatch(_origin(environ, cwd))
    if match is None:
        raise InputError("repository-unknown")
    return match[1], match[2]


def _api_url(host: str, environ: Mapping[str, str]) -> str:
    """Return the job's own API, or else that of the repository's host."""
    if not host:
        return _api_of_job(environ) or "https://api.github.com"
    return _known_api("https", host, environ) or f"https://{host}/api/v3"


def _whole(api_url: str, environ: Mapping[str, str]) -> str:
    """Return the address of an API. If only its host is given and known, add the rest."""
    parts = urlsplit(api_url)
    return api_url if parts.path else _known_api(parts.scheme, parts.netloc, environ) or api_url


def _known_api(scheme: str, host: str, environ: Mapping[str, str]) -> str:
    """Return the API of a host: the job's own, GitHub, or GitLab by its name or by GITLAB_HOST; empty for others."""
    server = environ.get("GITHUB_SERVER_URL") or environ.get("CI_SERVER_URL") or ""
    if host == urlsplit(server).netloc and _api_of_job(environ):
        return _api_of_job(environ)
    if _is_githubs(host):
        return f"{scheme}://api.{host.removeprefix('api.')}"
    return f"{scheme}://{host}/api/v4" if "gitlab" in host or host == _gitlab_host(environ) else ""


def _api_of_job(environ: Mapping[str, str]) -> str:
    return (environ.get("GITHUB_API_URL") or environ.get("CI_API_V4_URL") or "").rstrip("/")


def _github_token(url: str, environ: Mapping[str, str]) -> str:
    """Return a token, as `gh` finds it or as the job has it: never one of github.com for another host."""
    host = urlsplit(url).hostname or ""
    is_jobs_own = urlsplit(environ.get("GITHUB_API_URL", "")).netloc == urlsplit(url).netloc
    public = _is_githubs(host)
    names = (*(() if public else _OF_ENTERPRISE), *(_OF_GITHUB if public or is_jobs_own else ()))
    token = next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")
    if token:
        return token
    server = host.removeprefix("api.") if public else host
    return _login_of_gh(server, environ)


def _token_missing(kind: Kind, api_url: str) -> InputError:
    """Return the error. Its hint names the token of this host, because a token of another host is not used."""
    host, path = urlsplit(api_url)[1:3]
    if kind == "gitlab":
        case = "gitlab" if host == "gitlab.com" else "gitlab-host"
    else:
        case = "github" if _is_githubs(host) else "github-enterprise" if path else "no-api-path"
    return InputError("token-missing", case, host=host)


def _is_githubs(host: str) -> bool:
    """Return whether GitHub itself runs this host."""
    return any(f".{host}".endswith(f".{domain}") for domain in _GITHUB_DOMAINS)


def _gitlab_token(url: str, environ: Mapping[str, str]) -> str:
    """Return GITLAB_TOKEN for gitlab.com, the job's own server, or the host that GITLAB_HOST names."""
    host = urlsplit(url).netloc
    trusted = {"gitlab.com", urlsplit(environ.get("CI_API_V4_URL", "")).netloc, _gitlab_host(environ)}
    return environ.get("GITLAB_TOKEN", "").strip() if host in trusted else ""


def _gitlab_host(environ: Mapping[str, str]) -> str:
    named = environ.get("GITLAB_HOST", "")
    return urlsplit(named).netloc or named


def _origin(environ: Mapping[str, str], cwd: Path) -> str:
    """Return the URL of the remote `origin`; the empty string if git is missing, or fails."""
    try:
        return GitCommand(environ).origin(cwd)
    except NotTrustedError:
        raise InputError("repository-unknown", "not-trusted") from None


def _login_of_gh(host: str, environ: Mapping[str, str]) -> str:
    """Return the token that gh has; the empty string if gh is missing, or has none."""
    argv = ("gh", "auth", "token", "--hostname", host)
    try:
        done = process_group.answer(argv, Path(), environment_of("gh", environ), _SECONDS)
    except (OSError, ValueError, subprocess.TimeoutExpired):  # ValueError: a zero byte in the host
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
