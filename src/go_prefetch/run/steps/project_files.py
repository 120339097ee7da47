"""Read the files of a project that decide the plan: go.mod, go.work, go.sum, go.work.sum, vendor/modules.txt."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterable
from pathlib import Path

from go_prefetch.errors import GoSumError, Notice, notice
from go_prefetch.golang import goflags as flags
from go_prefetch.golang.gomod import go_line_at_least
from go_prefetch.golang.gosum import GoSum, GoSumLine, parse_gosum

# Far above those of any project; a file of this size takes seconds and hundreds of megabytes.
_MOST_GO_MOD, _MOST_GO_SUM = 16 << 20, 32 << 20


def text_of(path: Path) -> str:
    """Return the text of a go.mod or go.work. Raises GoSumError for one that cannot be read."""
    try:
        return text_in(regular_bytes(path, _MOST_GO_MOD))
    except OSError as error:
        raise GoSumError("go-mod-unreadable", path=path, words=error.strerror) from None


def text_in(data: bytes) -> str:
    """Return the text of a go.mod as Go reads it: bytes that are not UTF-8 are allowed in comments.

    They become lone surrogates, which no path or version may have.
    """
    return data.decode("utf-8", errors="surrogateescape")


def sums_of(paths: Iterable[Path]) -> GoSum:
    """Return all lines of these files. A missing file has none, and Go decides about that."""
    lines: dict[GoSumLine, None] = {}
    ignored: list[Notice] = []
    for path in paths:
        try:
            data = regular_bytes(path, _MOST_GO_SUM)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise GoSumError("go-sum-unreadable", path=path, words=error.strerror) from None
        gosum = parse_gosum(data, str(path))
        lines.update(dict.fromkeys(gosum.lines))
        ignored.extend(gosum.ignored)
    return GoSum(tuple(lines), tuple(ignored))


def regular_bytes(path: Path, most: int = _MOST_GO_MOD) -> bytes:
    """Return all bytes of a file. Raises OSError if it is too large or not a regular file: a link may lead anywhere."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")  # /dev/zero
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most >> 20} MiB")
    return data


def vendored(folder: Path, go: str, goflags: str, *, workspace: bool) -> Notice | None:
    """Return why Go reads no module cache here: it builds from vendor/. Return None if it does read it."""
    modules_txt = folder / "vendor" / "modules.txt"
    if not modules_txt.is_file() or flags.value(goflags, "mod") in ("mod", "readonly"):
        return None
    with modules_txt.open(encoding="utf-8", errors="replace") as lines:
        marks = {mark.strip() for mark in lines.readline().removeprefix("## ").split(";")}
    # Written by `go work vendor` or by `go mod vendor`. Go uses it only in the mode that it was written in.
    if not go or not go_line_at_least(go, 1, 14) or ("workspace" in marks) != workspace:
        return None
    return notice("vendored", folder=folder)
