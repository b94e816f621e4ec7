"""JSON is no slow path: what most users start with must keep up with a router."""

from __future__ import annotations

import time

from millrace.decode import Decoder
from millrace.formats import json_lines, readable
from millrace.generate import LoadPool
from millrace.schema import Schema

PEER_FLOWS_PER_SECOND = 19_000
"""GoFlow2's JSON on one core, whatever the protocol."""


def test_json_of_every_column_is_faster_than_the_peers():
    schema, pool = Schema(), LoadPool("ipfix", datagrams=300)
    decoder = Decoder(schema)
    start_ns = 1_700_000_000_000_000_000
    preamble = pool.preamble(start_ns)
    assert preamble is not None
    decoder.decode(preamble.batch("127.0.0.1"))
    flows = decoder.decode(pool.take(300, start_ns).batch("127.0.0.1")).flows
    seconds = []
    for _ in range(3):
        started = time.process_time()
        text = json_lines(readable(flows.to_arrow(schema, missing=False), schema))
        seconds.append(time.process_time() - started)
    assert text.count(b"\n") == len(flows) > 5000
    assert len(flows) / min(seconds) > PEER_FLOWS_PER_SECOND
