"""What an exporter announces belongs to its address, its UDP port and its domain.

Several devices may stand behind one address (a translator of addresses) and
number domains and templates alike; and one device may change its port.
"""

from __future__ import annotations

import json

import pytest

from millrace.batch import DatagramBatch
from millrace.decode import Limits
from millrace.decode.netflow.headers import PROTOCOLS
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    VARIABLE,
    LegacyRecord,
    Template,
    ipfix,
    message,
    options_template_set,
    template_set,
    v5,
    withdrawal_set,
)

ONE = Template(256, [(7, 2), (1, 4)])
OTHER = Template(256, [(1, 8), (11, 2), (7, 2)])
PLAIN = Template(257, [(7, 2)])
NAMED = Template(258, [(7, 2), (48, 1)])
BOTH = pytest.mark.parametrize("version", [V9, IPFIX])
SYSTEM = {V9: (1, 4), IPFIX: (149, 4)}
INTERFACE = {V9: (2, 4), IPFIX: (10, 4)}


def ports(flows):
    return sorted((flow["SrcPort"], flow.get("Bytes")) for flow in flows)


def rate_options(version, rate):
    options = Template(300, [SYSTEM[version], (34, 4)], scopes=1)
    return options_template_set(version, options) + options.data((0, rate))


def rates(flows):
    return [flow.get("SamplingRate") for flow in flows]


@BOTH
def test_two_devices_behind_one_address_with_the_same_domain_and_template(collector, version):
    one, other = message(version, template_set(version, ONE)), message(version, template_set(version, OTHER))
    collector.send(one, port=10001)
    collector.send(other, port=10002)
    for _ in range(2):
        assert ports(collector.send(message(version, ONE.data((1, 100))), port=10001)) == [(1, 100)]
        assert ports(collector.send(message(version, OTHER.data((200, 53, 2))), port=10002)) == [(2, 200)]
    assert not collector.drops


@BOTH
def test_the_same_in_one_batch(collector, version):
    payloads = [
        message(version, template_set(version, ONE), ONE.data((1, 100))),
        message(version, template_set(version, OTHER), OTHER.data((200, 53, 2))),
        message(version, ONE.data((3, 300))),
        message(version, OTHER.data((400, 53, 4))),
    ]
    batch = DatagramBatch.from_payloads(payloads, source_port=[10001, 10002] * 2)
    flows = collector.decoder.decode(batch).flows.ordered().to_arrow(collector.schema).to_pylist()
    assert [(flow["SrcPort"], flow["Bytes"]) for flow in flows] == [(1, 100), (2, 200), (3, 300), (4, 400)]


@BOTH
def test_a_device_that_changes_its_port_goes_on(collector, version):
    """Flows, rates, names and start times go on, and nothing is said to be lost."""
    names = Template(301, [INTERFACE[version], (82, 8)], scopes=1)
    applications = Template(302, [SYSTEM[version], (95, 4), (96, 8)], scopes=1)
    timed = Template(259, [(7, 2), (22, 4), (95, 4)])
    boot = Template(303, [SYSTEM[version], (160, 8)], scopes=1)
    collector.send(
        message(
            version, template_set(version, PLAIN, timed), rate_options(version, 100), PLAIN.data((1,)),
            options_template_set(version, names, applications, boot), names.data((7, "eth7")),
            applications.data((0, 5, "http")), boot.data((0, EXPORT_S * 1000 - 60_000)), sequence=1000, domain=3,
        ),
        port=2000,
    )  # fmt: skip
    before = collector.decoder.interface_names()
    (flow, known) = collector.send(
        message(version, PLAIN.data((2,)), timed.data((3, 10_000, 5)), sequence=5_000_000, domain=3), port=2001
    )
    assert (flow["SamplingRate"], known["SamplingRate"], known["ApplicationName"]) == (100, 100, "http")
    if version == IPFIX:
        assert known["TimeFlowStart"] == EXPORT_S * 1000 - 50_000
    assert collector.decoder.interface_names() == before
    assert not collector.drops
    assert collector.event("lost") == 0
    (status,) = collector.decoder.exporters()
    assert [(domain.domain, domain.lost) for domain in status.domains] == [(3, 0)]


@BOTH
def test_a_port_without_a_template_waits_while_others_disagree(collector, version):
    collector.send(message(version, template_set(version, ONE)), port=1)
    collector.send(message(version, template_set(version, OTHER)), port=2)
    assert collector.send(message(version, ONE.data((1, 100))), port=3) == []
    flows = collector.send(message(version, template_set(version, ONE)), port=3)
    assert ports(flows) == [(1, 100)]
    assert not collector.drops


