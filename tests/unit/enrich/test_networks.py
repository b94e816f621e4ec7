"""Columns of networks and places from configured prefixes."""

import ipaddress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.batch import Coded, FlowBatch, address_bytes
from millrace.enrich import Enricher, Network, Networks, StaticMetadata
from millrace.errors import ConfigError
from millrace.schema import Schema

SCHEMA = Schema()

NETWORKS = [
    Network("10.0.0.0/8", name="corp", role="office", tenant="acme", country="DE"),
    Network("10.1.0.0/16", site="ber", city="Berlin", state="Berlin"),
    Network("10.1.2.0/28", name="lab", role="test", asn=64501),
    Network("192.0.2.7", name="host"),
    Network("2001:db8::/32", name="six", country="FR"),
    Network("2001:db8:0:1::/64", region="south"),
    Network("2001:db8:0:1::8/126", name="tiny"),
]


def flows(sources, destinations=None, **columns):
    batch = FlowBatch(len(sources))
    for name, texts in (("SrcAddr", sources), ("DstAddr", destinations or ["::"] * len(sources))):
        packed = b"".join(address_bytes(text) for text in texts)
        batch.put(name, np.frombuffer(packed, np.uint8).reshape(-1, 16))
    for name, values in columns.items():
        batch.put(name, np.asarray(values, SCHEMA[name].kind.dtype))
    return batch


def enriched(batch, networks=NETWORKS):
    return Enricher(StaticMetadata(), fillers=[Networks(networks).fill]).enrich(batch)


def shown(batch, *names):
    table = batch.to_arrow(SCHEMA)
    return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def test_longest_prefix_counts_and_inherits_what_it_leaves_empty():
    batch = enriched(flows(["10.2.0.1", "10.1.9.9", "10.1.2.3", "10.1.2.16", "192.0.2.7"]))
    names = ("SrcNetName", "SrcNetRole", "SrcNetSite", "SrcNetTenant", "SrcCountry", "SrcGeoState", "SrcGeoCity")
    assert shown(batch, *names) == [
        ("corp", "office", "", "acme", "DE", "", ""),
        ("corp", "office", "ber", "acme", "DE", "Berlin", "Berlin"),
        ("lab", "test", "ber", "acme", "DE", "Berlin", "Berlin"),
        ("corp", "office", "ber", "acme", "DE", "Berlin", "Berlin"),
        ("host", "", "", "", "", "", ""),
    ]


def test_ipv6_prefixes_also_beyond_64_bits():
    batch = enriched(flows(["2001:db8:5::1", "2001:db8:0:1::1", "2001:db8:0:1::9", "2001:db8:0:1::c", "2001:db9::"]))
    assert shown(batch, "SrcNetName", "SrcNetRegion", "SrcCountry") == [
        ("six", "", "FR"),
        ("six", "south", "FR"),
        ("tiny", "south", "FR"),
        ("six", "south", "FR"),
        (None, None, None),
    ]


def test_address_in_no_prefix_is_unknown_and_unused_attributes_make_no_column():
    batch = enriched(flows(["192.0.2.7", "192.0.2.8"]), [Network("192.0.2.7", name="host")])
    assert shown(batch, "SrcNetName", "DstNetName") == [("host", None), (None, None)]
    assert "SrcCountry" not in batch.columns


def test_both_ends_and_coded_addresses():
    packed = np.frombuffer(address_bytes("10.0.0.1") + address_bytes("192.0.2.7"), np.uint8).reshape(-1, 16)
    batch = flows(["10.0.0.1", "192.0.2.7", "10.0.0.1"], ["192.0.2.7", "192.0.2.7", "10.0.0.1"])
    batch.put("SrcAddr", Coded(np.array([0, 1, 0], np.int32), packed))
    assert shown(enriched(batch), "SrcNetName", "DstNetName") == [("corp", "host"), ("host", "host"), ("corp", "corp")]


def test_row_without_address_is_in_no_network():
    batch = flows(["10.0.0.1", "::"])
    batch.put("SrcAddr", batch.columns["SrcAddr"], np.array([True, False]))
    assert shown(enriched(batch, [Network("::/0", name="all")]), "SrcNetName") == [("all",), (None,)]


def test_as_number_fills_only_where_the_exporter_told_none():
    batch = flows(["10.1.2.3", "10.1.2.3", "10.2.0.1"], SrcAS=[0, 7, 0])
    told = batch.columns["SrcAS"].copy()
    out = enriched(batch)
    assert out.columns["SrcAS"].tolist() == [64501, 7, 0]
    assert (batch.columns["SrcAS"] == told).all()
    assert shown(enriched(flows(["10.1.2.3", "10.2.0.1"])), "SrcAS") == [(64501,), (None,)]


def test_as_number_that_a_row_does_not_know_is_filled():
    batch = flows(["10.1.2.3", "10.2.0.1"], SrcAS=[0, 0])
    batch.put("SrcAS", batch.columns["SrcAS"], np.array([False, False]))
    assert shown(enriched(batch), "SrcAS") == [(64501,), (None,)]


def test_nothing_configured_adds_nothing():
    batch = flows(["10.1.2.3"])
    assert enriched(batch, []).columns.keys() == batch.columns.keys()


def test_one_prefix_in_two_spellings_is_refused():
    with pytest.raises(ConfigError, match=r"networks\.2001:db8:0::/32: same prefix as 2001:db8::/32"):
        Networks([Network("2001:db8::/32", name="a"), Network("2001:db8:0::/32", name="b")])


def prefixes():
    near4 = st.integers(0, 0x3FF).map(lambda n: (0xC0000200 ^ (n << 5)) | (0xFFFF << 96 >> 64))
    near6 = st.integers(0, 0xFF).map(lambda n: (0x20010DB8 << 96) | (n << 60))
    anywhere = st.integers(0, 2**128 - 1)
    return st.tuples(st.one_of(near4, near6, anywhere), st.integers(0, 128))


def network_of(number, length):
    mapped = number >> 32 == 0xFFFF and length >= 96
    if mapped:
        return ipaddress.IPv4Network((number & 0xFFFFFFFF, length - 96), strict=False)
    return ipaddress.IPv6Network((number, length), strict=False)


@given(
    st.dictionaries(prefixes().map(lambda pair: network_of(*pair)), st.integers(1, 2**32 - 1), max_size=12),
    st.lists(prefixes(), min_size=1, max_size=30),
)
def test_any_prefixes_give_what_comparing_each_address_with_each_prefix_gives(known, probes):
    numbers = [number for number, _ in probes]
    numbers += [int(n[0]) + (0xFFFF << 32 if n.version == 4 else 0) for n in known]
    numbers += [int(n[-1]) + (0xFFFF << 32 if n.version == 4 else 0) for n in known]
    batch = FlowBatch(len(numbers))
    packed = b"".join(number.to_bytes(16, "big") for number in numbers)
    batch.put("SrcAddr", np.frombuffer(packed, np.uint8).reshape(-1, 16))
    Networks(Network(str(prefix), asn=asn) for prefix, asn in known.items()).fill(batch)
    spans = {
        (int(prefix[0]) + shift, int(prefix[-1]) + shift): asn
        for prefix, asn in known.items()
        for shift in [0xFFFF << 32 if prefix.version == 4 else 0]
    }
    expected = []
    for number in numbers:
        inside = [(last - first, asn) for (first, last), asn in spans.items() if first <= number <= last]
        expected.append(min(inside)[1] if inside else 0)
    found = batch.columns.get("SrcAS", np.zeros(len(numbers), np.uint32))
    assert found.tolist() == expected
