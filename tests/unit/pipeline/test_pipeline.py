"""The pipeline decodes, stores and saves state; what does not fit is refused and counted."""

import math
import threading
import time

import numpy as np
import pytest

from millrace.batch import DatagramBatch, FlowBatch, address_bytes
from millrace.decode import Decoder, Limits
from millrace.errors import StoreFullError
from millrace.generate import LoadPool
from millrace.pipeline import NullSink, Pipeline, PipelineSettings, StateFile
from millrace.schema import Schema
from millrace.testing import netflow

SCHEMA = Schema()


def batches(count, protocol="ipfix"):
    pool = LoadPool(protocol, datagrams=10)
    first = pool.preamble(time.time_ns())
    return [first.batch("192.0.2.1"), *(pool.take(10, time.time_ns()).batch("192.0.2.1") for _ in range(count))]


def pipeline(sink, state=None, decoder=Decoder, enrich=lambda flows: flows, **settings):
    settings = PipelineSettings(**{"flush_interval_s": 0.05, "retry_interval_s": 0.05, **settings})
    return Pipeline(SCHEMA, lambda: decoder(SCHEMA), enrich, sink, settings, state)


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def dropped(running, reason):
    return sum(amount for (_, _, _, label), amount in running.counts.drops.items() if label == reason)


def test_every_flow_reaches_the_sink_and_state_is_there_for_the_next_run(tmp_path):
    sink, state = NullSink(), StateFile(tmp_path / "state.json")
    running = pipeline(sink, state)
    running.start()
    announced, data = batches(1)
    for batch in (announced, data):
        assert running.put(batch)
    assert not running.stop()
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

    running = pipeline(NullSink(), decoder=SlowDecoder, datagram_queue_bytes=1 << 20)
    running.start()
    offered = taken = 0
    for batch in batches(200)[1:]:
        offered += len(batch)
        taken += len(batch) if running.offer(batch) else 0
    assert running.refused_datagrams == offered - taken > 0
    gate.set()
    running.stop()


def test_what_waits_for_the_decoder_or_is_in_it_stays_within_its_bound():
    import tracemalloc

    gate = threading.Event()

    class SlowDecoder(Decoder):
        def decode(self, batch):
            gate.wait(20)
            return super().decode(batch)

    running = pipeline(NullSink(), decoder=SlowDecoder, datagram_queue_bytes=4 << 20)
    running.start()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        taken = True
        while taken:
            batch = DatagramBatch.from_payloads([bytes(200)] * 300)
            taken = running.offer(batch)
            del batch
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 2 << 20 < held < 4 << 20
    gate.set()
    running.stop()


def test_saving_a_large_state_does_not_take_all_the_time(tmp_path):
    class SlowFile(StateFile):
        saves = 0

        def save(self, state):
            self.saves += 1
            end = time.thread_time() + 0.05
            while time.thread_time() < end:
                pass

    class AlwaysChanging(Decoder):
        def decode(self, batch):
            decoded = super().decode(batch)
            decoded.state_changed = True
            return decoded

    state = SlowFile(tmp_path / "state.json")
    running = pipeline(NullSink(), state, AlwaysChanging)
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


def test_a_slow_disk_is_no_reason_to_store_flows_whose_templates_are_not_saved(tmp_path):
    events = []

    class SlowDisk(StateFile):
        def save(self, state):
            super().save(state)
            time.sleep(0.05)
            events.append(("saved", {entry["id"] for entry in state["templates"]}))

    class Sink(NullSink):
        def insert(self, flows, *, token=None):
            events.append(("stored", set(flows.columns["Bytes"].tolist())))

    state = SlowDisk(tmp_path / "state.json")
    running = pipeline(Sink(), state)
    running.start()
    for number in range(300, 340):
        template = netflow.Template(number, [(1, 8), (2, 8)])
        payload = netflow.ipfix(netflow.template_set(10, template), template.data((number, 1)))
        running.put(DatagramBatch.from_payloads([payload]))
        time.sleep(0.01)
    running.stop()
    saved = set()
    for event, numbers in events:
        saved |= numbers if event == "saved" else set()
        assert event == "saved" or numbers <= saved
    assert len(saved) == 40


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


@pytest.mark.parametrize("part", ["rates", "live"])
@pytest.mark.parametrize("error", [RuntimeError("defect"), MemoryError()])
def test_no_flow_is_lost_because_a_rate_or_a_live_stream_failed(part, error):
    running = pipeline(NullSink())

    def fail(*_):
        raise error

    setattr(getattr(running, part), "add" if part == "rates" else "give", fail)
    running.start()
    for batch in batches(1):
        running.put(batch)
    running.stop()
    assert running.writer.stored == 240
    assert [trouble.error != "" for trouble in running.asides].count(True) == 1


def test_flows_that_cannot_be_enriched_are_stored_without_and_counted():
    broken = True

    def enrich(flows):
        if broken and len(flows):
            raise RuntimeError("no table")
        return flows

    running = pipeline(NullSink(), enrich=enrich)
    running.start()
    announced, data = batches(1)
    running.put(announced)
    running.put(data)
    wait_for(lambda: running.writer.stored == 240)
    assert running.unenriched == 240
    assert "no table" in running.asides[0].error
    broken = False
    running.put(data)
    running.stop()
    assert (running.writer.stored, running.unenriched, running.asides[0].error) == (480, 240, "")


