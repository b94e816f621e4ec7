"""A branch takes what the store's queue has taken, counts what becomes of it, and concerns nobody else."""

import threading
import time

import numpy as np
import pytest

from millrace.batch import FlowBatch
from millrace.decode import Decoder
from millrace.errors import SinkError
from millrace.generate import LoadPool
from millrace.lang import parse
from millrace.pipeline import NullSink, Pipeline, PipelineSettings, Route, SinkBranch
from millrace.schema import Schema

SCHEMA = Schema()


class FakeSink:
    """Keeps what it takes; refuses with `error`, and takes its time at `gate`."""

    def __init__(self):
        self.error = None
        self.opening = None
        self.closing = None
        self.gate = threading.Event()
        self.gate.set()
        self.rows = []
        self.batches = []
        self.attempts = 0
        self.unfinished = 0
        self.closed = False
        self.tended = threading.Event()

    def open(self):
        if self.opening:
            raise self.opening

    def write(self, flows):
        self.attempts += 1
        self.batches.append(flows)
        self.gate.wait(10)
        if self.error:
            raise self.error
        self.rows += flows.columns["Bytes"].tolist()

    def tend(self):
        self.tended.set()
        return False

    def close(self):
        if self.closing:
            raise self.closing
        self.closed = True


FULL = SinkError("no room; make room", transient=True)
WRONG = SinkError("not allowed", transient=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("millrace.pipeline.sink_branch._GATHER_S", 0.02)
    monkeypatch.setattr("millrace.pipeline.sink_branch._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("millrace.pipeline.sink_branch._LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr("millrace.pipeline.sink_branch._HURRIED_PAUSE_S", 0.01)
    monkeypatch.setattr("millrace.pipeline.sink_branch._GRACE_S", 0.2)


@pytest.fixture
def sink():
    return FakeSink()


@pytest.fixture
def branch(sink):
    """Makes branches, and ends them."""
    made = []

    def make(text="", to=sink, **route):
        branch = SinkBranch("test", to, SCHEMA, Route(parse(text, SCHEMA), **route))
        branch.start()
        made.append(branch)
        return branch

    yield make
    sink.gate.set()
    for branch in made:
        branch.give_up()
        branch.stop(0.2)


def flows(*values):
    batch = FlowBatch(len(values))
    batch.put("Bytes", np.array(values, np.uint64))
    return batch


def give(branch, *values):
    batch = flows(*values)
    branch.give(batch, batch.nbytes)


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def accounts(branch):
    """Taken, filtered out, written, dropped, waiting; the first is the sum of the others."""
    told = (branch.taken, branch.filtered, branch.written, branch.dropped.total(), branch.waiting_rows)
    assert told[0] == sum(told[1:])
    return told


def test_what_is_given_is_written_in_order(branch, sink):
    running = branch()
    give(running, 1, 2)
    give(running, 3)
    assert running.stop(5)
    assert sink.rows == [1, 2, 3]
    assert sink.closed
    assert accounts(running) == (3, 0, 3, 0, 0)
    assert running.waiting_bytes == 0


def test_the_filter_leaves_flows_out_and_counts_them(branch, sink):
    running = branch("Bytes > 10")
    give(running, 5, 50, 6, 60)
    give(running, 1)
    give(running, 70, 80)
    assert running.stop(5)
    assert sink.rows == [50, 60, 70, 80]
    assert accounts(running) == (7, 3, 4, 0, 0)


def test_a_slow_sink_loses_flows_that_are_counted_and_nobody_waits(branch, sink):
    sink.gate.clear()
    running = branch(queue_bytes=10_000)
    began = time.monotonic()
    for _ in range(100):
        give(running, *range(100))
    assert time.monotonic() - began < 1
    assert running.waiting_bytes <= 10_000
    _, _, _, lost, waiting = accounts(running)
    assert running.dropped == {"queue-full": lost}
    assert lost >= 8_000
    assert waiting == 10_000 - lost
    sink.gate.set()
    wait_for(lambda: running.waiting_rows == 0)
    assert accounts(running) == (10_000, 0, waiting, lost, 0)
    told = running.condition()
    assert told.status == "degraded"
    assert "too slow" in told.reasons[0]
    assert f"{lost} queue-full" in told.reasons[0]


def test_with_wait_nothing_is_lost_and_whoever_gives_waits(branch, sink):
    sink.gate.clear()
    running = branch(queue_bytes=10_000, when_full="wait")
    giving = threading.Thread(target=lambda: [give(running, *range(100)) for _ in range(100)])
    giving.start()
    giving.join(0.3)
    assert giving.is_alive()
    sink.gate.set()
    giving.join(10)
    assert not giving.is_alive()
    assert running.stop(5)
    assert accounts(running) == (10_000, 0, 10_000, 0, 0)


def test_whoever_waits_for_a_sink_that_refuses_is_let_go_at_the_end(branch, sink):
    sink.error = FULL
    running = branch(queue_bytes=10_000, when_full="wait")
    giving = threading.Thread(target=lambda: [give(running, *range(100)) for _ in range(100)])
    giving.start()
    giving.join(0.3)
    assert giving.is_alive()
    running.end_by(time.monotonic() + 30)
    giving.join(5)
    assert not giving.is_alive()
    running.give_up()
    assert not running.stop(0.2)
    assert set(running.dropped) == {"stopped"}
    assert accounts(running) == (10_000, 0, 0, 10_000, 0)


def test_flows_of_files_wait_only_for_a_sink_that_works(branch, sink):
    sink.error = FULL
    running = branch(queue_bytes=10_000, when_full="wait", wait_in_trouble=False)
    for _ in range(100):
        give(running, *range(100))
    assert running.dropped["queue-full"] >= 8_000
    accounts(running)


def test_a_sink_that_refuses_for_the_moment_is_given_the_same_batch_again(branch, sink):
    sink.error = FULL
    running = branch()
    give(running, 1, 2)
    wait_for(lambda: sink.attempts >= 4)
    assert len({id(batch) for batch in sink.batches}) == 1
    told = running.condition()
    assert told.status == "degraded"
    assert "takes no flows, 2 wait for it: no room; make room" in told.reasons[0]
    sink.error = None
    give(running, 3)
    wait_for(lambda: sink.rows == [1, 2, 3])
    wait_for(lambda: running.condition().status == "ok")
    assert running.condition().last_error == "no room; make room"
    assert running.refusals >= 4
    assert accounts(running) == (3, 0, 3, 0, 0)


def test_a_sink_that_refuses_for_good_loses_the_batch_and_goes_on(branch, sink):
    sink.error = WRONG
    running = branch()
    give(running, 1, 2)
    wait_for(lambda: running.dropped == {"sink-refused": 2})
    assert sink.attempts == 1
    assert running.condition().status == "degraded"
    sink.error = None
    give(running, 3)
    wait_for(lambda: sink.rows == [3])
    assert accounts(running) == (3, 0, 1, 2, 0)


def test_what_a_refusal_cost_of_what_was_written_before_is_counted(branch, sink):
    running = branch()
    give(running, 1, 2, 3)
    wait_for(lambda: running.written == 3)
    sink.error = SinkError("not allowed", transient=False, lost=3)
    give(running, 4)
    wait_for(lambda: accounts(running) == (4, 0, 3, 1, 0))
    assert running.unfinished == 3
    assert "3 flows" in running.condition().notes[0]
    assert running.lost == 4


@pytest.mark.parametrize("error", [RuntimeError("broken"), MemoryError()])
def test_a_defect_of_the_sink_costs_a_batch(branch, sink, error):
    sink.error = error
    running = branch()
    give(running, 1, 2)
    wait_for(lambda: running.dropped == {"write-failed": 2})
    sink.error = None
    give(running, 3)
    wait_for(lambda: sink.rows == [3])
    assert running.threads[0].restarts == 0


def test_a_thread_that_dies_is_begun_anew_and_what_it_had_in_hand_is_counted(branch, sink):
    sink.error = SystemExit("no thread")
    running = branch()
    give(running, 1, 2)
    wait_for(lambda: running.dropped == {"branch-failed": 2})
    sink.error = None
    give(running, 3)
    wait_for(lambda: sink.rows == [3])
    assert running.threads[0].restarts == 1
    assert accounts(running) == (3, 0, 1, 2, 0)


def test_a_batch_on_which_the_filter_fails_costs_itself(branch, sink):
    running = branch("Bytes > 10")
    sink.gate.clear()
    give(running, 50)
    wait_for(lambda: sink.attempts == 1)
    wrong = FlowBatch(2)
    wrong.columns["Bytes"] = "no array"
    running.give(wrong, 100)
    give(running, 60)
    sink.gate.set()
    wait_for(lambda: sink.rows == [50, 60])
    assert running.dropped == {"write-failed": 2}
    accounts(running)


def test_a_sink_that_does_not_open_is_told_at_once_and_tried_again(branch, sink):
    sink.opening = WRONG
    running = branch()
    wait_for(lambda: running.condition().status == "degraded")
    sink.opening = None
    wait_for(lambda: running.condition().status == "ok")
    give(running, 1)
    wait_for(lambda: sink.rows == [1])


def test_a_sink_is_tended_though_no_flow_comes(branch, sink):
    branch()
    assert sink.tended.wait(5)


def test_a_stop_waits_for_no_longer_than_it_may_and_counts_the_rest(branch, sink):
    sink.error = FULL
    sink.closing = FULL
    sink.unfinished = 7
    running = branch()
    give(running, 1, 2)
    wait_for(lambda: sink.attempts)
    began = time.monotonic()
    assert not running.stop(0.3)
    assert 0.2 < time.monotonic() - began < 2
    assert running.dropped == {"stopped": 2}
    assert running.unfinished == 7
    assert running.lost == 9
    give(running, 3)
    assert accounts(running) == (3, 0, 0, 3, 0)


def test_a_stop_in_which_a_write_hangs_ends_all_the_same(branch, sink):
    sink.gate.clear()
    running = branch()
    give(running, 1, 2)
    wait_for(lambda: sink.attempts)
    began = time.monotonic()
    assert not running.stop(0.1)
    assert time.monotonic() - began < 2
    assert (running.waiting_rows, running.lost) == (2, 2)


def test_a_sink_that_works_again_before_the_end_gets_everything(branch, sink):
    sink.error = FULL
    running = branch()
    give(running, 1, 2)
    wait_for(lambda: sink.attempts)
    threading.Timer(0.2, lambda: setattr(sink, "error", None)).start()
    assert running.stop(10)
    assert sink.rows == [1, 2]
    assert sink.closed


def batches(count):
    pool = LoadPool("ipfix", datagrams=10)
    return [
        pool.preamble(time.time_ns()).batch("192.0.2.1"),
        *(pool.take(10, time.time_ns()).batch("192.0.2.1") for _ in range(count)),
    ]


def piped(store, *branches, **settings):
    settings = PipelineSettings(**{"flush_interval_s": 0.05, "retry_interval_s": 0.05, "stop_timeout_s": 2, **settings})
    return Pipeline(SCHEMA, lambda: Decoder(SCHEMA), lambda flows: flows, store, settings, sinks=branches)


def test_a_hanging_and_a_broken_sink_cost_the_store_and_the_other_sinks_nothing(monkeypatch):
    hanging, broken, sound = FakeSink(), FakeSink(), FakeSink()
    hanging.gate.clear()
    broken.error = WRONG
    made = [SinkBranch(name, to, SCHEMA, Route(queue_bytes=2 << 20)) for name, to in (
        ("hanging", hanging), ("broken", broken), ("sound", sound),
    )]  # fmt: skip
    store = NullSink()
    running = piped(store, *made, stop_timeout_s=0.5)
    running.start()
    for batch in batches(50):
        assert running.put(batch)
    wait_for(lambda: store.flows == 12_000 and made[2].taken == 12_000)
    wait_for(lambda: made[2].written == 12_000 and made[1].dropped.total() == 12_000)
    assert made[0].written == 0
    monkeypatch.setattr("millrace.pipeline.pipeline._GRACE_S", 0.2)
    assert not running.stop()
    hanging.gate.set()
    assert all(accounts(branch)[0] == 12_000 for branch in made)
    assert len(sound.rows) == 12_000
    assert [trouble.error for trouble in running.asides] == [""] * 7


def test_a_branch_gets_no_flow_before_the_store_takes_it():
    class Closed(NullSink):
        gate = threading.Event()

        def insert(self, flows, *, token=None):
            self.gate.wait(10)
            super().insert(flows, token=token)

    sink, store = FakeSink(), Closed()
    branch = SinkBranch("test", sink, SCHEMA, Route())
    running = piped(store, branch, flow_buffer_bytes=1 << 20, stop_timeout_s=20)
    running.start()
    feeding = threading.Thread(target=lambda: [running.put(batch) for batch in batches(200)])
    feeding.start()
    wait_for(lambda: branch.written > 0)
    time.sleep(0.3)
    assert branch.taken < 48_000
    assert branch.taken <= running.writer.taken_rows
    store.gate.set()
    feeding.join(10)
    assert not running.stop()
    assert (store.flows, branch.written) == (48_000, 48_000)
