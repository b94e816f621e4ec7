"""Sequence, restart and status of agents."""

from __future__ import annotations

import pytest

from millrace.batch import address_bytes
from millrace.decode import Trust
from millrace.decode.limits import Limits
from millrace.decode.sflow import SflowDecoder
from millrace.testing import sflow as wire


def numbered(*sequences: int, agent: str = "192.0.2.10", sub_agent: int = 0, uptime_ms: int = 100_000) -> list[bytes]:
    return [
        wire.datagram([], agent=agent, sub_agent=sub_agent, sequence=sequence, uptime_ms=uptime_ms)
        for sequence in sequences
    ]


@pytest.mark.parametrize(
    ("sequences", "lost", "reordered"),
    [
        ([1, 2, 3], 0, 0),
        ([1, 2, 6, 7], 3, 0),
        ([1, 3, 2, 4], 1, 1),
        ([1, 5, 3, 4, 6], 3, 2),
        ([7, 7, 8], 0, 1),
        ([2**32 - 2, 2**32 - 1, 0, 1], 0, 0),
        ([2**32 - 1, 3], 3, 0),
        ([5_000_000, 1, 2], 0, 0),
        ([1, 5_000_000, 5_000_001], 0, 0),
    ],
)
def test_gaps_and_late_datagrams(sflow, sequences, lost, reordered):
    together = sflow.decode(*numbered(*sequences)).events
    assert (together.get("lost", 0), together.get("reordered", 0)) == (lost, reordered)


def test_batches_make_no_difference(sflow):
    events: dict[str, int] = {}
    for payload in numbered(1, 5, 3, 4, 6, 9, 8):
        for event, amount in sflow.decode(payload).events.items():
            events[event] = events.get(event, 0) + amount
    assert events == sflow.__class__().decode(*numbered(1, 5, 3, 4, 6, 9, 8)).events


def test_restart_by_uptime_loses_nothing(sflow):
    sflow.decode(*numbered(40, 41, uptime_ms=3_600_000))
    outcome = sflow.decode(*numbered(1, 2, uptime_ms=500))
    assert not {"lost", "reordered"} & outcome.events.keys()
    status = sflow.decoder.status()[0]
    assert (status.restarts, status.datagrams, status.uptime_ms) == (1, 4, 500)


def test_sub_agents_and_agents_count_apart(sflow):
    payloads = [
        payload
        for step in (1, 2, 3)
        for payload in (
            *numbered(step), *numbered(step + 100, sub_agent=1), *numbered(step * 2, agent="2001:db8::1"),
        )
    ]  # fmt: skip
    assert sflow.decode(*payloads).events["lost"] == 2
    lost = {(status.address, status.sub_agent): status.lost for status in sflow.decoder.status()}
    assert lost == {
        (address_bytes("192.0.2.10"), 0): 0,
        (address_bytes("192.0.2.10"), 1): 0,
        (address_bytes("2001:db8::1"), 0): 2,
    }


def test_status_tells_rates_by_source_index_and_the_last_issue(sflow):
    payload = wire.datagram([wire.flow_sample([], rate=512, source=2 << 24 | 17), wire.item(99, b"")])
    sflow.decode(payload, time_ns=1_800_000_000_000_000_000)
    status = sflow.decoder.status()[0]
    assert status.sampling_rates == {17: 512}
    assert status.last_seen_ns == 1_800_000_000_000_000_000
    assert status.last_issue.startswith("unknown-sample: ")
    assert status.last_issue_ns == 1_800_000_000_000_000_000


def test_flood_of_agents_is_bounded_and_costs_no_flow(sflow):
    sflow.decoder = SflowDecoder(sflow.schema, Limits(exporters=10))
    flows = 0
    for batch in range(3):
        payloads = [
            wire.datagram([wire.flow_sample([])], agent=f"10.{batch}.0.{host}", sequence=batch) for host in range(25)
        ]
        flows += len(sflow.decode(*payloads, time_ns=batch).flows)
    assert flows == 75
    assert len(sflow.decoder.status()) == 10


def test_the_agent_silent_for_longest_makes_room(sflow):
    sflow.decoder = SflowDecoder(sflow.schema, Limits(exporters=2))
    for when, agent in enumerate(["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"]):
        sflow.decode(*numbered(when, agent=agent), time_ns=when)
    assert {status.address for status in sflow.decoder.status()} == {
        address_bytes("10.0.0.1"),
        address_bytes("10.0.0.3"),
    }


def test_forged_agents_take_no_place_of_proven_or_configured_ones(sflow):
    named = address_bytes("192.0.2.9")
    sflow.decoder = SflowDecoder(sflow.schema, Limits(exporters=40), lambda address: Trust(configured=address == named))
    for when in range(100):
        sflow.decode(*numbered(when, agent="192.0.2.1"), time_ns=when)
    sflow.decode(*numbered(0, agent="192.0.2.9"), time_ns=100)
    for batch in range(20):
        payloads = [wire.datagram([wire.flow_sample([])], agent=f"10.{batch}.0.{host}") for host in range(30)]
        sflow.decode(*payloads, time_ns=1000 + batch)
    status = {one.address: one.datagrams for one in sflow.decoder.status()}
    assert (status[address_bytes("192.0.2.1")], status[named]) == (100, 1)
    assert len(status) <= 40


def test_newcomers_have_a_part_of_the_places_though_all_agents_are_proven(sflow):
    sflow.decoder = SflowDecoder(sflow.schema, Limits(exporters=20))
    for host in range(20):
        for when in range(100):
            sflow.decode(*numbered(when, agent=f"10.0.0.{host}"), time_ns=host * 100 + when)
    for host in range(5):
        sflow.decode(*numbered(0, agent=f"192.0.2.{host}"), time_ns=5000 + host)
    addresses = {one.address for one in sflow.decoder.status()}
    assert {address_bytes(f"192.0.2.{host}") for host in range(1, 5)} <= addresses
    assert sum(one.datagrams == 100 for one in sflow.decoder.status()) >= 14  # two make room at once


def test_forged_sub_agents_of_a_configured_agent_take_no_place_of_others(sflow):
    named = {address_bytes("192.0.2.9"), address_bytes("192.0.2.8")}
    sflow.decoder = SflowDecoder(sflow.schema, Limits(exporters=80), lambda address: Trust(configured=address in named))
    for when in range(100):
        sflow.decode(*numbered(when, agent="192.0.2.1"), time_ns=when)
    sflow.decode(*numbered(0, agent="192.0.2.8"), time_ns=100)
    for batch in range(20):
        payloads = [wire.datagram([], agent="192.0.2.9", sub_agent=batch * 30 + number) for number in range(30)]
        sflow.decode(*payloads, time_ns=1000 + batch)
    status = {one.address: one.datagrams for one in sflow.decoder.status()}
    assert (status[address_bytes("192.0.2.1")], status[address_bytes("192.0.2.8")]) == (100, 1)


def test_an_agent_heard_before_the_clock_was_set_back_makes_room(sflow):
    sflow.decoder = SflowDecoder(sflow.schema, Limits(exporters=2))
    late = 10**18
    for when, agent in ((late, "10.0.0.1"), (late, "10.0.0.2"), (1, "10.0.0.1"), (2, "10.0.0.3"), (3, "10.0.0.1")):
        sflow.decode(*numbered(1, agent=agent), time_ns=when)
    assert {status.address for status in sflow.decoder.status()} == {
        address_bytes("10.0.0.1"),
        address_bytes("10.0.0.3"),
    }
    assert max(status.last_seen_ns for status in sflow.decoder.status()) == 3
