"""The value of one field as text, number or truth value (RFC 7011 §6.1)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TypeAlias

from millrace.decode.raw.cursor import ipv6_text
from millrace.schema.elements import DataType

Scalar: TypeAlias = "int | float | str | bool | None"

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NTP_TO_UNIX_S = 2_208_988_800
"""Seconds from 1900-01-01, where NTP timestamps begin, to 1970-01-01."""

_NTP_ERA_S = 1 << 32

_MAX_INTEGER_BYTES = 32


def read_scalar(kind: DataType, data: bytes) -> Scalar:
    """Decode a value that is not a list.

    A value whose length does not suit its type is shown as hexadecimal text;
    one of no length at all as None (as "" if it is text).

    Parameters
    ----------
    kind : DataType
        Type of the element; the list types read as octetArray.
    data : bytes
        The encoded value.
    """
    if not data:
        return "" if kind in (DataType.STRING, DataType.OCTETS) else None
    value = _READERS.get(kind, bytes.hex)(data)
    return data.hex() if value is None else value


def iso_time(seconds: int, fraction: int = 0, digits: int = 0) -> str | None:
    """ISO 8601 text of a Unix time, None beyond the year 9999.

    Parameters
    ----------
    seconds : int
        Unix seconds.
    fraction : int
        Fraction of a second in units of ``10 ** -digits``.
    digits : int
        Digits after the point.
    """
    try:
        text = (_UNIX_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return None
    return f"{text}.{fraction:0{digits}d}Z" if digits else f"{text}Z"


def text_of(data: bytes) -> str:
    """UTF-8 text up to the NUL bytes that fill its field (RFC 7011 §6.1.6)."""
    return data.rstrip(b"\0").decode("utf-8", "replace")


def _unsigned(data: bytes) -> Scalar:
    """Unsigned integer of any size (reduced-size encoding: RFC 7011 §6.2; some exporters also widen)."""
    return int.from_bytes(data, "big") if len(data) <= _MAX_INTEGER_BYTES else None


def _signed(data: bytes) -> Scalar:
    return int.from_bytes(data, "big", signed=True) if len(data) <= _MAX_INTEGER_BYTES else None


def _float(data: bytes) -> Scalar:
    formats = {4: ">f", 8: ">d"}
    if len(data) not in formats:
        return None
    value: float = struct.unpack(formats[len(data)], data)[0]
    # JSON has no words for these.
    return value if math.isfinite(value) else str(value)


def _boolean(data: bytes) -> Scalar:
    """1 is true, 2 is false (RFC 7011 §6.1.5); anything else is shown as it is."""
    number = int.from_bytes(data, "big")
    return {1: True, 2: False}.get(number, number) if len(data) == 1 else None


def _mac(data: bytes) -> Scalar:
    return data.hex(":") if len(data) == 6 else None


def _address(data: bytes) -> Scalar:
    if len(data) == 4:
        return str(IPv4Address(data))
    return ipv6_text(data) if len(data) == 16 else None


def _seconds(data: bytes) -> Scalar:
    return iso_time(int.from_bytes(data, "big")) if len(data) <= 8 else None


def _milliseconds(data: bytes) -> Scalar:
    return iso_time(*divmod(int.from_bytes(data, "big"), 1000), 3) if len(data) <= 8 else None


def _ntp(data: bytes, digits: int) -> Scalar:
    """NTP timestamp: 32 bits of seconds since 1900, 32 bits of fraction (RFC 7011 §6.1.9, §6.1.10).

    Seconds with the first bit clear belong to the era that begins in 2036. The
    fraction is rounded, as writing it in units of 2⁻³² s has cut it off. Zero
    is no time (RFC 5905 §6).
    """
    if len(data) != 8 or not any(data):
        return None
    seconds, fraction = struct.unpack(">II", data)
    seconds += 0 if seconds >= _NTP_ERA_S // 2 else _NTP_ERA_S
    carry, rounded = divmod((fraction * 10**digits + (1 << 31)) >> 32, 10**digits)
    return iso_time(seconds + carry - _NTP_TO_UNIX_S, rounded, digits)


def _microseconds(data: bytes) -> Scalar:
    return _ntp(data, 6)


def _nanoseconds(data: bytes) -> Scalar:
    return _ntp(data, 9)


_READERS: dict[DataType, Callable[[bytes], Scalar]] = {
    **dict.fromkeys((DataType.U8, DataType.U16, DataType.U32, DataType.U64, DataType.U256), _unsigned),
    **dict.fromkeys((DataType.I8, DataType.I16, DataType.I32, DataType.I64), _signed),
    **dict.fromkeys((DataType.F32, DataType.F64), _float),
    DataType.BOOLEAN: _boolean,
    DataType.MAC: _mac,
    DataType.STRING: text_of,
    DataType.SECONDS: _seconds,
    DataType.MILLISECONDS: _milliseconds,
    DataType.MICROSECONDS: _microseconds,
    DataType.NANOSECONDS: _nanoseconds,
    DataType.IPV4: _address,
    DataType.IPV6: _address,
}
