"""A bucket as a storage: Amazon S3 and what speaks its protocol, Google Cloud Storage, Azure Blob Storage.

The client is obstore (an optional extra; ADR 22 says why), which signs, retries and refreshes credentials. Only its
synchronous calls are used, from daemon threads. It is imported here only, and late, because few runs need it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from go_prefetch.base.background import at_once
from go_prefetch.base.retry import Deadline
from go_prefetch.errors import StoreError
from go_prefetch.stores.objects.port import ObjectError, ObjectInfo, Trouble

_CHUNK = 1 << 20
_RANGE = 8 << 20  # bytes of a large zip that are read at once
_RANGES_AT_ONCE = 4
_LONGEST_ENDING = 12  # characters, such as `.zip.zstd-1`
_NO_SUCH_RANGE = 416
_RETRIES = 3
_BACKOFF = {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=4), "base": 2}
# Bytes. An object that is put at once is held in memory. A larger one is sent in parts, without the condition
# that there is none, because no bucket takes both. All writers have the same bytes.
_MOST_AT_ONCE = 8 << 20
_QUICKLY_SENT = 64 << 10  # bytes
_PART = 5 << 20  # the least that S3 takes
_PARTS_UNDERWAY = 2
_LONGEST_WORDS = 200
_STATUS = re.compile(r"status code: (\d{3})")
_CAUSE = re.compile(r'"([^"\n]* [^"\n]*)"')
_MOST_CAUSES = 2
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
# The codes of S3 and Azure for a login that does not do, with status 400 or 403.
_LOGIN = (
    "ExpiredToken", "TokenRefreshRequired", "InvalidToken", "RequestTimeTooSkewed", "RequestExpired",
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed",
)  # fmt: skip
_BY_STATUS = {401: Trouble.LOGIN, 403: Trouble.DENIED, 404: Trouble.MISSING, 429: Trouble.LIMITED}


@dataclass(frozen=True)
class BucketLimits:
    """How long a bucket may take. Seconds."""

    connect: float
    silence: float  # without a byte of an answer
    request: float  # one request with its whole answer


class Bucket:
    """The objects below `url`, such as `s3://bucket/prefix`.

    `config` has the client's own keys, such as a region or a login. `login` says where the login is from, for errors.
    Raises StoreError if the client cannot be used.
    """

    def __init__(self, url: str, config: Mapping[str, Any], limits: BucketLimits, login: str = "") -> None:
        self.name = url
        self._login = f" (login: {login})" if login else ""
        parts = urlsplit(url)
        self._obstore = _client(url, parts.scheme)
        options = {
            "connect_timeout": timedelta(seconds=limits.connect),
            "timeout": timedelta(seconds=limits.request),
            "allow_http": True,  # an endpoint of the user's own choice, on a private network
        }
        retry = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=limits.silence), "backoff": _BACKOFF}
        kinds = {"s3": "S3Store", "gs": "GCSStore", "az": "AzureStore"}
        make = getattr(self._obstore.store, kinds[parts.scheme])
        prefix = parts.path.strip("/") or None

        def store(silence: float) -> Any:
            client = {**options, "read_timeout": timedelta(seconds=silence)}
            return make(parts.netloc, prefix=prefix, client_options=client, retry_config=retry, **config)

        # The server is silent while it takes a large object, which may be long on a slow link.
        self._for_large = cache(partial(store, limits.request))
        try:
            self._store = store(limits.silence)
        except (self._obstore.exceptions.BaseError, ValueError, TypeError) as error:
            raise StoreError("store-unusable", store=url, words=_words(error)) from None

    def get(self, name: str, out: BinaryIO, most: int, deadline: Deadline) -> int:
        """See ObjectStorage."""
        with self._troubles():
            answer = self._beginning(name)
            size: int = answer.meta["size"]
            _limit(size, most)
            (_, end), total = answer.range, 0
            for piece in answer.stream(min_chunk_size=_CHUNK):
                total += len(piece)
                _limit(total, most)
                out.write(piece)
                _check_time(deadline)
            if total != end:
                raise ObjectError(Trouble.UNREACHABLE, f"closed after {total} of {end} bytes")
        if end < size:
            self._get_rest(name, out, answer.meta, deadline)
        return size

    def _beginning(self, name: str) -> Any:
        """Request an object: the first bytes of a zip, which may be large, and all of another one."""
        if ".zip" in name[-_LONGEST_ENDING:]:
            try:
                return self._obstore.get(self._store, name, options={"range": (0, _RANGE)})
            except self._obstore.exceptions.BaseError as error:
                match = _STATUS.search(str(error))
                if not match or int(match[1]) != _NO_SUCH_RANGE:  # the answer for an empty object
                    raise
        return self._obstore.get(self._store, name)

    def _get_rest(self, name: str, out: BinaryIO, meta: Mapping[str, Any], deadline: Deadline) -> None:
        """Write what comes after the first range. Some storages limit the rate of one answer."""
        size = meta["size"]
        same = {"if_match": meta["e_tag"]} if meta.get("e_tag") else {}
        starts, lock = iter(range(_RANGE, size, _RANGE)), threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    start = next(starts, None)
                if start is None:
                    return
                _check_time(deadline)
                end = min(start + _RANGE, size)
                with self._troubles():
                    content = self._obstore.get(self._store, name, options={"range": (start, end), **same}).bytes()
                if len(content) != end - start:
                    raise ObjectError(Trouble.UNREACHABLE, f"closed after {len(content)} of {end - start} bytes")
                with lock:
                    out.seek(start)
                    out.write(content)

        at_once(dict.fromkeys(range(_RANGES_AT_ONCE), work))

    def put(self, name: str, content: BinaryIO, deadline: Deadline, *, replaces: bool = False) -> bool:
        """See ObjectStorage."""
        size = content.seek(0, 2)
        content.seek(0)
        in_parts = size > _MOST_AT_ONCE
        if in_parts and not replaces and self.size(name, deadline) is not None:
            return False
        with self._troubles():
            store = self._store if size <= _QUICKLY_SENT else self._for_large()
            try:
                if in_parts:
                    self._put_in_parts(store, name, content, deadline)
                else:
                    mode = "overwrite" if replaces else "create"
                    self._obstore.put(store, name, content.read(), mode=mode, use_multipart=False)
            except (self._obstore.exceptions.AlreadyExistsError, self._obstore.exceptions.PreconditionError):
                return False
        return True

    def _put_in_parts(self, store: Any, name: str, content: BinaryIO, deadline: Deadline) -> None:
        """Send a large file. The client gets bytes only: it would read a file in a thread of its own.

        Such a thread aborts the process if Python ends meanwhile (ADR 22). Without `close`, no object appears.
        """
        writer = self._obstore.open_writer(store, name, buffer_size=_PART, max_concurrency=_PARTS_UNDERWAY)
        while piece := content.read(_CHUNK):
            with _failed_parts():
                writer.write(piece)
            _check_time(deadline)
        with _failed_parts():
            writer.close()

    def size(self, name: str, deadline: Deadline) -> int | None:
        """See ObjectStorage."""
        del deadline
        try:
            with self._troubles():
                found: int = self._obstore.head(self._store, name)["size"]
                return found
        except ObjectError as error:
            if error.trouble is Trouble.MISSING:
                return None
            raise

    def remove(self, name: str, deadline: Deadline) -> None:
        """See ObjectStorage."""
        del deadline
        try:
            with self._troubles():
                self._obstore.delete(self._store, name)
        except ObjectError as error:
            if error.trouble is not Trouble.MISSING:
                raise

    def entries(self, prefix: str, deadline: Deadline) -> Iterator[ObjectInfo]:
        """See ObjectStorage."""
        with self._troubles():
            for batch in self._obstore.list(self._store, prefix=prefix or None):
                for found in batch:
                    yield ObjectInfo(found["path"], found["size"], found["last_modified"].timestamp())
                _check_time(deadline)

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        """Raise ObjectError in place of the client's own errors."""
        exceptions = self._obstore.exceptions
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectError(Trouble.MISSING, _words(error)) from None
        except exceptions.BaseError as error:
            trouble = _trouble(str(error))
            login = self._login if trouble in (Trouble.DENIED, Trouble.LOGIN) else ""
            raise ObjectError(trouble, _words(error) + login) from None


