"""What waits anywhere between the socket and the store tells up to when everything is stored."""

import threading
import time

import pytest

from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.generate import LoadPool
from millrace.pipeline import NullSink, Pipeline, PipelineSettings
from millrace.pipeline.frontier import Frontier
from millrace.schema import Schema

SCHEMA = Schema()
NOW = 1_767_268_800_000.0


def batch(ms):
    return DatagramBatch.from_payloads([b"x"], time_ns=int(ms * 1e6))


def test_nothing_waits_at_first():
    assert Frontier().oldest_ms(0) is None


def test_oldest_that_waits_for_the_decoder_or_for_the_store_counts():
    frontier = Frontier()
    first, second = batch(NOW - 9000), batch(NOW - 5000)
    frontier.enter(first, NOW)
    frontier.enter(second, NOW)
    assert frontier.oldest_ms(0) == NOW - 9000
    frontier.decoded(first, 10)
    assert frontier.oldest_ms(9) == NOW - 9000
    assert frontier.oldest_ms(10) == NOW - 5000
    frontier.decoded(second, 10)  # it held no flow
    assert frontier.oldest_ms(10) is None


def test_refused_batch_does_not_wait():
    frontier = Frontier()
    refused = batch(NOW - 9000)
    frontier.enter(refused, NOW)
    frontier.leave(refused)
    assert frontier.oldest_ms(0) is None


@pytest.mark.parametrize("ms", [NOW - 1e9, NOW + 1e9])
def test_times_of_a_file_say_nothing_about_what_is_stored_now(ms):
    frontier = Frontier()
    frontier.enter(old := batch(ms), NOW)
    assert frontier.oldest_ms(0) == NOW
    frontier.decoded(old, 1)
    assert frontier.oldest_ms(1) is None


class Gate(NullSink):
    """A store that is slow."""

    def __init__(self):
        super().__init__()
        self.open = threading.Event()

    def insert(self, flows, *, token=None):
        self.open.wait(20)
        super().insert(flows, token=token)


def test_pipeline_is_behind_as_long_as_the_store_is():
    sink = Gate()
    running = Pipeline(
        SCHEMA, lambda: Decoder(SCHEMA), lambda flows: flows, sink, PipelineSettings(flush_interval_s=0.05)
    )
    running.start()
    pool = LoadPool("ipfix", datagrams=10)
    received = time.time_ns()
    running.put(pool.preamble(received).batch("192.0.2.1"))
    running.put(pool.take(10, received).batch("192.0.2.1"))
    time.sleep(1.2)
    assert running.stored_until() <= received / 1e9
    sink.open.set()
    deadline = time.monotonic() + 10
    while running.stored_until() is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.stored_until() is None
    assert sink.flows > 0
    running.stop()
