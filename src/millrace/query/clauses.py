"""Values as answers show them, back into conditions: what a click on a value means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network

from millrace.batch import as_ipv6
from millrace.errors import QueryError, did_you_mean
from millrace.lang import And, Comparison, Everything, Filter, Membership, Not, Prefix, conjunction
from millrace.query.sql import known_column
from millrace.schema import Column, Kind, Schema

Item = int | str | bytes | Prefix
Plain = str | int | float | None
Value = Plain | Sequence[str | int]

MAX_CLAUSES = 100
"""Values that are clicked at once."""

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)
_WIDE_MAC = re.compile(r"0x[0-9a-f]{1,16}", re.IGNORECASE)
_COMMUNITY = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_BITS = {Kind.U8: 8, Kind.U16: 16, Kind.U32: 32, Kind.U64: 64, Kind.U32_LIST: 32}


@dataclass(frozen=True, slots=True)
class Clause:
    """A value of a column that flows shall have, or not.

    Parameters
    ----------
    column : str
    value : str, int, float, list or None
        As an answer says it: an address or a prefix, a number, a text, a list; None: unknown.
    exclude : bool
    """

    column: str
    value: Value
    exclude: bool = False


def clauses_filter(clauses: Sequence[Clause], schema: Schema) -> Filter:
    """All of some clauses; wanted values of one column are alternatives.

    Raises
    ------
    QueryError
        If a column is unknown or a value is none of its.
    """
    if len(clauses) > MAX_CLAUSES:
        raise QueryError(f"{len(clauses)} clauses are too many; {MAX_CLAUSES} may be given at once")
    groups: dict[tuple[str, bool], list[Clause]] = {}
    for clause in clauses:
        groups.setdefault((clause.column, clause.exclude), []).append(clause)
    return conjunction(
        *(
            _of_column(known_column(schema, name), [clause.value for clause in group], exclude=exclude)
            for (name, exclude), group in groups.items()
        )
    )


def missing(filter: Filter, wanted: Filter) -> Filter:  # noqa: A002 - the field's word
    """What of some wanted conditions a filter does not say already."""
    known = _parts(filter)
    return conjunction(*(part for part in _parts(wanted) if part not in known))


def _parts(filter: Filter) -> tuple[Filter, ...]:  # noqa: A002 - the field's word
    if isinstance(filter, Everything):
        return ()
    return filter.parts if isinstance(filter, And) else (filter,)


def _of_column(column: Column, values: Iterable[Value], *, exclude: bool) -> Filter:
    if column.kind is Kind.U32_LIST:
        return conjunction(*(_list(column, value, exclude=exclude) for value in values))
    items: dict[Item, None] = {}
    for value in values:
        if isinstance(value, Sequence) and not isinstance(value, str):
            raise QueryError(f"{column.name}: a single value is expected, not a list")
        items[typed_value(column, value)] = None
    if len(items) > 1:
        return Membership(column, tuple(items), exclude)
    (item,) = items
    if isinstance(item, Prefix):
        return Comparison(column, "!<<" if exclude else "<<", item)
    return Comparison(column, "!=" if exclude else "=", item)


def _list(column: Column, value: Value, *, exclude: bool) -> Filter:
    """A list has all items of the value: no condition tells the order, or that there are no others."""
    given = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    items: dict[Item, None] = dict.fromkeys(_number(column, item) for item in given)
    if not items:
        raise QueryError(f"{column.name}: no condition of the filter language means an empty list")
    parts = [Comparison(column, "=", item) for item in items]
    if not exclude:
        return conjunction(*parts)
    if len(parts) == 1:
        return Comparison(column, "!=", parts[0].value)
    whole = conjunction(*parts)
    assert not isinstance(whole, Everything)
    return Not(whole)


def typed_value(column: Column, value: Plain) -> Item:
    """What a value of an answer is in a filter; of a column of lists: one of its items.

    Raises
    ------
    QueryError
        If it is none of the column's.
    """
    return _ITEMS.get(column.kind, _number)(column, value)


def _address(column: Column, value: Plain) -> bytes | Prefix:
    if value is None:
        return bytes(16)
    try:
        network = ip_network(value, strict=False) if isinstance(value, str) and "%" not in value else None
    except ValueError:
        network = None
    if network is None:
        raise QueryError(f"{column.name}: {value!r} is neither an address nor a prefix")
    first, last = as_ipv6(network)[0].packed, as_ipv6(network)[-1].packed
    return first if first == last else Prefix(first, last, str(network))


def _mac(column: Column, value: Plain) -> int:
    if isinstance(value, str) and _MAC.fullmatch(value):
        return int(value.replace(":", ""), 16)
    if isinstance(value, str) and _WIDE_MAC.fullmatch(value):
        return int(value, 16)
    if value is None:
        return 0
    raise QueryError(f"{column.name}: {value!r} is not a MAC address such as '00:1b:21:0a:0b:0c'")


def _time(column: Column, value: Plain) -> int:
    if value is None:
        return 0
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise QueryError(f"{column.name}: {value!r} is not a time such as '2026-01-31T12:00:00.000Z'")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return max(round(moment.timestamp() * 1000), 0)
    except (OverflowError, ValueError):
        raise QueryError(f"{column.name}: {value!r} is out of range") from None


def _enum(column: Column, value: Plain) -> str:
    if value is None:
        return column.values[0]
    if value in column.values:
        return str(value)
    near = did_you_mean(value, column.values) if isinstance(value, str) else ""
    raise QueryError(f"{column.name}: unknown value {value!r}{near} (known: {', '.join(column.values)})")


def _text(column: Column, value: Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise QueryError(f"{column.name}: a text is expected, not {value!r}")


def _number(column: Column, value: object) -> int:
    if value is None:
        return column.default
    bits = _BITS[column.kind]
    number = value
    if isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str):
        number = _written(column, value)
    if not isinstance(number, int) or isinstance(number, bool):
        raise QueryError(f"{column.name}: {value!r} is not a number")
    if not 0 <= number < 1 << bits:
        raise QueryError(f"{column.name}: {number} is not between 0 and {(1 << bits) - 1}")
    return number


def _written(column: Column, text: str) -> int | None:
    """Number of a text: digits (which JavaScript cannot say above 2⁵³), or a community."""
    if text.isascii() and text.isdecimal() and len(text) <= 20:
        return int(text)
    found = _COMMUNITY.fullmatch(text) if column.display == "community" else None
    if found is None or max(int(found[1]), int(found[2])) >= 1 << 16:
        return None
    return int(found[1]) << 16 | int(found[2])


_ITEMS: dict[Kind, Callable[[Column, Plain], Item]] = {
    Kind.ADDRESS: _address,
    Kind.MAC: _mac,
    Kind.TIME_MS: _time,
    Kind.ENUM: _enum,
    Kind.TEXT: _text,
}
