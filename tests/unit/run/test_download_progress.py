"""The progress of a download: what came, what did not, what is being waited for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from go_prefetch.base.retry import AttemptError, Backoff, Budget, Deadline, Jobs
from go_prefetch.golang.goproxy import parse_proxy_list
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.golang.module import ModuleVersion
from go_prefetch.model.progress import Meter, Progress
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.run.steps.download import download
from go_prefetch.web.in_flight import Received, Wire
from tests.support.fakes.reports import A, B


def test_progress_failed_files_are_not_done(tmp_path: Path) -> None:
    def get(url: str, out: BinaryIO, most: int, deadline: Deadline, wire: Wire) -> Received:
        raise AttemptError("401 Unauthorized", transient=False)

    meter = Meter("Download")
    walk = ProxyWalk(
        parse_proxy_list("http://proxy.test"), get, Budget(Deadline.after(60), Backoff(1), jobs=Jobs(1, 1))
    )
    download([ModuleFile(A, "mod"), ModuleFile(B, "mod")], walk, ModuleFolder.at(tmp_path), meter=meter)
    seen = meter.read()
    assert (seen.files, seen.all_files, seen.failed) == (0, 2, 2)


def test_progress_of_a_running_request_has_bytes_and_name(tmp_path: Path) -> None:
    meter, seen = Meter("Download"), list[Progress]()

    def get(url: str, out: BinaryIO, most: int, deadline: Deadline, wire: Wire) -> Received:
        wire.note_progress(20_000)
        seen.append(meter.read())
        return Received(out.write(f"module {A.path}\n".encode()))

    walk = ProxyWalk(
        parse_proxy_list("http://proxy.test"), get, Budget(Deadline.after(60), Backoff(1), jobs=Jobs(1, 1))
    )
    download([ModuleFile(A, "mod")], walk, ModuleFolder.at(tmp_path), meter=meter)
    assert seen[0].bytes == 20_000
    assert seen[0].waiting_for == f"{A} .mod from http://proxy.test"
    assert meter.read().files == 1


@pytest.mark.parametrize(
    ("latency", "least", "most", "expected"),
    [(0.01, 4, 8, 4), (0.05, 4, 8, 8), (0.009, 4, 64, 6), (0.05, 4, 4, 4)],
)
def test_download_slow_answers_runs_more_at_once(
    tmp_path: Path, latency: float, least: int, most: int, expected: int
) -> None:
    """The first forty answers tell how long one takes; all files of the second forty are there before one ends."""
    files = [ModuleFile(ModuleVersion("example.com/a", f"v1.0.{number}"), "mod") for number in range(40 + most)]
    lock, free = threading.Lock(), threading.Event()
    counts = {"asked": 0, "at once": 0, "most": 0}

    def get(url: str, out: BinaryIO, most_bytes: int, deadline: Deadline, wire: Wire) -> Received:
        with lock:
            counts["asked"] += 1
            is_late = counts["asked"] > 40
            counts["at once"] += is_late
            counts["most"] = max(counts["most"], counts["at once"])
            if counts["at once"] == expected:
                free.set()
        if is_late:
            free.wait(10)
        wire.first_byte = latency
        with lock:
            counts["at once"] -= is_late
        return Received(out.write(b"module example.com/a\n"))

    walk = ProxyWalk(
        parse_proxy_list("http://proxy.test"), get, Budget(Deadline.after(60), Backoff(1), Jobs(least, most))
    )
    download(files, walk, ModuleFolder.at(tmp_path), meter=Meter("Download"))
    assert counts["most"] == expected
