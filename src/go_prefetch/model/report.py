"""Everything that a run did, and the figures that follow from it."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from functools import cached_property

from go_prefetch.errors import Notice, PrefetchError, notice
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.build_results import BuildRestored
from go_prefetch.model.cold_runs import Machine, this_machine
from go_prefetch.model.plan import NO_PLAN, Plan
from go_prefetch.model.results import Admitted, Completed, Downloaded, Fetched, Restored, Saved, Source, StableTimes
from go_prefetch.model.save_rule import SaveRule, Withheld, not_saved

# The steps of a run, in order, and the field of RunState that has the result of each.
STEPS = {
    "plan": "plan",
    "restore": "restored",
    "download": "downloaded",
    "admit": "admitted",
    "complete": "completed",
    "save": "saved",
}
# The steps that wait for bytes, which are compared with the downloads of cold runs. The others do the same in both.
WAITING = ("restore", "download")
_MOST_LARGEST = 10  # restored zips that a report knows the size of
GO_ITSELF = "Go itself"  # a source in addition to the store and the proxies


class Origin(Enum):
    """Where a planned module came from: the last of these that brought one of its files. The values are for people."""

    CACHE = "from cache"
    DOWNLOADED = "downloaded"
    GO = "by Go"
    PRESENT = "already present"
    NOWHERE = "missing"


@dataclass(frozen=True)
class RunState:
    """What a run has done so far: the result of each step, empty for later steps."""

    plan: Plan = NO_PLAN
    rule: SaveRule = field(default_factory=SaveRule)
    restored: Restored = field(default_factory=Restored)
    downloaded: Downloaded = field(default_factory=Downloaded)
    admitted: Admitted = field(default_factory=Admitted)
    completed: Completed = field(default_factory=Completed)
    saved: Saved = field(default_factory=Saved)
    notes: tuple[Notice, ...] = ()  # warnings that are part of no step above
    build: BuildRestored | None = None  # None: there was no build cache
    stable_times: StableTimes | None = None  # None: `test-cache` is off

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """Return all warnings, in the order of the steps."""
        return (
            *self.plan.warnings,
            *self.plan.gaps,
            *self.notes,
            *self.restored.warnings,
            *self.limits,
            *((self.admitted.notice,) if self.admitted.notice else ()),
            *self.completed.warnings,
            *self.saved.warnings,
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the files from each proxy, including replacements of rejected files."""
        merged: dict[str, Source] = {}
        for source in (*self.downloaded.sources, *self.completed.refetched.sources):
            known = merged.get(source.name, Source(source.name, 0, 0, 0))
            files, size = known.files + source.files, known.bytes + source.bytes
            # Attempts are counted over the whole run, so the later count includes the earlier one.
            merged[source.name] = replace(
                source, files=files, bytes=size, failed_attempts=max(known.failed_attempts, source.failed_attempts)
            )
        return tuple(merged.values())

    @property
    def limits(self) -> tuple[Notice, ...]:
        """Return a warning for each proxy that refused requests because of a limit."""
        return tuple(
            notice(
                "proxy-limited", "waited" if source.limited_seconds else "",
                proxy=source.name, refusals=source.refusals, seconds=source.limited_seconds,
            )
            for source in self.sources
            if source.refusals
        )  # fmt: skip

    @property
    def withheld(self) -> Mapping[ModuleFile, Withheld]:
        """Return missing files that are not saved, because not everyone may read them, and why."""
        completed = self.completed
        found = self.rule.withheld(self.plan, self.downloaded, completed.refetched, by_go=completed.by_go)
        return {file: why for file, why in found.items() if file not in self.plan.present}

    @property
    def not_saved(self) -> Notice | None:
        """Return why modules that the store lacks are not saved; None if that is for other reasons, or none are."""
        return not_saved({file: why for file, why in self.withheld.items() if file not in self.restored.files})

    def failed(self, error: PrefetchError) -> RunState:
        """Return the state of a run that `error` ended before Go's verdict: its results so far, and nothing saved."""
        completed = replace(self.completed, failure=error)
        return replace(self, completed=completed, saved=Saved(skipped_reason=notice("run-failed")))

    def timed(self, seconds: Mapping[str, float]) -> RunState:
        """Return this state with the seconds of each step, by its name; 0 for others."""
        return replace(
            self,
            **{name: replace(getattr(self, name), seconds=seconds.get(step, 0.0)) for step, name in STEPS.items()},
        )

    @property
    def steps(self) -> dict[str, float]:
        """Return the seconds of each step, in order. The steps do not overlap."""
        return {step: getattr(self, name).seconds for step, name in STEPS.items()}

    def report(
        self,
        settings_shown: Mapping[str, str],
        *,
        seconds: Mapping[str, float],
        goversion: str = "",
        ended_early: bool = False,
    ) -> Report:
        """Return the whole as one value, with the seconds of each step. The run took as long as all of them."""
        timed = self.timed(seconds)
        return Report(
            **{each.name: getattr(timed, each.name) for each in fields(timed)},
            seconds=sum(timed.steps.values()),
            machine=this_machine(),
            goversion=goversion,
            settings_shown=settings_shown,
            largest_restored=self._largest_restored(),
            ended_early=ended_early,
        )

    def _largest_restored(self) -> Mapping[ModuleVersion, int]:
        """Return the modules with the largest restored zips, to the bytes of these."""
        zips = (file for file in self.restored.files if file.kind == "zip")
        sizes = ((self.plan.folder.size_if_there(file), file.module) for file in zips)
        return {module: size for size, module in heapq.nlargest(_MOST_LARGEST, sizes)}


