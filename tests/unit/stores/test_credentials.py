"""Which login a bucket gets: from variables, files and the machine, and never from the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from go_prefetch.stores.objects.credentials import BucketOptions, Way, bucket_options
from go_prefetch.stores.objects.login_files import connection_string

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hidden"}
ROLE = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:role"}
CLIENT = {"AZURE_CLIENT_ID": "client", "AZURE_TENANT_ID": "tenant"}
DMI = {
    "s3": ("sys_vendor", "Amazon EC2"),
    "gs": ("product_name", "Google Compute Engine"),
    "az": ("chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"),
}
CREDENTIALS = """\
[default]
aws_access_key_id = AKIAFILE
aws_secret_access_key = of-a-file
[ci]
aws_access_key_id = AKIACI
aws_secret_access_key = of-ci
aws_session_token = token=of-ci
[half]
aws_access_key_id = AKIAHALF
"""
CONFIG = """\
[default]
region = eu-west-1
s3 =
    addressing_style = path
[profile ci]
region = eu-west-3
endpoint_url = https://s3.example.com
[profile sso]
sso_session = company
[profile program]
credential_process = /bin/login
[profile role]
role_arn = arn:role
web_identity_token_file = /token
"""


def options(tmp_path: Path, scheme: str, environ: Mapping[str, str], **dmi: str) -> BucketOptions:
    """What is chosen in this environment, on a machine whose firmware says `dmi`."""
    folder = tmp_path / "sys/class/dmi/id"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in dmi.items():
        (folder / name).write_text(f"{text}\n")
    return bucket_options(scheme, {"HOME": str(tmp_path), **environ}, tmp_path)


@pytest.mark.parametrize(
    ("scheme", "environ", "way", "login"),
    [
        ("s3", KEYS, Way.ENVIRONMENT, {"access_key_id": "AKIA", "secret_access_key": "hidden"}),
        ("s3", KEYS | ROLE, Way.ENVIRONMENT, {"access_key_id": "AKIA", "secret_access_key": "hidden"}),
        ("s3", ROLE, Way.WEB_IDENTITY, {"web_identity_token_file": "/token", "role_arn": "arn:role"}),
        (
            "s3",
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"},
            Way.CONTAINER,
            {"container_credentials_relative_uri": "/v2/x"},
        ),
        (
            "s3",
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t",
            },
            Way.CONTAINER,
            {"container_credentials_full_uri": "http://169.254.170.23/", "container_authorization_token_file": "/t"},
        ),
        ("s3", {"AWS_ACCESS_KEY_ID": "AKIA"}, Way.ANONYMOUS, {"skip_signature": "true"}),
        ("s3", {**KEYS, "AWS_SKIP_SIGNATURE": "true"}, Way.ANONYMOUS, {"skip_signature": "true"}),
        ("s3", {}, Way.ANONYMOUS, {"skip_signature": "true"}),
        ("gs", {"GOOGLE_BEARER_TOKEN": "t"}, Way.ENVIRONMENT, {"bearer_token": "t"}),
        ("gs", {"GOOGLE_SERVICE_ACCOUNT_PATH": "/k"}, Way.FILE, {"service_account": "/k"}),
        (
            "gs",
            {"STORAGE_EMULATOR_HOST": "127.0.0.1:9"},
            Way.EMULATOR,
            {"base_url": "http://127.0.0.1:9", "bearer_token": "emulator"},
        ),
        ("gs", {}, Way.ANONYMOUS, {"skip_signature": "true"}),
        ("az", {"AZURE_STORAGE_ACCOUNT_KEY": "k"}, Way.ENVIRONMENT, {"account_key": "k"}),
        ("az", {"AZURE_STORAGE_SAS_TOKEN": "sv=1&sig=2"}, Way.ENVIRONMENT, {"sas_key": "sv=1&sig=2"}),
        (
            "az",
            {**CLIENT, "AZURE_CLIENT_SECRET": "s"},
            Way.ENVIRONMENT,
            {"client_id": "client", "tenant_id": "tenant", "client_secret": "s"},
        ),
        (
            "az",
            {**CLIENT, "AZURE_FEDERATED_TOKEN_FILE": "/t"},
            Way.WEB_IDENTITY,
            {"client_id": "client", "tenant_id": "tenant", "federated_token_file": "/t"},
        ),
        ("az", {"AZURE_USE_AZURE_CLI": "true"}, Way.CLI, {"use_azure_cli": "true"}),
        ("az", CLIENT, Way.ANONYMOUS, {"skip_signature": "true"}),
    ],
)
def test_login_of_variables_is_chosen(
    tmp_path: Path, scheme: str, environ: dict[str, str], way: Way, login: dict[str, str]
) -> None:
    chosen = options(tmp_path, scheme, environ)
    assert (chosen.way, dict(chosen.config)) == (way, login)
    assert chosen.may_write == (way is not Way.ANONYMOUS)


@pytest.mark.parametrize("scheme", DMI)
def test_login_of_the_machine_is_for_its_own_cloud(tmp_path: Path, scheme: str) -> None:
    name, text = DMI[scheme]
    assert options(tmp_path, scheme, {}, **{name: text}).way is Way.METADATA
    others = [other for other in DMI if other != scheme]
    assert [options(tmp_path, other, {}).way for other in others] == [Way.ANONYMOUS, Way.ANONYMOUS]


@pytest.mark.parametrize(
    ("scheme", "environ"),
    [
        ("s3", {"AWS_EC2_METADATA_DISABLED": "true"}),
        ("gs", {"NO_GCE_CHECK": "true"}),
        ("az", {"RUNNER_ENVIRONMENT": "github-hosted"}),
    ],
)
def test_login_of_the_machine_can_be_turned_off(tmp_path: Path, scheme: str, environ: dict[str, str]) -> None:
    name, text = DMI[scheme]
    assert options(tmp_path, scheme, environ, **{name: text}).way is Way.ANONYMOUS


def test_variables_come_before_the_machine(tmp_path: Path) -> None:
    assert options(tmp_path, "s3", KEYS, sys_vendor="Amazon EC2").way is Way.ENVIRONMENT
    assert options(tmp_path, "s3", {}, bios_version="4.11.amazon").way is Way.METADATA


@pytest.mark.parametrize(
    ("profile", "way", "config"),
    [
        ("", Way.PROFILE, {"access_key_id": "AKIAFILE", "secret_access_key": "of-a-file", "region": "eu-west-1"}),
        (
            "ci",
            Way.PROFILE,
            {
                "access_key_id": "AKIACI",
                "secret_access_key": "of-ci",
                "session_token": "token=of-ci",
                "region": "eu-west-3",
                "endpoint": "https://s3.example.com",
            },
        ),
        ("role", Way.PROFILE, {"role_arn": "arn:role", "web_identity_token_file": "/token"}),
        ("half", Way.ANONYMOUS, {"skip_signature": "true"}),
        ("none", Way.ANONYMOUS, {"skip_signature": "true"}),
    ],
)
def test_profile_gives_login_and_settings(tmp_path: Path, profile: str, way: Way, config: dict[str, str]) -> None:
    _write_profiles(tmp_path)
    chosen = options(tmp_path, "s3", {"AWS_PROFILE": profile})
    assert (chosen.way, dict(chosen.config)) == (way, config)


@pytest.mark.parametrize(("profile", "unused"), [("sso", "sso-session"), ("program", "credential-process")])
def test_profile_of_another_kind_is_named(tmp_path: Path, profile: str, unused: str) -> None:
    _write_profiles(tmp_path)
    chosen = options(tmp_path, "s3", {"AWS_PROFILE": profile})
    assert (chosen.way, chosen.unused) == (Way.ANONYMOUS, unused)


def test_variables_go_over_the_settings_of_a_profile(tmp_path: Path) -> None:
    _write_profiles(tmp_path)
    chosen = options(tmp_path, "s3", {**KEYS, "AWS_PROFILE": "ci", "AWS_REGION": "us-east-2"})
    assert (chosen.config["region"], chosen.config["endpoint"]) == ("us-east-2", "https://s3.example.com")
    assert chosen.config["access_key_id"] == "AKIA"


@pytest.mark.parametrize(
    ("content", "way", "unused"),
    [
        ({"type": "service_account"}, Way.FILE, ""),
        ({"type": "authorized_user"}, Way.FILE, ""),
        ({"type": "external_account"}, Way.ANONYMOUS, "external-account"),
        ({"type": 3}, Way.ANONYMOUS, "unknown-file"),
        (None, Way.ANONYMOUS, "unreadable-file"),
    ],
)
def test_google_file_is_used_by_its_kind(tmp_path: Path, content: object, way: Way, unused: str) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(json.dumps(content))
    chosen = options(tmp_path, "gs", {"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
    assert (chosen.way, chosen.unused) == (way, unused)
    assert chosen.config.get("application_credentials") == (str(path) if way is Way.FILE else None)


def test_google_file_of_gcloud_is_found(tmp_path: Path) -> None:
    path = tmp_path / ".config/gcloud/application_default_credentials.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"type": "authorized_user"}')
    assert dict(options(tmp_path, "gs", {}).config) == {"application_credentials": str(path)}


def test_azure_connection_string_is_taken_apart(tmp_path: Path) -> None:
    text = "DefaultEndpointsProtocol=https;AccountName=pool;AccountKey=a2V5==;EndpointSuffix=core.windows.net"
    chosen = options(tmp_path, "az", {"AZURE_STORAGE_CONNECTION_STRING": text})
    assert (chosen.way, dict(chosen.config)) == (Way.ENVIRONMENT, {"account_name": "pool", "account_key": "a2V5=="})


def test_options_show_no_secret(tmp_path: Path) -> None:
    assert "hidden" not in repr(options(tmp_path, "s3", KEYS))


@given(st.text(), st.text())
def test_connection_string_of_any_text_raises_nothing(text: str, key: str) -> None:
    connection_string(text)
    assert connection_string(f"{text.replace(';', '')};AccountKey=k{key.split(';', maxsplit=1)[0]}")


@pytest.mark.parametrize("text", ["\0", "[", "[a]\n[a]\nx", "x = 1", "[default]\naws_access_key_id", "[default]\n=\n"])
def test_profiles_that_are_damaged_count_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(text)
    (tmp_path / ".aws/config").mkdir()
    assert options(tmp_path, "s3", {}).way is Way.ANONYMOUS


def _write_profiles(home: Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(CREDENTIALS)
    (home / ".aws/config").write_text(CONFIG)
