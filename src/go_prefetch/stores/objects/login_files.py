"""Files with logins, as the tools of the clouds write them: profiles of AWS, credentials of Google."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from go_prefetch.base.untrusted_json import read_object, text

_LARGEST = 1 << 20  # bytes
_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_SETTINGS = {"region": "region", "endpoint_url": "endpoint"}
_ROLE = {"role_arn": "role_arn", "web_identity_token_file": "web_identity_token_file"}
# What a profile asks of a program or of another account, which the client does not do.
_OTHER_WAYS = ("sso_session", "sso_start_url", "credential_process", "source_profile", "credential_source")
# The kinds of Google's credentials that the client reads.
_GOOGLE_KINDS = ("service_account", "authorized_user")


@dataclass(frozen=True)
class AwsProfile:
    """A profile by the client's keys: its login, its settings, and what of it cannot be used."""

    login: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    unused: str = ""


@dataclass(frozen=True)
class GoogleKind:
    """A file with credentials of Google, and its kind; none at all if `unused` and `kind` are empty."""

    path: Path = Path()
    kind: str = ""
    unused: str = ""

    @property
    def is_usable(self) -> bool:
        """Return whether the client can use it."""
        return bool(self.kind) and not self.unused


def aws_profile(environ: Mapping[str, str]) -> AwsProfile:
    """Return the profile that these variables choose; an empty one if there is none."""
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    folder = _home(environ) / ".aws"
    config = _sections(Path(environ.get("AWS_CONFIG_FILE") or folder / "config"))
    logins = _sections(Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials"))
    settings = config.get(f"profile {name}") or config.get(name) or {}
    profile = {**settings, **logins.get(name, {})}
    found = _renamed(profile, _SETTINGS)
    login = _renamed(profile, _KEYS)
    if {"access_key_id", "secret_access_key"} <= login.keys():
        return AwsProfile(login, found)
    role = _renamed(profile, _ROLE)
    if len(role) == len(_ROLE):
        return AwsProfile(role, found)
    other = next((way for way in _OTHER_WAYS if way in profile), "")
    return AwsProfile({}, found, other.replace("_", "-"))


def google_kind(environ: Mapping[str, str]) -> GoogleKind:
    """Return the file that the variable names, or that `gcloud auth application-default login` has written."""
    named = environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    path = Path(named) if named else _gcloud(environ) / "application_default_credentials.json"
    found = read_object(path, _LARGEST)
    if found is None:
        return GoogleKind(path, unused="unreadable-file" if named else "")
    kind = text(found, "type")
    if kind in _GOOGLE_KINDS:
        return GoogleKind(path, kind)
    return GoogleKind(path, kind, "external-account" if kind == "external_account" else "unknown-file")


def connection_string(text: str) -> dict[str, str]:
    """Return the login and the endpoint of a connection string of Azure; nothing if it has no login."""
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    names = {
        "AccountName": "account_name",
        "AccountKey": "account_key",
        "SharedAccessSignature": "sas_key",
        "BlobEndpoint": "endpoint",
    }
    found = _renamed(parts, names)
    return found if found.keys() & {"account_key", "sas_key"} else {}


def _renamed(values: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {key: values[name] for name, key in names.items() if values.get(name)}


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or environ.get("USERPROFILE") or "/nonexistent")


def _gcloud(environ: Mapping[str, str]) -> Path:
    chosen, windows = environ.get("CLOUDSDK_CONFIG"), environ.get("APPDATA")
    if chosen:
        return Path(chosen)
    return Path(windows) / "gcloud" if windows else _home(environ) / ".config" / "gcloud"


def _sections(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, default_section="", delimiters=("=",))
    try:
        parser.read_string(_text(path) or "")
    except configparser.Error:
        return {}
    return {name: dict(parser[name]) for name in parser.sections()}


def _text(path: Path) -> str | None:
    """Return the text of a small file; None if it cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        return path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):  # ValueError: a zero byte in the path
        return None
