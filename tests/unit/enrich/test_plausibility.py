"""Flows whose figures contradict each other are marked, others never."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.batch import Coded, FlowBatch, map_ipv4
from millrace.enrich import Enricher, Exporter, Interface, StaticMetadata
from millrace.enrich.plausibility import mark_implausible
from millrace.pipeline.totals import Totals
from millrace.schema import IMPLAUSIBLE

T = 1_767_268_800_000
KINDS = {"InIfSpeed": np.uint32, "OutIfSpeed": np.uint32, "TimeFlowStart": np.int64, "TimeFlowEnd": np.int64}
USUAL = {
    "Bytes": 1500, "Packets": 1, "SamplingRate": 1, "InIfSpeed": 1000, "OutIfSpeed": 0, "TimeFlowStart": T,
    "TimeFlowEnd": T + 1000,
}  # fmt: skip


def marks(*rows, unknown=()):
    flows = FlowBatch(len(rows))
    for name in USUAL:
        values = np.array([{**USUAL, **row}.get(name) or 0 for row in rows], KINDS.get(name, np.uint64))
        known = np.array([{**USUAL, **row}[name] is not None for row in rows])
        if name not in unknown:
            flows.put(name, values, None if known.all() else known)
    mark_implausible(flows)
    return [IMPLAUSIBLE[code] for code in flows.columns["Implausible"]]


@pytest.mark.parametrize(
    ("flow", "mark"),
    [
        ({}, "no"),
        ({"Bytes": 65_535}, "no"),
        ({"Bytes": 65_536}, "packet-size"),
        ({"Bytes": 65_536, "Packets": None}, "no"),
        ({"Bytes": 1, "Packets": 0}, "packet-size"),
        ({"Bytes": 0, "Packets": 0}, "no"),
        ({"Bytes": 2**64 - 1, "Packets": 2**47, "InIfSpeed": 0}, "packet-size"),
        ({"Bytes": 2**64 - 1, "Packets": 2**48 + 2**33, "InIfSpeed": 0}, "no"),
        ({"Bytes": 2**64 - 1, "Packets": 2**63, "InIfSpeed": 0}, "no"),
        # 1 Gbit/s × 1 s × 10 are 1.25·10⁹ bytes.
        ({"Bytes": 1_250_000_000, "Packets": 10**6}, "no"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6}, "interface-speed"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "InIfSpeed": 0, "OutIfSpeed": 1000}, "interface-speed"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "InIfSpeed": 10_000, "OutIfSpeed": 1000}, "interface-speed"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "InIfSpeed": 10_000}, "no"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "InIfSpeed": 0}, "no"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "InIfSpeed": None, "OutIfSpeed": None}, "no"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "TimeFlowEnd": T + 2000}, "no"),
        ({"Bytes": 2_500_000_001, "Packets": 10**6, "TimeFlowEnd": T + 2000}, "interface-speed"),
        # A shorter time than a second counts as one, a reversed or unknown one not at all.
        ({"Bytes": 1_250_000_000, "Packets": 10**6, "TimeFlowEnd": T}, "no"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "TimeFlowEnd": T}, "interface-speed"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "TimeFlowEnd": T - 1}, "no"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "TimeFlowStart": 0}, "no"),
        ({"Bytes": 1_250_000_001, "Packets": 10**6, "TimeFlowEnd": None}, "no"),
        # Estimates of few sampled packets prove nothing, of ten they do; packets that are not told are few.
        ({"Bytes": 1500, "SamplingRate": 2**24, "TimeFlowEnd": T}, "no"),
        ({"Bytes": 13_500, "Packets": 9, "SamplingRate": 10**6}, "no"),
        ({"Bytes": 15_000, "Packets": 10, "SamplingRate": 10**6}, "interface-speed"),
        ({"Bytes": 15_000, "Packets": None, "SamplingRate": 10**6}, "no"),
        ({"Bytes": 15_000, "Packets": 10, "SamplingRate": 80_000}, "no"),
        ({"SamplingRate": 2**24}, "no"),
        ({"SamplingRate": 2**24 + 1}, "sampling-rate"),
        ({"SamplingRate": 2**32 - 1, "Bytes": 15_000, "Packets": 10}, "sampling-rate"),
        ({"SamplingRate": 2**32 - 1, "Bytes": 2**64 - 1}, "packet-size"),
    ],
)  # fmt: skip
def test_marks(flow, mark):
    assert marks(flow) == [mark]
    assert marks({}, flow, {}) == ["no", mark, "no"]


def test_what_the_batch_lacks_accuses_nobody():
    wild = {"Bytes": 2**40, "SamplingRate": 1}
    assert marks(wild, unknown=("Packets",)) == ["interface-speed"]
    assert marks(wild, unknown=("Packets", "TimeFlowStart")) == ["no"]
    assert marks(wild, unknown=("Packets", "InIfSpeed", "OutIfSpeed")) == ["no"]
    empty = FlowBatch(2)
    mark_implausible(empty)
    assert empty.columns == {}


numbers = st.sampled_from([0, 1, 9, 10, 1500, 65_535, 65_536, 10**9, 2**31, 2**48 - 1, 2**48, 2**63, 2**64 - 1])


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "Bytes": numbers, "Packets": st.none() | numbers,
                "SamplingRate": st.sampled_from([1, 2, 1000, 2**24, 2**24 + 1, 2**32 - 1]),
                "InIfSpeed": st.sampled_from([None, 0, 1, 1000, 2**32 - 1]), "OutIfSpeed": st.sampled_from([0, 10]),
                "TimeFlowStart": st.sampled_from([None, 0, T]), "TimeFlowEnd": st.sampled_from([T - 1, T, T + 90_000]),
            }
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_marks_are_those_of_whole_numbers(rows):
    """The rules once more, flow by flow, without a bound on numbers."""

    def mark(flow):
        packets, rate = flow["Packets"], flow["SamplingRate"]
        if packets is not None and flow["Bytes"] > packets * 65_535:
            return "packet-size"
        if rate > 2**24:
            return "sampling-rate"
        speeds = [speed for speed in (flow["InIfSpeed"], flow["OutIfSpeed"]) if speed]
        start, end = flow["TimeFlowStart"], flow["TimeFlowEnd"]
        if not speeds or not start or end < start:
            return "no"
        octets = flow["Bytes"] * (rate if rate == 1 or (packets or 0) >= 10 else 1)
        return "interface-speed" if octets > min(speeds) * 1250 * max(end - start, 1000) else "no"

    assert marks(*rows) == [mark(row) for row in rows]


def test_the_enricher_marks_with_the_speeds_that_it_fills_and_totals_count_per_exporter():
    metadata = StaticMetadata([Exporter("192.0.2.1/32", name="edge", interfaces={7: Interface("eth7", speed_mbps=10)})])
    flows = FlowBatch(4)
    exporter = np.array([0, 0, 1, 0], np.int32)
    flows.put("ExporterAddress", Coded(exporter, map_ipv4(np.array([0xC0000201, 0xC0000202], ">u4"))))
    flows.put("InIf", np.full(4, 7, np.uint32))
    flows.put("Bytes", np.array([13_000_000, 500, 13_000_000, 10**6], np.uint64))
    flows.put("Packets", np.array([10_000, 1, 10_000, 1], np.uint64))
    for name in ("TimeFlowStart", "TimeFlowEnd"):
        flows.put(name, np.full(4, T, np.int64))
    marked = Enricher(metadata).enrich(flows)
    assert "Implausible" not in flows.columns
    assert [IMPLAUSIBLE[code] for code in marked.columns["Implausible"]] == [
        "interface-speed", "no", "no", "packet-size",
    ]  # fmt: skip
    totals = Totals(max_exporters=10)
    totals.add_marked(marked, 5)
    totals.add_marked(marked, 9)
    (address, found), *others = totals.implausible.items()
    assert others == []
    assert address.endswith(bytes([192, 0, 2, 1]))
    assert found.flows == {"interface-speed": 2, "packet-size": 2}
    assert found.last_ns == 9
