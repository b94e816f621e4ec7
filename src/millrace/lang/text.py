"""From tree to text: canonical, on one line, without needless parentheses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from millrace.batch import address_text
from millrace.lang.grammar import KEYWORDS
from millrace.lang.literals import quoted
from millrace.lang.names import DEFAULT_NAMES
from millrace.lang.nodes import (
    And,
    ColumnComparison,
    Comparison,
    Everything,
    Filter,
    Item,
    Membership,
    Not,
    Or,
    Prefix,
    Span,
)
from millrace.lang.numbers import duration_text
from millrace.lang.operators import WRITTEN
from millrace.lang.values import is_country
from millrace.schema import Column, Kind

_WORD = re.compile(r"(?!as[0-9])[a-z](?:[a-z0-9]|-(?!-)(?!$))*", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"(?:AS)?[0-9]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text_of(filter: Filter) -> str:  # noqa: A002 - the field's word
    """Canonical text of a filter: `parse` makes the same tree of it, within the bounds of its length.

    Protocols and ethertypes have the names of `DEFAULT_NAMES`, everything else that has names is written as its number
    or code.
    """
    match filter:
        case Everything():
            return ""
        case Or(parts=parts):
            return " OR ".join(map(text_of, parts))
        case And(parts=parts):
            return " AND ".join(_inside(part, Or) for part in parts)
        case Not(part=part):
            return f"NOT {_inside(part, (And, Or))}"
        case ColumnComparison():
            return f"{filter.left.name} {filter.operator} {filter.right.name}{_offset(filter.offset)}"
        case Comparison():
            operator = WRITTEN.get(filter.operator, filter.operator)
            pattern = filter.operator in WRITTEN or filter.operator in ("~", "!~")
            value = quoted(str(filter.value)) if pattern else value_text(filter.column, filter.value)
            return f"{filter.column.name} {operator} {value}"
        case Membership():
            items = ", ".join(value_text(filter.column, item) for item in filter.items)
            return f"{filter.column.name} {'NOT IN' if filter.negated else 'IN'} ({items})"


def _inside(part: Filter, looser: type | tuple[type, ...]) -> str:
    text = text_of(part)
    return f"({text})" if isinstance(part, looser) else text


def _offset(ms: int) -> str:
    return f" {'+' if ms > 0 else '-'} {duration_text(abs(ms))}" if ms else ""


def value_text(column: Column, value: Item) -> str:
    """A value of a column as it is written in a filter.

    Texts are quoted; names, numbers, addresses and times are not.
    """
    match value:
        case Prefix(text=text):
            return text
        case Span(first=first, last=last):
            low, high = value_text(column, first), value_text(column, last)
            # Names and addresses go on over a dash.
            return f"{low}-{high}" if _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high) else f"{low} - {high}"
        case bytes():
            return address_text(value)
        case str():
            return value if _is_name(column, value) else quoted(value)
        case int():
            return _number_text(column, value)


def _is_name(column: Column, text: str) -> bool:
    if column.kind is not Kind.ENUM and not (is_country(column) and len(text) == 2):
        return False
    return bool(_WORD.fullmatch(text)) and (text.upper() not in KEYWORDS or text == "IN")


def _number_text(column: Column, value: int) -> str:
    if column.kind is Kind.MAC:
        return ":".join(f"{value:012x}"[at : at + 2] for at in range(0, 12, 2))
    if column.kind is Kind.TIME_MS:
        when = (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds")
        return when.replace(".000", "").replace("+00:00", "Z")
    match column.display:
        case "as":
            return f"AS{value}"
        case "community":
            return f"{value >> 16}:{value & 0xFFFF}"
        case "protocol":
            return _named(DEFAULT_NAMES.protocol(value).casefold(), value)
        case "ethertype":
            return _named(DEFAULT_NAMES.ethertype(value), value)
        case _:
            return str(value)


def _named(name: str, value: int) -> str:
    return name if _WORD.fullmatch(name) and name.upper() not in KEYWORDS else str(value)
