"""What the client makes of the answers of WebDAV servers."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import Deadline
from go_prefetch.stores.objects.http_server import Reply
from go_prefetch.stores.objects.webdav import WebDav


@pytest.mark.parametrize(("second", "is_there"), [(405, True), (201, True), (403, False)])
def test_folder_that_two_writers_make_at_once_is_there(second: int, *, is_there: bool) -> None:
    """Apache says 403 to the later one: mkdir has failed."""
    statuses = iter([403, second])
    dav = WebDav(lambda *_, **__: Reply(next(statuses), {}, None))
    assert dav.make_folder("http://127.0.0.1/pool/example.com", Deadline()) is is_there
