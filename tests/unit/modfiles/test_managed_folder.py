"""An error of a folder says where, though files are opened by names relative to an open folder."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from go_prefetch.modfiles.managed_folder import folder_error
from tests.support.notices import facts

_CACHE = Path("/cache").absolute()  # on Windows with a drive


@pytest.mark.parametrize(
    ("filename", "place"),
    [
        ("v1.0.0.mod", f"v1.0.0.mod in {_CACHE}"),
        (str(_CACHE / "x"), str(_CACHE / "x")),
        (b"v1.0.0.mod", f"v1.0.0.mod in {_CACHE}"),
        (None, str(_CACHE)),
    ],
)
def test_folder_error_names_file_and_folder(filename: object, place: str) -> None:
    error = folder_error(OSError(errno.EACCES, "Permission denied", filename), _CACHE)
    assert facts(error) == {"place": place, "words": "Permission denied"}
