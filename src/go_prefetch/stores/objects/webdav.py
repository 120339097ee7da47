"""What a server can do that speaks WebDAV (RFC 4918): make folders, and rename.

nginx with `dav_methods` alone takes files and makes folders, but answers no OPTIONS. It renames a file itself once all
of it is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from go_prefetch.base.retry import AttemptError, Deadline

if TYPE_CHECKING:
    from go_prefetch.stores.objects.http_server import Reply

_MADE = (201, 405)  # 405: there is one
_RENAMED = (200, 201, 204)
_NO_PARENT = 409
_DENIED = 403
_EXISTS = 412
_REMOVAL_SECONDS = 2.0


class WebDav:
    """The requests of WebDAV, sent by `ask`, which raises AttemptError. Safe to use from many threads."""

    def __init__(self, ask: Callable[..., Reply]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._is_spoken: bool | None = None

    def is_spoken(self, url: str, deadline: Deadline) -> bool:
        """Return whether the server says so. It is asked once. Raises AttemptError."""
        with self._lock:
            if self._is_spoken is None:
                classes = self._ask("OPTIONS", url, deadline).headers.get("DAV", "")
                self._is_spoken = "1" in map(str.strip, classes.split(","))
            return self._is_spoken

    def move(self, source: str, target: str, deadline: Deadline, *, replaces: bool) -> bool | None:
        """Rename a file. Return False if there is one of that name, and None if the server cannot rename.

        It is not asked again then. Raises AttemptError.
        """
        # Apache takes no path in place of the URL.
        headers = {"Destination": target, "Overwrite": "T" if replaces else "F"}
        reply = self._ask("MOVE", source, deadline, headers=headers)
        if reply.status in _RENAMED:
            return True
        self._remove(source)
        if reply.status == _EXISTS and not replaces:
            return False
        self._is_spoken = False
        return None

    @contextmanager
    def removing(self, url: str) -> Iterator[None]:
        """Remove a file if the block fails, as far as it is there."""
        try:
            yield
        except BaseException:
            self._remove(url)
            raise

    def make_folder(self, url: str, deadline: Deadline) -> bool:
        """Make a folder and those above it. Return whether it may be there now. Raises AttemptError."""
        status = self._ask("MKCOL", f"{url}/", deadline).status
        parent = url.rpartition("/")[0]
        if status == _NO_PARENT and urlsplit(parent).path:
            if not self.make_folder(parent, deadline):
                return False
            status = self._ask("MKCOL", f"{url}/", deadline).status
        if status == _DENIED:  # Apache also says so to the second of two that make it at the same time
            status = self._ask("MKCOL", f"{url}/", deadline).status
        return status in _MADE

    def _remove(self, url: str) -> None:
        """Remove a file within a time of its own: that of the run may have ended, which is why the file is there."""
        with suppress(AttemptError):
            self._ask("DELETE", url, Deadline.after(_REMOVAL_SECONDS))
