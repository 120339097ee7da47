"""The build cache of one job: its lineage, its folder, and the restore that runs at the same time as the modules'."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from go_prefetch.base.background import run_in_background
from go_prefetch.base.retry import Deadline
from go_prefetch.config.choices import When
from go_prefetch.config.settings import Settings, user_cache_folder
from go_prefetch.errors import notice
from go_prefetch.golang.environment import GoEnvironment
from go_prefetch.model.build_lineage import Lineage
from go_prefetch.model.build_results import BuildRestored, BuildState
from go_prefetch.model.cache_key import hexadecimal
from go_prefetch.model.plan import Plan
from go_prefetch.run.build_state import forget_old_outputs, old_outputs, write_state
from go_prefetch.stores.cache_service.build_store import BuildStore

_OS_RELEASE = Path("/etc/os-release")
_MOST_OS_RELEASE = 64 << 10


@dataclass(frozen=True)
class BuildJob:
    """Restores build results. `job` is its name within the lineage."""

    store: BuildStore
    settings: Settings
    environ: Mapping[str, str]
    environment: GoEnvironment
    job: str

    def begin(self, plan: Plan, deadline: Deadline) -> Future[BuildRestored]:
        """Begin to restore, in the background. The result is never an exception for a failed restore."""
        return run_in_background(partial(self.restore, plan, deadline))

    def restore(self, plan: Plan, deadline: Deadline) -> BuildRestored:
        """Restore, and write the state for `build-cache save`."""
        forget_restore(self.settings, self.environ)
        gocache, moment = Path(self.environment.gocache), time.time()
        lineage = self.lineage(plan)
        limited = deadline.earlier_of(self.settings.restore_deadline)
        path = state_file(self.settings, self.environ)
        old = old_outputs(path)
        restored = self.store.restore(gocache, old, lineage, moment, limited)
        if not restored.key and self.store.access.no_writing and self.settings.build_cache is When.AUTO:
            return replace(restored, skipped_reason=restored.skipped_reason or notice("build-cache-off", "empty"))
        state = BuildState(gocache, old, lineage, moment, restored.key, restored.base, restored.gave_up)
        try:
            write_state(path, state)
        except OSError as error:
            words = error.strerror or str(error)
            return restored.with_warning(notice("build-state-unwritable", path=path, words=words))
        return restored

    def lineage(self, plan: Plan) -> Lineage:
        """Return the lineage of this job in the project of the plan."""
        return Lineage.of(_compiled_by(plan, self.environment, self.environ), plan.key.cache_name, self.job)


def state_file(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Return the file between restore and save: that of the settings, or one for this folder in the user's cache."""
    if settings.build_cache_state:
        return settings.build_cache_state
    base = user_cache_folder(environ) or settings.cwd
    return base / "go-prefetch" / "build-cache" / f"{hexadecimal(str(settings.cwd))[:16]}.json"


def forget_restore(settings: Settings, environ: Mapping[str, str]) -> None:
    """Remove what an earlier job left: it must not decide what is saved if the restore is off or ends early."""
    path = state_file(settings, environ)
    with suppress(OSError):
        path.unlink(missing_ok=True)
    forget_old_outputs(path)


def _compiled_by(plan: Plan, environment: GoEnvironment, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return what changes compiled code. Without -trimpath, the places of sources do."""
    goflags = environment.compiled_by.get("GOFLAGS", "")
    places = {} if "-trimpath" in goflags.split() else {
        "GOROOT": str(environment.goroot), "GOMODCACHE": str(environment.gomodcache),
    }  # fmt: skip
    toolchains = " ".join(str(toolchain) for toolchain in plan.toolchains)
    image = _image(environ) if environment.compiled_by.get("CGO_ENABLED") == "1" else ""
    return {
        **environment.compiled_by,
        **places,
        "GOVERSION": toolchains or environment.goversion,
        "GOHOST": environment.platform,
        "image": image,
    }


def _image(environ: Mapping[str, str]) -> str:
    """Return the system that C headers and libraries belong to: Go does not notice when they change."""
    if image := environ.get("ImageOS"):  # a runner of GitHub
        return image
    if sys.platform != "linux":
        return ""
    with suppress(OSError), _OS_RELEASE.open(encoding="utf-8", errors="replace") as file:
        lines = file.read(_MOST_OS_RELEASE).splitlines()
        return " ".join(sorted(line for line in lines if line.startswith(("ID=", "VERSION_ID="))))
    return ""
