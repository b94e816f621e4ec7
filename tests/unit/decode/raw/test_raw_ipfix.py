"""The raw decoder shows IPFIX messages (RFC 7011, RFC 5103)."""

import json
import struct

import pytest

from millrace.testing.netflow import (
    IPFIX,
    VARIABLE,
    Template,
    data_set,
    ipfix,
    options_template_set,
    set_of,
    template_set,
    variable,
    withdrawal_set,
)  # fmt: skip

ENDS = Template(256, [(8, 4), (12, 4), (1, 8)])


def test_template_and_records_are_shown_by_iana_name(show):
    (shown,) = show(ipfix(template_set(IPFIX, ENDS), ENDS.data(("192.0.2.1", "192.0.2.2", 1500)), domain=7))
    assert shown["protocol"] == "ipfix"
    assert shown["header"]["observation_domain_id"] == 7
    template, data = shown["sets"]
    assert template["templates"][0]["fields"][2] == {"name": "octetDeltaCount", "pen": 0, "id": 1, "length": 8}
    assert data["records"] == [
        {
            "fields": {
                "sourceIPv4Address": "192.0.2.1",
                "destinationIPv4Address": "192.0.2.2",
                "octetDeltaCount": 1500,
            }
        }
    ]
    assert shown["problems"] == []
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 7, 8])
def test_reduced_size_integers_are_integers(records, length):
    """RFC 7011 §6.2."""
    template = Template(256, [(1, length)])
    assert records(ipfix(template_set(IPFIX, template), template.data((200,))))[0]["fields"]["octetDeltaCount"] == 200


def test_variable_length_values_in_both_forms(records):
    """RFC 7011 §7: one byte of length, or 255 and two bytes."""
    template = Template(256, [(82, VARIABLE), (83, VARIABLE)])
    record = variable(b"eth0") + variable(b"uplink", long=True)
    fields = records(ipfix(template_set(IPFIX, template), data_set(256, record)))[0]["fields"]
    assert fields == {"interfaceName": "eth0", "interfaceDescription": "uplink"}


def test_unknown_enterprise_element_is_shown_in_hexadecimal(records):
    template = Template(256, [(100, 2, 424242)])
    assert records(ipfix(template_set(IPFIX, template), template.data((0xBEEF,))))[0]["fields"] == {
        "424242:100": "beef"
    }


def test_biflow_elements_have_reverse_names(records):
    """RFC 5103 §6.1."""
    template = Template(256, [(1, 4), (1, 4, 29305)])
    fields = records(ipfix(template_set(IPFIX, template), template.data((10, 20))))[0]["fields"]
    assert fields == {"octetDeltaCount": 10, "reverseOctetDeltaCount": 20}


def test_repeated_element_is_shown_twice(records):
    template = Template(256, [(58, 2), (58, 2)])
    assert records(ipfix(template_set(IPFIX, template), template.data((1, 2))))[0]["fields"] == {
        "vlanId": 1,
        "vlanId#2": 2,
    }


def test_options_records_show_scope_apart(records):
    template = Template(256, [(302, 4), (305, 4)], scopes=1)
    (record,) = records(ipfix(options_template_set(IPFIX, template), template.data((1, 1000))))
    assert record == {"scope": {"selectorId": 1}, "fields": {"samplingPacketInterval": 1000}}


def test_withdrawn_template_is_unknown(show):
    """RFC 7011 §8.1."""
    data = ENDS.data(("192.0.2.1", "192.0.2.2", 1))
    shown = show(ipfix(template_set(IPFIX, ENDS)), ipfix(withdrawal_set(256)), ipfix(data))
    assert shown[1]["sets"][0]["templates"] == [{"id": 256, "withdrawal": True, "fields": []}]
    assert [problem["reason"] for problem in shown[2]["problems"]] == ["template-unknown"]


def test_withdrawal_of_all_spares_options_templates(reasons):
    options = Template(257, [(302, 4), (305, 4)], scopes=1)
    announced = ipfix(template_set(IPFIX, ENDS), options_template_set(IPFIX, options))
    data = ipfix(ENDS.data(("192.0.2.1", "192.0.2.2", 1)), options.data((1, 2)))
    assert reasons(announced, ipfix(withdrawal_set(2)), data) == ["template-unknown"]


def test_templates_belong_to_exporter_and_domain(show):
    data = ENDS.data(("192.0.2.1", "192.0.2.2", 1))
    show(ipfix(template_set(IPFIX, ENDS), domain=1))
    assert show(ipfix(data, domain=1))[0]["problems"] == []
    assert show(ipfix(data, domain=2))[0]["problems"]
    assert show(ipfix(data, domain=1), source="192.0.2.9")[0]["problems"]


def test_redefined_template_holds_from_its_place_on(records):
    narrow, wide = Template(256, [(1, 2)]), Template(256, [(2, 4)])
    shown = records(
        ipfix(template_set(IPFIX, narrow), narrow.data((1,)), template_set(IPFIX, wide), wide.data((2,)))
    )  # fmt: skip
    assert [record["fields"] for record in shown] == [{"octetDeltaCount": 1}, {"packetDeltaCount": 2}]


def test_padding_is_no_record(show):
    (shown,) = show(ipfix(template_set(IPFIX, ENDS), ENDS.data(("192.0.2.1", "192.0.2.2", 1), padding=3)))
    assert len(shown["sets"][1]["records"]) == 1
    assert shown["sets"][1]["padding"] == "000000"
    assert shown["problems"] == []


def test_record_that_runs_past_its_set_costs_itself(show):
    template = Template(256, [(82, VARIABLE)])
    whole, cut = variable(b"eth0"), b"\x09cut"
    (shown,) = show(ipfix(template_set(IPFIX, template), data_set(256, whole, cut), template.data(("eth1",))))
    names = [record["fields"]["interfaceName"] for one in shown["sets"][1:] for record in one["records"]]
    assert names == ["eth0", "eth1"]
    assert [problem["reason"] for problem in shown["problems"]] == ["truncated"]


def test_template_of_fields_without_bytes_makes_no_records(reasons):
    template = Template(256, [(1, 0), (2, 0)])
    assert reasons(ipfix(template_set(IPFIX, template), data_set(256, bytes(8)))) == ["zero-length-record"]


def test_set_that_lies_about_its_length_ends_the_message(reasons):
    assert reasons(ipfix(set_of(256, b"1234", length=400))) == ["set-length"]
    assert reasons(ipfix(set_of(256, b"1234", length=3))) == ["set-length"]


def test_message_shorter_than_it_says_is_read_as_far_as_it_goes(show):
    (shown,) = show(ipfix(template_set(IPFIX, ENDS), ENDS.data(("192.0.2.1", "192.0.2.2", 1)), length=4000))
    assert len(shown["sets"][1]["records"]) == 1
    assert [problem["reason"] for problem in shown["problems"]] == ["message-length"]


def test_template_with_more_fields_than_bytes_is_not_kept(reasons):
    broken = set_of(2, struct.pack("!HHHH", 256, 9, 1, 8))
    assert reasons(ipfix(broken, data_set(256, bytes(8)))) == ["truncated", "template-unknown"]


def test_packet_section_is_shown_with_its_headers(records):
    frame = bytes.fromhex("020000000002020000000001" + "86dd" + "60000000" + "0000" + "3b40") + bytes(32)
    template = Template(256, [(315, VARIABLE)])
    (record,) = records(ipfix(template_set(IPFIX, template), data_set(256, variable(frame))))
    assert [layer["layer"] for layer in record["packets"]["dataLinkFrameSection"]] == ["ethernet", "ipv6"]
