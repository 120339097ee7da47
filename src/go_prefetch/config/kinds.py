"""The kinds of value that inputs take: how a text is parsed, and how help and errors describe what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import cast

from go_prefetch.base.retry import Jobs
from go_prefetch.base.suggestions import closest
from go_prefetch.config.choices import JobStatus, StoreChoice, StoreKind, When
from go_prefetch.golang.toolchain import is_platform

Value = str | int | float | bool | tuple[str, ...] | Enum | StoreChoice | Jobs

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_SECONDS = 7 * 24 * 3600.0
_UNITS = {"": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_AGE_SECONDS = {"h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
# A bucket or a server, and a path of plain parts below it. A `..` would lead out of the pool.
_POOL_URL = re.compile(
    r"(?P<scheme>s3|gs|az|https?)://[A-Za-z0-9.\-\[\]:_]+(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:%-]+)*/?"
)
_AUTO_JOBS = Jobs(least=16, most=64)
_GITLAB_STATUS = {"failed": JobStatus.FAILURE, "canceled": JobStatus.CANCELLED}


@dataclass(frozen=True)
class Kind:
    """One kind of value. `forms` are what a text may lack, such as its unit: `{}s` makes `10s` of `10`."""

    parse: Callable[[str], Value]  # raises ValueError
    metavar: str  # what help shows in place of a value
    allowed: str  # for errors
    choices: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()

    def meant(self, text: str) -> str:
        """Return the allowed text that a wrong one was probably meant to be; empty if there is none."""
        return closest(text, self.choices) or next(filter(self._takes, self._guesses(text)), "")

    def _guesses(self, text: str) -> Iterator[str]:
        bare = "".join(text.split())
        for form in ("{}", *self.forms) if self.forms and bare and ":" not in bare else ():
            yield from (form.format(guess) for guess in (bare, bare.lower(), bare.upper()))

    def _takes(self, text: str) -> bool:
        try:
            self.parse(text)
        except ValueError:
            return False
        return True


def duration(text: str) -> float:
    """Return the seconds of `15s`, `2m`, `1m30s`, `500ms` (Go's notation): more than zero, at most a week."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(text)
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise ValueError(text)
    return seconds


def boolean(text: str) -> bool:
    """Parse `true` or `false` in any case, as YAML 1.2 writes them."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def lines(text: str) -> tuple[str, ...]:
    """Return the lines of `text` that are not blank."""
    found = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not found or any("\0" in line for line in found):
        raise ValueError(text)
    return found


def platforms(text: str) -> tuple[str, ...]:
    """Parse systems and architectures as Go names them, such as `linux/amd64`, one per line."""
    found = lines(text)
    if not all(map(is_platform, found)):
        raise ValueError(text)
    return found


def store(text: str) -> StoreChoice:
    """Parse `auto`, `github`, `none`, `dir:PATH`, the URL of a pool, or both: a folder in front of that pool.

    The path stays as it was written. A URL has no login, so that it may be shown.
    """
    front, blank, last = text.rpartition(" ")
    if shared := _shared_pool(last):
        return replace(shared, text=text, pool=_folder_of_pool(front.rstrip()) if blank else None)
    if text.startswith("dir:"):
        return StoreChoice(StoreKind.POOL, text, _folder_of_pool(text))
    kind = StoreKind(text)
    if kind not in (StoreKind.AUTO, StoreKind.GITHUB, StoreKind.NONE):
        raise ValueError(text)
    return StoreChoice(kind, text)


def _shared_pool(url: str) -> StoreChoice | None:
    match = _POOL_URL.fullmatch(url)
    kind = StoreKind.HTTP if match and match["scheme"].startswith("http") else StoreKind.BUCKET
    return StoreChoice(kind, url, url=url.rstrip("/")) if match else None


def _folder_of_pool(text: str) -> Path:
    path = text.removeprefix("dir:")
    if path == text or not path or "\0" in path or "://" in path:
        raise ValueError(text)
    return Path(path)


def pool(text: str) -> StoreChoice:
    """Parse a folder, `dir:` and a folder, the URL of a bucket, or `auto`, which is the default pool."""
    if text == StoreKind.AUTO.value:
        return StoreChoice(StoreKind.AUTO, text)
    if "://" in text:
        shared = _shared_pool(text)
        if shared is None or shared.kind is not StoreKind.BUCKET:  # nothing else can be listed
            raise ValueError(text)
        return shared
    return StoreChoice(StoreKind.POOL, text, Path(file_name(text).removeprefix("dir:")))


def job_status(text: str) -> JobStatus:
    """Parse the words of GitHub's `job.status` and of GitLab's CI_JOB_STATUS. Every other text means UNKNOWN."""
    try:
        return _GITLAB_STATUS.get(text.lower()) or JobStatus(text.lower())
    except ValueError:
        return JobStatus.UNKNOWN


def one_line(text: str) -> str:
    """Return any text of one line."""
    text.encode()  # UnicodeEncodeError, a ValueError, if the environment held bytes that are no text
    return file_name(text)


def file_name(text: str) -> str:
    """Return a name of a file or folder. It need not be text."""
    if re.search(r"[\r\n\0]", text):
        raise ValueError(text)
    return text


def login(text: str) -> str:
    """Return `user:password`, or a token that may be sent in a header."""
    if ":" in one_line(text) or re.fullmatch("[!-~]+", text):
        return text
    raise ValueError(text)


def share(text: str) -> float:
    """Parse a share such as `0.8` or `80%`."""
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?(%?)", text)
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def positive(text: str) -> float:
    """Parse a number above zero, such as `30` or `2.5`."""
    if not re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,6})?", text) or not float(text):
        raise ValueError(text)
    return float(text)


def age(text: str) -> float:
    """Return the seconds of `12h`, `30d` or `2w`."""
    match = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if not match or not int(match[1]):
        raise ValueError(text)
    return int(match[1]) * _AGE_SECONDS[match[2]]


def amount(text: str) -> int:
    """Return the bytes of `5GB`, `500 MB`, `2GiB` or a plain number."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([kMGT]B|[KMG]iB|)", text)
    if not match:
        raise ValueError(text)
    return round(float(match[1]) * _UNITS[match[2]])


