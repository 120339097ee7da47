"""Packing an entry: what changes meanwhile, and what ends early."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from go_prefetch.errors import notice
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder, file_named
from go_prefetch.stores.cache_service import compression
from go_prefetch.stores.cache_service.compression import PLAIN, ArchiveError, Encoding, by_program, in_process
from go_prefetch.stores.cache_service.module_archive import write_archive
from go_prefetch.stores.cache_service.protocol import NotAllowed
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.service_shelf import ENCODINGS

LIB = FakeModule("example.com/lib", "v1.2.3", padding=3_000_000)
NAMES = ("zip", "mod", "info")


class Sink:
    """Counts bytes."""

    size = 0

    def write(self, data: bytes, /) -> None:
        self.size += len(data)


class Refusing:
    """Takes nothing, as an upload whose key was refused."""

    def write(self, data: bytes, /) -> None:
        del data
        raise NotAllowed(notice("entry-taken"))


@pytest.fixture
def folder(tmp_path: Path) -> ModuleFolder:
    write_proxy_folder(tmp_path / "proxy", [LIB])
    return ModuleFolder.at(tmp_path / "proxy")


@pytest.fixture
def files() -> list[ModuleFile]:
    found = [file_named(f"{LIB.path}/@v/{LIB.version}.{kind}") for kind in NAMES]
    return [file for file in found if file]


def program(folder: Path, script: str) -> Encoding:
    """An encoding by this script in place of zstd."""
    if sys.platform == "win32":
        pytest.skip("the program is a shell script")
    path = folder / "zstd"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return by_program(str(path), {"PATH": os.environ["PATH"]})


@pytest.mark.parametrize("change", [b"", b"longer than before" * 99])
def test_write_archive_changed_file_raises(folder: ModuleFolder, files: list[ModuleFile], change: bytes) -> None:
    """Each file is read once, after the manifest that has its size."""

    def changing(packed: ModuleFile) -> None:
        if packed.kind == "zip":
            for file in files[1:]:
                folder.path_of(file).write_bytes(change)

    with pytest.raises(ArchiveError, match="changed while it was read"):
        write_archive(Sink(), folder, files, PLAIN, packed=changing)


def test_write_archive_zip_damaged_meanwhile_raises(folder: ModuleFolder, files: list[ModuleFile]) -> None:
    """A zip that Go has accepted, and that another program changed since then."""
    path = folder.path_of(files[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError):
        write_archive(Sink(), folder, files, ENCODINGS["zstd"])


def test_write_archive_program_that_ends_early_raises(
    folder: ModuleFolder, files: list[ModuleFile], tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError):
        write_archive(Sink(), folder, files, program(tmp_path, "exit 3"))


def test_write_archive_program_that_fails_late_raises(
    folder: ModuleFolder, files: list[ModuleFile], tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match="status 3"):
        write_archive(Sink(), folder, files, program(tmp_path, "cat; exit 3"))


@pytest.mark.parametrize("most_threads", [0, 1])
def test_in_process_any_number_of_threads_is_read_again(
    folder: ModuleFolder, files: list[ModuleFile], most_threads: int
) -> None:
    """A library may be built without threads. It refuses their parameters."""
    real = compression._zstd_module()
    parameters = {parameter.name: parameter for parameter in real.CompressionParameter}

    class Threads:
        def bounds(self) -> tuple[int, int]:
            return 0, most_threads

    class Parameters:
        def __getattr__(self, name: str) -> object:
            if name == "nb_workers" and not most_threads:
                return Threads()
            assert most_threads or name != "job_size"
            return parameters[name]

    class Module:
        CompressionParameter = Parameters()
        ZstdFile = real.ZstdFile

    out = io.BytesIO()
    write_archive(out, folder, files, in_process(Module))
    with ENCODINGS["zstd"].decompressing(io.BytesIO(out.getvalue())) as stream:
        assert stream.read(13) == b"manifest.json"


@pytest.mark.parametrize("encoding", ["program", *ENCODINGS])
def test_write_archive_refused_upload_says_why(
    folder: ModuleFolder, files: list[ModuleFile], tmp_path: Path, encoding: str
) -> None:
    chosen = program(tmp_path, "exec cat") if encoding == "program" else ENCODINGS[encoding]
    with pytest.raises(NotAllowed):
        write_archive(Refusing(), folder, files, chosen)
