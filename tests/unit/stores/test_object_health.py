"""When a storage of objects counts as dead: sooner if it has never answered."""

from __future__ import annotations

import pytest

from go_prefetch.stores.objects.intake import Health
from go_prefetch.stores.objects.port import ObjectError, Trouble

AT_ONCE = 32  # requests of one restore


def _after(failures: int, trouble: Trouble, *, worked: bool) -> str:
    """Return the slug of the problem after so many failures in a row; empty if there is none."""
    health = Health("s3://pool")
    if worked:
        health.note_success()
    for _ in range(failures):
        health.note(ObjectError(trouble, "closed"))
    return health.problem.notice.slug if health.problem else ""


def test_storage_that_never_answers_is_soon_dead() -> None:
    assert _after(8, Trouble.UNREACHABLE, worked=False) == "store-unreachable"


def test_busy_storage_may_fail_all_requests_at_once() -> None:
    assert not _after(AT_ONCE, Trouble.UNREACHABLE, worked=True)
    assert _after(AT_ONCE + 8, Trouble.UNREACHABLE, worked=True) == "store-unreachable"


def test_any_answer_begins_the_count_anew() -> None:
    health = Health("s3://pool")
    for _ in range(100):
        health.note(ObjectError(Trouble.UNREACHABLE, "closed"))
        health.note(ObjectError(Trouble.MISSING, ""))
    assert health.problem is None


@pytest.mark.parametrize("worked", [False, True])
def test_denial_of_everything_is_none_of_single_objects(*, worked: bool) -> None:
    assert bool(_after(256, Trouble.DENIED, worked=worked)) is not worked
