"""Counts of many exporters at once are those of one by one."""

from __future__ import annotations

import pytest

from millrace.decode import Counts
from millrace.decode.result import Event

ONE, OTHER = bytes(15) + b"\1", bytes(15) + b"\2"


@pytest.mark.parametrize("event", ["datagrams", "implausible_times"])
@pytest.mark.parametrize("before", [0, 3])
def test_counting_many_is_counting_each(event: Event, before: int) -> None:
    each, many = Counts(), Counts()
    for counts in (each, many):
        counts.event(ONE, "ipfix", event, before)
    each.event(ONE, "ipfix", event, 2)
    each.event(OTHER, "ipfix", event, 5)
    many.add_events(event, [((ONE, "ipfix", event), 2), ((OTHER, "ipfix", event), 5), ((OTHER, "sflow-v5", event), 0)])
    assert (each.events, each.odd) == (many.events, many.odd)
    assert ("sflow-v5" in {protocol for _, protocol, _ in many.events}) is False
