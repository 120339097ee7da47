"""What the chosen values decide."""

from __future__ import annotations

import pytest

from go_prefetch.config.choices import OnFailure, StoreChoice, StoreKind, When
from go_prefetch.errors import ChecksumMismatch, DownloadError, PrefetchError


@pytest.mark.parametrize("auto", [True, False])
def test_when_auto_applies_as_the_job_has_it(*, auto: bool) -> None:
    assert [when.applies(auto=auto) for when in (When.AUTO, When.ALWAYS, When.NEVER)] == [auto, True, False]


@pytest.mark.parametrize(
    ("on_failure", "error", "ends"),
    [
        (OnFailure.FAIL, DownloadError("go-stalled", "", hint=""), True),
        (OnFailure.WARN, DownloadError("go-stalled", "", hint=""), False),
        (OnFailure.WARN, ChecksumMismatch("checksum-mismatch", "", hint=""), True),
    ],
)
def test_on_failure_warn_never_hides_a_wrong_byte(on_failure: OnFailure, error: PrefetchError, *, ends: bool) -> None:
    assert on_failure.ends_with(error) is ends


def test_stores_that_take_a_cache_service() -> None:
    choices = [StoreChoice(kind, kind.value) for kind in StoreKind]
    assert [choice.kind for choice in choices if choice.takes_cache_service] == [StoreKind.AUTO, StoreKind.GITHUB]
