"""What is said while files come: those that came, and those that did not, are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from go_prefetch.base.retry import AttemptError, Backoff, Budget, Deadline
from go_prefetch.golang.goproxy import parse_proxy_list
from go_prefetch.golang.modcache import ModuleFile, ModuleFolder
from go_prefetch.proxies.fetcher import ProxyWalk
from go_prefetch.run.steps.download import download
from go_prefetch.web.in_flight import Received, Wire
from tests.support.fakes.reports import A, B


def test_a_file_that_did_not_come_is_not_called_downloaded(tmp_path: Path) -> None:
    def get(url: str, out: BinaryIO, most: int, deadline: Deadline, wire: Wire) -> Received:
        raise AttemptError("401 Unauthorized", transient=False)

    said = list[str]()
    walk = ProxyWalk(parse_proxy_list("http://proxy.test"), get, Budget(Deadline.after(60), Backoff(1), jobs=1))
    files = [ModuleFile(A, "mod"), ModuleFile(B, "mod")]
    download(files, walk, ModuleFolder.at(tmp_path), progress=said.append)
    assert [words.rpartition(", 0.0 MB, ")[0] for words in said] == [
        "downloaded 0 of 2 files, 1 not",
        "downloaded 0 of 2 files, 2 not",
    ]
