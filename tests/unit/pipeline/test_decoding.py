"""A datagram at which the decoder fails costs itself: not its batch, not what waits, and no flow is stored twice."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Decoder
from millrace.pipeline.decoding import FAILED, RENEWED, Decoding
from millrace.pipeline.saved import MemoryState, StateFile
from millrace.schema import Schema
from millrace.testing.netflow import IPFIX, LegacyRecord, Template, ipfix, options_template_set, template_set, v5

SCHEMA = Schema()
MARK = b"\xde\xad\xbe\xef"
PLAIN = Template(256, [(8, 4), (12, 4), (1, 8)])
OTHER = Template(256, [(1, 8), (8, 4), (12, 4)])


class Broken(Decoder):
    """Fails at datagrams with a mark, after it has decoded everything: its state is changed then."""

    attempts = 0

    def decode(self, batch):
        Broken.attempts += 1
        decoded = super().decode(batch)
        for index in range(len(batch)):
            if MARK in batch.payload(index):
                raise ValueError(f"defect at datagram {index}")
        return decoded


@pytest.fixture(autouse=True)
def attempts():
    Broken.attempts = 0


def announced(template=PLAIN, sequence=0, domain=1):
    return ipfix(template_set(IPFIX, template), sequence=sequence, domain=domain)


def data(number, template=PLAIN, sequence=0, domain=1):
    values = ("192.0.2.1", "192.0.2.2", number) if template is PLAIN else (number, "192.0.2.1", "192.0.2.2")
    return ipfix(template.data(values), sequence=sequence, domain=domain)


def batch(*payloads, source="192.0.2.1"):
    return DatagramBatch.from_payloads(payloads, source=source)


def octets(decoded):
    return sorted(decoded.flows.columns["Bytes"].tolist()) if len(decoded.flows) else []


def lost(decoded, reason):
    return sum(amount for (*_, label), amount in decoded.counts.drops.items() if label == reason)


def test_one_bad_datagram_costs_itself():
    decoding = Decoding(lambda: Broken(SCHEMA), MemoryState())
    payloads = [announced(), *(data(number, sequence=number - 1) for number in range(1, 1000))]
    payloads.insert(700, MARK + bytes(20))
    decoded = decoding.decode(batch(*payloads))
    assert octets(decoded) == list(range(1, 1000))
    assert lost(decoded, FAILED) == 1
    assert decoded.counts.drops[address_bytes("192.0.2.1"), "unknown", "datagram", FAILED] == 1
    assert "de ad be ef" in next(issue.detail for issue in decoded.counts.issues if issue.reason == FAILED)
    assert {
        event: decoded.counts.events[address_bytes("192.0.2.1"), "ipfix", event] for event in ("lost", "reordered")
    } == {
        "lost": 0,
        "reordered": 0,
    }
    assert Broken.attempts < 30
    assert "defect at datagram 700" in decoding.trouble.error
    assert octets(decoding.decode(batch(data(5, sequence=999)))) == [5]
    assert decoding.trouble.error == ""


def test_rows_still_tell_their_datagram():
    decoding = Decoding(lambda: Broken(SCHEMA), MemoryState())
    decoded = decoding.decode(batch(announced(), MARK, data(1), MARK, data(2)))
    order = np.argsort(decoded.flows.columns["Bytes"])
    assert decoded.flows.datagram[order].tolist() == [2, 4]


def test_what_was_saved_is_known_to_the_new_decoder(tmp_path):
    decoding = Decoding(lambda: Broken(SCHEMA), StateFile(tmp_path / "state.json"))
    decoding.decode(batch(announced(), data(9)))
    decoding.save()
    decoded = decoding.decode(batch(data(1), MARK, data(2)))
    assert octets(decoded) == [1, 2]


def test_a_template_that_the_failed_batch_redefines_does_not_decode_what_came_before_it():
    decoding = Decoding(lambda: Broken(SCHEMA), MemoryState())
    decoding.decode(batch(announced(), data(9)))
    decoding.save()
    decoded = decoding.decode(batch(data(1), MARK, announced(OTHER), data(2, OTHER)))
    assert octets(decoded) == [1, 2]


def test_sets_that_wait_are_neither_doubled_nor_lost_without_a_count():
    decoding = Decoding(lambda: Broken(SCHEMA), MemoryState())
    decoding.decode(batch(data(1), data(2)))
    # Two waited before; the third comes with the batch that fails, and is decoded once.
    decoded = decoding.decode(batch(data(3), MARK))
    assert lost(decoded, RENEWED) == 2
    later = decoding.decode(batch(announced()))
    assert octets(later) == [3]
    # Nothing waits any more: the next failure loses nothing.
    assert lost(decoding.decode(batch(MARK)), RENEWED) == 0


def test_sets_that_the_failed_batch_would_have_released_are_counted():
    decoding = Decoding(lambda: Broken(SCHEMA), MemoryState())
    decoding.decode(batch(data(1)))
    decoded = decoding.decode(batch(announced(), MARK))
    assert (lost(decoded, RENEWED), octets(decoded)) == (1, [])


def test_many_bad_datagrams_cost_the_batch_and_no_more():
    decoding = Decoding(lambda: Broken(SCHEMA), MemoryState())
    decoded = decoding.decode(batch(announced(), *[MARK] * 100))
    assert lost(decoded, FAILED) == 101
    assert octets(decoding.decode(batch(announced(), data(9)))) == [9]


def test_somebody_who_sends_bad_datagrams_all_the_time_does_not_keep_the_decoder_searching():
    decoding = Decoding(lambda: Broken(SCHEMA), MemoryState())
    bad = batch(announced(), *(data(number) for number in range(500)), MARK)
    assert lost(decoding.decode(bad), FAILED) == 1
    searched, Broken.attempts = Broken.attempts, 0
    decoded = decoding.decode(bad)
    assert lost(decoded, FAILED) == 502
    assert Broken.attempts <= 2 < searched


def test_an_error_that_does_not_come_again_costs_nothing():
    class Once(Decoder):
        failed = False

        def decode(self, batch):
            if not Once.failed:
                Once.failed = True
                raise MemoryError
            return super().decode(batch)

    decoding = Decoding(lambda: Once(SCHEMA), MemoryState())
    decoded = decoding.decode(batch(announced(), data(1)))
    assert (octets(decoded), lost(decoded, FAILED)) == ([1], 0)


def test_a_decoder_that_dies_in_the_middle_is_not_used_again():
    class Deadly(Decoder):
        armed = True

        def decode(self, batch):
            decoded = super().decode(batch)
            if Deadly.armed:
                Deadly.armed = False
                raise SystemExit
            return decoded

    decoding = Decoding(lambda: Deadly(SCHEMA), MemoryState())
    with pytest.raises(SystemExit):
        decoding.decode(batch(data(1)))
    # What the dead decoder kept waiting was counted as lost by whoever caught its death.
    assert octets(decoding.decode(batch(announced(), data(2)))) == [2]


def test_a_state_that_cannot_be_restored_or_saved_costs_no_flow():
    class Unwilling(Decoder):
        def restore(self, state):
            raise RuntimeError("no")

        def snapshot_parts(self):
            raise RuntimeError("no snapshot")

    state = MemoryState()
    state.save({"format": 1})
    decoding = Decoding(lambda: Unwilling(SCHEMA), state)
    decoding.restore()
    assert octets(decoding.decode(batch(announced(), data(1)))) == [1]
    decoding.save()
    assert "no snapshot" in decoding.saving.error
    assert decoding.saving.condition("degraded", "x").status == "degraded"


class Parted(Decoder):
    """Tells how many entries each part of what is saved has."""

    def snapshot_parts(self):
        self.sizes = []
        for parts in super().snapshot_parts():
            self.sizes.append(sum(len(entries) for part in parts for entries in part.values()))
            yield parts


LARGEST_PART = 2000
RATES = Template(4000, [(302, 4), (34, 4)], scopes=1)
LARGE, SMALL = "198.51.100.1", [f"192.0.2.{number}" for number in range(1, 101)]


def world(state, then=0):
    """What a large exporter and a hundred small ones announce in a first or a second state, in batches."""
    fields, rate = ((1, 4), 10) if state == 1 else ((1, 8), 11)
    templates = [Template(number, [fields, (8, 4), (12, 4)]) for number in range(256, 3256)]
    for first in range(0, 3000, 100):
        told = RATES.data(*((selector, rate) for selector in range(1 + first, 101 + first)))
        some = template_set(IPFIX, *templates[first : first + 100])
        payload = ipfix(some, options_template_set(IPFIX, RATES), told)
        yield DatagramBatch.from_payloads([payload], source=LARGE, time_ns=then)
    few = ipfix(template_set(IPFIX, *templates[:20]), options_template_set(IPFIX, RATES), RATES.data((1, rate)))
    for source in SMALL:
        yield DatagramBatch.from_payloads([few], source=source, time_ns=then)


def large_decoding(state):
    made = []

    def make():
        made.append(Parted(SCHEMA))
        return made[-1]

    decoding = Decoding(make, state)
    for source in (LARGE, *SMALL):
        decoding.decode(DatagramBatch.from_payloads([v5(LegacyRecord())], source=source, time_ns=1))
    for announced in world(1):
        decoding.decode(announced)
    return decoding, made[-1]


def test_decoding_goes_on_while_a_large_state_is_saved(monkeypatch):
    state = MemoryState()
    decoding, decoder = large_decoding(state)
    flows = []
    sent = DatagramBatch.from_payloads([v5(LegacyRecord())], source=LARGE, time_ns=2)
    # Between two parts the lock is free: else this would wait for ever.
    monkeypatch.setattr("millrace.pipeline.decoding.time.sleep", lambda _: flows.append(decoding.decode(sent)))
    decoding.save()
    saved = state.load()
    lists = [entries for entries in saved.values() if isinstance(entries, list)]
    assert sum(decoder.sizes) == sum(map(len, lists)) > 4 * LARGEST_PART
    assert max(decoder.sizes) <= LARGEST_PART
    assert len(flows) >= len(decoder.sizes) > 4
    assert (len(saved["templates"]), len(saved["sampling"])) == (3001 + 21 * 100, 3000 + 100)


def test_what_is_saved_of_an_exporter_is_of_one_moment_whatever_comes_meanwhile(monkeypatch):
    state = MemoryState()
    decoding, _ = large_decoding(state)
    pauses = 0

    def pause(_):
        nonlocal pauses
        pauses += 1
        if pauses == 3:  # in the midst of the large one
            for announced in world(2, then=2):
                decoding.decode(announced)

    monkeypatch.setattr("millrace.pipeline.decoding.time.sleep", pause)
    decoding.save()
    saved = state.load()
    lengths, rates = {}, {}
    for entry in saved["templates"]:
        if not entry["options"]:
            lengths.setdefault(entry["exporter"], set()).add(int(entry["fields"][4:8], 16))
    for entry in saved["sampling"]:
        rates.setdefault(entry["exporter"], set()).add(entry["rate"])
    both = {exporter: (*lengths[exporter], *rates[exporter]) for exporter in lengths}
    assert set(both) == {LARGE, *SMALL}
    assert set(both.values()) == {(4, 10), (8, 11)}
    restored = Decoder(SCHEMA)
    assert restored.restore(saved)
    assert len(restored.snapshot()["templates"]) == len(saved["templates"])
    # What changed meanwhile is saved the next time.
    monkeypatch.undo()
    decoding.save_now()
    assert {entry["rate"] for entry in state.load()["sampling"]} == {11}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), bad=st.integers(0, 4))
def test_whatever_the_order_the_sound_datagrams_give_what_they_give_alone(seed, bad):
    random_ = random.Random(seed)
    number = iter(range(1, 1000))
    sound = []
    for domain in (1, 2, 3):
        sound.append(announced(domain=domain))
        sound += [data(next(number), domain=domain) for _ in range(random_.randrange(5))]
    sound += [v5() for _ in range(2)]
    random_.shuffle(sound)
    mixed = list(sound)
    for _ in range(bad):
        mixed.insert(random_.randrange(len(mixed) + 1), MARK + bytes(random_.randrange(30)))
    decoded = Decoding(lambda: Broken(SCHEMA), MemoryState()).decode(batch(*mixed))
    alone = Decoder(SCHEMA).decode(batch(*sound))
    assert octets(decoded) == octets(alone)
    assert lost(decoded, FAILED) == bad
    events = {key: amount for key, amount in decoded.counts.events.items() if key[1] != "unknown"}
    assert events == dict(alone.counts.events)
