"""A hostile program with write access to a pool. It changes files while runs use them, drawn by a seeded generator.

Usage: python pool_writer.py CONFIG, with the pool as working folder; it stops when its standard input is closed.
CONFIG is JSON: `seed`, `pause` (the longest, in seconds), `uid` (0: stay who you are), `actions`, `spares_notes` (keep
away from `.go-prefetch`), `outside` (a folder whose files links lead to), `arsenal` (a folder of files with other
content, below `same/` of the same size), `log`.

It writes to files in the pool only: never through its own links, which are there for others to fall for.
The log has a line for each action, `ACTION<tab>PATH<tab>own`, before it happens; `own` marks paths that it has made.
"""

from __future__ import annotations

import json
import os
import random
import re
import select
import stat
import sys
import time
from pathlib import Path

NOTES = ".go-prefetch"
DIGITS = re.compile(r"(\d+)(\.\w+)?$")
MODES = (0, 0o200, 0o444, 0o600, 0o666, 0o755, 0o777)
MOST_HELD = 6


class PoolWriter:
    """The program, in its working folder."""

    def __init__(self, config: dict[str, object]) -> None:
        self.lot = random.Random(int(str(config["seed"])))
        self.pause = float(str(config["pause"]))
        self.spares_notes = bool(config["spares_notes"])
        self.root = Path.cwd()
        outside = Path(str(config["outside"]))
        self.victims = [path for path in sorted(outside.rglob("*")) if path.is_file()]
        self.victim_folders = [path for path in sorted(outside.rglob("*")) if path.is_dir()]
        self.untouchable = {(path.stat().st_dev, path.stat().st_ino) for path in self.victims}
        arsenal = Path(str(config["arsenal"]))
        self.other = {
            path.relative_to(arsenal).as_posix(): path.read_bytes() for path in arsenal.rglob("*") if path.is_file()
        }
        self.names = sorted(name for name in self.other if not name.startswith("same/"))
        self.log = Path(str(config["log"])).open("w")  # noqa: SIM115 - opened before the privileges go
        self.actions = [getattr(self, str(name)) for name in config["actions"]]  # type: ignore[attr-defined]
        self.held: list[int] = []
        self.moved: list[tuple[Path, Path]] = []
        self.seen_temporary = ""

    def run(self) -> None:
        """Act until standard input ends; then let everybody into the folders again."""
        while not select.select([sys.stdin], [], [], self.lot.uniform(0, self.pause))[0]:
            try:
                self.lot.choice(self.actions)()
            except OSError:
                continue  # it went away meanwhile, or we may not
        for link, real in reversed(self.moved):
            self._attempt(lambda link=link, real=real: self._put_back(link, real))
        for folder in self._folders():
            self._attempt(lambda folder=folder: folder.chmod(0o777))

    # In-place writes.

    def overwrite(self) -> None:
        """Write other bytes of the same size into a file, or some bytes at some place in it."""
        path = self._file()
        with self._opened(path) as file:
            self._note("overwrite", path)
            self._write_other(path, file)

    def flicker(self) -> None:
        """Write other bytes into a file, and the old ones back, a few times: right when looked at, wrong when read."""
        path = self._file(".zip")
        with self._opened(path) as file:
            before = file.read()
            self._note("flicker", path)
            for _ in range(self.lot.randint(1, 4)):
                self._write_other(path, file)
                time.sleep(self.lot.uniform(0, self.pause))
                file.seek(0)
                file.write(before)
                file.truncate()

    def exchange_content(self) -> None:
        """Write another valid file, of another size, over this one."""
        path = self._file()
        data = self.other.get(path.as_posix(), b"{}")
        with self._opened(path) as file:
            self._note("exchange_content", path)
            file.write(data)
            file.truncate()

    def truncate(self) -> None:
        """Cut a file short, or make it a little larger than it is."""
        path = self._file()
        with self._opened(path) as file:
            self._note("truncate", path)
            file.truncate(self.lot.randint(0, path.lstat().st_size + 10))

    def write_held(self) -> None:
        """Write into files that were opened long ago, whatever name they have by now."""
        path = self._file()
        if len(self.held) < MOST_HELD:
            with self._opened(path) as file:
                self.held.append(os.dup(file.fileno()))
        descriptor = self.lot.choice(self.held)
        size = os.fstat(descriptor).st_size
        self._note("write_held", path)
        os.pwrite(descriptor, self.lot.randbytes(64), self.lot.randint(0, max(0, size - 64)))
        if len(self.held) >= MOST_HELD:
            self.held.remove(descriptor)
            os.close(descriptor)

    # Names.

    def rename_over(self) -> None:
        """Put another file in the place of one, or where none is yet."""
        path = self._name()
        data = self.other[self.lot.choice(("same/", "")) + path.as_posix()]
        self._put("rename_over", path, lambda new: new.write_bytes(data))

    def mix_up(self) -> None:
        """Give one file of the pool the name of another as well."""
        one, path = self._file(), self._file()
        self._put("mix_up", path, lambda new: os.link(one, new, follow_symlinks=False))

    def remove(self) -> None:
        """Remove a file."""
        path = self._file()
        self._note("remove", path)
        path.unlink()

    def link_out(self) -> None:
        """Put a link to a file outside in the place of a file."""
        victim = self.lot.choice(self.victims)
        self._put("link_out", self._name(), lambda new: new.symlink_to(victim))

    def hard_link_out(self) -> None:
        """The same with a hard link, which only the owner of that file may make."""
        victim = self.lot.choice(self.victims)
        self._put("hard_link_out", self._name(), lambda new: os.link(victim, new))

    def no_file(self) -> None:
        """Put a pipe or a folder in the place of a file."""
        make = self.lot.choice((os.mkfifo, os.mkdir))
        path = self._name()
        if make is os.mkdir:
            self._note("no_file", path, own=True)
            path.unlink(missing_ok=True)
            path.mkdir()
        else:
            self._put("no_file", path, make)

    def link_folder(self) -> None:
        """Move a folder away, put a link to one outside in its place; or put such a folder back."""
        if self.moved and self.lot.random() < 0.6:
            self._put_back(*self.moved.pop())
            return
        path = self._drawn(self._folders()[1:])
        real = path.with_name(f"{path.name}.moved{self.lot.randrange(10**6)}")
        self._note("link_folder", real, own=True)
        path.rename(real)
        self.moved.append((path, real))
        path.symlink_to(self.lot.choice(self.victim_folders), target_is_directory=True)

    def hit_temporary(self) -> None:
        """Find a file that a run is writing: change it, remove it, or put a link in its place."""
        path = self._temporary()
        how = self.lot.randrange(4)
        if how == 0:
            with self._opened(path) as file:
                self._note("hit_temporary", path)
                file.write(self.lot.randbytes(200))
        elif how == 1:
            self._note("hit_temporary", path)
            path.unlink()
        else:
            victim = self.lot.choice(self.victims)
            self._put("hit_temporary", path, lambda new: new.symlink_to(victim))

    def plant_next(self) -> None:
        """Plant links under the names that temporary files would have if the digits of one told the next ones."""
        self._files()
        match = re.search(r"(\d{6,})\.tmp$", self.seen_temporary)
        if match is None:
            raise OSError("nobody has written yet")
        first = int(match[1]) + 1
        for name in [name for name in self.names if not os.path.lexists(name)]:
            for number in range(first, first + 8):
                path = Path(f"{name}{str(number).zfill(len(match[1]))}.tmp")
                victim = self.lot.choice(self.victims)
                self._attempt(lambda path=path, victim=victim: self._plant("plant_next", path, victim))

    def plant_note(self) -> None:
        """Plant notes like those that are there, under names like theirs, that name files outside."""
        seen = [path for path in self._files() if path.parts[:1] == (NOTES,)]
        path = self.lot.choice(seen) if seen else Path(NOTES, "runs/0.json")
        victim = self.lot.choice(self.victims)
        target = self.lot.choice((str(victim), os.path.relpath(victim), f"{'../' * 12}{str(victim).lstrip('/')}"))
        try:
            with self._opened(path) as file:
                lines = file.read().decode(errors="replace").splitlines() or [target]
        except OSError:
            lines = [target]
        text = "\n".join(re.sub(r'[^"\s]*[/.][^"\s]*', lambda _: target, line) for line in lines)
        if self.lot.random() < 0.5:
            match = DIGITS.search(path.name)
            number = str(int(match[1]) + self.lot.randint(1, 3)) if match else str(self.lot.randrange(10**6))
            path = path.with_name(f"{path.name[: match.start()] if match else ''}{number}{path.suffix}")
        self._put("plant_note", path, lambda new: new.write_text(text))

    def change_mode(self) -> None:
        """Change the mode of a file, or for a moment that of a folder."""
        path = self._drawn([*self._files(), *self._folders()])
        held = path.lstat()
        if (held.st_dev, held.st_ino) in self.untouchable or stat.S_ISLNK(held.st_mode):
            return
        self._note("change_mode", path)
        if not stat.S_ISDIR(held.st_mode):
            path.chmod(self.lot.choice(MODES))
            return
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(folder, self.lot.choice(MODES))
            time.sleep(self.lot.uniform(0, 5 * self.pause))
            os.fchmod(folder, 0o777)  # by its name it might not be found any more
        finally:
            os.close(folder)

    # What these have in common.

    def _plant(self, action: str, path: Path, victim: Path) -> None:
        self._stays_inside(path)
        path.symlink_to(victim)
        self._note(action, path, own=True)

    def _put_back(self, link: Path, real: Path) -> None:
        self._stays_inside(link)
        if link.is_symlink():
            link.unlink()
        real.rename(link)

    def _put(self, action: str, path: Path, make: object) -> None:
        """Make something under a name of our own, then rename it to `path`."""
        self._stays_inside(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".writer{self.lot.randrange(10**9)}")
        self._note("makes", new, own=True)
        make(new)  # type: ignore[operator]
        self._note(action, path, own=True)
        new.rename(path)

    def _opened(self, path: Path):  # type: ignore[no-untyped-def]
        self._stays_inside(path)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK), "r+b", buffering=0)
        held = os.fstat(file.fileno())
        if (held.st_dev, held.st_ino) in self.untouchable or not stat.S_ISREG(held.st_mode):
            file.close()
            raise OSError("not a file to write to")
        return file

    def _write_other(self, path: Path, file) -> None:  # type: ignore[no-untyped-def]
        size = os.fstat(file.fileno()).st_size
        data = self.other.get(f"same/{path.as_posix()}", b"")
        if len(data) == size and self.lot.random() < 0.7:
            file.seek(0)
            file.write(data)
        else:
            file.seek(self.lot.randint(0, max(0, size - 1)))
            file.write(self.lot.randbytes(self.lot.randint(1, 200)))

    def _stays_inside(self, path: Path) -> None:
        if not Path(os.path.realpath(path.parent)).is_relative_to(self.root):
            raise OSError("one of our own links leads there")

    def _name(self) -> Path:
        """The name of a module file, whether it is there or not."""
        return Path(self.lot.choice(self.names))

    def _file(self, suffix: str = "") -> Path:
        return self._drawn([path for path in self._files() if path.name.endswith(suffix)])

    def _temporary(self) -> Path:
        """A file that a run is writing; there may be one within a moment."""
        found: list[Path] = []
        for _ in range(20):
            found = found or [path for path in self._files() if path.name.endswith(".tmp") and not path.is_symlink()]
        return self._drawn(found)

    def _drawn(self, paths: list[Path]) -> Path:
        if not paths:
            raise FileNotFoundError
        return self.lot.choice(paths)

    def _files(self) -> list[Path]:
        found = [folder / name for folder, names in self._walked() for name in names]
        temporary = [path.name for path in found if path.name.endswith(".tmp") and not path.is_symlink()]
        self.seen_temporary = temporary[-1] if temporary else self.seen_temporary
        return found

    def _folders(self) -> list[Path]:
        return [folder for folder, _ in self._walked()]

    def _walked(self) -> list[tuple[Path, list[str]]]:
        """Every folder and the names of its files; without the notes if they are to be spared."""
        walked = [(Path(folder), sorted(names)) for folder, _, names in os.walk(".")]
        return [(folder, names) for folder, names in walked if not (self.spares_notes and folder.parts[:1] == (NOTES,))]

    def _note(self, action: str, path: Path, *, own: bool = False) -> None:
        self._stays_inside(path)
        if self.spares_notes and path.parts[:1] == (NOTES,):
            raise PermissionError
        self.log.write(f"{action}\t{path.as_posix()}\t{'own' if own else ''}\n")

    def _attempt(self, act) -> None:  # type: ignore[no-untyped-def]
        try:
            act()
        except OSError:
            return


# What it can do; a round may use some of it.
ACTIONS = (
    "overwrite", "flicker", "exchange_content", "truncate", "write_held", "rename_over", "mix_up", "remove", "link_out",
    "hard_link_out", "no_file", "link_folder", "hit_temporary", "plant_next", "plant_note", "change_mode",
)  # fmt: skip


def main() -> None:
    """Take what only the owner may read, then become the user that the writer is."""
    config = json.loads(Path(sys.argv[1]).read_text())
    writer = PoolWriter(config)
    os.umask(0)
    if config["uid"]:
        os.setgroups([])
        os.setgid(config["uid"])
        os.setuid(config["uid"])
    print("ready", flush=True)
    with writer.log:
        writer.run()


if __name__ == "__main__":
    main()
