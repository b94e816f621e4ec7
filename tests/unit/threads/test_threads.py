"""Threads and jobs go on after any error, tell it, count it, and tell when all is well again."""

import threading
import time

import pytest
from structlog.testing import capture_logs

from millrace.errors import StoreFullError
from millrace.threads import Ticker, Trouble, Watched

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_an_error_is_told_until_it_is_over_and_known_afterwards():
    trouble = Trouble("storing")
    assert trouble.condition("failed", "rows wait").status == "ok"
    trouble.note(StoreFullError("no room"))
    told = trouble.condition("failed", "rows wait")
    assert (told.status, told.reasons) == ("failed", ("rows wait: no room",))
    trouble.clear()
    told = trouble.condition("failed", "rows wait")
    assert (told.status, told.reasons, told.last_error) == ("ok", (), "no room")
    assert abs(time.time() - told.last_error_at.timestamp()) < 60
    trouble.note(ValueError("x"))
    assert (trouble.error, trouble.failures) == ("ValueError: x", 2)


def test_the_same_error_is_logged_once():
    trouble = Trouble("storing")
    with capture_logs() as logs:
        for _ in range(50):
            trouble.note(StoreFullError("no room"))
        trouble.clear()
        trouble.note(StoreFullError("no room"))
    assert [entry["event"] for entry in logs].count("storing failed") == 2
    assert trouble.failures == 51


@pytest.mark.parametrize("death", [SystemExit, KeyboardInterrupt, MemoryError, RuntimeError])
def test_a_loop_that_dies_is_begun_anew(death):
    begun, stop = [], threading.Event()

    def loop():
        begun.append(1)
        if len(begun) < 3:
            raise death
        stop.wait(10)

    thread = Watched("test", loop, Trouble("working"))
    thread.start()
    wait_for(lambda: len(begun) == 3)
    assert thread.alive
    assert thread.restarts == 2
    assert thread.trouble.failures == 2
    stop.set()
    assert thread.join(5)


def test_a_thread_goes_on_though_its_error_cannot_be_told(monkeypatch):
    begun = []

    def loop():
        begun.append(1)
        if len(begun) < 2:
            raise RuntimeError

    trouble = Trouble("working")
    monkeypatch.setattr(trouble, "note", lambda *_, **__: 1 / 0)
    thread = Watched("test", loop, trouble)
    thread.start()
    assert thread.join(5)
    assert len(begun) == 2


def test_joining_a_thread_that_never_began_or_does_not_end_says_which():
    stop = threading.Event()
    thread = Watched("test", lambda: stop.wait(10) and None, Trouble("working"))
    assert thread.join(1)
    thread.start()
    assert not thread.join(0.05)
    stop.set()
    assert thread.join(5)


def test_a_job_is_done_at_once_and_every_period_until_it_is_stopped():
    done = []
    ticker = Ticker("test", "testing", lambda: done.append(1), 0.05)
    ticker.start()
    wait_for(lambda: len(done) >= 3)
    assert ticker.condition().status == "ok"
    ticker.stop()
    count = len(done)
    time.sleep(0.15)
    assert len(done) == count == ticker.runs


@pytest.mark.parametrize("error", [RuntimeError("no table"), MemoryError("no table"), SystemExit("no table")])
def test_a_job_that_fails_is_told_and_done_again(error):
    state = {"error": error}

    def job():
        if state["error"]:
            raise state["error"]

    ticker = Ticker("test", "taking names", job, 0.02)
    ticker.start()
    wait_for(lambda: ticker.trouble.failures >= 2)
    told = ticker.condition()
    assert told.status == "degraded"
    assert "taking names" in told.reasons[0]
    assert "no table" in told.reasons[0]
    state["error"] = None
    wait_for(lambda: ticker.condition().status == "ok")
    assert "no table" in ticker.condition().last_error
    ticker.stop()


def test_a_job_that_keeps_failing_is_tried_less_and_less_often():
    ticker = Ticker("test", "testing", lambda: 1 / 0, 0.02)
    ticker.start()
    time.sleep(0.7)
    ticker.stop()
    # Every period it would be more than thirty times.
    assert 3 <= ticker.trouble.failures <= 8


def test_a_job_that_went_wrong_in_part_keeps_its_pace():
    wrong = ["retention of flows: no"]
    ticker = Ticker("test", "maintenance", lambda: wrong[0] if wrong else None, 0.02)
    ticker.start()
    wait_for(lambda: ticker.runs >= 8, 2)
    assert "retention of flows: no" in ticker.condition().reasons[0]
    wrong.clear()
    wait_for(lambda: ticker.condition().status == "ok")
    ticker.stop()


def test_a_job_that_does_not_end_is_told_by_the_stop():
    gate = threading.Event()
    ticker = Ticker("test", "testing", lambda: gate.wait(20) and None, 0.02)
    ticker.start()
    with pytest.raises(TimeoutError, match="testing"):
        ticker.stop(0.05)
    gate.set()


def test_a_ticker_that_was_not_started_is_not_well():
    assert Ticker("test", "testing", lambda: None, 1).condition().status == "failed"
