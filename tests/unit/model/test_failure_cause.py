"""The cause that all attempts of a failed download have in common."""

from __future__ import annotations

import pytest

from go_prefetch.base.retry import Cause
from go_prefetch.golang.modcache import ModuleFile
from go_prefetch.model.failure_cause import common_cause, hosts, is_late_only, meant_hosts
from go_prefetch.model.results import FailedAttempt, Failure, PassedOver
from tests.support.fakes.reports import A

GO, TYPO, CORP = "https://proxy.golang.org", "https://proxy.goland.org", "https://goproxy.corp.example"


def failing(*attempts: FailedAttempt) -> list[Failure]:
    return [Failure(ModuleFile(A, "zip"), not_found=False, attempts=attempts)]


@pytest.mark.parametrize(
    ("attempts", "case"),
    [
        ([FailedAttempt(one, cause=Cause.NO_NAME_SERVER) for one in (GO, CORP)], "no-network"),
        ([FailedAttempt(GO, cause=Cause.NO_SUCH_HOST)], "no-network"),
        ([FailedAttempt(TYPO, cause=Cause.NO_SUCH_HOST)], "misspelt-host"),
        ([FailedAttempt(CORP, cause=Cause.NO_SUCH_HOST)], "no-such-host"),
        ([FailedAttempt(CORP, cause=Cause.CERTIFICATE)], "certificate"),
        ([FailedAttempt(CORP, cause=Cause.NOT_CONNECTED)], "not-connected"),
        ([FailedAttempt(CORP, cause=Cause.SILENT)], "silent"),
        ([FailedAttempt(CORP, status=403), FailedAttempt(GO, status=401)], "refused"),
        ([FailedAttempt(CORP, status=407, at_http_proxy=True)], "http-proxy"),
        ([FailedAttempt(CORP, status=403), FailedAttempt(GO, status=500)], "refused"),
        ([FailedAttempt(GO, status=500), FailedAttempt(CORP, cause=Cause.CERTIFICATE)], "certificate"),
        ([FailedAttempt(CORP, status=403, at_http_proxy=True), FailedAttempt(GO, status=500)], ""),
        ([FailedAttempt(CORP, cause=Cause.CLEAR_TEXT)], "clear-text"),
        ([FailedAttempt(GO, status=500), FailedAttempt(CORP, cause=Cause.REDIRECTS)], "redirects"),
        ([FailedAttempt(CORP, cause=Cause.HANDSHAKE)], "handshake"),
        ([FailedAttempt(CORP, cause=Cause.CONTENT)], "content"),
        ([FailedAttempt(CORP, cause=Cause.CONTENT), FailedAttempt(GO, status=500)], ""),
        ([FailedAttempt(CORP, status=403), FailedAttempt(GO, passed_over=PassedOver.AFTER_COMMA)], "refused"),
        ([FailedAttempt("", passed_over=PassedOver.NO_TIME)], ""),
        ([], ""),
    ],
)
def test_common_cause_is_what_every_request_met(attempts: list[FailedAttempt], case: str) -> None:
    assert common_cause(failing(*attempts)) == case


def test_hosts_are_named_once_and_without_a_login() -> None:
    failures = failing(
        FailedAttempt("https://user:secret@proxy.goland.org/x"), FailedAttempt(TYPO), FailedAttempt("http://[")
    )
    assert hosts(failures) == ("proxy.goland.org",)
    assert meant_hosts(failures) == ("proxy.golang.org",)


def test_late_files_are_those_of_a_slow_origin_only() -> None:
    late, missing = FailedAttempt(GO, status=404, cause=Cause.SLOW_ORIGIN), FailedAttempt(CORP, status=404)
    assert is_late_only(failing(missing, late))
    assert not is_late_only(failing(missing))
    assert not is_late_only([*failing(late), *failing(missing)])
