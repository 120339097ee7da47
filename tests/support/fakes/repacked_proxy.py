"""A proxy that packs the same files otherwise: other order, other times, no compression."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule


class RepackedProxy(ModuleProxy):
    """go.sum's hashes hold for its zips, whose bytes are no other proxy's."""

    def __init__(self, modules: Iterable[FakeModule]) -> None:
        super().__init__(modules)
        for name in [name for name in self.files if name.endswith(".zip")]:
            self.files[name] = _repacked(self.files[name])


def _repacked(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as copy:
        for entry in reversed(archive.infolist()):
            copy.writestr(zipfile.ZipInfo(entry.filename, (2020, 2, 2, 2, 2, 2)), archive.read(entry))
    return out.getvalue()
