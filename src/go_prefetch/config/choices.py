"""The values that inputs choose from. Each enum is called with the text of an input, and raises ValueError."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from go_prefetch.errors import ChecksumMismatch, PrefetchError


class When(Enum):
    """`--save`, `--save-private`, `--record`, `--quarantine` and `--build-cache`."""

    AUTO = "auto"
    ALWAYS = "true"
    NEVER = "false"

    def applies(self, *, auto: bool) -> bool:
        """Return `auto` for AUTO."""
        return auto if self is When.AUTO else self is When.ALWAYS


class JobStatus(Enum):
    """`job-status`: how the job ended, as far as the runner says."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class OnFailure(Enum):
    """`--on-failure`."""

    FAIL = "fail"
    WARN = "warn"

    def ends_with(self, error: PrefetchError) -> bool:
        """Return whether this error is the exit status. A wrong byte always is."""
        return self is OnFailure.FAIL or isinstance(error, ChecksumMismatch)


class StoreKind(Enum):
    """The forms of `--store`."""

    AUTO = "auto"
    GITHUB = "github"
    POOL = "dir:PATH"
    BUCKET = "s3://BUCKET"  # gs:// and az:// too
    HTTP = "https://HOST"
    NONE = "none"


@dataclass(frozen=True)
class StoreChoice:
    """The value of `--store`: a kind, and the pool that it means.

    `pool` is None for GITHUB and NONE, and for AUTO where the environment names no cache folder. For BUCKET and HTTP,
    `url` is the pool, and `pool` a folder of this machine in front of it, if the user names one.
    """

    kind: StoreKind
    text: str
    pool: Path | None = None
    url: str = ""

    @property
    def takes_cache_service(self) -> bool:
        """Whether a cache service is used where the job has one."""
        return self.kind in (StoreKind.AUTO, StoreKind.GITHUB)


class PlanFormat(Enum):
    """`--format` of `plan`."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


class DiagnosisFormat(Enum):
    """`--format` of `doctor`."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class ReportFormat(Enum):
    """`--format` of `report`."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


class DockerfileKind(Enum):
    """`--dockerfile` of `docker`: for BuildKit with its named contexts, or for every other builder."""

    BUILDKIT = "buildkit"
    PLAIN = "plain"


class CacheAction(Enum):
    """What `cache` does: print the path of the pool, or delete it."""

    DIR = "dir"
    CLEAN = "clean"


class BuildCacheAction(Enum):
    """What `build-cache` does."""

    RESTORE = "restore"
    SAVE = "save"
    STATUS = "status"
