"""No bytes make `read_capture` raise anything but `SourceError`, nor read without end."""

import io
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.errors import SourceError
from millrace.receive import CaptureReport, read_capture


def _ipv4(payload, proto=17, flags=0):
    header = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), 1, flags, 64, proto, 0) + bytes(8)
    return bytes(12) + b"\x08\0" + header + struct.pack(">HHHH", 1, 2055, len(payload) + 8, 0) + payload


def _ipv6(payload):
    packet = struct.pack(">IHBB", 6 << 28, len(payload) + 24, 0, 64) + bytes(32) + bytes([44, 0]) + bytes(6)
    packet += bytes([17, 0, 0, 0]) + bytes(4) + struct.pack(">HHHH", 1, 2055, len(payload) + 8, 0) + payload
    return bytes(12) + b"\x86\xdd" + packet


def _pcap(frames):
    out = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    return out + b"".join(struct.pack("<IIII", 9, 9, len(frame), len(frame)) + frame for frame in frames)


def _pcapng(frames):
    out = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    out += struct.pack("<IIHHIHHB3xI", 1, 28, 1, 0, 0, 9, 1, 0x89, 28)
    for frame in frames:
        padded = frame + bytes(-len(frame) % 4)
        size = 32 + len(padded)
        out += struct.pack("<IIIIIII", 6, size, 0, 1, 2, len(frame), len(frame)) + padded + struct.pack("<I", size)
    return out


_FRAMES = [_ipv4(b"abc"), _ipv6(b"defg"), _ipv4(bytes(16), flags=0x2000), _ipv4(b"x", flags=3), bytes(60)]
_FILES = [
    _pcap(_FRAMES),
    _pcapng(_FRAMES),
    struct.pack(">HHIII", 10, 20, 0, 0, 0) * 4,
    b"00000000: 6162 6364  abcd\n00000004: 65  e\n",
    b"\x1f\x8b" + bytes(30),
]


def _read(content):
    """Read everything; what was read must be consistent."""
    report = CaptureReport()
    total = 0
    try:
        for batch in read_capture(io.BytesIO(content), report=report):
            assert (batch.start >= 0).all()
            assert (batch.start <= batch.stop).all()
            total += len(batch)
    except SourceError:
        pass
    assert total == report.datagrams


@given(st.binary(max_size=300))
def test_random_bytes(content):
    _read(content)


@given(st.sampled_from([b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"\0\x0a\0\x10", b"0000 ", b"\x1f\x8b"]), st.binary())
def test_random_bytes_behind_a_magic_number(magic, content):
    _read(magic + content)


@settings(max_examples=300)
@given(
    st.sampled_from(_FILES),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 255)), max_size=8),
    st.integers(0, 1000),
)
def test_mutated_files(content, mutations, cut):
    mutated = bytearray(content)
    for position, value in mutations:
        mutated[position % len(mutated)] = value
    _read(bytes(mutated[: len(mutated) - cut % len(mutated)]))


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=20), st.sampled_from([_pcap, _pcapng]))
def test_payloads_come_back_unchanged(payloads, write):
    frames = [(_ipv4 if index % 2 else _ipv6)(payload) for index, payload in enumerate(payloads)]
    batches = list(read_capture(io.BytesIO(write(frames))))
    assert [batch.payload(index) for batch in batches for index in range(len(batch))] == payloads
