"""Counts are kept per exporter, within a bound, and none is lost beyond it."""

from millrace.decode import Counts
from millrace.pipeline.totals import OTHERS, Totals


def test_forged_exporters_beyond_the_bound_are_added_up():
    totals = Totals(max_exporters=10)
    for number in range(1, 1001):
        counts = Counts()
        counts.event(number.to_bytes(16, "big"), "ipfix", "flows", 2)
        counts.drop(number.to_bytes(16, "big"), "ipfix", "set", "bad-length", 1, "example")
        totals.add(counts)
    assert len(totals.events) == 11
    assert sum(totals.events.values()) == 2000
    assert totals.events[OTHERS, "ipfix", "flows"] == 2 * 990
    assert sum(totals.drops.values()) == 1000
    assert len(totals.issues) <= 64


def test_reserved_exporters_have_sums_of_their_own_whatever_came_before():
    named = bytes(15) + b"\x07"
    totals = Totals(max_exporters=10, reserved=lambda exporter: exporter == named)
    for number in range(1000, 2000):
        counts = Counts()
        counts.event(number.to_bytes(16, "big"), "ipfix", "flows", 2)
        totals.add(counts)
    counts = Counts()
    counts.event(named, "ipfix", "flows", 5)
    totals.add(counts)
    assert totals.events[named, "ipfix", "flows"] == 5
    assert len(totals.events) == 12
