"""The slowest batch: known for a minute at least, and forgotten after two."""

from __future__ import annotations

import pytest

from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.pipeline import decoding
from millrace.pipeline.decoding import Decoding, Slowest
from millrace.pipeline.saved import MemoryState
from millrace.schema import Schema


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(decoding.time, "monotonic", lambda: now[0])
    return now


def test_the_longest_counts_for_a_minute_and_is_forgotten_after_two(clock):
    slowest = Slowest()
    assert slowest.seconds == 0
    for seconds in (0.1, 0.9, 0.2):
        slowest.note(seconds)
    assert slowest.seconds == 0.9
    clock[0] += 59
    assert slowest.seconds == 0.9
    clock[0] += 2
    slowest.note(0.3)
    assert slowest.seconds == 0.9
    clock[0] += 61
    assert slowest.seconds == 0.3
    clock[0] += 500
    assert slowest.seconds == 0


def test_a_batch_is_timed_from_where_it_waits_for_the_decoder(clock):
    class Slow(Decoder):
        def decode(self, batch):
            clock[0] += 0.4
            return super().decode(batch)

    found = Decoding(lambda: Slow(Schema()), MemoryState())
    found.decode(DatagramBatch.from_payloads([b"\0\x05"]))
    assert found.slowest.seconds == pytest.approx(0.4)
