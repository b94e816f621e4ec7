"""The writer stores by time and by size, waits while the store refuses, and counts what it gives up."""

import threading
import time

import numpy as np
import pytest

from millrace.batch import Coded, FlowBatch
from millrace.errors import SchemaError, ShapeError, StoreError, StoreFullError
from millrace.pipeline import PipelineSettings, Writer
from millrace.schema import Schema

SETTINGS = PipelineSettings(flush_interval_s=0.05, flush_rows=1000, retry_interval_s=0.05)
BUFFER_BYTES = 6 << 20


class FakeSink:
    def __init__(self):
        self.error = None
        self.attempts = []
        self.stored = 0
        self.poison = None

    def insert(self, flows, token):
        self.attempts.append(token)
        if self.error:
            raise self.error
        if self.poison is not None and self.poison in flows.columns["Bytes"]:
            raise RuntimeError("poison")
        self.stored += len(flows)


@pytest.fixture
def sink():
    return FakeSink()


def _writer(insert, before_insert=lambda: None, buffer_bytes=BUFFER_BYTES, settings=SETTINGS):
    writer = Writer("writer", "flows", insert, Schema(), settings, buffer_bytes, before_insert)
    writer.start()
    return writer


@pytest.fixture
def writer(sink):
    writer = _writer(sink.insert)
    yield writer
    writer.give_up()
    writer.stop(0.2)


def _flows(rows, value=1):
    batch = FlowBatch(rows)
    batch.put("Bytes", np.full(rows, value, np.uint64))
    return batch


def give(writer, rows):
    writer.give(rows, rows.nbytes)


