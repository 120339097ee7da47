"""The two ways to zstd: a module of this Python, and the program."""

from __future__ import annotations

import os

import pytest

from go_prefetch.base.programs import find_program
from go_prefetch.stores.cache_service.compression import best_encoding, by_program

PROGRAM = find_program("zstd", os.environ.get("PATH", os.defpath))
NEEDS_PROGRAM = pytest.mark.skipif(PROGRAM is None, reason="there is no zstd")
MODULE = best_encoding({"PATH": ""})
WITH_PROGRAM = by_program(PROGRAM or "zstd", os.environ)
