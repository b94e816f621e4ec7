"""What went wrong is logged once, and not with each datagram that somebody sends."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from millrace.threads import Trouble, trouble


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(trouble, "time", clock)
    return clock


def events_of(logs):
    return [log["event"] for log in logs]


def test_an_error_that_lasts_is_logged_once(clock):
    one = Trouble("decoding")
    with capture_logs() as logs:
        for _ in range(100):
            one.note("no")
            clock.now_s += 1
        one.clear()
    assert events_of(logs) == ["decoding failed", "decoding works again"]
    assert one.failures == 100


def test_an_error_that_comes_and_goes_is_logged_once_a_second(clock):
    one = Trouble("decoding")
    with capture_logs() as logs:
        for _ in range(100):
            one.note("no")
            one.clear()
            clock.now_s += 0.0625
    # A few at once, then one a second.
    assert 8 <= events_of(logs).count("decoding failed") <= 11
    assert len(logs) <= 22
    assert (one.failures, one.error, one.last_error) == (100, "", "no")


def test_an_error_that_lasts_is_told_though_others_came_right_before(clock):
    one = Trouble("decoding")
    with capture_logs() as logs:
        for number in range(9):
            one.note(f"other {number}")
        for _ in range(20):
            one.note("second")
            clock.now_s += 0.125
    assert [log["error"] for log in logs] == [*(f"other {number}" for number in range(4)), "second"]
