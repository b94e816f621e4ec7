"""Templates: what they are keyed by, redefinition, withdrawal, expiry, limits, and what is wrong with some."""

from __future__ import annotations

import struct

import pytest

from effort import Effort
from millrace.decode import Limits
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    VARIABLE,
    Template,
    data_set,
    ipfix,
    message,
    options_template_set,
    set_of,
    template_set,
    v9,
    withdrawal_set,
)

PORTS = Template(256, [(7, 2), (11, 2)])
SWAPPED = Template(256, [(11, 2), (7, 2)])
BOTH = pytest.mark.parametrize("version", [V9, IPFIX])


def ports(flows):
    return [(flow["SrcPort"], flow["DstPort"]) for flow in flows]


@BOTH
def test_two_domains_may_use_one_template_id_differently(collector, version):
    flows = collector.send(
        message(version, template_set(version, PORTS), domain=1),
        message(version, template_set(version, SWAPPED), domain=2),
        message(version, PORTS.data((1, 2)), domain=1),
        message(version, PORTS.data((1, 2)), domain=2),
    )
    assert ports(flows) == [(1, 2), (2, 1)]


@BOTH
def test_a_change_of_the_exporters_udp_port_changes_nothing(collector, version):
    collector.send(message(version, template_set(version, PORTS)), port=61853)
    assert ports(collector.send(message(version, PORTS.data((1, 2))), port=65156)) == [(1, 2)]


@BOTH
def test_exporters_do_not_share_templates(collector, version):
    collector.send(message(version, template_set(version, PORTS)), source="192.0.2.1")
    assert collector.send(message(version, PORTS.data((1, 2))), source="192.0.2.2") == []
    assert collector.event("sets_waiting") == 1


def test_v9_and_ipfix_of_one_exporter_do_not_share_templates(collector):
    collector.send(v9(template_set(V9, PORTS)))
    assert collector.send(ipfix(PORTS.data((1, 2)))) == []


@BOTH
def test_a_redefinition_within_a_datagram_holds_from_there_on(collector, version):
    flows = collector.send(
        message(
            version, template_set(version, PORTS), PORTS.data((1, 2)), template_set(version, SWAPPED),
            PORTS.data((3, 4)),
        ),
        message(version, PORTS.data((5, 6))),
    )  # fmt: skip
    assert sorted(ports(flows)) == [(1, 2), (4, 3), (6, 5)]


@BOTH
def test_a_redefinition_between_datagrams_of_a_batch_holds_from_there_on(collector, version):
    collector.send(message(version, template_set(version, PORTS)))
    flows = collector.send(
        message(version, PORTS.data((1, 2))),
        message(version, template_set(version, SWAPPED)),
        message(version, PORTS.data((3, 4))),
        message(version, template_set(version, PORTS)),
        message(version, PORTS.data((5, 6))),
    )
    assert ports(flows) == [(1, 2), (4, 3), (5, 6)]


def exported(version, after_s, *sets):
    make = v9 if version == V9 else ipfix
    return make(*sets, export_s=EXPORT_S + after_s)


@BOTH
@pytest.mark.parametrize("size", [1, 4])
def test_a_template_that_was_overtaken_by_a_later_one_does_not_take_its_place(collector, version, size):
    """RFC 7011 section 8.2: templates follow one another as they were exported, datagrams as they come."""
    payloads = [
        exported(version, 0, template_set(version, PORTS)),
        exported(version, 2, template_set(version, SWAPPED)),
        exported(version, 1, template_set(version, PORTS)),
        exported(version, 2, PORTS.data((1, 2))),
    ]
    flows = [flow for at in range(0, 4, size) for flow in collector.send(*payloads[at : at + size])]
    assert ports(flows) == [(2, 1)]
    assert collector.drops == {("template", "late-template"): 1}


def test_nor_does_a_withdrawal(collector):
    collector.send(exported(IPFIX, 5, template_set(IPFIX, PORTS)), exported(IPFIX, 4, withdrawal_set(256)))
    assert ports(collector.send(exported(IPFIX, 6, PORTS.data((1, 2))))) == [(1, 2)]


@BOTH
def test_after_a_clock_was_set_back_new_templates_hold(collector, version):
    collector.send(exported(version, 3600, template_set(version, PORTS)))
    flows = collector.send(exported(version, 0, template_set(version, SWAPPED), PORTS.data((1, 2))))
    assert ports(flows) == [(2, 1)]


def test_an_unchanged_refresh_does_not_change_the_state(collector):
    collector.send(ipfix(template_set(IPFIX, PORTS)))
    assert collector.changed
    collector.send(ipfix(template_set(IPFIX, PORTS)))
    assert not collector.changed
    assert collector.event("templates") == 2


