"""With which login a bucket is read: the variables and files that the tools of each cloud have too.

The client looks for logins as well, but it ends at the metadata server of a cloud. Outside of that cloud it waits for
it, and it never reads a public bucket. So the way is chosen here, without the network: a login of the environment, of
a file, or of the machine if that is one of the cloud. Without any of them requests are not signed, at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from go_prefetch.stores.objects.login_files import aws_profile, connection_string, google_kind

Login = Mapping[str, str]
# The client's own keys, by variable. Of two variables for one key the later one counts.
_SETTINGS: Mapping[str, Mapping[str, str]] = {
    "s3": {
        "AWS_DEFAULT_REGION": "region",
        "AWS_REGION": "region",
        "AWS_ENDPOINT_URL": "endpoint",
        "AWS_ENDPOINT_URL_S3": "endpoint",
        "AWS_ENDPOINT_URL_STS": "sts_endpoint",
        "AWS_REQUEST_PAYER": "request_payer",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "virtual_hosted_style_request",
        "AWS_SERVER_SIDE_ENCRYPTION": "server_side_encryption",
        "AWS_SSE_KMS_KEY_ID": "sse_kms_key_id",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "metadata_endpoint",
        "AWS_METADATA_ENDPOINT": "metadata_endpoint",
    },
    "gs": {"GOOGLE_BASE_URL": "base_url"},
    "az": {
        "AZURE_STORAGE_ACCOUNT": "account_name",
        "AZURE_STORAGE_ACCOUNT_NAME": "account_name",
        "AZURE_ENDPOINT": "endpoint",
        "AZURE_STORAGE_ENDPOINT": "endpoint",
        "AZURE_AUTHORITY_HOST": "authority_host",
    },
}
_AZURE_ASSET = "7783-7084-3265-9085-8269-3286-77"  # of every virtual machine in Azure


class Way(Enum):
    """Where the login is from."""

    ENVIRONMENT = "environment"  # keys or a token in variables
    WEB_IDENTITY = "web-identity"  # a token of Kubernetes or of the CI, exchanged for keys
    PROFILE = "profile"  # of ~/.aws
    FILE = "credentials-file"
    CONTAINER = "container"  # of ECS, or of a pod in EKS
    METADATA = "metadata-server"
    CLI = "azure-cli"
    EMULATOR = "emulator"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class BucketOptions:
    """What the client is given besides the URL. `config` has its own keys, and secrets.

    `unused` is a login that was found and that the client cannot use: the slug of its kind.
    """

    config: Mapping[str, str] = field(repr=False)
    way: Way
    unused: str = ""

    @property
    def may_write(self) -> bool:
        """Return whether a write could go well."""
        return self.way is not Way.ANONYMOUS


@dataclass(frozen=True)
class Surroundings:
    """The variables and the machine; `/sys` lies below `root`."""

    environ: Mapping[str, str]
    root: Path = Path("/")

    def is_set(self, name: str) -> bool:
        """Return whether a variable says yes."""
        return self.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on")

    def named(self, names: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that are set, by the client's keys; of two for one key the later one."""
        return {key: self.environ[name] for name, key in names.items() if self.environ.get(name)}

    def all_of(self, names: Mapping[str, str], more: Mapping[str, str] | None = None) -> Login | None:
        """Return a login of all these variables, and of those of `more` that are set; None if one is missing."""
        found = self.named(names)
        return found | self.named(more or {}) if set(names.values()) <= found.keys() else None

    def is_machine_of(self, scheme: str) -> bool:
        """Return whether this machine belongs to the cloud, by what its firmware says."""
        if scheme == "s3":
            return self._dmi("sys_vendor") == "Amazon EC2" or "amazon" in self._dmi("bios_version").lower()
        if scheme == "gs":
            return self._dmi("product_name") in ("Google Compute Engine", "Google")
        return self._dmi("chassis_asset_tag") == _AZURE_ASSET

    def _dmi(self, name: str) -> str:
        try:
            return (self.root / "sys/class/dmi/id" / name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""


Find = Callable[[Surroundings], Login | None]


def bucket_options(scheme: str, environ: Mapping[str, str], root: Path = Path("/")) -> BucketOptions:
    """Return how a bucket of this scheme (s3, gs or az) is reached. Reads small files, and never asks the network."""
    around = Surroundings(environ, root)
    skip, others = _FIRST[scheme]
    settings = around.named(_SETTINGS[scheme])
    if scheme == "s3":
        settings = aws_profile(environ).settings | settings
    if not around.is_set(skip):
        for way, find in others:
            login = find(around)
            if login is not None:
                return BucketOptions({**settings, **login}, way)
    return BucketOptions(settings | {"skip_signature": "true"}, Way.ANONYMOUS, _unused(scheme, around))


def _unused(scheme: str, around: Surroundings) -> str:
    if scheme == "s3":
        return aws_profile(around.environ).unused
    if scheme == "gs":
        kind = google_kind(around.environ)
        return "" if kind.is_usable else kind.unused
    return ""


def _aws_profile(around: Surroundings) -> Login | None:
    return aws_profile(around.environ).login or None


def _aws_machine(around: Surroundings) -> Login | None:
    is_one = not around.is_set("AWS_EC2_METADATA_DISABLED") and around.is_machine_of("s3")
    return {} if is_one else None


def _google_emulator(around: Surroundings) -> Login | None:
    host = around.environ.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
    url = host if "://" in host else f"http://{host}"
    return {"base_url": url, "bearer_token": "emulator"} if host else None


def _google_file(around: Surroundings) -> Login | None:
    kind = google_kind(around.environ)
    return {"application_credentials": str(kind.path)} if kind.is_usable else None


def _google_machine(around: Surroundings) -> Login | None:
    return {} if not around.is_set("NO_GCE_CHECK") and around.is_machine_of("gs") else None


def _azure_connection(around: Surroundings) -> Login | None:
    return connection_string(around.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")) or None


def _azure_machine(around: Surroundings) -> Login | None:
    # GitHub's own runners are machines in Azure, and none of them has an identity.
    is_hosted = around.environ.get("RUNNER_ENVIRONMENT") == "github-hosted"
    is_one = around.environ.get("IDENTITY_ENDPOINT") or (not is_hosted and around.is_machine_of("az"))
    names = {"IDENTITY_ENDPOINT": "msi_endpoint", "AZURE_CLIENT_ID": "client_id", "AZURE_OBJECT_ID": "object_id"}
    return around.named(names) if is_one else None


def _has(names: Mapping[str, str], more: Mapping[str, str] | None = None) -> Find:
    return lambda around: around.all_of(names, more)


_AZURE_CLIENT = {"AZURE_CLIENT_ID": "client_id", "AZURE_TENANT_ID": "tenant_id"}
# The variable that turns signatures off, and where logins are looked for, in this order.
_FIRST: Mapping[str, tuple[str, tuple[tuple[Way, Find], ...]]] = {
    "s3": (
        "AWS_SKIP_SIGNATURE",
        (
            (
                Way.ENVIRONMENT,
                _has(
                    {"AWS_ACCESS_KEY_ID": "access_key_id", "AWS_SECRET_ACCESS_KEY": "secret_access_key"},
                    {"AWS_SESSION_TOKEN": "session_token"},
                ),
            ),
            (
                Way.WEB_IDENTITY,
                _has(
                    {"AWS_WEB_IDENTITY_TOKEN_FILE": "web_identity_token_file", "AWS_ROLE_ARN": "role_arn"},
                    {"AWS_ROLE_SESSION_NAME": "role_session_name"},
                ),
            ),
            (Way.PROFILE, _aws_profile),
            (
                Way.CONTAINER,
                _has({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "container_credentials_relative_uri"}),
            ),
            (
                Way.CONTAINER,
                _has(
                    {
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "container_credentials_full_uri",
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "container_authorization_token_file",
                    }
                ),
            ),
            (Way.METADATA, _aws_machine),
        ),
    ),
    "gs": (
        "GOOGLE_SKIP_SIGNATURE",
        (
            (Way.EMULATOR, _google_emulator),
            (Way.ENVIRONMENT, _has({"GOOGLE_BEARER_TOKEN": "bearer_token"})),
            (Way.ENVIRONMENT, _has({"GOOGLE_SERVICE_ACCOUNT_KEY": "service_account_key"})),
            (Way.FILE, _has({"GOOGLE_SERVICE_ACCOUNT": "service_account"})),
            (Way.FILE, _has({"GOOGLE_SERVICE_ACCOUNT_PATH": "service_account"})),
            (Way.FILE, _google_file),
            (Way.METADATA, _google_machine),
        ),
    ),
    "az": (
        "AZURE_SKIP_SIGNATURE",
        (
            (Way.ENVIRONMENT, _azure_connection),
            (Way.ENVIRONMENT, _has({"AZURE_STORAGE_ACCOUNT_KEY": "account_key"})),
            (Way.ENVIRONMENT, _has({"AZURE_STORAGE_KEY": "account_key"})),
            (Way.ENVIRONMENT, _has({"AZURE_STORAGE_SAS_TOKEN": "sas_key"})),
            (Way.ENVIRONMENT, _has({"AZURE_STORAGE_SAS_KEY": "sas_key"})),
            (Way.ENVIRONMENT, _has({"AZURE_STORAGE_TOKEN": "token"})),
            (Way.ENVIRONMENT, _has({**_AZURE_CLIENT, "AZURE_CLIENT_SECRET": "client_secret"})),
            (Way.WEB_IDENTITY, _has({**_AZURE_CLIENT, "AZURE_FEDERATED_TOKEN_FILE": "federated_token_file"})),
            (Way.CLI, lambda around: {"use_azure_cli": "true"} if around.is_set("AZURE_USE_AZURE_CLI") else None),
            (Way.METADATA, _azure_machine),
        ),
    ),
}
