"""Every secret in the environment and the command line of this process.

A few come later, and the code that gets them hides them: `go env GOPROXY`, the flags --goproxy and --also, and the
token of `gh`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from go_prefetch.base.redaction import login_secrets
from go_prefetch.config.inputs import BY_NAME, NOTE_TOKEN, STORE_LOGIN
from go_prefetch.golang.goproxy import secrets_of
from go_prefetch.stores.cache_service.endpoint import find_endpoint
from go_prefetch.web.http_settings import HttpSettings

# Tokens for go-prefetch, or for the git and Go that it starts.
_TOKENS = (
    "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "CI_DEPLOY_PASSWORD",
    "CI_REGISTRY_PASSWORD", NOTE_TOKEN.variable,
    # Logins of buckets.
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GOOGLE_BEARER_TOKEN", "GOOGLE_SERVICE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_CLIENT_SECRET",
)  # fmt: skip
# Variables with URLs that may hold a login.
_URLS = (
    "GOPROXY", BY_NAME["goproxy"].variable, BY_NAME["goproxy"].action_variable, "GOSUMDB", "HTTP_PROXY", "HTTPS_PROXY",
    "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "CI_REPOSITORY_URL",
)  # fmt: skip
_INPUTS = ("GO_PREFETCH_", "INPUT_")
_GIT_CONFIG = re.compile(r"GIT_CONFIG_(?:KEY|VALUE)_[0-9]+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s,|]*@[^\s,|]*")
_HEADER = re.compile(r"(?i)authorization: *\w+ +(\S+)")


def known_secrets(environ: Mapping[str, str], argv: Sequence[str]) -> frozenset[str]:
    """Return what must never be printed of this environment, the user's netrc and this command line."""
    tokens = {environ.get(name, "").strip() for name in _TOKENS} - {""}
    inputs = [value for name, value in environ.items() if name.startswith(_INPUTS)]  # an error quotes the wrong ones
    urls = [environ.get(name, "") for name in _URLS] + _URL.findall("\n".join((*argv, *inputs)))
    git = [value for name, value in environ.items() if _GIT_CONFIG.fullmatch(name)]
    urls += [value for value in git if "://" in value]  # url.https://oauth2:TOKEN@gitlab.com/.insteadOf
    headers = {header for value in git for header in _HEADER.findall(value)}  # http.extraHeader
    of_store = [environ.get(name, "").strip() for name in (STORE_LOGIN.variable, STORE_LOGIN.action_variable)]
    logins = [(user, password) for user, _, password in (login.partition(":") for login in of_store)]
    logins += HttpSettings.from_environ(environ).logins
    endpoint = find_endpoint(environ)
    found = frozenset(tokens | headers).union(*map(secrets_of, urls), endpoint.secrets if endpoint else ())
    return found.union(*(login_secrets(*login, encoded=False) for login in logins))
