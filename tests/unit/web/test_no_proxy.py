"""NO_PROXY as golang.org/x/net/http/httpproxy reads it: which hosts are reached without the HTTP proxy."""

from __future__ import annotations

import pytest

from go_prefetch.web.http_settings import HttpSettings


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("*", "a.test", True),
        ("a.test", "a.test", True),
        ("a.test", "b.a.test", True),
        (".a.test", "b.a.test", True),
        ("*.a.test", "b.a.test", True),
        ("a.test", "ba.test", False),
        (" b.test , A.TEST ", "a.test", True),
        ("a.test:80", "a.test", True),
        ("a.test:81", "a.test", False),
        ("a.test:\u00b2", "a.test", False),
        (f"a.test:{'9' * 5000}", "a.test", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "a.test", False),
        ("fd00::/8", "[fd00::1]", True),
        ("", "a.test", False),
        (",,", "a.test", False),
    ],
)
def test_who_is_reached_directly(no_proxy: str, host: str, direct: bool) -> None:
    settings = HttpSettings(http_proxy="http://proxy.test:3128", no_proxy=no_proxy)
    assert settings.proxy_for(f"http://{host}/x") == ("" if direct else "http://proxy.test:3128")
