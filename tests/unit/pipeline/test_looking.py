"""Who looks at exporters does not hold up decoding, however many templates there are and however long they are."""

import gc
import threading
import time

import pytest

from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.pipeline.decoding import Decoding
from millrace.pipeline.saved import MemoryState
from millrace.schema import Schema
from millrace.testing.netflow import IPFIX, Template, ipfix, template_set

SCHEMA = Schema()
FIELDS = 400
SENDERS = 4


class TimedLock:
    """A lock that knows for how long it was held at most, in seconds of the processor."""

    def __init__(self):
        self._lock = threading.Lock()
        self.longest = 0.0

    def __enter__(self):
        self._lock.acquire()
        self._began = time.thread_time()

    def __exit__(self, *_):
        self.longest = max(self.longest, time.thread_time() - self._began)
        self._lock.release()


def long_templates(count):
    """Datagrams, each of a template of its own with `FIELDS` fields."""
    for number in range(count):
        fields = [(1 + (number + 7 * at) % 430, 1 + (number // 430 + at) % 8) for at in range(FIELDS)]
        yield ipfix(template_set(IPFIX, Template(256 + number // SENDERS, fields)), sequence=0)


def batch(payloads):
    return DatagramBatch.from_payloads(payloads, source=[f"192.0.2.{at % SENDERS}" for at in range(len(payloads))])


@pytest.fixture
def no_garbage():
    """What collecting garbage takes is not of what happens to run then."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def decoding():
    decoding = Decoding(lambda: Decoder(SCHEMA), MemoryState())
    decoding._lock = TimedLock()
    return decoding


@pytest.mark.usefixtures("no_garbage")
def test_long_templates_are_not_read_while_decoding_waits(decoding):
    payloads = list(long_templates(2000))
    decoding.decode(batch(payloads))
    decoding._lock.longest = 0.0
    statuses = decoding.exporters()
    assert decoding._lock.longest < 0.1
    assert sum(len(status.templates) for status in statuses) == 2000
    template = statuses[0].templates[0]
    assert len(template.fields) == FIELDS
    assert (template.fields[0], template.fields[1]) == ((1, 0, 1), (8, 0, 2))
    assert template.fields == tuple(template.fields)
    assert {template.fields: 1}[tuple(template.fields)] == 1


def test_what_a_decoder_said_that_was_given_up_meanwhile_does_not_hold():
    decoding = Decoding(lambda: Decoder(SCHEMA), MemoryState())
    given_up, fresh = decoding._decoder, Decoder(SCHEMA)

    def parts():
        yield ["said before"]
        decoding._decoder = fresh
        yield ["said at last"]

    given_up.exporter_parts = parts
    fresh.exporter_parts = lambda: iter([["first"], [], ["second"]])
    assert decoding.exporters() == ["first", "second"]
