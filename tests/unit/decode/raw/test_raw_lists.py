"""The raw decoder shows structured data (RFC 6313)."""

import struct

from millrace.testing.netflow import IPFIX, VARIABLE, Template, data_set, ipfix, template_set, variable

PORTS = Template(300, [(7, 2), (11, 2)])
NAMES = Template(301, [(82, VARIABLE)])


def list_of(records, element: int, content: bytes):
    template = Template(256, [(element, VARIABLE), (4, 1)])
    announced = template_set(IPFIX, PORTS, NAMES, template)
    (record,) = records(ipfix(announced, data_set(256, variable(content) + b"\x06")))
    assert record["fields"]["protocolIdentifier"] == 6, "what follows a list is read whatever the list holds"
    return next(iter(record["fields"].values()))


def test_basic_list_of_fixed_length(records):
    shown = list_of(records, 291, struct.pack("!BHHHH", 3, 7, 2, 80, 443))
    assert shown == {"semantic": "allOf", "element": "sourceTransportPort", "values": [80, 443]}


def test_basic_list_of_variable_length(records):
    shown = list_of(records, 291, struct.pack("!BHH", 4, 82, VARIABLE) + variable(b"a") + variable(b"bc", long=True))
    assert shown == {"semantic": "ordered", "element": "interfaceName", "values": ["a", "bc"]}


def test_basic_list_of_an_enterprise_element(records):
    shown = list_of(records, 291, struct.pack("!BHHI", 255, 0x8000 | 9, 1, 424242) + b"\x01\x02")
    assert shown == {"semantic": "undefined", "element": "424242:9", "values": ["01", "02"]}


def test_sub_template_list(records):
    shown = list_of(records, 292, struct.pack("!BHHHHH", 3, 300, 1, 2, 3, 4))
    assert shown == {
        "semantic": "allOf",
        "template": 300,
        "records": [
            {"fields": {"sourceTransportPort": 1, "destinationTransportPort": 2}},
            {"fields": {"sourceTransportPort": 3, "destinationTransportPort": 4}},
        ],
    }


def test_sub_template_multi_list(records):
    name = variable(b"eth0")
    content = struct.pack("!BHHHHHH", 0, 300, 8, 1, 2, 301, 4 + len(name)) + name
    shown = list_of(records, 293, content)
    assert shown["semantic"] == "noneOf"
    assert [one["template"] for one in shown["lists"]] == [300, 301]
    assert shown["lists"][1]["records"] == [{"fields": {"interfaceName": "eth0"}}]


def test_list_in_a_list(records):
    inner = struct.pack("!BHHB", 3, 4, 1, 17)
    shown = list_of(records, 291, struct.pack("!BHH", 3, 291, VARIABLE) + variable(inner))
    assert shown["values"] == [{"semantic": "allOf", "element": "protocolIdentifier", "values": [17]}]


def test_list_of_an_unknown_template_is_shown_as_bytes(records):
    assert list_of(records, 292, struct.pack("!BHH", 3, 999, 1))["data"] == "0001"


def test_list_of_values_without_bytes_ends(records):
    assert list_of(records, 291, struct.pack("!BHH", 3, 4, 0) + b"\x01")["data"] == "01"


def test_list_that_is_cut_short_costs_itself(records):
    assert list_of(records, 291, b"\x03\x00") == {"semantic": "allOf", "truncated": True}


def test_lists_nested_without_end_stop_at_the_limit(records):
    content = struct.pack("!BHHB", 3, 4, 1, 17)
    for _ in range(30):
        content = struct.pack("!BHH", 3, 291, VARIABLE) + variable(content)
    shown, depth = list_of(records, 291, content), 0
    while shown["values"]:
        shown, depth = shown["values"][0], depth + 1
    assert depth < 10
    assert shown["data"]