def test_interface_counters_that_the_store_does_not_take_hold_up_no_flow():
    gate = threading.Event()

    class SlowForCounters(NullSink):
        def insert_counters(self, counters):
            gate.wait(20)
            raise RuntimeError("defect")

    running = pipeline(SlowForCounters())
    running.start()
    counters = FlowBatch(3)
    counters.put("InOctets", np.ones(3, np.uint64))
    running.counters.give(counters, counters.nbytes)
    time.sleep(0.2)
    for batch in batches(1):
        running.put(batch)
    wait_for(lambda: running.writer.stored == 240)
    gate.set()
    running.stop()
    assert running.counters.dropped == {"insert-failed": 3}
    assert running.writer.dropped == {}
    assert running.counters.waiting_rows == 0


def test_counters_that_find_no_room_are_counted_apart_from_flows():
    running = pipeline(NullSink(), flow_buffer_bytes=1 << 20)
    for _ in range(20):
        counters = FlowBatch(1000)
        counters.put("InOctets", np.ones(1000, np.uint64))
        running.counters.give(counters, counters.nbytes)
    lost = running.counters.dropped["waiting-full"]
    assert lost > 0
    running.start()
    running.stop()
    assert running.counters.stored == 20_000 - lost
    assert running.writer.dropped == {}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("where", ["decoder", "enrich"])
def test_a_thread_that_dies_is_begun_anew_and_what_it_had_in_hand_is_counted(where):
    class Deadly(Decoder):
        armed = where == "decoder"

        def decode(self, batch):
            if Deadly.armed:
                Deadly.armed = False
                raise SystemExit
            return super().decode(batch)

    armed = [where == "enrich"]

    def enrich(flows):
        if len(flows) and armed[0]:
            armed[0] = False
            raise SystemExit
        return flows

    running = pipeline(NullSink(), decoder=Deadly, enrich=enrich)
    running.start()
    announced, data = batches(1)
    if where == "decoder":
        running.put(data)
    running.put(announced)
    if where == "enrich":
        running.put(data)
    running.put(data)
    wait_for(lambda: running.writer.stored == 240)
    assert running.thread.restarts == 1
    running.stop()
    if where == "decoder":
        assert dropped(running, "decoder-failed") == running.failed_datagrams == 10
    else:
        assert running.writer.dropped == {"not-handed-on": 240}
    assert running.decoding.trouble.error == ""


class Refusing(NullSink):
    """A store without room."""

    def insert(self, flows, *, token=None):
        raise StoreFullError("no room is left")


def test_a_stop_with_a_store_that_refuses_gives_up_after_the_time_and_says_what():
    running = pipeline(Refusing(), stop_timeout_s=0.5)
    running.start()
    for batch in batches(1):
        running.put(batch)
    wait_for(lambda: running.writer.waiting_rows == 240)
    began = time.monotonic()
    given_up = running.stop()
    assert 0.4 < time.monotonic() - began < 5
    assert (given_up.flows, given_up.datagrams) == (240, 0)
    assert given_up
    assert running.writer.dropped == {"store-refused": 240}
    assert running.writer.waiting_rows == 0


def test_a_stop_counts_datagrams_that_were_never_decoded_per_exporter():
    running = pipeline(Refusing(), stop_timeout_s=0.3, flow_buffer_bytes=1 << 20)
    running.start()
    announced, data = batches(1)
    running.put(announced)
    offered = sum(len(data) for _ in range(100) if running.put(data))
    decoded_rows = lambda: running.writer.dropped.total() + running.writer.waiting_rows  # noqa: E731
    wait_for(lambda: running.writer.waiting_bytes > 1 << 19)
    given_up = running.stop()
    assert given_up.datagrams == dropped(running, "stopped") > 0
    assert given_up.flows == running.writer.dropped.total()
    assert running.counts.drops[address_bytes("192.0.2.1"), "unknown", "datagram", "stopped"] == given_up.datagrams
    assert given_up.datagrams * 24 + decoded_rows() == offered * 24
    assert not running.alive


def test_a_stop_that_is_told_to_hurry_waits_no_longer_for_the_store():
    running = pipeline(Refusing(), stop_timeout_s=60)
    running.start()
    for batch in batches(1):
        running.put(batch)
    wait_for(lambda: running.writer.waiting_rows == 240)
    threading.Timer(0.3, running.give_up_waiting).start()
    began = time.monotonic()
    assert running.stop().flows == 240
    assert time.monotonic() - began < 10


def test_a_batch_of_tiny_records_is_decoded_in_parts():
    sizes = []

    class Noting(Decoder):
        def decode(self, batch):
            sizes.append(int((batch.stop - batch.start).sum()))
            return super().decode(batch)

    # Records of a byte do not pay for themselves: with a bound on time they are left out.
    running = pipeline(NullSink(), decoder=lambda schema: Noting(schema, Limits(layout_share=math.inf)))
    running.start()
    template = netflow.ipfix(netflow.template_set(10, netflow.Template(256, [(4, 1)])))
    data = netflow.ipfix(netflow.data_set(256, b"\x06" * 60_000))
    running.put(DatagramBatch.from_payloads([template] + [data] * 150))
    running.stop()
    assert running.writer.stored == 150 * 60_000
    assert max(sizes) <= 4 << 20
