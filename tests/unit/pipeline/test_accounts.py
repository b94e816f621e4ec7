"""Whatever fails, and when: received is stored, or lost under a reason; nothing is stored twice, and nothing waits."""

import random
import threading
import time

import numpy as np
import pytest
from structlog.testing import capture_logs

from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.errors import StoreError, StoreFullError
from millrace.pipeline import Pipeline, PipelineSettings, StateFile
from millrace.schema import Schema
from millrace.testing.netflow import IPFIX, Template, ipfix, template_set

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

SCHEMA = Schema()
NUMBERED = Template(256, [(1, 8), (2, 4)])
ERRORS = (RuntimeError, MemoryError, ValueError, StoreError, SystemExit, StoreFullError, SystemExit)


@pytest.fixture(autouse=True)
def quiet():
    """Writing hundreds of stack traces for a terminal takes longer than a stop may."""
    with capture_logs():
        yield


class Chance:
    """Raises now and then, from several threads."""

    def __init__(self, seed, share):
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.share = share
        self.off = False

    def __call__(self, *kinds):
        with self._lock:
            if not self.off and self._random.random() < self.share:
                raise self._random.choice(kinds or ERRORS)("chance")


class Sink:
    """A store that fails before or after it has stored; the same token is not stored twice."""

    def __init__(self, chance):
        self._chance = chance
        self._tokens = set()
        self.numbers = []

    def insert(self, flows, *, token=None):
        self._chance()
        if token not in self._tokens:
            self._tokens.add(token)
            self.numbers += flows.columns["Bytes"].tolist()
        self._chance()

    def insert_counters(self, counters):
        self._chance()


class Fragile(Decoder):
    """Fails before or after decoding, whatever it is given."""

    chance: Chance

    def decode(self, batch):
        self.chance()
        decoded = super().decode(batch)
        self.chance()
        return decoded


@pytest.mark.parametrize("seed", range(4))
def test_the_accounts_balance_under_faults_everywhere(tmp_path, seed):
    chance = Chance(seed, 0.08)
    of_the_sink = Chance(seed, 0.3)
    sink = Sink(of_the_sink)
    decoder_of = type("Fragile", (Fragile,), {"chance": chance})

    class Disk(StateFile):
        def save(self, state):
            chance(OSError, RuntimeError)
            super().save(state)

    def enrich(flows):
        chance(RuntimeError, MemoryError, SystemExit)
        return flows

    settings = PipelineSettings(flush_interval_s=0.05, retry_interval_s=0.05, stop_timeout_s=1, flush_rows=1000)
    running = Pipeline(SCHEMA, lambda: decoder_of(SCHEMA), enrich, sink, settings, Disk(tmp_path / "state.json"))
    running.rates.add = lambda *_: chance(RuntimeError, SystemExit)
    running.live.give = lambda *_: chance(RuntimeError)
    running.start()
    number, received = 0, 0
    for _ in range(40):
        payloads = [ipfix(template_set(IPFIX, NUMBERED))]
        for _ in range(20):
            payloads.append(ipfix(NUMBERED.data(*((number + row, 1) for row in range(10)))))
            number += 10
        received += len(payloads)
        assert running.put(DatagramBatch.from_payloads(payloads))
        time.sleep(0.01)
    running.stop()
    chance.off = of_the_sink.off = True
    events, drops = running.counts.events, running.counts.drops
    seen = sum(amount for (_, _, event), amount in events.items() if event == "datagrams")
    lost = sum(amount for (_, _, unit, _), amount in drops.items() if unit == "datagram")
    flows = sum(amount for (_, _, event), amount in events.items() if event == "flows")
    assert seen == received
    writer = running.writer
    assert writer.waiting_rows == running.counters.waiting_rows == 0
    assert writer.stored + writer.dropped.total() == flows
    assert flows > 0 or lost == received
    # Stored once; more than is counted as stored only where an error came after the rows were safe.
    assert len(sink.numbers) == len(set(sink.numbers))
    assert writer.stored <= len(sink.numbers) <= flows
    # A datagram that was not given up undecoded is ten flows, or a set that waited and is counted.
    sets = sum(amount for (_, _, unit, _), amount in drops.items() if unit == "set")
    waiting = sum(kept.sets for exporter in running.exporters() for kept in exporter.waiting)
    data = received - 40
    lost_data = data - (flows // 10) - sets - waiting
    assert 0 <= lost_data <= lost
    assert np.array_equal(np.sort(sink.numbers) < number, np.ones(len(sink.numbers), bool))
