"""Bound query parameters: Python values as ClickHouse reads them.

A parameter ``{name:Type}`` is given as text and parsed by the engine as a
value of that type, so that nothing a user types can become SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address
from numbers import Integral, Real

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"})


def bind(value: object) -> str:
    """Text of a parameter, escaped as the engine reads it: as a field of tab-separated text.

    Parameters
    ----------
    value : str, int, float, bool, None, datetime, date, IP address, or a sequence of these
        Sixteen bytes are an IPv6 address. A datetime without zone is UTC.

    Raises
    ------
    TypeError
        If the value is of another type.
    """
    if value is None:
        return "\\N"
    if isinstance(value, list | tuple | set | frozenset):
        return _array(value)
    return _plain(value).translate(_ESCAPES)


def _array(values: Sequence[object] | set[object] | frozenset[object]) -> str:
    return "[" + ", ".join(_element(value) for value in values) + "]"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list | tuple):
        return _array(value)
    text = _plain(value)
    if isinstance(value, Real):
        return text
    return "'" + text.translate(_ESCAPES).replace("'", "\\'") + "'"


def _plain(value: object) -> str:
    match value:
        case bool():
            return "1" if value else "0"
        case str():
            return value
        case Integral():
            return str(int(value))
        case Real():
            return repr(float(value))
        case datetime():
            moment = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
            return moment.isoformat(sep=" ", timespec="milliseconds" if moment.microsecond else "seconds")
        case date():
            return value.isoformat()
        case IPv4Address() | IPv6Address():
            return str(value)
        case bytes() if len(value) == 16:
            return str(IPv6Address(value))
    raise TypeError(f"a query parameter cannot be a {type(value).__name__}")
