"""Made flows for graphs: few values, so that they meet; times on both sides of the seam of rollups and flows."""

from hypothesis import strategies as st

from millrace.query import Table
from unit.query.stored_flows import BASE, TABLES

NOW = BASE + 3 * 3600 + 2846
"""Inside a minute, an hour and whatever intervals are asked for."""

UNTIL = {"flows_1m0s": BASE + 3 * 3600 + 2400, "flows_5m0s": BASE + 3 * 3600 + 600, "flows_1h0m0s": BASE + 2 * 3600}
"""Where the rollups end: the seam."""

PARTLY = tuple(Table(t.name, t.interval_seconds, until=UNTIL.get(t.name, t.until)) for t in TABLES)

SPEEDS = {(0, 1): 1, (0, 2): 0, (0, 3): 10, (1, 1): 4, (1, 2): 25, (1, 3): 0}
"""Mbit/s by exporter and interface; 0: unknown."""

EXPORTERS = ("192.0.2.1", "2001:db8::fe")
ADDRESSES = ("10.1.2.3", "10.1.99.4", "10.200.0.1", "192.0.2.7", "2001:db8:1::1", "2001:db8:1:2::1", "2001:db8:ffff::1")
DAY = 86_400

FILTERS = {
    "": lambda f: True,
    "SrcAS = AS64501": lambda f: f["SrcAS"] == 64501,
    "InIfName IN ('a1', 'b2') OR Proto = udp": lambda f: f["InIfName"] in ("a1", "b2") or f["Proto"] == 17,
    "NOT (DstAS = 64502) AND OutIfSpeed > 1": lambda f: f["DstAS"] != 64502 and f["OutIfSpeed"] > 1,
    "SrcAddr << 10.0.0.0/8": lambda f: f["SrcAddr"].startswith("10."),
    "DstAddr IN (2001:db8:1::/48, 10.1.2.3)": lambda f: (
        f["DstAddr"].startswith("2001:db8:1:") or f["DstAddr"] == "10.1.2.3"
    ),
    "SrcAS = DstAS": lambda f: f["SrcAS"] == f["DstAS"],
    "SrcAS = 4200000000": lambda f: False,
}
"""Filters in the language and in Python."""


@st.composite
def flows(draw):
    """A flow in the last hours, or a day or a week before."""
    exporter, ins, outs = draw(st.integers(0, 1)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    age = draw(st.integers(0, 4 * 3600 * 1000)) + draw(st.sampled_from([0, 0, 0, DAY, 7 * DAY])) * 1000
    name = "ab"[exporter]
    return {
        "TimeReceived": NOW * 1000 - 1 - age,
        "ExporterAddress": EXPORTERS[exporter],
        "ExporterName": name,
        "InIf": ins,
        "InIfName": f"{name}{ins}",
        "InIfSpeed": SPEEDS[exporter, ins],
        "OutIf": outs,
        "OutIfName": f"{name}{outs}",
        "OutIfSpeed": SPEEDS[exporter, outs],
        "SrcAddr": draw(st.sampled_from(ADDRESSES)),
        "DstAddr": draw(st.sampled_from(ADDRESSES)),
        "SrcAS": draw(st.integers(64500, 64503)),
        "DstAS": draw(st.integers(64500, 64503)),
        "Proto": draw(st.sampled_from([6, 17])),
        "Bytes": draw(st.integers(0, 100_000)),
        "Packets": draw(st.integers(0, 100)),
        "SamplingRate": draw(st.sampled_from([1, 10, 1000])),
    }


traffic = st.lists(flows(), max_size=60)

DIMENSIONS = (
    "SrcAS",
    "DstAS",
    "SrcAddr",
    "DstAddr",
    "ExporterName",
    "ExporterAddress",
    "InIfName",
    "OutIfName",
    "Proto",
)

UNITS = ("bits/s", "l2-bits/s", "packets/s", "flows/s", "in-%", "out-%", "bytes")

spans = st.tuples(st.integers(NOW - 4 * 3600, NOW - 1), st.integers(1, 3 * 3600)).map(
    lambda span: (span[0], min(span[0] + span[1], NOW))
)
