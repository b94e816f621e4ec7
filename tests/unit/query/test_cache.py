"""Answers that are kept, and statements that several wait for."""

import gc
import threading
import time
import tracemalloc

import pyarrow as pa
import pytest

from millrace.errors import QueryCancelledError, QueryError
from millrace.query import AnswerCache
from millrace.store import Cancel


def answer(size=1):
    return pa.table({"x": pa.array(range(size), pa.int64())})


class Counted:
    """A statement that counts its runs, and waits if it is told to."""

    def __init__(self, size=1, *, held=False):
        self.runs = 0
        self.cancels = []
        self.free = threading.Event()
        self.running = threading.Event()
        self._size = size
        if not held:
            self.free.set()

    def __call__(self, cancel):
        self.runs += 1
        self.cancels.append(cancel)
        self.running.set()
        with cancel.stopping(self.free.set):
            assert self.free.wait(10)
        cancel.check()
        return answer(self._size)


def in_thread(action):
    """Start it; the list gets what it returns or raises."""
    found = []

    def run():
        try:
            found.append(action())
        except QueryError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_who_asked_before_a_statement_began_takes_its_answer_however_old():
    now = [10.0]
    cache, ask = AnswerCache(clock=lambda: now[0]), Counted()
    cache.get("a", ask, 1.0, asked=2.0)
    now[0] = 20.0
    cache.get("a", ask, 1.0, asked=9.9)
    assert ask.runs == 1, "it was begun after that was asked"
    cache.get("a", ask, 1.0, asked=10.1)
    assert ask.runs == 2, "flows may have come between that answer and the question"


def test_answer_is_kept_as_long_as_it_may_be():
    now = [0.0]
    cache, ask = AnswerCache(clock=lambda: now[0]), Counted()
    for second, runs in ((0, 1), (4.9, 1), (5.1, 2)):
        now[0] = second
        assert cache.get("a", ask, 5.0).num_rows == 1
        assert ask.runs == runs
    cache.get("b", ask, 5.0)
    assert ask.runs == 3


def test_size_is_bounded_and_the_least_recently_used_leaves_first():
    cache = AnswerCache(max_bytes=3 * 10_100)
    asks = {name: Counted(size=1000) for name in "abc"}
    for name in "abac":
        cache.get(name, asks[name], 60.0)
    assert [asks[name].runs for name in "abc"] == [1, 1, 1]
    cache.get("d", Counted(size=1000), 60.0)
    for name in "bca":
        cache.get(name, asks[name], 60.0)
    assert [asks[name].runs for name in "abc"] == [2, 2, 1]


def test_answer_that_is_too_large_is_not_kept():
    cache, ask = AnswerCache(max_bytes=1000), Counted(size=10_000)
    cache.get("a", ask, 60.0)
    cache.get("a", ask, 60.0)
    assert ask.runs == 2


def test_those_who_ask_the_same_at_the_same_time_share_one_run():
    cache, ask = AnswerCache(), Counted(held=True)
    threads = [in_thread(lambda: cache.get("a", ask, 0.0)) for _ in range(5)]
    assert ask.running.wait(10)
    time.sleep(0.05)
    ask.free.set()
    for thread, found in threads:
        thread.join(10)
        assert found[0].num_rows == 1
    assert ask.runs == 1


@pytest.mark.parametrize("leaver", [0, 1])
def test_one_who_leaves_does_not_end_the_run_for_others(leaver):
    """Neither the one who asked first nor one who joined."""
    cache, ask = AnswerCache(), Counted(held=True)
    cancels = [Cancel(), Cancel()]
    first = in_thread(lambda: cache.get("a", ask, 0.0, cancels[0]))
    assert ask.running.wait(10)
    second = in_thread(lambda: cache.get("a", ask, 0.0, cancels[1]))
    time.sleep(0.05)
    cancels[leaver].cancel()
    if leaver == 1:
        second[0].join(10)
        assert isinstance(second[1][0], QueryCancelledError)
    assert not ask.cancels[0].asked
    ask.free.set()
    stayed = (second, first)[leaver]
    stayed[0].join(10)
    assert stayed[1][0].num_rows == 1
    assert ask.runs == 1
    first[0].join(10)


def test_run_ends_when_the_last_one_has_left():
    cache, ask = AnswerCache(), Counted(held=True)
    cancels = [Cancel(), Cancel()]
    threads = [in_thread(lambda cancel=cancel: cache.get("a", ask, 0.0, cancel)) for cancel in cancels]
    assert ask.running.wait(10)
    time.sleep(0.05)
    for cancel in cancels:
        cancel.cancel()
    for thread, found in threads:
        thread.join(10)
        assert isinstance(found[0], QueryCancelledError)
    assert ask.cancels[0].asked
    ask.free.set()
    assert cache.get("a", ask, 0.0).num_rows == 1, "whoever asks later gets an answer"


def test_one_who_has_left_already_asks_nothing():
    cache, ask, cancel = AnswerCache(), Counted(), Cancel()
    cancel.cancel()
    with pytest.raises(QueryCancelledError):
        cache.get("a", ask, 0.0, cancel)
    assert ask.runs == 0


def test_error_reaches_all_who_wait_and_is_not_kept():
    cache = AnswerCache()

    def fail(cancel):
        raise QueryError("too much")

    for _ in range(2):
        with pytest.raises(QueryError, match="too much"):
            cache.get("a", fail, 60.0)
    assert cache.get("a", Counted(), 60.0).num_rows == 1


def held(action):
    """Bytes that Python holds more after an action than before."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = action()
        gc.collect()
        return tracemalloc.get_traced_memory()[0], kept
    finally:
        tracemalloc.stop()


def test_what_is_counted_is_what_is_held_whatever_the_length_of_statements():
    """A filter of 500 comparisons makes a statement of 200 KB, and whoever asks can make as many as they like."""
    cache = AnswerCache()

    def fill():
        for number in range(100):
            key = f"SELECT {number} {'x' * 200_000}", (("p0", "y" * 1000),), 0
            cache.get(key, Counted(size=100), 60.0)
        return cache.bytes_kept

    in_memory, counted = held(fill)
    assert in_memory < 400_000
    assert 0.8 * in_memory < counted < 1.3 * in_memory


def test_answers_whose_time_is_over_are_forgotten_without_being_asked_for():
    now = [0.0]
    cache = AnswerCache(clock=lambda: now[0])
    for name in "abc":
        cache.get(name, Counted(size=1000), 5.0)
    before = cache.bytes_kept
    now[0] = 100.0
    cache.get("d", Counted(size=1000), 5.0)
    assert cache.bytes_kept == before / 3


def test_questions_that_differ_do_not_share_an_answer():
    cache = AnswerCache()
    keys = [("a", 1), ("a", "1"), ("a", (1,)), ("a",), "a", ("a'", 1), ("a\ud800", 1), ("b", None)]
    asks = [Counted(size=number) for number in range(1, len(keys) + 1)]
    for key, ask in zip(keys, asks, strict=True):
        cache.get(key, ask, 60.0)
    assert [cache.get(key, asks[0], 60.0).num_rows for key in keys] == list(range(1, len(keys) + 1))