@BOTH
def test_the_template_of_another_port_releases_what_waits(collector, version):
    assert collector.send(message(version, ONE.data((1, 100))), port=1) == []
    assert ports(collector.send(message(version, template_set(version, ONE)), port=2)) == [(1, 100)]
    assert (collector.event("sets_waiting"), collector.event("sets_released")) == (1, 1)


SEVEN = Template(256, [(7, 2), (1, 4), (4, 1)])


@BOTH
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_data_that_cannot_be_what_another_port_announced_wait_for_their_own_template(collector, version, padding):
    """A collector that starts hears one device's template and, before its own, the other's data."""
    data = SEVEN.data((1, 100, 6), (2, 200, 17), padding=padding)
    collector.send(message(version, template_set(version, ONE)), port=1)
    assert collector.send(message(version, data), port=2) == []
    assert ports(collector.send(message(version, ONE.data((9, 900))), port=1)) == [(9, 900)]
    flows = collector.send(message(version, template_set(version, SEVEN)), port=2)
    assert [(*port, flow["Proto"]) for port, flow in zip(ports(flows), flows, strict=True)] == [
        (1, 100, 6), (2, 200, 17),
    ]  # fmt: skip
    assert not collector.drops


@BOTH
def test_nor_does_such_a_template_release_what_waits(collector, version):
    own, other = SEVEN.data((1, 100, 6)), ONE.data((9, 900))
    assert collector.send(message(version, own), port=2) == []
    assert ports(collector.send(message(version, other), message(version, template_set(version, ONE)), port=1)) == [
        (9, 900)
    ]
    assert [flow["Proto"] for flow in collector.send(message(version, template_set(version, SEVEN)), port=2)] == [6]
    assert (collector.event("sets_waiting"), collector.event("sets_released")) == (2, 2)


@BOTH
def test_of_what_waits_only_sets_that_fit_are_released_by_another_port(collector, version):
    one = message(version, ONE.data((5, 500)))
    assert collector.send(message(version, SEVEN.data((1, 100, 6))), one, port=2) == []
    assert ports(collector.send(message(version, template_set(version, ONE)), port=1)) == [(5, 500)]
    assert ports(collector.send(message(version, template_set(version, SEVEN)), port=2)) == [(1, 100)]
    assert not collector.drops


@pytest.mark.parametrize(("refused", "released"), [(3, 1), (20, 0)])
def test_templates_that_did_not_fit_again_and_again_are_no_longer_looked_at(collector, refused, released):
    """So that a flood of templates cannot have all that waits looked through at each of them."""
    collector.send(ipfix(SEVEN.data((1, 100, 6))), port=2)
    for n in range(refused):
        collector.send(ipfix(template_set(IPFIX, Template(256, [(7, 2), (1, 4 + 4 * (n % 2))]))), port=1)
    assert len(collector.send(ipfix(template_set(IPFIX, SEVEN)), port=1)) == released
    assert len(collector.send(ipfix(template_set(IPFIX, SEVEN)), port=2)) == 1 - released


@BOTH
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 3, 2), (1, 3, 0, 2), (3, 1, 2, 0)])
def test_nor_within_a_batch(collector, version, order):
    payloads = [
        (1, message(version, template_set(version, ONE))),
        (2, message(version, SEVEN.data((1, 100, 6)))),
        (1, message(version, ONE.data((9, 900)))),
        (2, message(version, template_set(version, SEVEN))),
    ]
    batch = DatagramBatch.from_payloads(
        [payloads[at][1] for at in order], source_port=[payloads[at][0] for at in order]
    )
    decoded = collector.decoder.decode(batch)
    flows = decoded.flows.to_arrow(collector.schema).to_pylist()
    assert sorted((flow["SrcPort"], flow["Bytes"], flow["Proto"]) for flow in flows) == [(1, 100, 6), (9, 900, None)]
    assert not decoded.counts.drops


@BOTH
@pytest.mark.parametrize("padding", [0, 1, 2, 3, 40])
def test_a_device_that_changes_its_port_goes_on_however_its_sets_are_padded(collector, version, padding):
    collector.send(message(version, template_set(version, SEVEN)), port=1)
    flows = collector.send(message(version, SEVEN.data((1, 100, 6), padding=padding)), port=2)
    assert ports(flows) == [(1, 100)]


def test_data_of_variable_length_that_are_too_short_wait(collector):
    longer = Template(256, [(8, 4), (12, 4), (96, VARIABLE)])
    collector.send(ipfix(template_set(IPFIX, longer)), port=1)
    assert collector.send(ipfix(ONE.data((1, 100))), port=2) == []
    assert ports(collector.send(ipfix(template_set(IPFIX, ONE)), port=2)) == [(1, 100)]