@dataclass(frozen=True, kw_only=True)
class Report(RunState):
    """Everything that a run did, and its circumstances."""

    seconds: float
    machine: Machine
    goversion: str
    settings_shown: Mapping[str, str]
    largest_restored: Mapping[ModuleVersion, int] = field(default_factory=dict)
    ended_early: bool = False  # before Go's verdict, because of `completed.failure`; the plan may be NO_PLAN

    @property
    def suppliers(self) -> tuple[Source, ...]:
        """Return every source that delivered files: the store or both of two, each proxy, Go itself."""
        stores = [store for store in self.restored.of_each_store if store.files]
        found = [*(Source(store.store, len(store.files), store.bytes, 0) for store in stores), *self.sources]
        if self.completed.by_go:
            found.append(Source(GO_ITSELF, len(self.completed.by_go), self.completed.bytes_by_go, 0))
        return tuple(found)

    @property
    def fetched(self) -> tuple[Fetched, ...]:
        """Return every file from a proxy; replacements of rejected files come last."""
        return (*self.downloaded.fetched, *self.completed.refetched.fetched)

    @property
    def bytes_downloaded(self) -> int:
        """Return the bytes from proxies, downloaded by go-prefetch and by Go."""
        return self.downloaded.bytes + self.completed.refetched.bytes + self.completed.bytes_by_go

    @cached_property
    def origins(self) -> Mapping[Origin, int]:
        """Return the number of planned modules by origin. A module is its zip, `.mod` and `.info`."""
        downloaded = self.downloaded.files.keys() | self.completed.refetched.files.keys()
        by_go = {file.module for file in self.completed.by_go}
        not_cached = {file.module for file in self._missing - self._got}
        lacking = {file.module for file in self._missing - self._got - downloaded - self.completed.by_go}
        return Counter(
            Origin.PRESENT if module not in self._modules_missing
            else Origin.CACHE if module not in not_cached
            else Origin.NOWHERE if module in lacking
            else Origin.GO if module in by_go
            else Origin.DOWNLOADED
            for module in self.plan.modules
        )  # fmt: skip

    @property
    def modules_from_cache(self) -> int:
        """Return the number of modules whose missing files all came from the store and were accepted by Go."""
        return self.origins.get(Origin.CACHE, 0)

    @property
    def hit_rate(self) -> float | None:
        """Return the share of the modules not present that came from the store; None if nothing was missing."""
        missing = len(self._modules_missing)
        return self.modules_from_cache / missing if missing else None

    @property
    def cache_result(self) -> str:
        """Return `disabled`, `present`, `exact`, `partial` or `miss`; `failed` if the run ended before it was known."""
        if self.ended_early:
            return "failed"
        if self.plan.disabled_because:
            return "disabled"
        if not self._modules_missing and not self.plan.without_sum:
            return "present"
        if self._missing and (self.missing_that_counts or self._missing) <= self._got and self.plan.is_complete:
            return "exact"
        return "partial" if self._got else "miss"

    @property
    def _got(self) -> frozenset[ModuleFile]:
        """Return the files that the store had and Go accepted."""
        return self.restored.files - {rejection.file for rejection in self.completed.rejected}

    @property
    def _missing(self) -> frozenset[ModuleFile]:
        """Return missing files that some proxy has; after a failure all of them, since one may be the reason."""
        gone = (self.restored.unavailable | self.downloaded.unavailable) - self.downloaded.files.keys()
        gone -= self.completed.by_go  # from its repository
        return frozenset(self.plan.missing) - (frozenset() if self.completed.failure else gone)

    @cached_property
    def _modules_missing(self) -> frozenset[ModuleVersion]:
        """Return planned modules of which the zip, the .mod or the .info was missing."""
        return frozenset(self.plan.modules) & {file.module for file in self._missing}

    @property
    def missing_that_counts(self) -> frozenset[ModuleFile]:
        """Return missing files that may be saved: an exact hit has all of them, and there is one."""
        return self._missing - self.withheld.keys()

    @property
    def seconds_saved(self) -> float | None:
        """Return the seconds that cold runs waited for these files, minus this run's own; None if not measured."""
        cold = self.restored.cold
        if cold is None or self.cache_result != "exact" or self.completed.failure:
            return None
        saved = cold.seconds - sum(self.steps[name] for name in WAITING)
        # A loss against the download of only some of the modules tells nothing.
        return None if saved < 0 and cold.modules < cold.modules_restored else saved

    @property
    def seconds_saved_estimate(self) -> float | None:
        """Return the share of a partial hit in the seconds of a cold run, minus restore; None for other results."""
        cold = self.restored.cold
        if cold is None or self.cache_result != "partial" or self.completed.failure:
            return None
        return cold.estimate - self.steps["restore"]
