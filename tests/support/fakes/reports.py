"""Reports made by hand: what a run would have found, without one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from go_prefetch.config.settings import read_settings
from go_prefetch.errors import ChecksumMismatch, notice
from go_prefetch.golang.gosum import GoSumLine
from go_prefetch.golang.modcache import Kind, ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.cache_key import cache_key
from go_prefetch.model.cold_runs import Baseline, Machine
from go_prefetch.model.plan import Plan, Scope
from go_prefetch.model.report import Report
from go_prefetch.model.results import (
    Admitted,
    Completed,
    Deferral,
    Downloaded,
    FailedAttempt,
    Failure,
    Rejection,
    Restored,
    Saved,
    Source,
)

KINDS: tuple[Kind, ...] = ("zip", "mod", "info")
A = ModuleVersion("example.com/a", "v1.0.0")
B = ModuleVersion("github.com/BurntSushi/b", "v2.0.0+incompatible")
PRIVATE = ModuleVersion("corp.example/p", "v0.1.0")
PROXY = "https://proxy.golang.org"
POOL = "pool /srv/pool"
_MACHINE = Machine(4, "linux")


def files_of(*versions: ModuleVersion) -> frozenset[ModuleFile]:
    """The three files of each."""
    return frozenset(ModuleFile(version, kind) for version in versions for kind in KINDS)


def plan(
    *versions: ModuleVersion,
    present: Iterable[ModuleFile] = (),
    private: Iterable[ModuleVersion] = (),
    mods: Iterable[ModuleVersion] = (),
    **more: Any,
) -> Plan:
    """A plan for all files of `versions` and the .mod of `mods`."""
    lines = tuple(GoSumLine(version, "zip", f"h1:{version.path}=") for version in versions)
    scope = Scope(
        folder=Path("/proj"),
        definition=Path("/proj/go.mod"),
        module_paths=("example.com/app",),
        zips=versions,
        required_zips=frozenset(versions),
        mods=(*versions, *mods),
        explicit=False,
        gosum_lines=lines,
        key_lines=lines,
        sums=(Path("/proj/go.mod"), Path("/proj/go.sum")),
    )
    files = [ModuleFile(version, kind) for kind in KINDS for version in versions]
    there = frozenset(present)
    return Plan(
        scopes=() if more.get("disabled_because") else (scope,),
        key=cache_key("example.com/app", (line.text for line in scope.gosum_lines)),
        folder=ModuleFolder.of_cache(Path("/modcache")),
        files=(*files, *(ModuleFile(version, "mod") for version in mods)),
        present=there,
        private=frozenset(private),
        unsaved=dict.fromkeys(private, "GOPRIVATE"),
        **{"unpacked": frozenset(v for v in versions if files_of(v) <= there), **more},
    )


def report(plan: Plan, **parts: Any) -> Report:
    """A report of this plan; every part not given is that of a run in which nothing happened."""
    nothing: dict[str, Any] = {
        "restored": Restored(POOL),
        "downloaded": Downloaded(),
        "admitted": Admitted(),
        "completed": Completed(),
        "saved": Saved(),
        "seconds": 12.3456,
        "machine": _MACHINE,
        "goversion": "go1.27.3",
        "settings_shown": read_settings({"goproxy": "https://u:hunter2@a.example"}, {}, Path("/proj")).shown,
    }
    return Report(plan=plan, **{**nothing, **parts})


def cold(seconds: float, *machines: Machine, **more: Any) -> Baseline:
    """One cold run that waited so many seconds for exactly these files."""
    whole: dict[str, Any] = {
        "estimate": seconds, "modules": 2, "modules_restored": 2, "is_minimum": False, "runs": 1,
        "machines": machines or (_MACHINE,),
    }  # fmt: skip
    return Baseline(seconds, **{**whole, **more})


def downloaded(*files: ModuleFile, **more: Any) -> Downloaded:
    """These files, downloaded from one proxy."""
    return Downloaded(files=dict.fromkeys(files, PROXY), **more)


def _failed(*files: ModuleFile) -> tuple[Failure, ...]:
    return tuple(
        Failure(file, not_found=True, attempts=(FailedAttempt(PROXY, "404 Not Found", 404),)) for file in files
    )


_COLD = plan(A, B, PRIVATE, private=[PRIVATE], seconds=0.0123)
_NOTHING = notice("no-requirements", definition="/proj/go.mod")
_MISMATCH = "verifying example.com/a@v1.0.0: checksum mismatch\n\tdownloaded: h1:A=\n\tgo.sum:     h1:B="

# One of each kind that a reader may meet.
REPORTS = {
    "miss": report(
        _COLD,
        restored=Restored(POOL, seconds=0.01),
        downloaded=downloaded(*files_of(A, B), bytes=1_234_567, seconds=2.5, sources=(Source(PROXY, 6, 1_234_567, 2),)),
        admitted=Admitted(frozenset({A}), 0.4, {Deferral.TWO_HASHES: 1}),
        completed=Completed(files_of(PRIVATE), 4321, seconds=1.25),
        saved=Saved(6, 1_234_567, 0.05),
    ),
    "exact": report(
        plan(A, B, seconds=0.0123),
        restored=Restored(POOL, files_of(A, B), 1_234_567, 0.3, cold=cold(8.75)),
        completed=Completed(seconds=0.45),
        saved=Saved(skipped_reason=notice("nothing-to-save", "stored")),
        seconds=0.9,
    ),
    "exact_but_slower": report(
        plan(A, PRIVATE, private=[PRIVATE]),
        restored=Restored(POOL, files_of(A), 999, 3.0, cold=cold(1.5)),
        completed=Completed(files_of(PRIVATE), 0, seconds=0.5),
        saved=Saved(skipped_reason=notice("save-disabled")),
    ),
    "partial": report(
        plan(A, B, present=[ModuleFile(A, "info")]),
        restored=Restored(
            POOL, files_of(A, B) - {ModuleFile(A, "info")}, 2_000_000_000, 1.0, frozenset({ModuleFile(B, "info")})
        ),
        completed=Completed(
            rejected=(Rejection(ModuleFile(A, "zip"), POOL, _MISMATCH),),
            seconds=0.5,
            refetched=downloaded(
                ModuleFile(A, "zip"),
                bytes=1000,
                seconds=0.2,
                sources=(Source(PROXY, 1, 1000, 0),),
                failures=_failed(ModuleFile(B, "info")),
            ),
        ),
        saved=Saved(1, 1000, 0.01),
        notes=(
            notice("go-sum-line-ignored", source="go.sum", number=3, problem="version 'v1' is not canonical"),
            notice("files-not-needed", count=1, failures=_failed(ModuleFile(B, "info"))),
        ),
    ),
    "present": report(plan(A, B, present=files_of(A, B)), seconds=0.04),
    "disabled": report(plan(disabled_because=_NOTHING), restored=Restored(""), seconds=0.0),
    "failed": report(
        plan(A),
        downloaded=Downloaded(failures=_failed(*sorted(files_of(A))), seconds=1.0),
        completed=Completed(
            failure=ChecksumMismatch(
                "checksum-mismatch",
                module_file=ModuleFile(A, "zip"),
                sources=(PROXY,),
                stderr=_MISMATCH,
            )
        ),
        saved=Saved(skipped_reason=notice("run-failed")),
    ),
}
