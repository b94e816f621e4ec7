"""Values of conditions, checked against the column that they are compared with."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv4Network, ip_address, ip_network

from millrace.errors import QueryError, did_you_mean
from millrace.query.conditions import Operator
from millrace.query.names import ETHERTYPES, PROTOCOLS
from millrace.query.sql import Parameters
from millrace.schema import Column, Kind

Scalar = int | str

_EQUALITY = frozenset({"=", "!=", "in", "not in"})
_ORDER = frozenset({"<", "<=", ">", ">="})

_OPERATORS: dict[Kind, frozenset[str]] = {
    Kind.ADDRESS: _EQUALITY | _ORDER | {"<<", "!<<"},
    Kind.MAC: _EQUALITY,
    Kind.ENUM: _EQUALITY,
    Kind.TEXT: _EQUALITY | {"like", "not like"},
    Kind.U32_LIST: frozenset({"contains", "not contains"}),
}
_NUMBER_OPERATORS = _EQUALITY | _ORDER

_BITS = {Kind.U8: 8, Kind.U16: 16, Kind.U32: 32, Kind.U64: 64, Kind.U32_LIST: 32}

_MAC = re.compile(r"[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}", re.IGNORECASE)
_COMMUNITY = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_AS = re.compile(r"AS([0-9]{1,10})", re.IGNORECASE)


def operators_of(column: Column) -> list[str]:
    """Operators that a column may be compared by."""
    return sorted(_OPERATORS.get(column.kind, _NUMBER_OPERATORS))


def check_operator(column: Column, operator: Operator) -> None:
    """Refuse an operator that the column's kind does not have; raises QueryError."""
    allowed = operators_of(column)
    if operator not in allowed:
        listed = ", ".join(allowed)
        raise QueryError(f"{column.name}: the operator {operator!r} does not apply; these do: {listed}")


def bind(column: Column, value: Scalar, parameters: Parameters) -> str:
    """SQL of a value of a column; the value itself travels as a parameter.

    Raises
    ------
    QueryError
        If the value is none of the column's.
    """
    match column.kind:
        case Kind.ADDRESS:
            return f"toIPv6({parameters.add('String', _address(column, value))})"
        case Kind.MAC:
            return parameters.add("UInt64", _mac(column, value))
        case Kind.TIME_MS:
            return f"fromUnixTimestamp64Milli({parameters.add('Int64', _time_ms(column, value))}, 'UTC')"
        case Kind.ENUM:
            return parameters.add("String", _enum(column, value))
        case Kind.TEXT:
            if not isinstance(value, str):
                raise QueryError(f"{column.name}: a text is expected, not {value!r}")
            return parameters.add("String", value)
        case kind:
            bits = _BITS[kind]
            return parameters.add(f"UInt{bits}", _number(column, value, bits))


def bind_prefix(column: Column, value: Scalar, parameters: Parameters) -> tuple[str, str]:
    """SQL of the first and last address of a prefix. Raises as `bind`."""
    try:
        network = ip_network(value) if isinstance(value, str) else None
    except ValueError as error:
        raise QueryError(f"{column.name}: {error}") from None
    if network is None:
        raise QueryError(f"{column.name}: a prefix such as '192.0.2.0/24' is expected, not {value!r}")
    mapped = "::ffff:" if isinstance(network, IPv4Network) else ""
    first, last = (f"{mapped}{address}" for address in (network[0], network[-1]))
    return f"toIPv6({parameters.add('String', first)})", f"toIPv6({parameters.add('String', last)})"


def _address(column: Column, value: Scalar) -> str:
    try:
        address = ip_address(value) if isinstance(value, str) else None
    except ValueError:
        address = None
    if address is None or "%" in str(address):
        raise QueryError(f"{column.name}: {value!r} is not an address")
    return str(address) if address.version == 6 else f"::ffff:{address}"


def _mac(column: Column, value: Scalar) -> int:
    if isinstance(value, str) and _MAC.fullmatch(value):
        return int(re.sub(r"[:.-]", "", value), 16)
    raise QueryError(f"{column.name}: {value!r} is not a MAC address such as '00:1b:21:0a:0b:0c'")


def _time_ms(column: Column, value: Scalar) -> int:
    if isinstance(value, int):
        return _in_bits(column, value, 48)
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise QueryError(f"{column.name}: {value!r} is not a time such as '2026-01-31T12:00:00Z'") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return round(when.timestamp() * 1000)


def _enum(column: Column, value: Scalar) -> str:
    if value in column.values:
        return str(value)
    known = ", ".join(column.values)
    near = did_you_mean(value, column.values) if isinstance(value, str) else ""
    raise QueryError(f"{column.name}: unknown value {value!r}{near} (known: {known})")


def _number(column: Column, value: Scalar, bits: int) -> int:
    if isinstance(value, int):
        return _in_bits(column, value, bits)
    named = _named_number(column, value)
    if named is not None:
        return _in_bits(column, named, bits)
    raise QueryError(f"{column.name}: {value!r} is not a number{_hint(column, value)}")


def _named_number(column: Column, text: str) -> int | None:
    if text.isdecimal() and text.isascii() and len(text) <= 20:
        return int(text)
    match column.display:
        case "as":
            found = _AS.fullmatch(text)
            return int(found[1]) if found else None
        case "protocol":
            return PROTOCOLS.get(text.casefold())
        case "ethertype":
            return ETHERTYPES.get(text.casefold())
        case "community":
            parts = _COMMUNITY.fullmatch(text)
            return (
                int(parts[1]) << 16 | int(parts[2]) if parts and max(int(parts[1]), int(parts[2])) < 1 << 16 else None
            )
        case _:
            return None


def _hint(column: Column, text: str) -> str:
    if column.display == "protocol":
        return f" or the name of a protocol{did_you_mean(text, PROTOCOLS)}"
    return ""


def _in_bits(column: Column, value: int, bits: int) -> int:
    if not 0 <= value < 1 << bits:
        raise QueryError(f"{column.name}: {value} is not between 0 and {(1 << bits) - 1}")
    return value
