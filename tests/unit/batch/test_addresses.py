"""Addresses as sixteen bytes."""

from ipaddress import IPv4Network, ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.batch import address_bytes, address_text, as_ipv6, is_mapped, map_ipv4, mapped_rows

IPV4 = st.integers(0, 2**32 - 1).map(lambda number: str(ip_address(number)))
IPV6 = st.integers(2**48, 2**128 - 1).map(lambda number: str(ip_address(number)))


@given(IPV4 | IPV6)
def test_texts_come_back(text):
    assert address_text(address_bytes(text)) == text


@given(st.lists(IPV4, max_size=20))
def test_a_column_of_ipv4_is_mapped_as_single_ones_are(texts):
    words = np.array([int(ip_address(text)) for text in texts], ">u4")
    mapped = map_ipv4(words)
    assert [row.tobytes() for row in mapped] == [address_bytes(text) for text in texts]
    assert mapped_rows(mapped).all()


@given(st.lists(IPV4 | IPV6, min_size=1, max_size=20))
def test_rows_and_single_ones_agree_about_what_is_mapped(texts):
    packed = [address_bytes(text) for text in texts]
    rows = np.frombuffer(b"".join(packed), np.uint8).reshape(-1, 16)
    assert mapped_rows(rows).tolist() == [is_mapped(one) for one in packed] == ["." in text for text in texts]


@pytest.mark.parametrize(
    ("text", "mapped"),
    [("::1", False), ("::", False), ("::192.0.2.1", False), ("::ffff:192.0.2.1", True), ("1::ffff:c000:201", False)],
)
def test_neighbours_of_the_mapped_ones(text, mapped):
    packed = address_bytes(text)
    assert is_mapped(packed) is mapped
    assert mapped_rows(np.frombuffer(packed, np.uint8).reshape(1, 16)).tolist() == [mapped]


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_subnet_of_ipv4_holds_the_same_addresses_mapped(number, length):
    network = IPv4Network((number >> (32 - length) << (32 - length), length))
    wide = as_ipv6(network)
    assert (wide[0].packed, wide[-1].packed) == (address_bytes(str(network[0])), address_bytes(str(network[-1])))


def test_a_subnet_of_ipv6_is_itself():
    network = ip_network("2001:db8::/32")
    assert as_ipv6(network) == network
