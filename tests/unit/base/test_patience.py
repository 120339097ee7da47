"""What is tried again, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from go_prefetch.base.patience import DENIED, SHARING_VIOLATION, patiently


class WindowsError(PermissionError):
    """An error as Windows reports it."""

    def __init__(self, winerror: int) -> None:
        super().__init__(13, "refused")
        self.winerror = winerror


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


def failing(times: int, error: OSError) -> Callable[[], str]:
    errors = [error] * times

    def act() -> str:
        if errors:
            raise errors.pop()
        return "done"

    return act


@pytest.mark.parametrize("code", [DENIED, SHARING_VIOLATION])
def test_patiently_repeats_what_windows_refuses_for_a_moment(code: int) -> None:
    time = Time()
    assert patiently(failing(5, WindowsError(code)), clock=lambda: time.now, sleep=time.sleep) == "done"
    assert time.waits == sorted(time.waits)
    assert len(time.waits) == 5


def test_patiently_gives_up_after_its_time() -> None:
    time = Time()
    with pytest.raises(PermissionError):
        patiently(failing(10_000, WindowsError(DENIED)), clock=lambda: time.now, sleep=time.sleep, seconds=2.0)
    assert 2.0 <= time.now < 2.2


@pytest.mark.parametrize("error", [PermissionError(13, "denied"), FileNotFoundError(2, "gone"), WindowsError(2)])
def test_patiently_raises_other_errors_at_once(error: OSError) -> None:
    time = Time()
    with pytest.raises(OSError, match=r"denied|gone|refused"):
        patiently(failing(1, error), clock=lambda: time.now, sleep=time.sleep)
    assert time.waits == []
