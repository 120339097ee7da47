"""Three runs at once on one pool and one module cache, two of them killed, beside a program that changes the pool."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from go_prefetch.base.trees import remove_trees
from tests.support.fakes import pool_writer
from tests.support.fakes.modules import FakeModule, layout
from tests.support.gosum_check import contents, differences, foreign, shared_inodes, stem, tree
from tests.support.pool_content import other_content, other_files
from tests.support.workbench import Workbench

NOBODY = 65534
MARK = b"what only its owner may read"
# The steps by the words of the log, in order. The first has begun before anything is printed.
STEPS = ("Plan", "Restore", "Download", "Verify", "go mod download", "Save")
ENDS_WITHIN = 20.0  # seconds for what a killed run had started, on a busy machine
# A step of several lines has a heading, which is printed while it goes on. One of one line is over: "Plan: 3 modules".
_TITLE = re.compile(rf"^({'|'.join(STEPS)})($|: )", re.MULTILINE)
_REPLACED = re.compile(r"\[(files-rejected|store-damaged|trees-replaced)\]")
_OTHER_NAMES = re.compile(r"^\.go-prefetch/(runs|unavailable)/\w+\.json$|/\.writer\d+$")
_OTHER_NAMES_OR_BEGUN = re.compile(rf"{_OTHER_NAMES.pattern}|^\.go-prefetch/run-\d+$|\d\.tmp$")
_MOVED = re.compile(r"\.moved\d+")
_IN_MEMORY = "/dev/shm"
_WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@dataclass
class Tally:
    """What happened over all rounds."""

    rounds: int = 0
    failed: dict[int, Counter[str]] = field(default_factory=dict)  # seed to how often what was wrong
    killed: Counter[str] = field(default_factory=Counter)
    ended: int = 0  # before they were to be killed
    changes: Counter[str] = field(default_factory=Counter)
    planted: int = 0
    replaced: int = 0
    run_seconds: list[float] = field(default_factory=lambda: [0.8])

    def __str__(self) -> str:
        steps = ", ".join(f"{step} {self.killed[step]}" for step in STEPS)
        changes = ", ".join(f"{name} {count}" for name, count in sorted(self.changes.items()))
        seconds = sorted(self.run_seconds)
        return (
            f"{self.rounds} rounds, {len(self.failed)} failed; {self.killed.total()} runs killed ({steps}), "
            f"{self.ended} had ended before; the writer changed {self.changes.total()} files ({changes}); the runs "
            f"replaced {self.replaced} files; {self.planted} trees without a zip; a final run took "
            f"{seconds[len(seconds) // 2]:.1f} s"
        )


@dataclass
class Run:
    """One run of the program that was started."""

    process: subprocess.Popen[bytes]
    log: Path
    began: float = field(default_factory=time.monotonic)
    seen: bool = False  # how it ended has been looked at

    @property
    def text(self) -> str:
        """What it has said so far."""
        return self.log.read_text(errors="replace")

    @property
    def step(self) -> str:
        """Where it is, or was in the end."""
        titles: list[tuple[str, str]] = _TITLE.findall(self.text)
        if not titles:
            return STEPS[0]
        title, is_over = titles[-1]
        return STEPS[min(STEPS.index(title) + bool(is_over), len(STEPS) - 1)]


class Round:
    """All that is drawn for one seed, and its folder."""

    def __init__(self, seed: int, folder: Path, all_modules: list[FakeModule], tally: Tally) -> None:
        self.lot = random.Random(seed)
        self.seed = seed
        self.modules = all_modules
        self.tally = tally
        self.bench = Workbench(folder, folder / "gocache", starts_processes=True)
        self.outside = folder / "outside"
        self.problems: list[tuple[str, str]] = []
        as_root = sys.platform == "linux" and os.getuid() == 0 and shutil.which("setpriv") is not None
        self.who = self.lot.choice(("same user", "other user", "other user, plain runs") if as_root else ("same user",))
        self.umask = 0o022 if self.who == "same user" or self.lot.random() < 0.2 else 0
        self.spares_notes = self.lot.random() < 0.5
        self.temporary = folder / "tmp"
        self.before = ""
        self.writers: set[str] = set()  # paths in the pool that the writer made
        self.environ = {
            "TMPDIR": str(self.temporary), "GOFLAGS": self.lot.choice(("", "-modcacherw"))
        }  # fmt: skip

    def __str__(self) -> str:
        spares = ", the writer spares notes" if self.spares_notes else ""
        return f"seed {self.seed} ({self.who}{spares}, umask {self.umask:03o}, {self.before})"

    def _wrong(self, what: str, details: str) -> None:
        self.problems.append((what, details.replace(f"{self.bench.folder}/", "")))

    def run(self, goproxy: str) -> None:
        """The round; what was wrong is in `problems` afterwards."""
        self.environ["GOPROXY"] = goproxy
        self._lay()
        shared_memory = set(os.listdir(_IN_MEMORY)) if sys.platform == "linux" else set()  # noqa: PTH208 - names
        outside = contents(self.outside)
        writer = self._start_writer()
        with writer:
            self._three_runs()
            self._wait_for_the_end()
            assert writer.stdin
            writer.stdin.close()
            assert writer.wait(30) == 0
        self._count_changes()
        self._compare("after the final run", outside)
        last = self._start("last")
        if last.process.wait(120) != 0:
            self._wrong("the undisturbed run", f"ended with {last.process.returncode}\n{last.text[-3000:]}")
        self._wait_for_the_end()
        self._compare("after the undisturbed run", outside)
        self._look_for_leftovers(shared_memory)
        verified = self.bench.go("mod", "verify")
        if verified.stdout != "all modules verified\n":
            self._wrong("go mod verify", verified.text)

    # What was there before.

    def _lay(self) -> None:
        lot, bench = self.lot, self.bench
        bench.write_project(self.modules)
        self.temporary.mkdir()
        telemetry = bench.folder / "home/.config/go/telemetry/mode"
        telemetry.parent.mkdir(parents=True)
        telemetry.write_text("off")
        self._lay_outside()
        pool = lot.choice(("empty", "half", "full", "wrong"))
        cache = lot.choice(("empty", "empty", "half"))
        bench.pool.mkdir()
        pooled = lot.sample(self.modules, {"empty": 0, "half": 6}.get(pool, 12))
        for name, data in layout(pooled).items():
            other = pool == "wrong" and lot.random() < 0.4
            _write(bench.pool / name, (self.bench.folder / "arsenal" / name).read_bytes() if other else data)
        present = lot.sample(self.modules, 6 if cache == "half" else 0)
        for module in present:
            self._lay_present(module)
        absent = [module for module in self.modules if module not in present]
        planted = lot.sample(absent, lot.choice((0, 0, 1, 3)))
        for module in planted:
            self._plant_tree(module)
        self.tally.planted += len(planted)
        if self.who != "same user":
            for path in [bench.pool, *bench.pool.rglob("*")]:
                path.chmod(0o777 if path.is_dir() else 0o666)
                if lot.random() < 0.5:
                    os.chown(path, NOBODY, NOBODY)
        self.before = f"pool {pool}, module cache {cache}, {len(planted)} trees planted"

    def _lay_outside(self) -> None:
        """Files that links lead to, and the writer's other content for each file of the pool."""
        names = ("v1.0.0.zip", "v1.0.0.mod", "v1.0.0.info", "v1.0.0.lock", "0.json", "note")
        for name in [*names, *(f"folder/{name}" for name in names), *(f"folder/@v/{name}" for name in names)]:
            _write(self.outside / name, MARK)
            (self.outside / name).chmod(0o600)
        arsenal = self.bench.folder / "arsenal"
        for module in self.modules:
            for name, data in layout([module]).items():
                for folder, size in (("", None), ("same", len(data))):
                    _write(arsenal / folder / name, other_content(module, name, size))

    def _lay_present(self, module: FakeModule) -> None:
        """As an earlier run of go leaves it."""
        at = self.bench.download_folder
        for name, data in layout([module]).items():
            _write(at / name, data)
        _write(at / f"{stem(module)}.ziphash", module.h1_zip.encode())
        _write(at / f"{stem(module)}.lock", b"")
        for name, data in module.contents.items():
            inside = name.removeprefix(f"{module.path}@{module.version}/")
            _write(self.bench.modcache / tree(module) / inside, data)

    def _plant_tree(self, module: FakeModule) -> None:
        """Other code in the place of a module that has no zip, with or without go.sum's hash beside it."""
        for name, data in other_files(module).items():
            inside = name.removeprefix(f"{module.path}@{module.version}/")
            _write(self.bench.modcache / tree(module) / inside, data)
        if self.lot.random() < 0.5:
            _write(self.bench.download_folder / f"{stem(module)}.ziphash", module.h1_zip.encode())

    # What happens at once.

    def _start_writer(self) -> subprocess.Popen[str]:
        bench, lot = self.bench, self.lot
        actions = pool_writer.ACTIONS
        config = {
            "seed": lot.randrange(10**9),
            "pause": lot.choice((0.002, 0.008, 0.03)),
            "uid": 0 if self.who == "same user" else NOBODY,
            "spares_notes": self.spares_notes,
            "actions": lot.sample(actions, lot.choice((3, 6, len(actions)))),
            "outside": str(self.outside),
            "arsenal": str(bench.folder / "arsenal"),
            "log": str(bench.folder / "writer.log"),
        }
        (bench.folder / "writer.json").write_text(json.dumps(config))
        argv = [sys.executable, "-I", pool_writer.__file__, str(bench.folder / "writer.json")]
        writer = subprocess.Popen(
            argv, cwd=bench.pool, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PATH": os.defpath}
        )
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
        return writer

    def _start(self, name: str) -> Run:
        """A run of the program."""
        bench = self.bench
        said = bench.folder / f"{name}.log"
        plain = _WITHOUT_PRIVILEGES if self.who == "other user, plain runs" else []
        argv = [*plain, *bench.command, "run", "--store", f"dir:{bench.pool}", "--verbose", "--deadline", "60s"]
        with said.open("wb") as output:
            process = subprocess.Popen(
                argv, cwd=bench.project, env={**bench.environ, **self.environ}, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, umask=self.umask,
            )  # fmt: skip
        return Run(process, said)

    def _three_runs(self) -> None:
        """Start all three, kill two of them at their moments, see how the last one ends."""
        lot = self.lot
        usual = sorted(self.tally.run_seconds)[len(self.tally.run_seconds) // 2]
        delays = [lot.uniform(0, 0.5) * usual for _ in range(3)]
        moments = [self._moment(usual), self._moment(usual)]
        began = time.monotonic()
        runs: dict[int, Run] = {}
        while not (len(runs) == 3 and all(run.seen for run in runs.values())):
            for number, delay in enumerate(delays):
                if number not in runs and time.monotonic() - began >= delay:
                    runs[number] = self._start(f"run{number}")
            for number, run in runs.items():
                over = run.process.poll() is not None
                if not run.seen and number == 2 and over:
                    self.tally.run_seconds.append(time.monotonic() - run.began)
                    self._final_run_ended(run)
                    run.seen = True
                elif not run.seen and number < 2 and (over or moments[number](run)):
                    self._kill(run)
                    run.seen = True
            if time.monotonic() - began > 150:
                self._end_for_good(runs[2])
                return
            time.sleep(0.002)
        self.tally.replaced += sum(len(_REPLACED.findall(run.text)) for run in runs.values())

    def _moment(self, usual: float) -> Callable[[Run], bool]:
        """When to kill a run: at any time, or in a certain step, of which some are very short."""
        if self.lot.random() < 0.4:
            after = self.lot.uniform(0, 1.1 * usual)
            return lambda run: time.monotonic() - run.began >= after
        step, after = self.lot.choice(STEPS), self.lot.choice((0.0, 0.01, 0.05, 0.2))
        since: list[float] = []

        def reached(run: Run) -> bool:
            if not since and run.step == step:
                since.append(time.monotonic())
            return bool(since) and time.monotonic() - since[0] >= after

        return reached

    def _end_for_good(self, run: Run) -> None:
        self._wrong("the final run", f"did not end\n{run.text[-2000:]}")
        run.process.kill()
        run.process.wait()

    def _kill(self, run: Run) -> None:
        """kill -9 for that process alone: what it has started has to end without help."""
        run.process.send_signal(signal.SIGKILL)
        status = run.process.wait()
        if status == -signal.SIGKILL:
            self.tally.killed[run.step] += 1
        else:
            self.tally.ended += 1
            if status != 0:
                self._wrong("a run beside it", f"ended with {status}\n{run.text[-3000:]}")

    def _final_run_ended(self, run: Run) -> None:
        """Status 0, and the job's next step finds every module, while others go on."""
        if run.process.returncode != 0:
            self._wrong("the final run", f"ended with {run.process.returncode}\n{run.text[-3000:]}")
            return
        build = self.bench.go("mod", "download")
        if build.status != 0:
            self._wrong("go mod download right after the final run", build.text[-1000:])

    def _wait_for_the_end(self) -> None:
        """Everything that the runs have started is to end."""
        until = time.monotonic() + ENDS_WITHIN
        while alive := self._alive():
            if time.monotonic() > until:
                self._wrong("still running", f"{ENDS_WITHIN:g} s after the last run: {alive}")
                for process in alive:
                    process.kill()
                return
            time.sleep(0.02)

    def _alive(self) -> list[psutil.Process]:
        """Processes that work in this round's folder, or were told of it; the writer is none of them."""
        found = []
        here = str(self.bench.folder)
        for process in psutil.process_iter():
            try:
                about = [process.cwd(), *process.environ().values(), *process.cmdline()]
                is_writer = str(self.bench.folder / "writer.json") in process.cmdline()
                if not is_writer and any(here in text for text in about) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    # What is there afterwards.

    def _count_changes(self) -> None:
        """Read the writer's log. A folder that it moved away and back has not changed hands, what it put there has."""
        for line in (self.bench.folder / "writer.log").read_text().splitlines():
            action, path, own = line.split("\t")
            if action != "makes":
                self.tally.changes[action] += 1
            if own:
                self.writers.add(path)
                if action != "link_folder":
                    self.writers.add(_MOVED.sub("", path))

    def _compare(self, when: str, outside: dict[str, tuple[int, bytes]]) -> None:
        bench = self.bench
        for line in differences(bench.modcache, (bench.project / "go.sum").read_text(), self.modules):
            self._wrong(f"{when}: module cache", line)
        for path in shared_inodes(bench.modcache, bench.pool):
            self._wrong(f"{when}: an inode in pool and module cache", path)
        now = contents(self.outside)
        for name in sorted(name for name in outside.keys() | now.keys() if outside.get(name) != now.get(name)):
            self._wrong(f"{when}: changed outside the pool", name)

    def _look_for_leftovers(self, shared_memory: set[str]) -> None:
        bench = self.bench
        for name in foreign(bench.modcache, self.modules):
            self._wrong("left in the module cache", name)
        for path in self.temporary.rglob("*"):
            self._wrong("left in TMPDIR", str(path))
        known = {*layout(self.modules)}
        for path in bench.pool.rglob("*"):
            name = path.relative_to(bench.pool).as_posix()
            if path.is_dir() or any(part.as_posix() in self.writers for part in (Path(name), *Path(name).parents)):
                continue
            # Who takes away a run's record of what it has begun, takes care of that himself.
            expected = _OTHER_NAMES if self.spares_notes else _OTHER_NAMES_OR_BEGUN
            if name not in known and not expected.search(name):
                self._wrong("left in the pool", name)
            secret = self.who != "same user" and path.is_file() and not path.is_symlink() and MARK in path.read_bytes()
            if secret:
                self._wrong("in the pool, and only its owner may read it", name)
        for name in set(os.listdir(_IN_MEMORY)) - shared_memory if sys.platform == "linux" else ():  # noqa: PTH208
            if any(_leads_to(path, bench.folder) for path in Path(_IN_MEMORY, name).rglob("*")):
                self._wrong("left in memory", name)

    def clear(self) -> None:
        """Remove the folder."""
        remove_trees(self.bench.folder, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _leads_to(path: Path, folder: Path) -> bool:
    return path.is_symlink() and str(path.readlink()).startswith(str(folder))
