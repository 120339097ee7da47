"""A folder as a proxy (`file://`) that holds other things than files: none of them holds a run up, or fills a disk."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from go_prefetch.base.retry import AttemptError, Deadline
from go_prefetch.golang.modcache import MAX_BYTES, ModuleFile
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.proxies.file_proxy import copied
from go_prefetch.web.in_flight import Wire
from tests.support.fakes.module_proxy import ModuleProxy
from tests.support.fakes.modules import FakeModule, write_proxy_folder
from tests.support.same_process import prefetch
from tests.support.workbench import Workbench

LIB = FakeModule("example.com/lib", "v1.2.3")
FILE = ModuleFile(ModuleVersion("example.com/lib", "v1.2.3"), "mod")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MAX_BYTES["mod"] + 1)


THINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "it is not a regular file"),
    "a folder": (Path.mkdir, "it is not a regular file"),
    "a device without end": (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
    "more than Go takes": (sparse, f"more than {MAX_BYTES['mod']} bytes"),
    "what cannot be read": (lambda path: path.symlink_to("/proc/self/mem"), "input/output error"),
    "a link to itself": (lambda path: path.symlink_to(path), "too many levels of symbolic links"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "no such file"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder; the module is to be laid into it."""
    path = tmp_path / "files with 100%"
    (path / FILE.name).parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize(("lay", "words"), THINGS.values(), ids=THINGS)
def test_what_is_no_file_of_a_module_is_one_failed_attempt(
    folder: Path, tmp_path: Path, lay: Callable[[Path], object], words: str
) -> None:
    lay(folder / FILE.name)
    with (tmp_path / "copy").open("w+b") as out, pytest.raises(AttemptError) as caught:
        copied(folder.as_uri(), FILE, out, Deadline.after(60), Wire())
    assert str(caught.value) == words
    assert caught.value.not_found == (words == "no such file")
    assert not caught.value.transient or caught.value.not_found


def test_no_time_and_a_quicker_proxy_end_a_copy(folder: Path, tmp_path: Path) -> None:
    (folder / FILE.name).write_bytes(LIB.mod)
    overtaken = Wire()
    overtaken.cut()
    for deadline, wire in ((Deadline.after(0), Wire()), (Deadline.after(60), overtaken)):
        with pytest.raises(AttemptError):
            copied(folder.as_uri(), FILE, io.BytesIO(), deadline, wire)


@pytest.mark.parametrize("lay", [THINGS["a pipe"][0], THINGS["what cannot be read"][0]], ids=["a pipe", "unreadable"])
def test_the_next_proxy_brings_it_where_errors_may_go_there(
    bench: Workbench, folder: Path, lay: Callable[[Path], object]
) -> None:
    """It is the proxy that is wrong, not the module cache: the run goes on, and after a `,` it does not."""
    bench.write_project([LIB])
    write_proxy_folder(folder, [LIB])
    (folder / FILE.name).unlink()
    lay(folder / FILE.name)
    with ModuleProxy([LIB]) as good:
        run = ("run", "--store", "none", "--stall-timeout", "200ms", "--attempts", "1")
        protected = prefetch(bench, *run, GOPROXY=f"{folder.as_uri()},{good.url}")
        assert (protected.status, good.paths()) == (5, []), protected.text
        result = prefetch(bench, *run, GOPROXY=f"{folder.as_uri()}|{good.url}")
        assert result.status == 0, result.text
        assert good.paths() == [FILE.name]


def test_doctor_waits_for_nobody_at_a_pipe(bench: Workbench, folder: Path) -> None:
    bench.write_project([LIB])
    os.mkfifo(folder / ModuleFile(FILE.module, "zip").name)
    flags = ("--samples", "1", "--store", "none", "--format", "json")
    result = prefetch(bench, "doctor", *flags, GOPROXY=f"{folder.as_uri()},off")
    assert result.status == 1
    (source,) = json.loads(result.stdout)["sources"]
    assert [one["failure"] for one in source["unclear"]] == [THINGS["a pipe"][1]]
