"""The writer stores by time and by size, waits while the store refuses, and counts what it gives up."""

import time

import numpy as np
import pytest

from millrace.batch import FlowBatch
from millrace.errors import StoreError, StoreFullError
from millrace.pipeline import PipelineSettings, Writer
from millrace.schema import Schema

SETTINGS = PipelineSettings(flush_interval_s=0.05, flush_rows=1000, retry_interval_s=0.05)


class FakeSink:
    def __init__(self):
        self.error = None
        self.attempts = []
        self.stored = 0

    def insert(self, flows, *, token=None):
        self.attempts.append(token)
        if self.error:
            raise self.error
        self.stored += len(flows)

    def insert_counters(self, counters):
        pass


@pytest.fixture
def sink():
    return FakeSink()


@pytest.fixture
def writer(sink):
    writer = Writer(sink, Schema(), SETTINGS, lambda: None)
    writer.start()
    yield writer
    writer.stop(0.2)


def _flows(rows):
    batch = FlowBatch(rows)
    batch.put("Bytes", np.ones(rows, np.uint64))
    return batch


def _wait(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_flows_are_stored_within_the_interval(writer, sink):
    writer.put(_flows(3))
    _wait(lambda: sink.stored == 3)
    _wait(lambda: writer.stored == 3 and writer.waiting_rows == 0)


def test_many_flows_are_stored_in_groups_of_bounded_size(writer, sink):
    for _ in range(25):
        writer.put(_flows(100))
    _wait(lambda: sink.stored == 2500)
    assert len(sink.attempts) >= 2


def test_a_full_store_is_tried_again_with_the_same_token_until_it_accepts(writer, sink):
    sink.error = StoreFullError("no room")
    writer.put(_flows(5))
    _wait(lambda: len(sink.attempts) >= 3)
    assert len(set(sink.attempts)) == 1
    assert writer.last_error == "no room"
    sink.error = None
    _wait(lambda: sink.stored == 5)
    _wait(lambda: writer.last_error == "")
    assert writer.dropped == {}


def test_what_cannot_be_stored_before_the_end_is_counted(writer, sink):
    sink.error = StoreError("broken")
    writer.put(_flows(4))
    _wait(lambda: sink.attempts)
    writer.stop(0.2)
    assert writer.dropped == {"store-refused": 4}
    writer.put(_flows(2))
    assert writer.dropped == {"store-refused": 4, "stopped": 2}
