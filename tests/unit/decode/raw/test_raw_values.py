"""The raw decoder shows values by type (RFC 7011 §6.1)."""

import struct

import pytest

from millrace.decode.raw.values import read_scalar
from millrace.schema.elements import DataType


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (DataType.U8, b"\x00\x00\x00\x40", 64),
        (DataType.U64, b"\x01\x00", 256),
        (DataType.I32, b"\xff\xfe", -2),
        (DataType.F32, struct.pack(">f", 0.5), 0.5),
        (DataType.F64, struct.pack(">d", float("nan")), "nan"),
        (DataType.F64, struct.pack(">f", 0.25), 0.25),
        (DataType.BOOLEAN, b"\x01", True),
        (DataType.BOOLEAN, b"\x02", False),
        (DataType.BOOLEAN, b"\x00", 0),
        (DataType.MAC, bytes.fromhex("020000000001"), "02:00:00:00:00:01"),
        (DataType.STRING, b"eth0\0\0\0\0", "eth0"),
        (DataType.STRING, b'say "hi" \xff', 'say "hi" �'),
        (DataType.IPV4, b"\xc0\x00\x02\x01", "192.0.2.1"),
        (DataType.IPV6, bytes(15) + b"\x01", "::1"),
        (DataType.IPV6, bytes(10) + b"\xff\xff\xc0\x00\x02\x01", "::ffff:192.0.2.1"),
        (DataType.SECONDS, struct.pack(">I", 1_700_000_000), "2023-11-14T22:13:20Z"),
        (DataType.MILLISECONDS, struct.pack(">Q", 1_700_000_000_042), "2023-11-14T22:13:20.042Z"),
        (DataType.OCTETS, b"\x00\xff", "00ff"),
    ],
)
def test_value_by_type(kind, data, value):
    assert read_scalar(kind, data) == value


@pytest.mark.parametrize("micros", [0, 1, 123_456, 999_999])
def test_microseconds_survive_the_ntp_format(micros):
    """RFC 7011 §6.1.9: fractions are cut off when they are written, so they are rounded when they are read."""
    data = struct.pack(">II", 1_700_000_000 + 2_208_988_800, (micros << 32) // 1_000_000)
    assert read_scalar(DataType.MICROSECONDS, data) == f"2023-11-14T22:13:20.{micros:06d}Z"


def test_nanoseconds_and_the_second_ntp_era():
    assert read_scalar(DataType.NANOSECONDS, struct.pack(">II", 0, 1 << 31)) == "2036-02-07T06:28:16.500000000Z"
    assert read_scalar(DataType.NANOSECONDS, bytes(8)) == "0" * 16


def test_fraction_that_rounds_up_to_a_second():
    data = struct.pack(">II", 1_700_000_000 + 2_208_988_800, 0xFFFFFFFF)
    assert read_scalar(DataType.MICROSECONDS, data) == "2023-11-14T22:13:21.000000Z"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (DataType.MAC, b"\x01\x02"), (DataType.IPV4, b"\x01\x02\x03"), (DataType.MICROSECONDS, b"\x01\x02\x03\x04"),
        (DataType.F32, b"\x01"), (DataType.U64, bytes(40)), (DataType.MILLISECONDS, b"\xff" * 8),
    ],
)  # fmt: skip
def test_value_of_unsuitable_length_is_shown_in_hexadecimal(kind, data):
    assert read_scalar(kind, data) == data.hex()


def test_value_of_no_bytes():
    assert read_scalar(DataType.U32, b"") is None
    assert read_scalar(DataType.STRING, b"") == ""