def test_data_after_a_withdrawal_waits_and_nothing_loops(collector):
    collector.send(ipfix(template_set(IPFIX, PORTS), PORTS.data((1, 2))))
    assert collector.send(ipfix(withdrawal_set(256), PORTS.data((3, 4)))) == []
    assert collector.event("withdrawals") == 1
    assert ports(collector.send(ipfix(template_set(IPFIX, SWAPPED)))) == [(4, 3)]


def test_a_template_that_was_withdrawn_does_not_release_what_comes_later_in_the_batch(collector):
    flows = collector.send(
        ipfix(template_set(IPFIX, PORTS)),
        ipfix(template_set(IPFIX, PORTS)),
        ipfix(withdrawal_set(256), PORTS.data((1, 2))),
    )
    assert flows == []


@pytest.mark.parametrize("options", [False, True])
def test_withdrawing_all_templates_keeps_those_of_the_other_kind(collector, options):
    told = Template(300, [(149, 4), (34, 4)], scopes=1)
    collector.send(ipfix(template_set(IPFIX, PORTS), options_template_set(IPFIX, told)))
    collector.send(ipfix(withdrawal_set(3 if options else 2, options=options)))
    (status,) = collector.decoder.exporters()
    assert [template.id for template in status.templates] == [256 if options else 300]


def test_withdrawals_concern_their_domain_only(collector):
    collector.send(ipfix(template_set(IPFIX, PORTS), domain=1), ipfix(template_set(IPFIX, PORTS), domain=2))
    collector.send(ipfix(withdrawal_set(2), domain=1))
    assert ports(collector.send(ipfix(PORTS.data((1, 2)), domain=2))) == [(1, 2)]


def test_a_v9_template_without_fields_is_ignored_and_its_data_never_loops(collector):
    collector.send(v9(set_of(0, struct.pack("!HH", 256, 0))), v9(PORTS.data((1, 2))))
    assert collector.drops == {("template", "empty-template"): 1}
    assert collector.event("sets_waiting") == 1


@BOTH
def test_a_template_whose_records_would_have_no_bytes_is_refused(collector, version):
    collector.send(
        message(version, template_set(version, Template(256, [(7, 0), (210, 0)]))), message(version, PORTS.data((1, 2)))
    )
    assert collector.drops == {("template", "bad-template"): 1}


@BOTH
def test_fields_of_no_bytes_are_skipped(collector, version):
    template = Template(256, [(7, 2), (210, 0), (8, 0), (11, 2)])
    flows = collector.send(message(version, template_set(version, template), template.data((1, 0, 0, 2))))
    assert ports(flows) == [(1, 2)]


@BOTH
def test_a_template_cut_short_does_not_take_the_templates_before_it_along(collector, version):
    whole = template_set(version, PORTS)[4:]
    flows = collector.send(
        message(version, set_of(0 if version == V9 else 2, whole + struct.pack("!HHHH", 257, 9, 7, 2))),
        message(version, PORTS.data((1, 2))),
    )
    assert ports(flows) == [(1, 2)]
    assert collector.drops == {("template", "truncated"): 1}


def test_template_ids_below_256_are_refused(collector):
    collector.send(ipfix(template_set(IPFIX, Template(5, [(7, 2)]))), v9(template_set(V9, Template(5, [(7, 2)]))))
    assert collector.drops == {("template", "bad-template-id"): 2}


def test_more_scopes_than_fields_are_refused(collector):
    collector.send(ipfix(options_template_set(IPFIX, Template(256, [(34, 4)], scopes=2))))
    assert collector.drops == {("template", "bad-template"): 1}


def test_padding_after_templates_is_no_template(collector):
    collector.send(
        ipfix(template_set(IPFIX, PORTS, padding=3)),
        v9(template_set(V9, PORTS, padding=2)),
        ipfix(template_set(IPFIX, PORTS, padding=8)),
    )
    assert collector.drops == {}
    assert collector.event("templates") == 3
    assert collector.event("withdrawals") == 0


def test_reserved_set_ids_are_counted_and_skipped(collector):
    flows = collector.send(ipfix(template_set(IPFIX, PORTS), set_of(4, b"abcd"), PORTS.data((1, 2))))
    assert ports(flows) == [(1, 2)]
    assert collector.drops == {("set", "reserved-id"): 1}


def test_a_template_not_announced_for_its_lifetime_is_forgotten(make):
    collector = make(Limits(template_lifetime_s=100))
    collector.send(ipfix(template_set(IPFIX, PORTS)), at_s=EXPORT_S)
    assert len(collector.send(ipfix(PORTS.data((1, 2))), at_s=EXPORT_S + 100)) == 1
    assert collector.send(ipfix(PORTS.data((1, 2))), at_s=EXPORT_S + 101) == []
    assert collector.decoder.exporters()[0].templates == ()


