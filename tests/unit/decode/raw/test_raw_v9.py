"""The raw decoder shows NetFlow v9 (RFC 3954) and the versions before it."""

import struct

import pytest

from millrace.testing.netflow import (
    V9,
    LegacyRecord,
    Template,
    data_set,
    options_template_set,
    set_of,
    template_set,
    v1,
    v5,
    v7,
    v9,
)  # fmt: skip


def test_scopes_have_the_names_of_netflow_v9(records):
    """RFC 3954 §6.1: scope types are not elements."""
    template = Template(256, [(1, 4), (2, 4), (34, 4)], scopes=2)
    (record,) = records(v9(options_template_set(V9, template), template.data((9, 3, 100))))
    assert record == {"scope": {"system": 9, "interface": 3}, "fields": {"samplingInterval": 100}}


def test_options_template_without_scope(records):
    template = Template(256, [(34, 4)], scopes=0)
    (record,) = records(v9(options_template_set(V9, template), template.data((100,))))
    assert record == {"scope": {}, "fields": {"samplingInterval": 100}}


def test_field_types_use_all_sixteen_bits(records):
    """NetFlow v9 has no enterprise bit."""
    template = Template(256, [(33002, 2)])
    assert records(v9(template_set(V9, template), template.data((2,))))[0]["fields"] == {"firewallEventExtended": 2}


def test_template_without_fields_is_no_withdrawal(show):
    template = Template(256, [(1, 4)])
    empty = set_of(0, struct.pack("!HH", 256, 0))
    shown = show(v9(template_set(V9, template)), v9(empty), v9(template.data((1,))))
    assert [problem["reason"] for problem in shown[1]["problems"]] == ["template-empty"]
    assert shown[2]["sets"][0]["records"]


def test_padding_of_template_sets_is_no_template(show):
    (shown,) = show(v9(template_set(V9, Template(256, [(1, 4)]), padding=6)))
    assert len(shown["sets"][0]["templates"]) == 1
    assert shown["problems"] == []


def test_variable_length_is_read_in_version_9_too(records):
    """H3C exporters use the length 65535, which RFC 3954 does not know."""
    template = Template(256, [(95, 0xFFFF)])
    assert (
        records(v9(template_set(V9, template), data_set(256, b"\x02\x01\x02")))[0]["fields"]["applicationId"] == "0102"
    )


def test_version_5_splits_the_sampling_word(show):
    (shown,) = show(v5(LegacyRecord(octets=77), sampling=0x4064))
    assert (shown["header"]["sampling_mode"], shown["header"]["sampling_interval"]) == (1, 100)
    assert shown["records"][0]["dOctets"] == 77
    assert shown["problems"] == []


@pytest.mark.parametrize(("build", "size"), [(v1, 16 + 48), (v7, 24 + 52)])
def test_versions_1_and_7(show, build, size):
    payload = build(LegacyRecord(srcport=1234, prot=17, tcp_flags=2))
    assert len(payload) == size
    (shown,) = show(payload)
    assert {name: shown["records"][0][name] for name in ("srcport", "prot", "tcp_flags")} == {
        "srcport": 1234, "prot": 17, "tcp_flags": 2,
    }  # fmt: skip
    assert shown["problems"] == []


def test_fewer_records_than_announced_are_told(reasons):
    assert reasons(v5(LegacyRecord(), count=3)) == ["count-mismatch"]


def test_unknown_version_is_shown_as_bytes(show):
    (shown,) = show(b"\x00\x02rest")
    assert (shown["protocol"], shown["data"]) == ("unknown", b"\x00\x02rest".hex())
