"""Filters as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address

from millrace.errors import QueryError
from millrace.lang import (
    And,
    ColumnComparison,
    Comparison,
    Everything,
    Filter,
    Membership,
    Not,
    Or,
    Prefix,
    Span,
)
from millrace.query.sql import Parameters, address, identifier, moment_ms
from millrace.schema import Column, Kind

_FEW = 16
"""Ranges that are compared one by one; more would make the statement longer than the engine takes."""

_TEXTS = {"like": "LIKE", "not-like": "NOT LIKE", "ilike": "ILIKE", "not-ilike": "NOT ILIKE"}
_INTEGERS = {Kind.U8: "UInt8", Kind.U16: "UInt16", Kind.U32: "UInt32", Kind.U64: "UInt64", Kind.MAC: "UInt64"}


def where(filter: Filter, parameters: Parameters) -> str:  # noqa: A002 - the field's word
    """SQL of a filter; its values become parameters.

    Parameters
    ----------
    filter : Filter
    parameters : Parameters
        Takes the values.

    Raises
    ------
    QueryError
        If a value is none of its column's kind (the parser lets none pass).
    """
    match filter:
        case Everything():
            return "true"
        case And(parts=parts):
            return " AND ".join(f"({where(part, parameters)})" for part in parts)
        case Or(parts=parts):
            return " OR ".join(f"({where(part, parameters)})" for part in parts)
        case Not(part=part):
            return f"NOT ({where(part, parameters)})"
        case Comparison():
            return _comparison(filter, parameters)
        case Membership():
            return _membership(filter, parameters)
        case ColumnComparison():
            return _columns(filter, parameters)


def bind(column: Column, value: int | str | bytes, parameters: Parameters) -> str:
    """SQL of a value of a column, or of an item of a column of lists.

    Raises
    ------
    QueryError
        If the value is none of the column's kind.
    """
    match column.kind, value:
        case Kind.ADDRESS, bytes() if len(value) == 16:
            return address(value, parameters)
        case Kind.TIME_MS, int():
            return moment_ms(value, parameters)
        case ((Kind.ENUM | Kind.TEXT), str()):
            return parameters.add("String", value)
        case Kind.U32_LIST, int():
            return parameters.add("UInt32", value)
        case kind, int() if kind in _INTEGERS:
            return parameters.add(_INTEGERS[kind], value)
    raise QueryError(f"{column.name}: {value!r} is not a value of this column")


def _comparison(comparison: Comparison, parameters: Parameters) -> str:
    column, operator, value = comparison.column, comparison.operator, comparison.value
    name = identifier(column.name)
    if isinstance(value, Prefix):
        negated = operator in ("!<<", "!=")
        return f"{name} {'NOT ' if negated else ''}{_between(column, value, parameters)}"
    place = bind(column, value, parameters)
    if operator in ("~", "!~"):
        return f"{'NOT ' if operator == '!~' else ''}match({name}, {place})"
    if column.kind is Kind.U32_LIST:
        return f"{'NOT ' if operator == '!=' else ''}has({name}, {place})"
    return f"{name} {_TEXTS.get(operator, operator)} {place}"


def _membership(membership: Membership, parameters: Parameters) -> str:
    found = " OR ".join(_items(membership, parameters))
    return f"NOT ({found})" if membership.negated else f"({found})"


def _items(membership: Membership, parameters: Parameters) -> Iterator[str]:
    column, items = membership.column, membership.items
    name = identifier(column.name)
    single = [item for item in items if not isinstance(item, Prefix | Span)]
    spans = [item for item in items if isinstance(item, Prefix | Span)]
    if single:
        array = _array(column, single, parameters)
        yield f"hasAny({name}, {array})" if column.kind is Kind.U32_LIST else f"{name} IN {array}"
    if len(spans) <= _FEW:
        yield from (f"{name} {_between(column, span, parameters)}" for span in spans)
    else:
        first, last = (
            _array(column, ends, parameters) for ends in zip(*((s.first, s.last) for s in spans), strict=True)
        )
        yield f"arrayExists((first, last) -> {name} BETWEEN first AND last, {first}, {last})"


def _array(column: Column, values: Sequence[int | str | bytes], parameters: Parameters) -> str:
    """SQL of an array of values: one parameter, however many there are. Raises as `bind`."""
    for value in values:
        bind(column, value, Parameters())
    match column.kind:
        case Kind.ADDRESS:
            return parameters.add("Array(IPv6)", tuple(str(IPv6Address(value)) for value in values))
        case Kind.TIME_MS:
            moments = parameters.add("Array(Int64)", tuple(int(value) for value in values))
            return f"arrayMap(ms -> fromUnixTimestamp64Milli(ms, 'UTC'), {moments})"
        case Kind.ENUM | Kind.TEXT:
            return parameters.add("Array(String)", tuple(str(value) for value in values))
        case kind:
            inner = "UInt32" if kind is Kind.U32_LIST else _INTEGERS[kind]
            return parameters.add(f"Array({inner})", tuple(int(value) for value in values))


def _between(column: Column, span: Prefix | Span, parameters: Parameters) -> str:
    return f"BETWEEN {bind(column, span.first, parameters)} AND {bind(column, span.last, parameters)}"


def _columns(comparison: ColumnComparison, parameters: Parameters) -> str:
    left, right = identifier(comparison.left.name), identifier(comparison.right.name)
    if comparison.offset:
        right = f"addMilliseconds({right}, {parameters.add('Int64', comparison.offset)})"
    return f"{left} {comparison.operator} {right}"