@contextmanager
def _failed_parts() -> Iterator[None]:
    """Raise ObjectError for the failure of a part, which the client reports as one of the system."""
    try:
        yield
    except OSError as error:
        raise ObjectError(_trouble(str(error)), _words(error)) from None


def _client(url: str, extra: str) -> Any:
    try:
        import obstore  # noqa: PLC0415
        import obstore.exceptions  # noqa: PLC0415
        import obstore.store  # noqa: PLC0415
    except ImportError:
        raise StoreError("store-client-missing", store=url, extra=extra) from None
    return obstore


def _limit(size: int, most: int) -> None:
    if size > most:
        raise ObjectError(Trouble.TOO_LARGE, f"{size} bytes")


def _check_time(deadline: Deadline) -> None:
    if deadline.is_over:
        raise ObjectError(Trouble.UNREACHABLE, "no time left")


def _trouble(text: str) -> Trouble:
    """Return what the client's error means. It has no class for most statuses."""
    match = _STATUS.search(text)
    if not match:
        return Trouble.UNREACHABLE
    status, code = int(match[1]), _CODE.search(text)
    if code and code[1] in _LOGIN:
        return Trouble.LOGIN
    if "SlowDown" in text or status == 503:
        return Trouble.LIMITED
    return _BY_STATUS.get(status, Trouble.UNREACHABLE if status >= 500 else Trouble.REFUSED)


def _words(error: Exception) -> str:
    """Return the words of an error that may be shown: a status with the server's code, or the beginning of the text.

    The client's texts have URLs, and in some the query is a signature.
    """
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    if status:
        return " ".join(filter(None, (f"status {status[1]}", code[1] if code else "")))
    first, _, debug = text.partition("\n")
    causes = _CAUSE.findall(debug)[-_MOST_CAUSES:]  # the last is the system's own message
    words = re.sub(r"\?\S*", "", ": ".join(causes) or first.rpartition(" - ")[2])
    return words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS]}..."
