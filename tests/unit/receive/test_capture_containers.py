"""Containers of capture files: pcap, pcapng, IPFIX streams, payloads, text, compression."""

import gzip
import io
import random
import struct

import pytest

from millrace.batch import address_text
from millrace.errors import SourceError
from millrace.receive import CaptureReport, read_capture
from unit.receive.capture_files import (
    block,
    enhanced,
    ethernet,
    interface,
    ipfix,
    pcap,
    section,
    simple,
    udp,
)

SECOND = 1_000_000_000


def read(content, **options):
    """Payloads and times of a capture in memory."""
    rows = []
    for batch in read_capture(io.BytesIO(content), **options):
        rows += [(batch.payload(index), int(batch.time_ns[index])) for index in range(len(batch))]
    return rows


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_in_both_byte_orders_and_resolutions(order, magic, unit):
    frames = [ethernet(udp(bytes([index]) * 10)) for index in range(3)]
    content = pcap(frames, order=order, magic=magic, times=[(5, 1), (6, 2), (7, 999_999)])
    assert read(content) == [
        (bytes(10), 5 * SECOND + unit),
        (b"\1" * 10, 6 * SECOND + 2 * unit),
        (b"\2" * 10, 7 * SECOND + 999_999 * unit),
    ]


def test_addresses_and_ports_are_those_of_the_packets():
    content = pcap([ethernet(udp(b"x", source="198.51.100.7", sport=1234, dport=6343))])
    (batch,) = read_capture(io.BytesIO(content))
    assert address_text(batch.source[0].tobytes()) == "198.51.100.7"
    assert (int(batch.source_port[0]), int(batch.port[0])) == (1234, 6343)


def test_ports_choose_by_destination():
    report = CaptureReport()
    content = pcap([ethernet(udp(bytes([port % 256]), dport=port)) for port in (53, 2055, 4739)])
    rows = read(content, ports={2055, 4739}, report=report)
    assert [payload for payload, _ in rows] == [b"\x07", b"\x83"]
    assert report.skipped == {"other-port": 1}


