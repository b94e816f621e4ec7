"""From captured packets to UDP datagrams: link types, tags, IP options, extension headers, fragments."""

import io
import struct

import pytest

from millrace.batch import address_text
from millrace.receive import CaptureReport, read_capture
from unit.receive.capture_files import ethernet, ip, pcap, udp

V6 = {"source": "2001:db8::1", "target": "2001:db8::2"}


def read(frames, link=1, **options):
    report = CaptureReport()
    batches = read_capture(io.BytesIO(pcap(frames, link=link, **options)), report=report)
    rows = [
        (address_text(batch.source[index].tobytes()), batch.payload(index))
        for batch in batches
        for index in range(len(batch))
    ]
    return rows, report


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("link", "wrap"),
    [
        (1, ethernet),
        (1, lambda packet: ethernet(packet, tags=[(0x8100, 0xE123)])),
        (1, lambda packet: ethernet(packet, tags=[(0x88A8, 1), (0x8100, 2)])),
        (113, lambda packet: bytes(14) + struct.pack(">H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD) + packet),
        (276, lambda packet: struct.pack(">H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD) + bytes(18) + packet),
        (101, lambda packet: packet),
        (12, lambda packet: packet),
        (0, lambda packet: struct.pack("<I", 2) + packet),
        (108, lambda packet: struct.pack(">I", 2) + packet),
    ],
)
def test_link_types(version, link, wrap):
    packet = udp(b"payload", **V6) if version == 6 else udp(b"payload")
    assert read([wrap(packet)], link)[0] == [("2001:db8::1" if version == 6 else "192.0.2.1", b"payload")]


def test_unknown_link_types_are_counted():
    rows, report = read([udp(b"x")] * 3, link=147)
    assert rows == []
    assert report.skipped == {"link-type": 3}


def test_other_packets_are_counted_by_reason():
    frames = [
        ethernet(udp(b"x")),
        ethernet(bytes(40), kind=0x0806),
        ethernet(ip(bytes(20), proto=6)),
        ethernet(ip(bytes(20), proto=58, **V6)),
        ethernet(udp(b"x"))[:20],
        ethernet(udp(b"x"))[:38],
        ethernet(udp(b"x", length=7)),
        ethernet(ip(bytes(20), total=19)),
        b"",
    ]
    rows, report = read(frames)
    assert [payload for _, payload in rows] == [b"x"]
    assert report.skipped == {"not-ip": 1, "not-udp": 2, "cut": 3, "malformed": 2}
    assert report.packets == len(frames) == report.datagrams + sum(report.skipped.values())


def test_ethernet_padding_is_not_payload():
    assert read([ethernet(udp(b"x")) + bytes(20)])[0] == [("192.0.2.1", b"x")]


def test_ipv4_options_are_passed():
    header = struct.pack(">HHHH", 1, 2055, 9, 0)
    assert read([ethernet(ip(header + b"x", options=bytes(12)))])[0] == [("192.0.2.1", b"x")]


def test_ipv6_extension_headers_are_passed():
    header = struct.pack(">HHHH", 1, 2055, 9, 0)
    chain = (
        bytes([43, 0]) + bytes(6) + bytes([60, 1]) + bytes(14) + bytes([51, 0]) + bytes(6) + bytes([17, 1]) + bytes(10)
    )
    rows, _ = read([ethernet(ip(chain + header + b"x", proto=0, **V6)), ethernet(udp(b"y", **V6))])
    assert rows == [("2001:db8::1", b"x"), ("2001:db8::1", b"y")]


def test_a_packet_captured_in_part_gives_its_beginning():
    rows, report = read([ethernet(udp(bytes(100)))], snap=92)
    assert [len(payload) for _, payload in rows] == [50]
    assert report.truncated == 1


def test_segmentation_offload_lengths_of_zero_mean_the_rest():
    header = struct.pack(">HHHH", 1, 2055, 0, 0)
    assert read([ethernet(ip(header + bytes(3000), total=0))])[0] == [("192.0.2.1", bytes(3000))]


def _ipv4_fragments(payload, size, ident=9, **addresses):
    whole = struct.pack(">HHHH", 50000, 2055, len(payload) + 8, 0) + payload
    for offset in range(0, len(whole), size):
        more = 0x2000 if offset + size < len(whole) else 0
        yield ethernet(ip(whole[offset : offset + size], flags=more | offset // 8, ident=ident, **addresses))


def _ipv6_fragments(payload, size, ident=9):
    whole = struct.pack(">HHHH", 50000, 2055, len(payload) + 8, 0) + payload
    for offset in range(0, len(whole), size):
        more = int(offset + size < len(whole))
        head = struct.pack(">BBHI", 17, 0, offset | more, ident)
        yield ethernet(ip(head + whole[offset : offset + size], proto=44, **V6))


@pytest.mark.parametrize("cut", [_ipv4_fragments, _ipv6_fragments])
def test_fragments_are_joined_in_any_order_between_other_packets(cut):
    payload = bytes(range(256)) * 16
    pieces = list(cut(payload, 1480))
    frames = [
        ethernet(udp(b"before")),
        pieces[2],
        pieces[0],
        ethernet(udp(b"between")),
        pieces[1],
        ethernet(udp(b"after")),
    ]
    rows, report = read(frames)
    assert [data for _, data in rows] == [b"before", b"between", payload, b"after"]
    assert rows[2][0] == ("192.0.2.1" if cut is _ipv4_fragments else "2001:db8::1")
    assert (report.fragments, report.skipped) == (3, {})


def test_an_atomic_ipv6_fragment_is_whole():
    assert [data for _, data in read(_ipv6_fragments(b"x", 1480))[0]] == [b"x"]


def test_fragments_of_two_datagrams_do_not_mix():
    one, two = _ipv4_fragments(b"1" * 2000, 1480, ident=1), _ipv4_fragments(b"2" * 2000, 1480, ident=2)
    frames = [frame for pair in zip(one, two, strict=True) for frame in pair]
    assert [data for _, data in read(frames)[0]] == [b"1" * 2000, b"2" * 2000]


def test_incomplete_fragments_are_counted():
    pieces = list(_ipv4_fragments(bytes(4000), 1480))
    rows, report = read(pieces[:2])
    assert rows == []
    assert report.skipped == {"fragment-incomplete": 2}


def test_a_late_fragment_does_not_join_an_old_datagram():
    pieces = list(_ipv4_fragments(bytes(2000), 1480))
    rows, report = read(pieces, times=[(100, 0), (200, 0)])
    assert rows == []
    assert report.skipped == {"fragment-incomplete": 2}


def test_a_flood_of_fragments_stays_bounded_and_counted():
    frames = [next(iter(_ipv4_fragments(bytes(100), 48, ident=index))) for index in range(5000)]
    _, report = read(frames)
    assert report.skipped == {"fragment-incomplete": 5000}


def test_fragments_beyond_the_longest_datagram_are_refused():
    _, report = read([ethernet(ip(bytes(80), flags=0x1FFF))])
    assert report.skipped == {"fragment-overflow": 1}
