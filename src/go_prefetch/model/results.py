"""The results of the steps: frozen values, named after the steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import reduce

from go_prefetch.base.retry import Cause
from go_prefetch.errors import Notice, PrefetchError
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cold_runs import Baseline, ColdRun, Span, length, not_measured


@dataclass(frozen=True)
class RestoredEntry:
    """The entry of a cache service that a restore read. A save continues from it."""

    key: str
    held: frozenset[str]  # names of the files in it, and in the full entry below it
    full: str = ""  # the full entry that a delta can be based on: this one, or the one below it
    full_files: frozenset[str] = frozenset()
    full_bytes: int = 0
    runs: tuple[ColdRun, ...] = ()
    content_unknown: bool = False  # it was found, but could not be read in time


@dataclass(frozen=True)
class Restored:
    """The files from the store."""

    store: str = ""
    files: frozenset[ModuleFile] = frozenset()
    bytes: int = 0
    seconds: float = 0.0
    unavailable: frozenset[ModuleFile] = frozenset()  # recorded: every proxy answered 404 or 410
    cold: Baseline | None = None  # what downloading these files took; None: not measured
    entry: RestoredEntry | None = None
    skipped_reason: Notice | None = None  # why it was not used, or could not answer, although nothing is wrong
    lacks_bundle: bool = False  # whether saving files that it had would make the next restore faster
    warnings: tuple[Notice, ...] = ()
    runs: tuple[ColdRun, ...] = ()  # cold runs that a shared pool has noted, for a front that takes its files
    owed: frozenset[ModuleFile] = frozenset()  # files of a front that the store behind it has not got yet
    parts: tuple[Restored, ...] = ()  # of two stores in one: what the front brought, and what the one behind it

    @property
    def behind(self) -> frozenset[ModuleFile]:
        """Return the files that came from the store behind a front."""
        return frozenset().union(*(part.files for part in self.parts[1:]))

    @property
    def of_each_store(self) -> tuple[Restored, ...]:
        """Return the results of the stores that this one consists of: usually itself."""
        return self.parts or (self,)

    @property
    def is_out_of_reach(self) -> bool:
        """Return whether the store is dead for this run: another question would wait as long."""
        return all(map(_is_dead, self.of_each_store))

    def plus(self, later: Restored) -> Restored:
        """Return this result and a later one of the same store, together."""
        parts = [part for part in (self, later) if part.files]
        known = [part.cold or not_measured(file.name for file in part.files) for part in parts]
        return replace(
            self,
            files=self.files | later.files,
            bytes=self.bytes + later.bytes,
            unavailable=self.unavailable | later.unavailable,
            cold=reduce(Baseline.plus, known) if any(part.cold for part in parts) else None,
            skipped_reason=self.skipped_reason or (None if self.files else later.skipped_reason),
            warnings=tuple(dict.fromkeys((*self.warnings, *later.warnings))),
            owed=self.owed | later.owed,
            runs=(*self.runs, *(run for run in later.runs if run not in self.runs)),
            parts=tuple(map(Restored.plus, self.parts, later.parts)) or self.parts or later.parts,
        )

    def only(self, files: Iterable[ModuleFile]) -> Restored:
        """Return this result without files that are not in `files`. What downloading the others took is not known."""
        kept = self.files.intersection(files)
        parts = tuple(part.only(kept) for part in self.parts)
        return replace(self, files=kept, cold=self.cold if kept == self.files else None, parts=parts)


_DEAD = frozenset({("store-unreadable", "root"), ("store-denied", "login")})


def _is_dead(restored: Restored) -> bool:
    return any(
        warning.slug == "store-unreachable" or (warning.slug, warning.case) in _DEAD for warning in restored.warnings
    )


@dataclass(frozen=True)
class Source:
    """The files from one proxy."""

    name: str
    files: int
    bytes: int
    failed_attempts: int
    refusals: int = 0  # of requests, because of a limit of the proxy; they are no failed attempts
    limited_seconds: float = 0.0  # in which downloads waited for that limit


class PassedOver(Enum):
    """Why a proxy got no request for a file."""

    RESTING = "resting"  # it failed many times in a row
    LIMITED = "limited"  # it had refused requests because of its limit
    AFTER_COMMA = "after-comma"  # `,` goes on only if a file is not found
    REJECTED = "rejected"  # Go rejected what it sent, and there is no other proxy
    NO_TIME = "no-time"


@dataclass(frozen=True)
class FailedAttempt:
    """One request that brought nothing, or why there was none."""

    source: str  # the proxy; empty if time ran out before the first request
    words: str = ""  # of the system, the server or the transfer
    status: int | None = None  # HTTP status, if the answer of the proxy or of an HTTP proxy was the reason
    at_http_proxy: bool = False  # whether an HTTP proxy on the way failed (HTTPS_PROXY, HTTP_PROXY)
    passed_over: PassedOver | None = None
    cause: Cause = field(default=Cause.OTHER, compare=False)  # follows from the words
    not_found: bool = field(default=False, compare=False)  # whether Go goes on after a comma too


@dataclass(frozen=True)
class Failure:
    """A file that could not be downloaded, and the attempts."""

    file: ModuleFile
    not_found: bool  # every proxy answered 404 or 410
    attempts: tuple[FailedAttempt, ...]


@dataclass(frozen=True)
class Fetched:
    """A downloaded file: its source, its duration, the failed attempts before."""

    file: ModuleFile
    source: str
    bytes: int
    credentialed: bool
    seconds: float = 0.0  # from the first attempt to the last byte
    failed: tuple[FailedAttempt, ...] = ()  # the attempts before
    is_joined: bool = False  # whether it consists of parts of several answers, because some broke off
    plain_go_fails: bool = False  # whether `go mod download` with the same proxy list would have failed there
    began: float = 0.0  # the first attempt, on the monotonic clock


@dataclass(frozen=True)
class Downloaded:
    """The files from the proxies."""

    files: Mapping[ModuleFile, str] = field(default_factory=dict)  # to the name of the source
    bytes: int = 0
    seconds: float = 0.0
    sources: tuple[Source, ...] = ()
    failures: tuple[Failure, ...] = ()
    credentialed: frozenset[ModuleFile] = frozenset()  # came from a proxy with credentials
    fetched: tuple[Fetched, ...] = ()
    overlapping_seconds: float = 0.0  # of downloads while the store still delivered

    @property
    def unavailable(self) -> frozenset[ModuleFile]:
        """Return the files for which every proxy answered 404 or 410."""
        return frozenset(failure.file for failure in self.failures if failure.not_found)

    @property
    def joined(self) -> frozenset[ModuleFile]:
        """Return the files that consist of parts of several answers."""
        return frozenset(fetched.file for fetched in self.fetched if fetched.is_joined)

    def overlapping(self, until: float) -> Downloaded:
        """Return this result with the seconds before `until`, on the monotonic clock, as overlapping ones."""
        spans = [Span(one.began, one.began + one.seconds, one.bytes) for one in self.fetched]
        return replace(self, overlapping_seconds=length(spans, end=until))

    def plus(self, later: Downloaded) -> Downloaded:
        """Return this result and a later one, together."""
        return Downloaded(
            files={**self.files, **later.files},
            bytes=self.bytes + later.bytes,
            seconds=self.seconds + later.seconds,
            sources=tuple(_together(self.sources, later.sources)),
            failures=(*self.failures, *later.failures),
            credentialed=self.credentialed | later.credentialed,
            fetched=(*self.fetched, *later.fetched),
            overlapping_seconds=self.overlapping_seconds + later.overlapping_seconds,
        )


def _together(earlier: Iterable[Source], later: Iterable[Source]) -> Iterable[Source]:
    """Return one row for each proxy. All but its files are counted from the beginning of the run."""
    rows = {row.name: row for row in earlier}
    for row in later:
        before = rows.get(row.name)
        files, size = (before.files, before.bytes) if before else (0, 0)
        rows[row.name] = replace(row, files=files + row.files, bytes=size + row.bytes)
    return rows.values()


@dataclass(frozen=True)
class Filled:
    """The result of filling a folder with exactly the files of the plan."""

    held: Restored  # complete files that were already there
    downloaded: Downloaded
    removed: int = 0  # number of files that are not in the plan
    left_out: frozenset[ModuleFile] = frozenset()  # came from a proxy with credentials, and were not to stay

    def only(self, files: Iterable[ModuleFile]) -> Filled:
        """Return this result without files that are not in `files`."""
        kept = frozenset(files)
        came = {file: source for file, source in self.downloaded.files.items() if file in kept}
        failures = tuple(failure for failure in self.downloaded.failures if failure.file in kept)
        return replace(
            self,
            held=self.held.only(kept),
            downloaded=replace(self.downloaded, files=came, failures=failures),
        )


class Deferral(Enum):
    """Why a module is left to `go mod download`. The values are keys of the JSON report."""

    TWO_HASHES = "two hashes in go.sum"
    OTHER_VERSION = "another version of the same module"
    NO_ROOM = "no room to unpack it unverified"
    UNUSUAL_ZIP = "a zip of an unusual kind"
    UNREADABLE_ZIP = "a zip that cannot be read"
    REFUSED = "refused by go mod verify"
    NOT_UNPACKED = "not unpacked, or there already"
    NO_QUARANTINE = "no quarantine"


@dataclass(frozen=True)
class Admitted:
    """The modules that the quarantine moved into the module cache, and the number of zips left to Go, by reason."""

    modules: frozenset[ModuleVersion] = frozenset()
    seconds: float = 0.0
    deferred_to_go: Mapping[Deferral, int] = field(default_factory=dict)
    notice: Notice | None = None
    overlapping_seconds: float = 0.0  # of unpacking during restore and download


@dataclass(frozen=True)
class TreeVerdict:
    """Go's verdict on trees that were in the module cache before the run."""

    good: frozenset[ModuleVersion] = frozenset()
    bad: frozenset[ModuleVersion] = frozenset()
    unchecked: frozenset[ModuleVersion] = frozenset()
    seconds: float = 0.0
    inconclusive: Notice | None = None