def choice(values: type[Enum], parse: Callable[[str], Value] | None = None) -> Kind:
    """Return the kind of the values of an enum."""
    texts = tuple(value.value for value in values)
    allowed = ", ".join(f"`{text}`" for text in texts[:-1]) + f" or `{texts[-1]}`"
    return Kind(parse or values, f"{{{','.join(texts)}}}", allowed, texts)


def whole_number(low: int, high: int) -> Kind:
    """Return the kind of a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind(parse, "N", f"a whole number from {low} to {high}")


def jobs(text: str) -> Jobs:
    """Parse `auto`, or the number of downloads at once. GitLab's template has a number, and 0 for `auto`."""
    if text in ("auto", "0"):
        return _AUTO_JOBS
    number = cast(int, whole_number(1, 128).parse(text))
    return Jobs(number, number)


def text_line(metavar: str, allowed: str) -> Kind:
    """Return the kind of any text of one line."""
    return Kind(one_line, metavar, allowed)


def name_of_file(metavar: str, allowed: str) -> Kind:
    """Return the kind of a name of a file or folder."""
    return Kind(file_name, metavar, allowed)


def text_lines(metavar: str, allowed: str) -> Kind:
    """Return the kind of a list with one item per line."""
    return Kind(lines, metavar, allowed)


JOB_STATUS = Kind(job_status, "STATUS", "`success`, `failure` or `cancelled`")
TEXT = Kind(str, "TEXT", "any text")
DURATION = Kind(duration, "DURATION", "a duration such as `15s`, `2m` or `1m30s`", forms=("{}s",))
AGE = Kind(age, "AGE", "an age such as `12h`, `30d` or `8w`", forms=("{}d",))
SIZE = Kind(amount, "SIZE", "a size such as `500MB` or `5GB`", forms=("{}B",))
LOGIN = Kind(login, "LOGIN", "`user:password`, or a token without blanks")
SHARE = Kind(share, "SHARE", "a share such as `0.8` or `80%`", forms=("{}%",))
SECONDS = Kind(positive, "SECONDS", "a number above zero, such as `30` or `2.5`")
# Their flags need no value.
SWITCH = Kind(boolean, "", "`true` or `false`", ("true", "false"))
AUTO_SWITCH = Kind(When, "", "`auto`, `true` or `false`", ("auto", "true", "false"))
PLATFORMS = Kind(platforms, "OS/ARCH", "platforms such as `linux/amd64`, one per line")
POOL = Kind(pool, "DIR", "a folder, a bucket such as `s3://BUCKET/PREFIX`, or `auto` for the default pool")
JOBS = Kind(jobs, "N", "`auto` or a whole number from 1 to 128", ("auto",))
STORE = Kind(
    store, "{auto,github,dir:PATH,URL,none}",
    "`auto`, `github`, `dir:PATH`, `s3://BUCKET/PREFIX` (also `gs://`, `az://`), `https://HOST/PATH` or `none`",
    ("auto", "github", "none"), ("dir:{}",),
)  # fmt: skip
