"""What is missing of a stream does not depend on where it is cut into batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.batch import DatagramBatch
from millrace.decode import Counts, Decoder
from millrace.schema import Schema
from millrace.testing.netflow import IPFIX, V9, Template, ipfix, template_set, v9

SCHEMA = Schema()
KNOWN, UNKNOWN = Template(256, [(7, 2)]), Template(300, [(7, 2)])


def _regime(rng: np.random.Generator, version: int, sequence: int, datagrams: int) -> tuple[list[bytes], int]:
    """Datagrams of an exporter that counts in some manner, of which some are lost, late, or come twice."""
    make, sent = (ipfix if version == IPFIX else v9), list[bytes]()
    counted = rng.choice(["datagrams", "records", "sets", "nothing", "anything"])
    inclusive, even = rng.random() < 0.3, rng.random() < 0.3
    lost, twice, late, unknown = (rng.choice([0, 0, 0.1, 0.4]) for _ in range(4))
    for _ in range(datagrams):
        records = 1 if even else int(rng.integers(0, 4))
        sets = [KNOWN.data(*[(9,)] * records)] if records else []
        sets += [UNKNOWN.data((1,))] if rng.random() < unknown else []
        sets += [template_set(version, KNOWN)] if rng.random() < 0.1 else []
        units = {"datagrams": 1, "records": records, "sets": len(sets), "nothing": 0}.get(counted, rng.integers(6))
        payload = make(*sets, sequence=(sequence + int(units) * inclusive) % (1 << 32))
        sequence += int(units)
        if rng.random() < lost:
            continue
        sent += [payload, payload] if rng.random() < twice else [payload]
        if rng.random() < late and len(sent) > 3:
            sent.insert(-int(rng.integers(1, 4)), sent.pop())
    return sent, sequence


def stream(rng: np.random.Generator, version: int) -> list[bytes]:
    """Datagrams of an exporter that changes its manner now and then."""
    make = ipfix if version == IPFIX else v9
    sent, sequence = [make(template_set(version, KNOWN))], int(rng.choice([0, 30, (1 << 32) - 20]))
    for _ in range(rng.integers(1, 5)):
        more, sequence = _regime(rng, version, sequence, int(rng.integers(1, 70)))
        sent += more
    return sent


def counts(payloads: list[bytes], cuts: list[int]) -> dict[object, int]:
    decoder, total = Decoder(SCHEMA), Counts()
    for first, stop in zip([0, *cuts], [*cuts, len(payloads)], strict=True):
        total.add(decoder.decode(DatagramBatch.from_payloads(payloads[first:stop])).counts)
    return {event: amount for event, amount in total.events.items() if amount}


@pytest.mark.variants(1)
@pytest.mark.parametrize("version", [V9, IPFIX])
@given(seed=st.integers(0, (1 << 32) - 1))
@settings(max_examples=60, deadline=None)
def test_cuts_change_nothing(version, seed):
    rng = np.random.default_rng(seed)
    payloads = stream(rng, version)
    some = np.unique(rng.integers(1, len(payloads), 6)).tolist() if len(payloads) > 1 else []
    for cuts in (some, list(range(1, len(payloads)))):
        assert counts(payloads, cuts) == counts(payloads, [])


def test_what_follows_a_late_datagram_is_taken_alike():
    payloads = [v9(sequence=sequence) for sequence in (50, 51, 40, 52, 41, 42, 43, 44, 45)]
    whole = counts(payloads, [])
    for cut in range(1, len(payloads)):
        assert counts(payloads, [cut]) == whole


@pytest.mark.parametrize("version", [V9, IPFIX])
def test_flows_that_are_not_known_are_no_flows_in_a_batch_of_their_own(version):
    """Records without a template, alone in a batch: how many flows came is as little known as beside others."""
    make = ipfix if version == IPFIX else v9
    payloads = [make(template_set(version, KNOWN))]
    payloads += [make(KNOWN.data((1,)), sequence=number) for number in range(3)]
    payloads += [make(UNKNOWN.data((1,)), sequence=3) for _ in range(9)]
    payloads += [make(KNOWN.data((1,)), sequence=number) for number in (3, 4, 9)]
    assert counts(payloads, list(range(1, len(payloads)))) == counts(payloads, [])