@BOTH
def test_ports_that_agree_serve_a_third(collector, version):
    for port in (1, 2):
        collector.send(message(version, template_set(version, ONE)), port=port)
    assert ports(collector.send(message(version, ONE.data((1, 100))), port=3)) == [(1, 100)]


def test_a_withdrawal_concerns_the_port_only(collector):
    for port in (1, 2):
        collector.send(ipfix(template_set(IPFIX, ONE)), port=port)
    collector.send(ipfix(withdrawal_set(256)), port=1)
    assert ports(collector.send(ipfix(ONE.data((1, 100))), port=2)) == [(1, 100)]


@BOTH
def test_each_device_has_its_own_rate_and_a_third_has_none_of_two(collector, version):
    for port, rate in ((1, 100), (2, 2000)):
        collector.send(message(version, template_set(version, PLAIN), rate_options(version, rate)), port=port)
    assert rates(collector.send(message(version, PLAIN.data((1,))), port=1)) == [100]
    assert rates(collector.send(message(version, PLAIN.data((1,))), port=2)) == [2000]
    assert rates(collector.send(message(version, PLAIN.data((1,))), port=3)) == [None]


@BOTH
def test_a_rate_of_another_domain_comes_from_the_own_port_first(collector, version):
    for port, rate in ((1, 100), (2, 2000)):
        collector.send(message(version, template_set(version, PLAIN), domain=9), port=port)
        collector.send(message(version, rate_options(version, rate), domain=0), port=port)
    assert rates(collector.send(message(version, PLAIN.data((1,)), domain=9), port=2)) == [2000]
    assert rates(collector.send(message(version, PLAIN.data((1,)), domain=9), port=1)) == [100]
    assert rates(collector.send(message(version, PLAIN.data((1,)), domain=9), port=3)) == [None]


def test_names_that_ports_tell_differently_are_nobodys(collector):
    names = Template(301, [(10, 4), (82, 8)], scopes=1)
    for port, name in ((1, "eth0"), (2, "ge-0")):
        collector.send(ipfix(options_template_set(IPFIX, names), names.data((7, name), (8, "lo"))), port=port)
    assert {index: texts[0] for (_, index), texts in collector.decoder.interface_names().items()} == {8: "lo"}


def test_names_of_a_device_that_came_back_on_another_port_are_its_new_ones(make, collector):
    """After a reboot interfaces are numbered anew, and the port is another."""
    names = Template(301, [(10, 4), (82, 8)], scopes=1)

    def told(port, *records, at_s, to=collector):
        to.send(ipfix(options_template_set(IPFIX, names), names.data(*records)), port=port, at_s=EXPORT_S + at_s)
        return {index: texts[0] for (_, index), texts in to.decoder.interface_names().items()}

    told(1, (7, "eth0"), (8, "lo"), at_s=0)
    assert told(2, (7, "eth1"), at_s=60) == {7: "eth1", 8: "lo"}
    assert told(1, (7, "eth0"), at_s=70) == {8: "lo"}
    assert told(2, (7, "eth1"), at_s=700) == {7: "eth1", 8: "lo"}
    collector.send(v5(LegacyRecord()))
    restored = make()
    restored.decoder.restore(json.loads(json.dumps(collector.decoder.snapshot())))
    assert told(2, (7, "eth1"), at_s=2000, to=restored) == {7: "eth1", 8: "lo"}


@BOTH
def test_sequence_numbers_of_two_devices_are_no_loss(collector, version):
    for n in range(200):
        for port, first in ((1, 0), (2, 1_000_000)):
            payload = message(version, template_set(version, PLAIN), PLAIN.data((1,)), sequence=first + n)
            collector.send(payload, port=port)
    assert (collector.event("lost"), collector.event("reordered")) == (0, 0)


def test_legacy_engines_behind_one_address_have_a_sequence_each(collector):
    for n in range(200):
        for port, first in ((1, 0), (2, 1_000_000)):
            collector.send(v5(LegacyRecord(), sequence=first + n), port=port)
    assert (collector.event("lost"), collector.event("reordered")) == (0, 0)


@BOTH
def test_a_snapshot_keeps_ports_apart(collector, make, version):
    collector.send(message(version, template_set(version, ONE), rate_options(version, 100)), port=1)
    collector.send(message(version, template_set(version, OTHER), rate_options(version, 2000)), port=2)
    collector.send(v5(LegacyRecord()))
    restored = make()
    restored.decoder.restore(json.loads(json.dumps(collector.decoder.snapshot())))
    first = restored.send(message(version, ONE.data((1, 100))), port=1)
    second = restored.send(message(version, OTHER.data((200, 53, 2))), port=2)
    assert (ports(first), rates(first), ports(second), rates(second)) == ([(1, 100)], [100], [(2, 200)], [2000])


