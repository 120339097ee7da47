"""A BuildKit of its own for a bench, fresh as often as is asked."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from realproject import BenchError

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.image_builders import BuildKit, base_image
from tests.support.image_programs import missing_programs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

FROM_PROXY = "--mount=type=bind,source=proxy.pem,target=/proxy.pem SSL_CERT_FILE=/proxy.pem"
FROM_FOLDER = "--mount=type=bind,from=gomod,target=/gomod"


@contextlib.contextmanager
def builder(options: argparse.Namespace) -> Iterator[BuildKit]:
    """Start the daemon; end it and delete what it has kept. Raises BenchError where it cannot be had."""
    if reason := missing_programs():
        raise BenchError(reason)
    with tempfile.TemporaryDirectory(dir=options.scratch_dir, prefix="bk-") as temporary:
        folder = Path(temporary)
        buildkit = BuildKit(folder / "buildkit", base_image())
        try:
            if reason := buildkit.start(offline=False):
                raise BenchError(reason)
            yield buildkit
        finally:
            buildkit.forget()
            buildkit.stop()
