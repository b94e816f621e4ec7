"""Threads that answer questions: bounds and fairness."""

import threading
import time

import pytest

from millrace.query.pool import FairPool, FullError


class Work:
    """Work that begins and ends when a test says so; `order` tells which began."""

    def __init__(self):
        self.order = []
        self._leave = {}

    def of(self, name):
        self._leave[name] = threading.Event()

        def run():
            self.order.append(name)
            assert self._leave[name].wait(5)
            return name

        return run

    def end(self, *names):
        for name in names:
            self._leave[name].set()

    def wait_for(self, count):
        deadline = time.monotonic() + 5
        while len(self.order) < count and time.monotonic() < deadline:
            time.sleep(0.002)
        assert len(self.order) == count


@pytest.fixture
def work():
    work = Work()
    yield work
    work.end(*work._leave)


def test_results_and_errors_come_back():
    pool = FairPool(2, 10)
    assert pool.submit("a", lambda: 7).result(5) == 7
    with pytest.raises(ZeroDivisionError):
        pool.submit("a", lambda: 1 // 0).result(5)
    assert pool.submit("a", lambda: 8).result(5) == 8


def test_only_so_many_run_at_the_same_time(work):
    pool = FairPool(3, 10)
    futures = [pool.submit(f"client {place % 3}", work.of(place)) for place in range(6)]
    work.wait_for(3)
    time.sleep(0.05)
    assert len(work.order) == 3
    work.end(*range(6))
    assert sorted(future.result(5) for future in futures) == list(range(6))


def test_one_client_leaves_a_place_to_others(work):
    pool = FairPool(3, 10)
    for place in range(5):
        pool.submit("greedy", work.of(f"greedy {place}"))
    work.wait_for(2)
    pool.submit("other", work.of("other"))
    work.wait_for(3)
    assert work.order[-1] == "other"


def test_clients_take_turns(work):
    pool = FairPool(1, 20)
    pool.submit("first", work.of("running"))
    work.wait_for(1)
    for place in range(3):
        pool.submit("many", work.of(f"many {place}"))
    pool.submit("few", work.of("few"))
    futures = [pool.submit("late", work.of("late"))]
    work.end("running", "few", "late", *(f"many {place}" for place in range(3)))
    futures[0].result(5)
    work.wait_for(6)
    assert work.order == ["running", "many 0", "few", "late", "many 1", "many 2"]


def test_full_queue_refuses_and_a_client_fills_only_a_part_of_it(work):
    pool = FairPool(1, 4)
    pool.submit("a", work.of("running"))
    work.wait_for(1)
    for place in range(3):
        pool.submit("a", work.of(place))
    with pytest.raises(FullError, match="3 questions of yours wait already"):
        pool.submit("a", work.of("more"))
    pool.submit("b", work.of("b"))
    with pytest.raises(FullError, match="4 questions wait already"):
        pool.submit("c", work.of("c"))


def test_what_is_given_up_frees_its_place_and_never_runs(work):
    pool = FairPool(1, 2)
    pool.submit("a", work.of("running"))
    work.wait_for(1)
    first = pool.submit("b", work.of("first"))
    pool.submit("c", work.of("second"))
    assert first.cancel()
    last = pool.submit("d", work.of("last"))
    work.end("running", "second", "last")
    assert last.result(5) == "last"
    assert work.order == ["running", "second", "last"]
    assert not pool._clients


def test_bursts_use_every_place_and_threads_end_when_idle(work, monkeypatch):
    monkeypatch.setattr("millrace.query.pool._IDLE_SECONDS", 0.05)
    pool = FairPool(4, 100)
    for burst in range(20):
        barrier = threading.Barrier(4, timeout=5)
        futures = [pool.submit(f"{burst} {place}", barrier.wait) for place in range(4)]
        assert sorted(future.result(5) for future in futures) == [0, 1, 2, 3]
    deadline = time.monotonic() + 5
    while pool._threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert pool._threads == 0
    assert pool.submit("a", lambda: 1).result(5) == 1


def test_work_for_which_no_thread_can_be_begun_is_refused_and_the_next_is_done(monkeypatch):
    pool = FairPool(2, 4)
    with monkeypatch.context() as full:

        def fail(self):
            raise RuntimeError("can't start new thread")

        full.setattr(threading.Thread, "start", fail)
        for _ in range(5):
            with pytest.raises(FullError, match="no thread"):
                pool.submit("anna", lambda: 1)
    assert pool.submit("anna", lambda: 7).result(5) == 7
