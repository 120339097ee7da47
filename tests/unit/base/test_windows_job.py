"""The structures of Windows have the sizes that its headers give them (64-bit)."""

from __future__ import annotations

import ctypes

from go_prefetch.base import windows_job


def test_structures_have_the_sizes_of_the_headers() -> None:
    assert ctypes.sizeof(windows_job._Limits) == 144  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION
    assert ctypes.sizeof(windows_job._Accounting) == 48  # JOBOBJECT_BASIC_ACCOUNTING_INFORMATION
