"""The results of the build cache's steps: frozen values that `restore` hands to `save`, and both to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from go_prefetch.errors import Notice
from go_prefetch.model.build_lineage import Lineage


@dataclass(frozen=True)
class BuildBase:
    """The entries that a restore has read, which a delta can add to."""

    ids: tuple[str, ...] = ()  # as in the key of the newest; none: a new entry must be full
    actions: Mapping[str, str] = field(default_factory=dict)  # restored by them: ids, to the ids of their outputs
    outputs: Mapping[str, int] = field(default_factory=dict)  # restored by them: ids, to bytes
    replaced: Mapping[str, int] = field(default_factory=dict)  # in them, and not restored any more: ids, to bytes
    made_from: Mapping[str, str] = field(default_factory=dict)  # ids of outputs in patches, to those of the old ones
    full_bytes: int = 0  # of the full entry's files
    delta_bytes: int = 0  # of the files in all deltas, without those in patches
    patch_bytes: int = 0  # of all patches, compressed


@dataclass(frozen=True)
class BuildRestored:
    """What came from the store into GOCACHE."""

    store: str = ""
    key: str = ""  # of the newest entry; empty if there was none
    is_own: bool = True  # whether a run of the same job made that
    files: int = 0
    unpacked_bytes: int = 0
    bytes: int = 0  # received
    seconds: float = 0.0
    base: BuildBase = field(default_factory=BuildBase)
    skipped_reason: Notice | None = None
    warnings: tuple[Notice, ...] = ()

    def with_warning(self, warning: Notice) -> BuildRestored:
        """Return this result with one more warning."""
        return replace(self, warnings=(*self.warnings, warning))

    @property
    def gave_up(self) -> bool:
        """Return whether it was ended because the store was slow."""
        return any(warning.slug == "store-slow" for warning in self.warnings)


@dataclass(frozen=True)
class BuildState:
    """What a save has to know of the restore at the beginning of the job."""

    gocache: Path
    old: Path  # the folder of outputs that were replaced
    lineage: Lineage
    moment: float  # of the restore, in Unix seconds
    key: str = ""  # of the newest entry that was read
    base: BuildBase = field(default_factory=BuildBase)
    gave_up: bool = False  # the restore was ended because the store was slow


@dataclass(frozen=True)
class BuildSaved:
    """What the job used of GOCACHE, and what of it was saved."""

    used_files: int = 0
    used_bytes: int = 0
    restored_bytes: int = 0  # unpacked: of all outputs that the entries restore
    restored_used_bytes: int = 0  # of these, what the job used
    new_files: int = 0
    new_bytes: int = 0
    is_full: bool = False
    trimmed_bytes: int = 0  # of these, what the next job does not restore
    key: str = ""
    bytes: int = 0  # sent
    seconds: float = 0.0
    skipped_reason: Notice | None = None
    warnings: tuple[Notice, ...] = ()