@BOTH
def test_a_snapshot_of_an_earlier_version_knows_no_ports(collector, make, version):
    names = Template(301, [SYSTEM[version], (95, 4), (96, VARIABLE if version == IPFIX else 8)], scopes=1)
    collector.send(
        message(
            version, template_set(version, ONE), rate_options(version, 100), options_template_set(version, names),
            names.data((0, 5, "http")),
        ),
        v5(LegacyRecord()),
    )  # fmt: skip
    snapshot = json.loads(json.dumps(collector.decoder.snapshot()))
    for part in ("templates", "sampling", "applications", "interfaces", "starts"):
        for entry in snapshot[part]:
            entry.pop("port", None)
    restored = make()
    restored.decoder.restore(snapshot)
    flows = restored.send(message(version, ONE.data((1, 100))), port=777)
    assert (ports(flows), rates(flows)) == ([(1, 100)], [100])


@pytest.mark.variants(1)
@BOTH
def test_forged_ports_neither_fill_the_memory_nor_lock_the_honest_one_out(make, version):
    collector = make(Limits(ports_per_exporter=8))
    collector.send(message(version, template_set(version, ONE)), port=500)
    for port in range(1000, 3000):
        collector.send(message(version, template_set(version, OTHER)), port=port)
    assert ports(collector.send(message(version, ONE.data((1, 100))), port=500)) == [(1, 100)]
    assert len(collector.decoder.snapshot()["templates"]) <= 10
    # It comes back from another port while all places are taken.
    flows = collector.send(message(version, template_set(version, ONE), ONE.data((2, 100))), port=501)
    assert ports(flows) == [(2, 100)]
    # A domain that is new has a place, too.
    flows = collector.send(message(version, template_set(version, ONE), ONE.data((3, 100)), domain=5), port=500)
    assert ports(flows) == [(3, 100)]


@BOTH
def test_a_flood_of_ports_in_one_batch(make, version):
    collector = make(Limits(ports_per_exporter=8))
    payloads = [message(version, template_set(version, PLAIN), PLAIN.data((n,))) for n in range(1, 501)]
    batch = DatagramBatch.from_payloads(payloads, source_port=list(range(1, 501)))
    assert collector.decoder.decode(batch).flows.rows == 500
    assert len(collector.decoder.exporters()[0].templates) <= 9


@BOTH
def test_ports_used_one_after_the_other_make_room(make, version):
    """As behind a translator that gives a new port now and then: what is known passes on, for as long as it takes."""
    collector = make(Limits(ports_per_exporter=4))
    start = message(version, template_set(version, ONE), rate_options(version, 100))
    collector.send(start, port=1, at_s=EXPORT_S)
    for n in range(1, 50):
        flows = collector.send(message(version, ONE.data((n, 100))), port=1 + n, at_s=EXPORT_S + 700 * n)
        assert (ports(flows), rates(flows)) == ([(n, 100)], [100])
    assert not collector.drops
    snapshot = collector.decoder.snapshot()
    assert (len(snapshot["templates"]), len(snapshot["sampling"])) == (2, 1)


@BOTH
def test_of_successive_ports_the_later_template_holds_and_of_concurrent_ones_none(collector, version):
    collector.send(message(version, template_set(version, ONE)), port=1, at_s=EXPORT_S)
    collector.send(message(version, template_set(version, OTHER)), port=2, at_s=EXPORT_S + 1000)
    flows = collector.send(message(version, OTHER.data((200, 53, 2))), port=3, at_s=EXPORT_S + 2000)
    assert ports(flows) == [(2, 200)]
    collector.send(message(version, template_set(version, ONE)), port=3, at_s=EXPORT_S + 2001)
    collector.send(message(version, template_set(version, OTHER)), port=4, at_s=EXPORT_S + 2002)
    assert collector.send(message(version, ONE.data((1, 100))), port=5, at_s=EXPORT_S + 4000) == []


def test_status_shows_domains_not_ports(collector):
    for port in (1, 2, 3):
        collector.send(message(V9, template_set(V9, ONE), rate_options(V9, 100), domain=4), port=port)
    (status,) = collector.decoder.exporters()
    assert [(d.protocol, d.domain, d.received) for d in status.domains] == [(PROTOCOLS[V9], 4, 3)]
    assert [(s.binding, s.rate) for s in status.sampling] == [("domain", 100)]
    assert sorted(template.id for template in status.templates) == [256, 300]
