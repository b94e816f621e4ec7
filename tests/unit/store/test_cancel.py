"""Questions that nobody waits for any more."""

import threading
import time

import pytest

from millrace.errors import QueryCancelledError, QueryError
from millrace.store import Cancel

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) % {m:UInt8} = 3"


def ask(store, cancel, sql=ENDLESS):
    """Ask in a thread; what came of it, and when."""
    outcome = []

    def run():
        try:
            outcome.append(store.query(sql, {"m": 7}, cancel=cancel))
        except QueryError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def wait_until_running(store, count=1):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        seen = store._engine.rows(
            "SELECT count() FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers(%'"
        )
        # Neither this statement nor the one that asks for types before begins so.
        if int(seen[0][0]) >= count:
            return
        time.sleep(0.01)
    raise AssertionError("the statement does not run")


def test_running_statement_ends_and_its_connection_goes_on(store):
    cancel = Cancel()
    thread, outcome = ask(store, cancel)
    wait_until_running(store)
    began = time.monotonic()
    cancel.cancel()
    assert time.monotonic() - began < 0.1
    thread.join(5)
    assert isinstance(outcome[0], QueryCancelledError)
    assert time.monotonic() - began < 2
    assert store.query("SELECT 1 AS one").column("one").to_pylist() == [1]


def test_other_statements_go_on(store):
    first, second = Cancel(), Cancel()
    leaving, left = ask(store, first)
    staying, stayed = ask(store, second)
    wait_until_running(store, 2)
    first.cancel()
    leaving.join(5)
    assert isinstance(left[0], QueryCancelledError)
    time.sleep(0.2)
    assert staying.is_alive()
    second.cancel()
    staying.join(5)
    assert isinstance(stayed[0], QueryCancelledError)


def test_cancelled_question_does_not_begin(store):
    cancel = Cancel()
    cancel.cancel()
    cancel.cancel()
    with pytest.raises(QueryCancelledError):
        store.query("SELECT 1", cancel=cancel)


def test_cancel_after_the_answer_does_nothing(store):
    cancel = Cancel()
    assert store.query("SELECT 1 AS one", cancel=cancel).num_rows == 1
    cancel.cancel()
    assert cancel.asked


def test_cancelled_question_leaves_the_queue_for_a_connection(open_store):
    store = open_store(query_connections=1)
    running, waiting = Cancel(), Cancel()
    busy, _ = ask(store, running)
    wait_until_running(store)
    queued, outcome = ask(store, waiting)
    time.sleep(0.1)
    assert not outcome
    waiting.cancel()
    queued.join(1)
    assert isinstance(outcome[0], QueryCancelledError)
    running.cancel()
    busy.join(5)
    assert store.query("SELECT 1 AS one").num_rows == 1


def test_cancelled_at_any_moment_it_never_hangs(store):
    for delay_ms in range(12):
        cancel = Cancel()
        thread, outcome = ask(store, cancel)
        time.sleep(delay_ms / 1000)
        cancel.cancel()
        thread.join(5)
        assert isinstance(outcome[0], QueryCancelledError)


def test_types_of_a_statement_are_asked_once_whoever_cancels(store):
    known = len(store._results._types)
    for _ in range(3):
        store.query("SELECT toDateTime(0) AS moment", cancel=Cancel())
    assert len(store._results._types) == known + 1


def test_stop_that_fails_does_not_keep_others_from_stopping():
    cancel, stopped = Cancel(), []

    def fail():
        raise RuntimeError("no")

    with cancel.stopping(fail), cancel.stopping(lambda: stopped.append(True)):
        cancel.cancel()
    assert stopped == [True]


@pytest.mark.parametrize("how", ["query", "local"])
def test_a_stop_ends_what_is_asked_and_waits_for_its_end(open_store, how):
    """A process that ends under a statement crashes."""
    store = open_store()
    outcome = []

    def run():
        try:
            if how == "query":
                store.query(ENDLESS, {"m": 7})
            else:
                store.execute_local(ENDLESS.replace("{m:UInt8}", "7"))
        except QueryError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until_running(store)
    began = time.monotonic()
    store.stop()
    assert time.monotonic() - began < 5
    thread.join(0.5)
    assert not thread.is_alive()
    assert isinstance(outcome[0], QueryCancelledError)


def test_a_stop_waits_for_what_is_written(open_store):
    store = open_store()
    began = time.monotonic()
    slow = "INSERT INTO millrace_state SELECT 'slow', toString(sleepEachRow(1)), 0 FROM numbers(2)"
    thread = threading.Thread(target=store._engine.execute, args=(slow, {"max_block_size": 1}))
    thread.start()
    time.sleep(0.5)
    store.stop()
    assert time.monotonic() - began > 1.9
    thread.join(0.5)
    assert not thread.is_alive()
    assert open_store()._state.get("nothing") == {}