def _wait(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_flows_are_stored_within_the_interval(writer, sink):
    give(writer, _flows(3))
    _wait(lambda: sink.stored == 3)
    _wait(lambda: writer.stored == 3 and writer.waiting_rows == 0)
    _wait(lambda: writer.waiting_bytes == 0)


def test_many_flows_are_stored_in_groups_of_bounded_size(writer, sink):
    for _ in range(25):
        give(writer, _flows(100))
    _wait(lambda: sink.stored == 2500)
    assert len(sink.attempts) >= 2


def test_a_batch_of_more_rows_than_an_insert_may_have_is_stored_in_parts(writer, sink):
    give(writer, _flows(2500))
    _wait(lambda: writer.stored == 2500)
    assert len(sink.attempts) == len(set(sink.attempts)) == 3


def test_a_full_store_is_tried_again_with_the_same_token_until_it_accepts(writer, sink):
    sink.error = StoreFullError("no room")
    give(writer, _flows(5))
    _wait(lambda: len(sink.attempts) >= 3)
    assert len(set(sink.attempts)) == 1
    assert writer.last_error == "no room"
    sink.error = None
    _wait(lambda: sink.stored == 5)
    _wait(lambda: writer.last_error == "")
    assert writer.dropped == {}


def test_what_cannot_be_stored_before_the_end_is_counted(writer, sink):
    sink.error = StoreError("broken")
    give(writer, _flows(4))
    _wait(lambda: sink.attempts)
    assert writer.stop(0.2)
    assert writer.dropped == {"store-refused": 4}
    give(writer, _flows(2))
    assert writer.dropped == {"store-refused": 4, "stopped": 2}
    assert writer.waiting_rows == 0


def test_the_end_is_not_waited_for_in_a_loop_that_keeps_the_processor_busy(writer, sink):
    sink.error = StoreFullError("no room")
    give(writer, _flows(4))
    writer.stop(0.5)
    assert len(sink.attempts) < 25
    assert writer.dropped == {"store-refused": 4}


def test_a_store_that_accepts_again_before_the_end_gets_everything(writer, sink):
    sink.error = StoreFullError("no room")
    give(writer, _flows(4))
    _wait(lambda: sink.attempts)
    threading.Timer(0.3, lambda: setattr(sink, "error", None)).start()
    assert writer.stop(10)
    assert (writer.stored, writer.dropped) == (4, {})


@pytest.mark.parametrize("error", [RuntimeError("defect"), MemoryError(), ValueError("what"), OSError(5, "I/O")])
def test_any_error_of_the_sink_costs_its_group_only_and_is_counted(writer, sink, error):
    sink.error = error
    give(writer, _flows(4))
    _wait(lambda: writer.dropped.total() == 4)
    assert writer.dropped == {"insert-failed": 4}
    assert len(set(sink.attempts)) == 1
    _wait(lambda: writer.waiting_rows == 0)
    assert type(error).__name__ in writer.last_error
    sink.error = None
    give(writer, _flows(3))
    _wait(lambda: writer.stored == 3)
    _wait(lambda: (writer.waiting_rows, writer.last_error) == (0, ""))


def test_a_group_that_fails_does_not_take_the_later_ones_with_it(writer, sink):
    sink.poison = 7
    gate = threading.Event()
    sink.insert, insert = None, sink.insert
    writer._insert = lambda flows, token: gate.wait(5) and insert(flows, token)
    give(writer, _flows(1))
    for value in (1, 7, 3):
        give(writer, _flows(1000, value))
    gate.set()
    _wait(lambda: writer.waiting_rows == 0)
    assert (writer.stored, writer.dropped) == (2001, {"insert-failed": 1000})


@pytest.mark.parametrize("error", [ShapeError("a code outside its dictionary"), SchemaError("no such column")])
def test_rows_that_are_wrong_in_themselves_cost_no_others(writer, sink, error):
    """They are joined with sound ones when they are inserted."""
    seen = []

    def insert(flows, token):
        values = flows.columns["Bytes"]
        if np.isin(values, (7, 11)).any():
            raise error
        seen.append((token, values.tolist()))

    writer._insert = insert
    values = np.arange(100, 1000, dtype=np.uint64)
    values[[0, 5, 6, 450, 899]] = (7, 11, 7, 7, 11)
    for part in np.array_split(values, 9):
        batch = FlowBatch(len(part))
        batch.put("Bytes", part)
        give(writer, batch)
    _wait(lambda: writer.waiting_rows == 0)
    assert (writer.stored, writer.dropped) == (895, {"insert-failed": 5})
    assert sorted(value for _, stored in seen for value in stored) == sorted(set(values.tolist()) - {7, 11})
    assert len({token for token, _ in seen}) == len(seen)


def test_rows_that_are_all_wrong_are_given_up_soon(writer, sink):
    sink.error = ShapeError("a code outside its dictionary")
    give(writer, _flows(1000))
    _wait(lambda: writer.waiting_rows == 0)
    assert writer.dropped == {"insert-failed": 1000}
    assert len(sink.attempts) < 250
    sink.error = None
    give(writer, _flows(3))
    _wait(lambda: writer.stored == 3)


def test_batches_that_cannot_be_joined_are_stored_one_by_one(writer, sink):
    broken = _flows(2)
    broken.columns["Nonsense"] = np.zeros(2)
    give(writer, _flows(3))
    give(writer, broken)
    give(writer, _flows(4))
    _wait(lambda: sink.stored == 9)
    _wait(lambda: writer.waiting_rows == 0)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("death", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_thread_that_dies_is_begun_anew_and_what_it_had_in_hand_is_counted(writer, sink, death):
    sink.error = death()
    give(writer, _flows(4))
    _wait(lambda: writer.dropped == {"writer-failed": 4})
    _wait(lambda: writer.threads[0].restarts == 1)
    assert writer.last_error
    sink.error = None
    give(writer, _flows(3))
    _wait(lambda: writer.stored == 3)
    _wait(lambda: (writer.waiting_rows, writer.last_error) == (0, ""))


def test_state_is_saved_after_flows_were_taken_and_before_they_are_stored():
    events = []
    writer = _writer(lambda flows, _: events.append(("insert", len(flows))), lambda: events.append(("save", 0)))
    # Flows that come while state is saved may need what is learned after it: they must not be stored with it.
    writer._before_insert = lambda: (events.append(("save", 0)), give(writer, _flows(1)) if len(events) == 1 else None)
    give(writer, _flows(2))
    _wait(lambda: writer.stored == 3)
    writer.stop(1)
    assert [event for event in events if event[0] == "insert"] == [("insert", 2), ("insert", 1)]
    for number, event in enumerate(events):
        if event[0] == "insert":
            assert events[number - 1][0] == "save"


def test_flows_are_stored_though_state_cannot_be_saved(sink):
    def fail():
        raise RuntimeError("no state")

    writer = _writer(sink.insert, fail)
    give(writer, _flows(2))
    _wait(lambda: writer.stored == 2)
    writer.stop(1)
    assert writer.dropped == {}


def _texts(rows, number, words=1000):
    """Flows with a long dictionary of their own."""
    batch = FlowBatch(rows)
    batch.put("Bytes", np.ones(rows, np.uint64))
    names = [f"interface {number} {word} with a long name that an exporter announced" for word in range(words)]
    batch.put("InIfName", Coded(np.arange(rows, dtype=np.int32) % words, names))
    return batch


def test_all_that_the_writer_holds_stays_within_its_bound_dictionaries_and_copies_included():
    import tracemalloc

    held, entered, go_on = [], threading.Event(), threading.Event()

    def insert(flows, token):
        held.append(tracemalloc.get_traced_memory()[0])
        entered.set()
        go_on.wait(20)

    settings = PipelineSettings(flush_interval_s=0.05, flush_rows=1_000_000, retry_interval_s=0.05)
    tracemalloc.start()
    try:
        writer = Writer("writer", "flows", insert, Schema(), settings, BUFFER_BYTES)
        before = tracemalloc.get_traced_memory()[0]

        def feed():
            for number in range(120):
                give(writer, _texts(100, number))

        feeder = threading.Thread(target=feed)
        feeder.start()
        feeder.join(1.5)
        assert feeder.is_alive(), "nothing waits for room"
        waiting = tracemalloc.get_traced_memory()[0] - before
        writer.start()
        assert entered.wait(20)
        time.sleep(0.2)
        storing = tracemalloc.get_traced_memory()[0] - before
        go_on.set()
        feeder.join(20)
        writer.stop(20)
    finally:
        tracemalloc.stop()
    assert writer.stored == 120 * 100
    assert BUFFER_BYTES // 2 < waiting < BUFFER_BYTES
    assert storing < BUFFER_BYTES
    assert max(held) - before < BUFFER_BYTES