@dataclass(frozen=True)
class RemovedTrees:
    """The result of removing trees. Trees that are in neither field were gone, or Go replaces them."""

    removed: frozenset[ModuleVersion] = frozenset()
    stays: frozenset[ModuleVersion] = frozenset()
    good: frozenset[ModuleVersion] = frozenset()  # matches go.sum after all


@dataclass(frozen=True)
class Rejection:
    """A file that Go rejected, its source, and Go's message."""

    file: ModuleFile
    source: str
    words: str


@dataclass(frozen=True)
class Completed:
    """Go's verdict."""

    by_go: frozenset[ModuleFile] = frozenset()  # files that Go downloaded itself
    bytes_by_go: int = 0
    rejected: tuple[Rejection, ...] = ()
    seconds: float = 0.0
    refetched: Downloaded = Downloaded()  # replacements of rejected files
    unverified: frozenset[ModuleFile] = frozenset()  # files that no go command has read, and so none has compared
    verified: int | None = None  # files of a filled folder that match go.sum; None for other runs
    unverified_because: Notice | None = None  # why Go did not check them, or why the check was inconclusive
    failure: PrefetchError | None = None
    is_partial: bool = False  # some main modules failed, and the others are complete
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Saved:
    """What the store saved."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    key: str = ""  # of the new entry, if the store has entries
    skipped_reason: Notice | None = None
    warnings: tuple[Notice, ...] = ()

    def plus(self, later: Saved) -> Saved:
        """Return this result and a later one of the same store, together. The first entry counts."""
        files = self.files + later.files
        return replace(
            self,
            files=files,
            bytes=self.bytes + later.bytes,
            key=self.key or later.key,
            skipped_reason=None if files else self.skipped_reason or later.skipped_reason,
            warnings=tuple(dict.fromkeys((*self.warnings, *later.warnings))),
        )


@dataclass(frozen=True)
class StableTimes:
    """The tracked files of the checkout that have a time that follows from their content."""

    files: int = 0
    others: int = 0  # tracked files that keep their time, such as modified ones
    seconds: float = 0.0
    warnings: tuple[Notice, ...] = ()

    def __add__(self, other: StableTimes) -> StableTimes:
        """Return the result for the repositories of both. A warning that both have counts once."""
        known = {(warning.slug, warning.case) for warning in self.warnings}
        new = tuple(warning for warning in other.warnings if (warning.slug, warning.case) not in known)
        return replace(
            self, files=self.files + other.files, others=self.others + other.others, warnings=(*self.warnings, *new)
        )
