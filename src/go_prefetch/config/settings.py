"""The inputs of a run as typed values."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import cast

from go_prefetch.base.git_command import GitCommand
from go_prefetch.base.retry import Jobs
from go_prefetch.config.choices import JobStatus, OnFailure, StoreChoice, StoreKind, When
from go_prefetch.config.inputs import BY_NAME, JOB, STORE_LOGIN, TABLE, Input, read_inputs
from go_prefetch.config.kinds import Value
from go_prefetch.golang.goproxy import Fallback, redact_list
from go_prefetch.web.http_settings import HttpSettings

_GO_SILENCE_FACTOR = 4


@dataclass(frozen=True)
class Settings:
    """Every input as a value. Times are seconds, paths are absolute or relative to `cwd`."""

    cwd: Path
    working_directory: tuple[str, ...]
    goproxy: str = field(repr=False)  # empty: `go env GOPROXY`; may contain a password
    fallback: Fallback
    store: StoreChoice
    store_login: str = field(repr=False)  # for an HTTP server; empty: that of netrc
    save: When
    cache_name: str
    build_cache: When
    build_cache_name: str  # empty: the name of the job
    jobs: Jobs
    deadline: float
    on_failure: OnFailure
    check_present: bool
    quarantine: When
    for_tidy: bool
    test_cache: bool
    summary: bool
    attempts: int
    connect_timeout: float
    stall_timeout: float
    restore_deadline: float
    save_deadline: float
    pool_max_size: int | None  # bytes
    pool_max_age: float | None
    save_private: When
    record: When
    report_file: Path | None
    trace: Path | None
    job_status: JobStatus
    matrix: str  # JSON of the runner; empty if it gives none
    build_cache_state: Path | None
    build_cache_carried: Path | None
    web: HttpSettings  # HTTP proxies, netrc and certificates of the environment
    git: GitCommand  # with its part of the environment

    @property
    def go_silence(self) -> float:
        """Return the seconds that Go may be silent. It prints nothing while it unpacks or hashes a zip."""
        return self.stall_timeout * _GO_SILENCE_FACTOR

    @property
    def uses_quarantine(self) -> bool:
        """Return whether modules are verified in the quarantine. On Windows, renames of trees were not measured yet."""
        return self.quarantine.applies(auto=sys.platform != "win32")

    @property
    def has_pool_limits(self) -> bool:
        """Return whether runs keep a pool that is a folder within limits."""
        return self.pool_max_age is not None or self.pool_max_size is not None

    @property
    def shown(self) -> dict[str, str]:
        """Return the inputs as texts for a report, without passwords."""
        values = {row.name: getattr(self, row.field) for row in TABLE}
        values["goproxy"] = redact_list(self.goproxy)
        return {name: _shown(value) for name, value in values.items()}


def read_settings(flags: Mapping[str, str], environ: Mapping[str, str], cwd: Path) -> Settings:
    """Return the settings of these flags and this environment. Raises InputError for a value that is not allowed."""
    rows = (*TABLE, *JOB, STORE_LOGIN)
    values = read_inputs(flags, environ, rows)
    known = {row.field: values[row.name] for row in rows}
    report_file, trace = cast(str, known.pop("report_file")), cast(str, known.pop("trace"))
    state, carried = cast(str, known.pop("build_cache_state")), cast(str, known.pop("build_cache_carried"))
    max_size, max_age = cast(int | str, known.pop("pool_max_size")), cast(float | str, known.pop("pool_max_age"))
    store = cast(StoreChoice, known.pop("store"))
    return Settings(
        cwd=cwd,
        report_file=cwd / report_file if report_file else None,
        trace=cwd / trace if trace else None,
        build_cache_state=cwd / state if state else None,
        build_cache_carried=cwd / carried if carried else None,
        store=replace(store, pool=pool_folder(store, BY_NAME["store"], environ, cwd)),
        pool_max_size=int(max_size) if max_size != "" else None,
        pool_max_age=float(max_age) if max_age != "" else None,
        web=HttpSettings.from_environ(environ),
        git=GitCommand(environ),
        **known,  # type: ignore[arg-type]  # the table's parsers give each its type
    )


def pool_folder(choice: StoreChoice, row: Input, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """Return the pool that a value of this input means; None if it means none. Raises InputError."""
    if choice.kind is StoreKind.AUTO:
        base = user_cache_folder(environ)
        return base / "go-prefetch" / "pool" if base else None
    return cwd / row.expand(choice.pool, choice.text) if choice.pool else None


def user_cache_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Return the user's cache folder, as Go's os.UserCacheDir does; None if the environment does not name it."""
    if platform == "win32":
        local = environ.get("LocalAppData") or environ.get("LOCALAPPDATA")
        return Path(local) if local else None
    xdg, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if platform != "darwin" and Path(xdg).is_absolute():
        return Path(xdg)
    if not home:
        return None
    return Path(home, "Library", "Caches") if platform == "darwin" else Path(home, ".cache")


def _shown(value: Value | Path | None) -> str:
    if isinstance(value, tuple):
        return "\n".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}s"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, (StoreChoice, Jobs)):
        return value.text
    return "" if value is None else str(value)
