"""Pools of datagrams for load."""

import struct

import numpy as np
import pytest

from millrace.decode import Decoder
from millrace.generate import PROTOCOLS, LoadPool
from millrace.generate.load import POOL_TIME_MS
from millrace.schema import Schema

SECOND = 1_000_000_000
TIME_NS = POOL_TIME_MS * 1_000_000


def numbers_of(pool, datagrams, offset):
    return [struct.unpack_from("!I", payload, offset)[0] for payload in datagrams.payloads()]


@pytest.mark.parametrize(
    ("protocol", "offset", "step"),
    [("netflow-v5", 16, 30), ("netflow-v9", 12, 1), ("ipfix", 8, 24), ("sflow-v5", 16, 1)],
)
def test_sequence_numbers_go_on_when_the_pool_begins_again(protocol, offset, step):
    pool = LoadPool(protocol, datagrams=5)
    taken = [n for _ in range(6) for n in numbers_of(pool, pool.take(2, TIME_NS), offset)]
    assert len(taken) == 10
    assert np.array_equal(np.diff(taken), np.full(9, step))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_decoder_sees_no_loss_and_every_flow(protocol):
    pool, decoder = LoadPool(protocol, datagrams=4), Decoder(Schema())
    preamble = pool.preamble(TIME_NS)
    if preamble is not None:
        decoder.decode(preamble.batch("192.0.2.1", time_ns=TIME_NS))
    for turn in range(5):
        decoded = decoder.decode(pool.take(3, TIME_NS + turn * SECOND).batch("192.0.2.1", time_ns=TIME_NS))
        assert decoded.flows.rows == pool.per_datagram * len_of(turn)
        assert not decoded.counts.drops
        assert not [key for key in decoded.counts.events if key[2] in ("lost", "reordered")]


def len_of(turn):
    """Datagrams that the n-th `take(3)` from a pool of four gives: it stops at the pool's end."""
    return 3 if turn % 2 == 0 else 1


@pytest.mark.parametrize("protocol", ["netflow-v5", "netflow-v9", "ipfix"])
def test_times_of_flows_move_on_with_the_clock(protocol):
    pool, decoder = LoadPool(protocol, datagrams=2), Decoder(Schema())
    preamble = pool.preamble(TIME_NS)
    if preamble is not None:
        decoder.decode(preamble.batch("192.0.2.1", time_ns=TIME_NS))
    for shift_s in (0, 7, 3600):
        now = TIME_NS + shift_s * SECOND
        flows = decoder.decode(pool.take(2, now).batch("192.0.2.1", time_ns=now)).flows.ordered()
        assert np.array_equal(flows.columns["TimeFlowEnd"], pool.flows.columns["TimeFlowEnd"] + shift_s * 1000)


def test_samples_are_numbered_without_gaps():
    pool = LoadPool("sflow-v5", datagrams=2, flows_per_datagram=3)
    taken = [pool.take(2, TIME_NS).payloads() for _ in range(2)]
    size = (len(taken[0][0]) - 28) // 3
    found = [
        struct.unpack_from("!I", payload, 28 + k * size + 8)[0] for part in taken for payload in part for k in range(3)
    ]
    assert found == list(range(1, 13))