def test_a_template_announced_in_time_lives_on(make):
    collector = make(Limits(template_lifetime_s=100))
    for second in range(0, 400, 50):
        collector.send(ipfix(template_set(IPFIX, PORTS)), at_s=EXPORT_S + second)
    assert len(collector.send(ipfix(PORTS.data((1, 2))), at_s=EXPORT_S + 440)) == 1


def test_a_flood_of_templates_is_bounded_and_what_was_known_keeps_working(make):
    collector = make(Limits(templates_per_exporter=100))
    collector.send(ipfix(template_set(IPFIX, PORTS)))
    with Effort() as spent:
        for first in range(257, 20_000, 2_000):
            flood = [Template(ident, [(7, 2), (1, ident)]) for ident in range(first, first + 2_000)]
            collector.send(*(ipfix(template_set(IPFIX, *flood[i : i + 100])) for i in range(0, 2000, 100)))
    assert spent.seconds < 5
    (status,) = collector.decoder.exporters()
    assert len(status.templates) == 100
    assert collector.drops["template", "template-limit"] > 19_000
    assert ports(collector.send(ipfix(PORTS.data((1, 2))))) == [(1, 2)]


def test_restless_redefinitions_leave_nothing_behind(make):
    collector = make(Limits(template_bytes=4096))
    for width in range(1, 1500):
        collector.send(ipfix(template_set(IPFIX, Template(256, [(7, 2), (210, width)]))))
    assert ("template", "template-limit") not in collector.drops


def test_the_bytes_of_all_field_lists_are_bounded(make):
    collector = make(Limits(template_bytes=1000))
    collector.send(*(ipfix(template_set(IPFIX, Template(256 + n, [(7, 2), (210, n + 1)]))) for n in range(500)))
    assert len(collector.decoder.exporters()[0].templates) == 1000 // 8


def test_templates_with_too_many_fields_are_refused(make):
    collector = make(Limits(fields_per_template=10))
    collector.send(ipfix(template_set(IPFIX, Template(256, [(7, 2)] * 11))))
    assert collector.drops == {("template", "template-too-long"): 1}


def test_a_flood_of_exporters_is_bounded_and_v5_still_decodes(make):
    from millrace.testing.netflow import LegacyRecord, v5

    collector = make(Limits(exporters=50))
    collector.send(ipfix(template_set(IPFIX, PORTS), PORTS.data((1, 2))), source="192.0.2.1")
    sources = [f"10.0.{n // 250}.{n % 250}" for n in range(1000)]
    collector.send(*[ipfix(template_set(IPFIX, PORTS), PORTS.data((1, 2)))] * 1000, source=sources)
    assert len(collector.decoder.exporters()) == 50
    assert collector.drops["set", "exporter-limit"] == 2 * (1000 - 49)
    assert ports(collector.send(ipfix(PORTS.data((1, 2))), source="192.0.2.1")) == [(1, 2)]
    assert len(collector.send(v5(LegacyRecord()), source="172.16.0.1")) == 1


def test_exporters_silent_for_long_make_room_for_new_ones(make):
    collector = make(Limits(exporters=2, exporter_idle_s=60))
    for number, second in ((1, 0), (2, 50), (3, 100)):
        collector.send(ipfix(template_set(IPFIX, PORTS)), source=f"192.0.2.{number}", at_s=EXPORT_S + second)
    assert [status.address[-1] for status in collector.decoder.exporters()] == [2, 3]
    assert len(collector.send(ipfix(PORTS.data((1, 2))), source="192.0.2.3", at_s=EXPORT_S + 101)) == 1


