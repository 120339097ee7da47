"""The head of an answer: the last one, after those that only say that it is on its way."""

from __future__ import annotations

import http.client

_SWITCHING = 101


class FinalHead(http.client.HTTPResponse):
    """An answer as Go reads it: http.client itself passes over a 100, and takes a 103 (Early Hints) for the answer."""

    def begin(self) -> None:
        """Read the head of the answer proper; whoever reads the bytes limits how long others may come before it."""
        super().begin()
        while 100 <= self.status < 200 and self.status != _SWITCHING:
            self.headers = self.msg = None  # type: ignore[assignment]  # not read yet: so it looks to begin()
            super().begin()
