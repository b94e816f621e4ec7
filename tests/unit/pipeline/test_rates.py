"""Recent rates per exporter."""

from __future__ import annotations

import numpy as np

from millrace.batch import Coded, FlowBatch
from millrace.pipeline.rates import WINDOW_S, Rates


def flows_of(addresses):
    flows = FlowBatch(len(addresses))
    flows.put("ExporterAddress", Coded(np.arange(len(addresses), dtype=np.int32), addresses))
    return flows


def test_a_flood_of_forged_exporters_takes_no_rate_from_reserved_ones():
    named = bytes(15) + b"\1"
    forged = [b"\x20" + number.to_bytes(15, "big") for number in range(5000)]
    rates = Rates(lambda address: address == named)
    for addresses in (forged, [named], [bytes(15) + b"\2"]):
        rates.add(flows_of(addresses), 10**9)
    found = rates.all(2 * 10**9)
    assert found[named].flows == 1 / WINDOW_S
    assert len(found) == 4096 + 1