def test_a_capture_larger_than_a_block_comes_whole_and_in_order():
    frames = [ethernet(udp(struct.pack(">I", index))) for index in range(20_000)]
    batches = list(read_capture(io.BytesIO(pcap(frames))))
    assert len(batches) > 1
    numbers = [int.from_bytes(batch.payload(index), "big") for batch in batches for index in range(len(batch))]
    assert numbers == list(range(20_000))


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_reads_interfaces_resolutions_and_simple_packets(order):
    frame = [ethernet(udp(bytes([index]))) for index in range(5)]
    content = (
        section(order)
        + interface(order=order)
        + interface(order=order, link=101, resolution=9, offset=100)
        + enhanced(frame[0], 3_000_000, order=order)
        + block(5, b"statistics..", order)
        + enhanced(udp(b"\1"), 2 * SECOND + 5, number=1, order=order)
        + simple(frame[2], order)
        + interface(order=order, resolution=0x80 | 10)
        + enhanced(frame[3], 1024 + 512, number=2, order=order)
        + enhanced(frame[4], 0, number=9, order=order)
    )
    report = CaptureReport()
    assert read(content, report=report) == [
        (b"\0", 3 * SECOND),
        (b"\1", 102 * SECOND + 5),
        (b"\2", 102 * SECOND + 5),
        (b"\3", SECOND + SECOND // 2),
    ]
    assert (report.container, report.packets, report.skipped) == ("pcapng", 5, {"link-type": 1})


def test_a_new_pcapng_section_has_its_own_interfaces_and_byte_order():
    frame = ethernet(udp(b"x"))
    content = section("<") + interface() + enhanced(frame, 10**6)
    content += section(">") + interface(order=">", resolution=3) + enhanced(frame, 10**3, order=">")
    assert read(content) == [(b"x", SECOND)] * 2


def test_ipfix_messages_back_to_back_are_datagrams():
    messages = [ipfix(bytes(number), number) for number in range(30)]
    report = CaptureReport()
    assert [payload for payload, _ in read(b"".join(messages), report=report)] == messages
    assert (report.container, report.datagrams) == ("ipfix-stream", 30)


def test_what_follows_the_last_whole_ipfix_message_is_a_truncated_datagram():
    report = CaptureReport()
    rows = read(ipfix(bytes(20)) + ipfix(bytes(100))[:50], report=report)
    assert [len(payload) for payload, _ in rows] == [36, 50]
    assert report.truncated == 1
    assert "ends inside an IPFIX message at byte 36" in report.damage


def test_netflow_v5_datagrams_that_fill_a_file_are_parted():
    one = struct.pack(">HH", 5, 2) + bytes(20 + 2 * 48)
    two = struct.pack(">HH", 5, 1) + bytes(20 + 48)
    assert [payload for payload, _ in read(one + two + one)] == [one, two, one]
    assert [payload for payload, _ in read(one + two + one + b"x")] == [one + two + one + b"x"]


def test_anything_else_that_fits_is_one_payload_of_unknown_source(tmp_path):
    path = tmp_path / "payload.bin"
    path.write_bytes(b"\0\x09 whatever")
    (batch,) = read_capture(path)
    assert batch.payload(0) == b"\0\x09 whatever"
    assert address_text(batch.source[0].tobytes()) == "::"
    assert int(batch.time_ns[0]) == path.stat().st_mtime_ns


def test_hexadecimal_text_of_a_frame_or_a_payload():
    frame = ethernet(udp(b"inside"))
    assert [payload for payload, _ in read(frame.hex().encode() + b"\n")] == [b"inside"]
    assert [payload for payload, _ in read(bytes(range(40)).hex(" ").encode())] == [bytes(range(40))]


def test_hexadecimal_dumps_with_offsets_and_text():
    data = bytes(range(0x61, 0x61 + 20))
    xxd = (
        b"00000000: 6162 6364 6566 6768 696a 6b6c 6d6e 6f70  abcdefghijklmnop\n"
        b"00000010: 7172 7374                                qrst\n"
    )
    hexdump = (
        b"00000000  61 62 63 64 65 66 67 68  69 6a 6b 6c 6d 6e 6f 70  |abcdefghijklmnop|\n"
        b"00000010  71 72 73 74                                       |qrst|\n00000014\n"
    )
    assert [payload for payload, _ in read(xxd)] == [data]
    assert [payload for payload, _ in read(hexdump)] == [data]
    assert [payload for payload, _ in read(xxd + xxd)] == [data, data]


def test_gzip_is_recognised_by_content():
    content = pcap([ethernet(udp(b"x"))])
    assert [payload for payload, _ in read(gzip.compress(content))] == [b"x"]


def test_a_file_cut_short_gives_what_is_there_and_says_so():
    content = pcap([ethernet(udp(bytes(100))), ethernet(udp(bytes(100)))])
    report = CaptureReport()
    assert [len(payload) for payload, _ in read(content[:-30], report=report)] == [100, 70]
    assert report.truncated == 1
    assert "ends inside a packet record at byte 182" in report.damage


def test_a_compressed_file_cut_short_gives_what_can_be_decompressed():
    frames = [ethernet(udp(random.Random(index).randbytes(1000))) for index in range(100)]
    whole = gzip.compress(pcap(frames))
    report = CaptureReport()
    rows = read(whole[: len(whole) // 2], report=report)
    assert 45 <= len(rows) <= 55
    assert "ends inside its compressed data" in report.damage


def test_gzip_members_back_to_back_are_one_file():
    content = pcap([ethernet(udp(b"one")), ethernet(udp(b"two"))])
    zipped = gzip.compress(content[:50]) + gzip.compress(content[50:]) + bytes(512)
    assert [payload for payload, _ in read(zipped)] == [b"one", b"two"]


def test_an_impossible_record_ends_reading_with_an_error_after_the_good_ones(tmp_path):
    path = tmp_path / "broken.pcap"
    path.write_bytes(pcap([ethernet(udp(b"good"))]) + b"\xff" * 100)
    batches = read_capture(path)
    assert next(batches).payload(0) == b"good"
    with pytest.raises(SourceError, match=r"broken\.pcap: a packet record with an impossible length at byte 86"):
        next(batches)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "file is empty"),
        (bytes(70_000), "neither pcap"),
        (section() + block(6, b"")[:4] + b"\xff" * 20, "impossible length at byte 28"),
        (b"\x0a\x0d\x0d\x0a" + bytes(30), "byte order"),
        (ipfix() + bytes(200_000), "no IPFIX message at byte 16"),
        (b"0000 00 01\n0099 00\n", "do not add up"),
        (b"\x1f\x8b" + b"\xff" * 20, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_a_source_error(content, message):
    with pytest.raises(SourceError, match=message):
        read(content)


def test_a_missing_file_is_a_source_error(tmp_path):
    with pytest.raises(SourceError, match="cannot be opened"):
        next(read_capture(tmp_path / "missing"))


def test_a_flood_of_interface_descriptions_is_read_in_linear_time():
    content = section() + interface() * 60_000 + enhanced(ethernet(udp(b"x")), 0)
    assert [payload for payload, _ in read(content)] == [b"x"]
