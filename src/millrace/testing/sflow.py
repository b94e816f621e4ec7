"""Builders of sFlow v5 datagrams, for tests and synthetic exporters.

Written from the inside out: records make a sample, samples a datagram::

    datagram([flow_sample([raw_header(frame), extended_switch(10, 20)], rate=1000)])
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ETHERNET, IPV4, IPV6, MPLS = 1, 11, 12, 13
"""Header protocols."""

LOCAL = 0x3FFFFFFF
"""Interface value of packets from or to the agent itself."""


def _words(*words: int) -> bytes:
    return struct.pack(f"!{len(words)}I", *words)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _list(words: Sequence[int]) -> bytes:
    return _words(len(words), *words)


def address(text: str) -> bytes:
    """Address behind its type; an empty text is the unknown address."""
    if not text:
        return _words(0)
    parsed = ip_address(text)
    return _words(1 if parsed.version == 4 else 2) + parsed.packed


def item(form: int, content: bytes, *, enterprise: int = 0, length: int | None = None) -> bytes:
    """Tagged item, a sample or a record; `length` overrides what its head claims."""
    return _words(enterprise << 12 | form, len(content) if length is None else length) + _padded(content)


def datagram(
    samples: Sequence[bytes], *, agent: str = "192.0.2.10", sub_agent: int = 0, sequence: int = 1,
    uptime_ms: int = 1000, count: int | None = None, version: int = 5,
) -> bytes:  # fmt: skip
    """Datagram; `count` overrides the number of samples that it claims."""
    announced = len(samples) if count is None else count
    head = _words(version) + address(agent) + _words(sub_agent, sequence, uptime_ms, announced)
    return head + b"".join(samples)


def flow_sample(
    records: Sequence[bytes], *, rate: int = 1000, input_if: int = 3, output_if: int = 4, sequence: int = 1,
    source: int = 3, drops: int = 0, count: int | None = None, length: int | None = None,
) -> bytes:  # fmt: skip
    """Flow sample; the interface words hold format and value."""
    announced = len(records) if count is None else count
    head = _words(sequence, source, rate, rate, drops, input_if, output_if, announced)
    return item(1, head + b"".join(records), length=length)


def expanded_flow_sample(
    records: Sequence[bytes], *, rate: int = 1000, input_if: tuple[int, int] = (0, 3),
    output_if: tuple[int, int] = (0, 4), sequence: int = 1, source: tuple[int, int] = (0, 3),
) -> bytes:  # fmt: skip
    """Expanded flow sample; interfaces are format and value."""
    head = _words(sequence, *source, rate, rate, 0, *input_if, *output_if, len(records))
    return item(3, head + b"".join(records))


def discard_sample(
    records: Sequence[bytes], *, reason: int, input_if: int = 3, output_if: int = 0, sequence: int = 1
) -> bytes:
    """Notification of a discarded packet."""
    return item(5, _words(sequence, 0, 3, 0, input_if, output_if, reason, len(records)) + b"".join(records))


def counter_sample(records: Sequence[bytes], *, sequence: int = 1, source: int = 3) -> bytes:
    """Counter sample."""
    return item(2, _words(sequence, source, len(records)) + b"".join(records))


def expanded_counter_sample(records: Sequence[bytes], *, sequence: int = 1, source: tuple[int, int] = (0, 3)) -> bytes:
    """Expanded counter sample."""
    return item(4, _words(sequence, *source, len(records)) + b"".join(records))


def raw_header(
    frame: bytes, *, protocol: int = ETHERNET, frame_bytes: int | None = None, stripped: int = 4,
    captured: int = 128, header_bytes: int | None = None,
) -> bytes:  # fmt: skip
    """Sampled header: the first `captured` bytes of a frame.

    `frame_bytes` overrides the told length of the frame (its bytes and a frame
    check sequence), `header_bytes` the told length of the captured header.
    """
    header = frame[:captured]
    told = len(frame) + 4 if frame_bytes is None else frame_bytes
    return item(
        1, _words(protocol, told, stripped, len(header) if header_bytes is None else header_bytes) + _padded(header)
    )


def sampled_ethernet(
    *, length: int = 1018, src: str = "02:00:00:00:00:01", dst: str = "02:00:00:00:00:02", etype: int = 0x0800
) -> bytes:
    """Sampled Ethernet; the length includes header and frame check sequence."""
    macs = b"".join(bytes.fromhex(mac.replace(":", "")) + bytes(2) for mac in (src, dst))
    return item(2, _words(length) + macs + _words(etype))


def sampled_ip(
    *, length: int = 1000, proto: int = 6, src: str = "192.0.2.1", dst: str = "198.51.100.2", src_port: int = 443,
    dst_port: int = 50000, flags: int = 0x10, tos: int = 0, form: int | None = None,
) -> bytes:  # fmt: skip
    """Sampled IPv4 or IPv6 by the addresses; `form` makes it another structure of the same shape (tunnels)."""
    ends = ip_address(src).packed + ip_address(dst).packed
    body = _words(length, proto) + ends + _words(src_port, dst_port, flags, tos)
    return item((3 if len(ends) == 8 else 4) if form is None else form, body)


def extended_switch(src_vlan: int, dst_vlan: int, *, src_priority: int = 0, dst_priority: int = 0) -> bytes:
    """Extended switch data."""
    return item(1001, _words(src_vlan, src_priority, dst_vlan, dst_priority))


def extended_router(next_hop: str, src_mask: int, dst_mask: int) -> bytes:
    """Extended router data."""
    return item(1002, address(next_hop) + _words(src_mask, dst_mask))


def extended_gateway(
    *, next_hop: str = "203.0.113.1", own_as: int = 64500, src_as: int = 64501, src_peer_as: int = 64502,
    path: Sequence[tuple[int, Sequence[int]]] = (), communities: Sequence[int] = (), local_preference: int = 100,
) -> bytes:  # fmt: skip
    """Extended gateway data; the path is segments of type (1 set, 2 sequence) and AS numbers."""
    segments = b"".join(_words(kind) + _list(numbers) for kind, numbers in path)
    return item(
        1003,
        address(next_hop) + _words(own_as, src_as, src_peer_as, len(path)) + segments
        + _list(communities) + _words(local_preference),
    )  # fmt: skip


def extended_user(source: bytes = b"alice", destination: bytes = b"bob") -> bytes:
    """Extended user data."""
    return item(1004, b"".join(_words(106, len(name)) + _padded(name) for name in (source, destination)))


def extended_url(url: bytes = b"/", host: bytes = b"example.net") -> bytes:
    """Extended URL data."""
    return item(1005, _words(1) + b"".join(_words(len(text)) + _padded(text) for text in (url, host)))


def extended_mpls(in_labels: Sequence[int], out_labels: Sequence[int] = (), *, next_hop: str = "203.0.113.1") -> bytes:
    """Extended MPLS data."""
    stacks = b"".join(
        _list([label << 12 | (at == len(labels) - 1) << 8 | 64 for at, label in enumerate(labels)])
        for labels in (in_labels, out_labels)
    )
    return item(1006, address(next_hop) + stacks)


def extended_nat(src: str, dst: str) -> bytes:
    """Extended NAT data."""
    return item(1007, address(src) + address(dst))


def extended_nat_port(src: int, dst: int) -> bytes:
    """Extended NAT port data."""
    return item(1020, _words(src, dst))


def extended_vlan_tunnel(tags: Sequence[int]) -> bytes:
    """Stripped VLAN tags, outermost first, TPID and TCI each."""
    return item(1012, _list(tags))


def extended_vni(vni: int, *, ingress: bool = True) -> bytes:
    """Virtual network identifier at ingress or egress."""
    return item(1030 if ingress else 1029, _words(vni))


def interface_counters(
    if_index: int, *, speed: int = 10**10, in_octets: int = 1, out_octets: int = 2,
    words: Sequence[int] = range(10, 21), status: int = 3, direction: int = 1, if_type: int = 6,
) -> bytes:  # fmt: skip
    """Generic interface counters; `words` are the 11 32-bit counters in wire order (5 in, unknown protocols, 5 out)."""
    body = struct.pack(
        "!IIQIIQ6IQ5II", if_index, if_type, speed, direction, status, in_octets, *words[:6], out_octets, *words[6:], 0
    )
    return item(1, body)


def ethernet_counters() -> bytes:
    """Ethernet interface counters."""
    return item(2, bytes(52))


def datagrams() -> SearchStrategy[bytes]:
    """Hypothesis strategy: datagrams of every kind that the builders make, some with lengths and counts that lie."""
    from hypothesis import strategies as st  # a development dependency; the builders must not need it

    from millrace.testing.packets import frames

    number = st.integers(0, 2**32 - 1)
    port = st.integers(0, 65535)
    v4 = st.integers(0, 2**32 - 1).map(lambda value: str(ip_address(value)))
    v6 = st.integers(2**32, 2**128 - 1).map(lambda value: str(ip_address(value)))
    any_address = st.one_of(v4, v6, st.just(""))
    labels = st.lists(st.integers(0, 0xFFFFF), max_size=4)
    path = st.lists(st.tuples(st.sampled_from([1, 2]), st.lists(number, max_size=5)), max_size=3)
    record = st.one_of(
        st.builds(
            raw_header, frames(1), captured=st.integers(0, 160), protocol=st.sampled_from([1, 1, 1, 7, 11, 12, 13])
        ),
        st.builds(sampled_ethernet, length=number),
        st.builds(sampled_ip, src=v4, dst=v4, src_port=port, dst_port=port, proto=st.integers(0, 255)),
        st.builds(sampled_ip, src=v6, dst=v6, src_port=port, dst_port=port, form=st.sampled_from([4, 1025, 1026])),
        st.builds(extended_switch, number, number),
        st.builds(extended_router, any_address, number, st.integers(0, 128)),
        st.builds(extended_gateway, next_hop=any_address, path=path, communities=st.lists(number, max_size=4)),
        st.builds(extended_user, st.binary(max_size=9)),
        st.builds(extended_mpls, labels, labels, next_hop=any_address),
        st.builds(extended_nat, any_address, any_address),
        st.builds(extended_nat_port, number, port),
        st.builds(extended_vlan_tunnel, st.lists(number, max_size=3)),
        st.builds(extended_vni, st.integers(0, 0xFFFFFF), ingress=st.booleans()),
        st.builds(item, st.integers(0, 4095), st.binary(max_size=24), enterprise=st.sampled_from([0, 0, 4413])),
        st.builds(item, st.sampled_from([1, 3, 1003]), st.binary(max_size=24), length=st.none() | number),
    )
    records = st.lists(record, max_size=4)
    interface = st.tuples(st.integers(0, 3), number)
    word = number | st.just(LOCAL)
    counter = st.lists(
        st.one_of(st.builds(interface_counters, number, in_octets=number), st.builds(ethernet_counters)), max_size=2
    )
    sample = st.one_of(
        st.builds(flow_sample, records, rate=number, input_if=word, output_if=word),
        st.builds(flow_sample, records, count=st.integers(0, 6), length=st.none() | st.integers(0, 400)),
        st.builds(expanded_flow_sample, records, input_if=interface, output_if=interface),
        st.builds(discard_sample, records, reason=number),
        st.builds(counter_sample, counter),
        st.builds(expanded_counter_sample, counter),
        st.builds(item, st.integers(0, 9), st.binary(max_size=24), enterprise=st.sampled_from([0, 4413])),
    )
    return st.builds(
        datagram, st.lists(sample, max_size=5), agent=st.sampled_from(["", "192.0.2.10", "2001:db8::10"]),
        sub_agent=st.integers(0, 2), sequence=number, uptime_ms=number, count=st.none() | number,
    )  # fmt: skip
