"""Structures of fewer bytes than their kind has at least are marked, and no field of them is shown."""

from __future__ import annotations

import struct

import pytest

from millrace.decode.raw.cursor import Cursor
from millrace.decode.raw.sflow_structures import COUNTER_RECORDS, FLOW_RECORDS, LEAST_BYTES, XDR, least_bytes
from millrace.testing.netflow import IPFIX, V9, Template, data_set, ipfix, message, template_set
from millrace.testing.sflow import counter_sample, datagram, flow_sample, item, raw_header, sampled_ethernet

ETHERNET_20 = struct.pack("!I", 1018) + bytes.fromhex("020000000001020000000002") + struct.pack("!I", 0x0800)


def test_a_sampled_ethernet_record_whose_macs_are_not_padded(show):
    (shown,) = show(datagram([flow_sample([item(2, ETHERNET_20), sampled_ethernet()])]))
    short, sound = shown["samples"][0]["records"]
    assert (short["too_short"], short["data"], "fields" in short) == (True, ETHERNET_20.hex(), False)
    assert sound["fields"]["dst_mac"] == "02:00:00:00:00:02"
    assert [problem["reason"] for problem in shown["problems"]] == ["too-short"]
    assert shown["problems"][0]["offset"] == short["offset"]


RECORDS = [(flow_sample, form) for form in FLOW_RECORDS] + [(counter_sample, form) for form in COUNTER_RECORDS]


@pytest.mark.parametrize(("sample", "form"), RECORDS)
def test_every_record_of_a_byte_less_than_it_has_at_least(show, sample, form):
    name, layout = (FLOW_RECORDS if sample is flow_sample else COUNTER_RECORDS)[form]
    least = least_bytes(layout)
    shown_short, shown_whole = show(
        datagram([sample([item(form, bytes(least - 1))])]), datagram([sample([item(form, bytes(least))])])
    )
    (short,), (whole,) = (shown["samples"][0]["records"] for shown in (shown_short, shown_whole))
    assert (short["kind"], short["too_short"], short.get("fields")) == (name, True, None)
    assert ("too_short" in whole, "truncated" in whole, shown_whole["problems"]) == (False, False, [])
    assert set(whole["fields"]) >= {field for field, _ in layout}


@pytest.mark.parametrize("kind", XDR)
def test_the_least_of_every_type_is_what_reading_nothing_takes(kind):
    cursor = Cursor(bytes(64), 0, 64)
    XDR[kind](cursor)
    assert cursor.at == LEAST_BYTES[kind]


@pytest.mark.parametrize(("form", "least"), [(1, 32), (2, 12), (3, 44), (4, 16), (5, 32)])
def test_samples_too(show, form, least):
    shown_short, shown_whole = show(datagram([item(form, bytes(least - 4))]), datagram([item(form, bytes(least))]))
    (short,), (whole,) = shown_short["samples"], shown_whole["samples"]
    assert (short["too_short"], "sequence" in short) == (True, False)
    assert ("too_short" in whole, whole["sequence"]) == (False, 0)
    assert [problem["reason"] for problem in shown_short["problems"]] == ["too-short"]


def test_a_structure_that_the_datagram_cuts_is_shown_as_far_as_it_goes(show):
    payload = datagram([flow_sample([raw_header(bytes(60)), sampled_ethernet()])])
    (shown,) = show(payload[:-4])
    record = shown["samples"][0]["records"][1]
    assert (record["truncated"], record["fields"]["dst_mac"]) == (True, "02:00:00:00:00:02")
    assert "type" not in record["fields"]


def test_a_list_that_overruns_its_record_marks_it(show):
    content = struct.pack("!I4s", 1, bytes(4)) + struct.pack("!2I", 0xFFFFFFFF, 7)
    (shown,) = show(datagram([flow_sample([item(1006, content)])]))
    assert shown["samples"][0]["records"][0]["truncated"]


@pytest.mark.parametrize("version", [V9, IPFIX])
def test_the_beginning_of_a_record_is_no_padding(show, version):
    template = Template(256, [(8, 4), (12, 4)])
    announced = template_set(version, template)
    (cut,) = show(message(version, announced, data_set(256, bytes(range(1, 9)), bytes(range(1, 6)))))
    assert (len(cut["sets"][1]["records"]), cut["sets"][1]["rest"], "padding" in cut["sets"][1]) == (
        1,
        "0102030405",
        False,
    )
    assert [problem["reason"] for problem in cut["problems"]] == ["truncated"]
    (padded,) = show(message(version, announced, data_set(256, bytes(range(1, 9)), bytes(5))))
    assert (padded["sets"][1]["padding"], padded["problems"]) == ("0000000000", [])


def test_a_structured_list_that_is_cut_is_marked(show):
    template = Template(256, [(291, 4), (4, 1)])
    (shown,) = show(ipfix(template_set(IPFIX, template), data_set(256, bytes([3, 0, 4, 0, 6]))))
    assert shown["sets"][1]["records"][0]["fields"]["basicList"]["truncated"]
