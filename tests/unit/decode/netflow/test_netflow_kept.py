"""What options told, and what survives a restart: kept and forgotten by standing."""

from __future__ import annotations

import json

import pytest

from millrace.batch import address_bytes
from millrace.decode import Decoder, Limits
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    LegacyRecord,
    Template,
    ipfix,
    options_template_set,
    template_set,
    v5,
)
from unit.decode.netflow.flooding import (
    HONEST,
    NAMES,
    OWN,
    RATE,
    YEAR_S,
    announce,
    configured,
    flood,
    forged,
    name_interfaces,
    served,
    statuses,
)


@pytest.mark.parametrize("sends", [False, True], ids=["silent", "with-a-flow-each"])
@pytest.mark.parametrize(("sources", "each"), [(10, 400), (200, 20)])
def test_options_of_a_new_exporter_are_learned_while_forged_ones_fill_the_room(make, sources, each, sends):
    collector = make(Limits(options_entries=4000, options_entries_per_exporter=500))
    name_interfaces(collector, range(sources), each, sends=sends)
    assert sum(status.interfaces for status in collector.decoder.exporters()) >= 3500
    own = ipfix(
        options_template_set(IPFIX, NAMES, RATE), NAMES.data(*((n + 1, f"e{n}") for n in range(50))),
        RATE.data((0, 1000)), template_set(IPFIX, OWN[0]), OWN[0].data((1, b"")),
    )  # fmt: skip
    (flow,) = collector.send(own, source=HONEST, at_s=EXPORT_S + 1)
    assert flow["SamplingRate"] == 1000
    name_interfaces(collector, range(500, 500 + sources // 2), each, at_s=EXPORT_S + 2, sends=sends)
    (flow,) = collector.send(ipfix(OWN[0].data((2, b""))), source=HONEST, at_s=EXPORT_S + 3)
    assert flow["SamplingRate"] == 1000
    assert statuses(collector)[address_bytes(HONEST)].interfaces == 50
    assert sum(status.interfaces + len(status.sampling) for status in collector.decoder.exporters()) <= 4000
    assert not collector.drops.get(("record", "options-limit")) or sources == 10


def test_what_options_told_is_forgotten_when_it_is_told_no_more(make):
    day = 86_400
    collector = make(Limits(options_lifetime_s=7 * day, template_lifetime_s=0))
    applications = Template(292, [(149, 4), (95, 4), (96, 8)], scopes=1)
    told = ipfix(
        options_template_set(IPFIX, NAMES, RATE, applications), NAMES.data((1, "eth1"), (2, "eth2")),
        RATE.data((0, 1000)), applications.data((0, 5, "http")), template_set(IPFIX, OWN[0]), OWN[0].data((1, b"")),
    )  # fmt: skip
    collector.send(told)
    for n in range(1, 8):
        (flow,) = collector.send(ipfix(NAMES.data((2, "eth2")), OWN[0].data((1, b""))), at_s=EXPORT_S + n * day)
        assert flow["SamplingRate"] == 1000
    collector.send(ipfix(NAMES.data((2, "eth2"))), at_s=EXPORT_S + 7.1 * day)
    (flow,) = collector.send(ipfix(OWN[0].data((1, b""))), at_s=EXPORT_S + 7.2 * day)
    assert "SamplingRate" not in flow
    (status,) = collector.decoder.exporters()
    assert (status.interfaces, status.applications, status.sampling) == (1, 0, ())
    assert [entry["name"] for entry in collector.decoder.snapshot()["interfaces"]] == ["eth2"]
    # Told again, it holds again.
    (flow,) = collector.send(told, at_s=EXPORT_S + 8 * day)
    assert flow["SamplingRate"] == 1000


def test_names_told_before_the_clock_was_set_back_make_room(make):
    collector = make(Limits(options_entries_per_exporter=10))
    name_interfaces(collector, [1], 10, at_s=EXPORT_S + YEAR_S)
    told = NAMES.data(*((n + 100, "new") for n in range(10)))
    collector.send(ipfix(options_template_set(IPFIX, NAMES), told), source=forged(1))
    assert {name for name, _ in collector.decoder.interface_names().values()} == {"new"}
    assert not collector.drops


def test_of_one_exporter_what_is_told_no_more_makes_room_for_what_is_told_now(make):
    collector = make(Limits(options_entries_per_exporter=10))
    payload = options_template_set(IPFIX, NAMES) + NAMES.data(*((n, f"i{n}") for n in range(1, 11)))
    collector.send(ipfix(payload))
    collector.send(ipfix(NAMES.data((50, "new"))), at_s=EXPORT_S + 60)
    assert collector.drops == {("record", "options-limit"): 1}
    collector.send(ipfix(NAMES.data((1, "i1"))), at_s=EXPORT_S + 3500)
    collector.send(ipfix(NAMES.data((50, "new"))), at_s=EXPORT_S + 3700)
    named = {index for _, index in collector.decoder.interface_names()}
    assert named == {1, 3, 4, 5, 6, 7, 8, 9, 10, 50}


# -- what survives a restart


def test_what_never_sent_a_flow_is_not_saved(make):
    collector = make()
    flood(collector, range(100), 5)
    name_interfaces(collector, range(100), 5)
    announce(collector)
    assert served(collector) == len(OWN)
    collector.send(v5(LegacyRecord()), source="192.0.2.7")
    snapshot = json.loads(json.dumps(collector.decoder.snapshot()))
    assert [entry["exporter"] for entry in snapshot["exporters"]] == [HONEST, "192.0.2.7"]
    assert {entry["exporter"] for entry in snapshot["templates"]} == {HONEST}
    assert snapshot["interfaces"] == []
    restored = make()
    restored.decoder.restore(snapshot)
    assert served(restored) == len(OWN)


def test_the_state_changes_when_an_exporter_comes_to_be_worth_saving(make):
    collector = make()
    announce(collector, OWN[:1])
    assert collector.changed
    for at_s, changes in ((0, True), (60, False), (599, False), (600, True), (700, False)):
        assert served(collector, OWN[:1], at_s=EXPORT_S + at_s) == 1
        assert collector.changed == changes, at_s


def test_a_snapshot_has_a_bound_within_which_those_with_most_standing_are_saved(make, monkeypatch):
    """Field lists are shared in memory, but each template has its own in a snapshot."""
    collector = make()
    long = [Template(300 + n, [(7, 2), *[(210, 1)] * 300]) for n in range(40)]
    values = (1, *[b""] * 300)
    for at_s in (EXPORT_S - 700, EXPORT_S):
        collector.send(ipfix(template_set(IPFIX, *long), long[0].data(values)), source=HONEST, at_s=at_s)
    for number in range(20):
        collector.send(ipfix(template_set(IPFIX, *long), long[0].data(values)), source=forged(number))
    assert len(collector.decoder.snapshot()["templates"]) == 21 * 40
    monkeypatch.setattr("millrace.decode.netflow.snapshot.LARGEST_BYTES", 1_000_000)
    snapshot = collector.decoder.snapshot()
    assert len(json.dumps(snapshot)) < 1_000_000
    assert {entry["exporter"] for entry in snapshot["templates"]} > {HONEST}
    assert {entry["exporter"] for entry in snapshot["templates"]} == {
        entry["exporter"] for entry in snapshot["exporters"]
    }


def test_a_configured_exporter_is_saved_in_any_case(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, trust=configured)
    announce(collector)
    assert len(collector.decoder.snapshot()["templates"]) == len(OWN)


def test_who_was_known_is_known_after_a_restart(make):
    collector = make()
    for at_s in (EXPORT_S - 700, EXPORT_S):
        announce(collector, OWN[:1], at_s=at_s)
        assert served(collector, OWN[:1], at_s=at_s) == 1
    limits = Limits(exporters=100)
    restored = make(limits)
    restored.decoder.restore(json.loads(json.dumps(collector.decoder.snapshot())))
    for second, first in enumerate(range(0, 1000, 50)):
        flood(restored, range(first, first + 50), 1, at_s=EXPORT_S + 1 + second, sends=True)
    assert served(restored, OWN[:1], at_s=EXPORT_S + 40) == 1


@pytest.mark.parametrize("told", [{}, {"told_ns": "soon"}, {"told_ns": -1}, {"told_ns": 1 << 80}])
def test_a_snapshot_with_or_without_times_of_options(make, told):
    collector = make()
    collector.send(ipfix(options_template_set(IPFIX, NAMES), NAMES.data((1, "eth1"))), v5(LegacyRecord()))
    snapshot = collector.decoder.snapshot()
    snapshot["interfaces"] = [
        {**{k: v for k, v in e.items() if k != "told_ns"}, **told} for e in snapshot["interfaces"]
    ]
    restored = make()
    restored.decoder.restore(snapshot)
    assert len(restored.decoder.interface_names()) == (0 if told else 1)