def test_nothing_of_an_exporter_that_made_room_is_left_to_the_next_one(make):
    collector = make(Limits(exporters=2, exporter_idle_s=60))
    for sequence in range(120):
        collector.send(v9(sequence=sequence + (sequence > 110)), source="192.0.2.1")
    (before,) = collector.decoder.exporters()
    assert (before.domains[0].received, before.domains[0].lost) == (120, 1)
    for number, second in ((2, 50), (3, 100)):
        collector.send(v9(sequence=7), source=f"192.0.2.{number}", at_s=EXPORT_S + second)
    after = {status.address[-1]: status for status in collector.decoder.exporters()}
    assert [(number, status.domains[0].received, status.lost) for number, status in after.items()] == [
        (2, 1, 0), (3, 1, 0),
    ]  # fmt: skip
    assert [after[n].last_seen_ns // 10**9 - EXPORT_S for n in (2, 3)] == [50, 100]


def test_many_exporters_keep_their_own_numbers(collector):
    sources = [f"10.0.{n // 250}.{n % 250}" for n in range(300)]
    for sequence in range(3):
        collector.send(*(v9(sequence=n + sequence) for n in range(300)), source=sources)
    assert [status.domains[0].received for status in collector.decoder.exporters()] == [3] * 300
    assert collector.event("lost") == 0


def test_domains_of_an_exporter_are_bounded(make):
    collector = make(Limits(domains_per_exporter=10))
    collector.send(*(ipfix(template_set(IPFIX, PORTS), domain=domain) for domain in range(100)))
    assert len(collector.decoder.exporters()[0].templates) == 10


def test_a_template_of_variable_length_fields_only(collector):
    template = Template(256, [(96, VARIABLE), (82, VARIABLE)])
    flows = collector.send(ipfix(template_set(IPFIX, template), template.data(("dns", "eth0"), ("", ""), ("web", ""))))
    assert [flow["ApplicationName"] for flow in flows] == ["dns", "", "web"]


def test_v9_fields_with_the_enterprise_bit_have_no_enterprise_number(collector):
    template = Template(256, [(7, 2), (33000, 12), (33002, 2), (11, 2)])
    flows = collector.send(v9(template_set(V9, template), template.data((1, b"acl", 5, 2))))
    assert ports(flows) == [(1, 2)]


def test_v9_templates_that_can_only_be_read_with_enterprise_numbers_have_them(collector):
    wire = struct.pack("!HHHHHHIHH", 256, 3, 7, 2, 0x8000 | 110, 4, 8741, 11, 2)
    flows = collector.send(v9(set_of(0, wire), data_set(256, struct.pack("!HIH", 1, 9, 2))))
    assert ports(flows) == [(1, 2)]


def test_element_0_of_an_enterprise_has_the_enterprise_bit_too(collector):
    template = Template(256, [(7, 2), (0, 4, 2011), (11, 2)])
    wire = struct.pack("!HHHHHHIHH", 256, 3, 7, 2, 0x8000, 4, 2011, 11, 2)
    flows = collector.send(ipfix(set_of(2, wire), template.data((1, 9, 2))))
    assert ports(flows) == [(1, 2)]


ODD_FIELDS = struct.pack("!6H", 1, 4, 95, 4, 96, 24)
SOUND = options_template_set(V9, Template(300, [(1, 4), (95, 4), (96, 24)], scopes=1))[4:]


def odd(ident=300, scope_bytes=4, option_bytes=9, fields=ODD_FIELDS, rest=b""):
    return struct.pack("!HHH", ident, scope_bytes, option_bytes) + fields + rest


def names_http(collector, *sets):
    flows, names = Template(256, [(7, 2), (95, 4)]), Template(300, [(1, 4), (95, 4), (96, 24)], scopes=1)
    payload = v9(*sets, names.data((0, 80, "http")), template_set(V9, flows), flows.data((1, 80)))
    (flow,) = collector.send(payload)
    return flow.get("ApplicationName") == "http"


@pytest.mark.parametrize("option_bytes", [8, 9, 10, 11])
def test_options_whose_length_is_no_whole_number_of_fields_are_read_as_far_as_fields_are_whole(collector, option_bytes):
    """RFC 3954 §6.1 leaves no room for such a length; the fields before its end are what was meant."""
    assert names_http(collector, set_of(1, odd(option_bytes=option_bytes)))
    assert not collector.drops


@pytest.mark.parametrize(
    "bad",
    [
        odd(301, rest=b""), odd(301, rest=b"\0"), odd(301, rest=b"x"), odd(301, option_bytes=10, rest=b"\0\0"),
        odd(301) + odd(302), odd(301, scope_bytes=5, option_bytes=7), odd(301, scope_bytes=6, option_bytes=6), odd(7),
        odd(301, fields=struct.pack("!6H", 1, 0, 95, 0, 96, 0), option_bytes=8),
    ],
)  # fmt: skip
def test_what_is_sound_after_a_bad_record_of_the_same_set_is_learned(collector, bad):
    assert names_http(collector, set_of(1, bad + SOUND))


@pytest.mark.parametrize("scope_bytes", [5, 6, 7])
def test_scopes_that_are_no_whole_number_of_fields_are_refused(collector, scope_bytes):
    assert not names_http(collector, set_of(1, odd(scope_bytes=scope_bytes, option_bytes=12 - scope_bytes)))
    assert collector.drops == {("template", "bad-template"): 1}


def test_a_bad_id_beside_templates_with_enterprise_numbers_does_not_hide_these(collector):
    vendor = struct.pack("!HHHHI", 256, 2, 0x8000 | 100, 4, 9) + struct.pack("!HH", 7, 2)
    bad = struct.pack("!HHHH", 9, 1, 7, 2)
    collector.send(v9(set_of(0, bad + vendor)))
    (flow,) = collector.send(v9(set_of(256, bytes([0, 0, 0, 1]) + struct.pack("!H", 443))))
    assert flow["SrcPort"] == 443
