"""An error of a folder says where, though files are opened by names relative to an open folder."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from go_prefetch.modfiles.managed_folder import folder_error


@pytest.mark.parametrize(
    ("filename", "said"),
    [
        ("v1.0.0.mod", "v1.0.0.mod in /cache: Permission denied"),
        ("/cache/x", "/cache/x: Permission denied"),
        (b"v1.0.0.mod", "v1.0.0.mod in /cache: Permission denied"),
        (None, "/cache: Permission denied"),
    ],
)
def test_folder_error_names_file_and_folder(filename: object, said: str) -> None:
    error = folder_error(OSError(errno.EACCES, "Permission denied", filename), Path("/cache"))
    assert error.message == f"the modules cannot be written: {said}"
