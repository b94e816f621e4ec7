"""The pipeline decodes, stores and saves state; what does not fit is refused and counted."""

import threading
import time

import pytest

from millrace.decode import Decoder
from millrace.generate import LoadPool
from millrace.pipeline import NullSink, Pipeline, PipelineSettings, StateFile
from millrace.schema import Schema

SCHEMA = Schema()


def batches(count, protocol="ipfix"):
    pool = LoadPool(protocol, datagrams=10)
    first = pool.preamble(time.time_ns())
    return [first.batch("192.0.2.1"), *(pool.take(10, time.time_ns()).batch("192.0.2.1") for _ in range(count))]


def pipeline(sink, state=None, decoder=None, **settings):
    settings = PipelineSettings(flush_interval_s=0.05, **settings)
    return Pipeline(SCHEMA, decoder or Decoder(SCHEMA), lambda flows: flows, sink, settings, state)


def test_every_flow_reaches_the_sink_and_state_is_there_for_the_next_run(tmp_path):
    sink, state = NullSink(), StateFile(tmp_path / "state.json")
    running = pipeline(sink, state)
    running.start()
    announced, data = batches(1)
    for batch in (announced, data):
        assert running.put(batch)
    running.stop()
    assert sink.flows == 240
    again = pipeline(NullSink(), state)
    again.start()
    again.put(data)
    again.stop()
    assert again.writer.stored == 240


def test_a_slow_decoder_makes_the_queue_refuse_and_the_refused_are_counted():
    gate = threading.Event()

    class SlowDecoder(Decoder):
        def decode(self, batch):
            gate.wait(10)
            return super().decode(batch)

    running = pipeline(NullSink(), decoder=SlowDecoder(SCHEMA), datagram_queue_bytes=1 << 20)
    running.start()
    offered = taken = 0
    for batch in batches(200)[1:]:
        offered += len(batch)
        taken += len(batch) if running.offer(batch) else 0
    assert running.refused_datagrams == offered - taken > 0
    gate.set()
    running.stop()


def test_a_defect_in_decoding_costs_its_batch_only():
    class BrokenOnce(Decoder):
        broken = False

        def decode(self, batch):
            if not self.broken:
                self.broken = True
                raise ValueError("defect")
            return super().decode(batch)

    sink = NullSink()
    running = pipeline(sink, decoder=BrokenOnce(SCHEMA))
    running.start()
    announced, data = batches(1)
    for batch in (data, announced, data):
        running.put(batch)
    running.stop()
    assert running.decode_errors == 10
    assert sink.flows == 240


def test_saving_a_large_state_does_not_take_all_the_time(tmp_path):
    class SlowFile(StateFile):
        saves = 0

        def save(self, state):
            self.saves += 1
            time.sleep(0.05)

    class AlwaysChanging(Decoder):
        def decode(self, batch):
            decoded = super().decode(batch)
            decoded.state_changed = True
            return decoded

    state = SlowFile(tmp_path / "state.json")
    running = pipeline(NullSink(), state, AlwaysChanging(SCHEMA))
    running.start()
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        for batch in batches(1):
            running.put(batch)
        time.sleep(0.01)
    during = state.saves
    running.stop()
    # At every flush it would be six times or more.
    assert 1 <= during <= 2
    assert state.saves == during + 1


@pytest.mark.parametrize("protocol", ["netflow-v5", "sflow-v5"])
def test_live_subscribers_see_what_passes(protocol):
    running = pipeline(NullSink())
    running.start()
    pool = LoadPool(protocol, datagrams=5)
    with running.live.subscribe() as subscription:
        running.put(pool.take(5, time.time_ns()).batch("192.0.2.1"))
        flows = subscription.take(5)
    running.stop()
    assert len(flows) == 5 * pool.per_datagram
