"""The progress of a download: what came, what did not, what is being waited for."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.retry import AttemptError, Backoff, Budget, Deadline
from go_prefetch.golang.goproxy import parse_proxy_list
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.model.progress import Meter, Progress
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.run.steps.download import download
from go_prefetch.web.in_flight import Received, Wire
from tests.support.fakes.reports import A, B


def test_progress_failed_files_are_not_done(tmp_path: Path) -> None:
    def get(url: str, out: BinaryIO, most: int, deadline: Deadline, wire: Wire) -> Received:
        raise AttemptError("401 Unauthorized", transient=False)

    meter = Meter("Download")
    walk = ProxyWalk(parse_proxy_list("http://proxy.test"), get, Budget(Deadline.after(60), Backoff(1), jobs=1))
    download([ModuleFile(A, "mod"), ModuleFile(B, "mod")], walk, ModuleFolder.at(tmp_path), meter=meter)
    seen = meter.read()
    assert (seen.files, seen.all_files, seen.failed) == (0, 2, 2)


def test_progress_of_a_running_request_has_bytes_and_name(tmp_path: Path) -> None:
    meter, seen = Meter("Download"), list[Progress]()

    def get(url: str, out: BinaryIO, most: int, deadline: Deadline, wire: Wire) -> Received:
        wire.note_progress(20_000)
        seen.append(meter.read())
        return Received(out.write(f"module {A.path}\n".encode()))

    walk = ProxyWalk(parse_proxy_list("http://proxy.test"), get, Budget(Deadline.after(60), Backoff(1), jobs=1))
    download([ModuleFile(A, "mod")], walk, ModuleFolder.at(tmp_path), meter=meter)
    assert seen[0].bytes == 20_000
    assert seen[0].waiting_for == f"{A} .mod from http://proxy.test"
    assert meter.read().files == 1
