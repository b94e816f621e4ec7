"""What a filter means, said slowly: row by row, value by value."""

import re

from millrace.batch import Coded, FlowBatch, Lists
from millrace.lang import And, ColumnComparison, Comparison, Everything, Filter, Membership, Not, Or, Prefix, Span
from millrace.schema import Column, Kind

_DEFAULTS = {Kind.TEXT: "", Kind.ADDRESS: bytes(16), Kind.U32_LIST: []}
_ORDER = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def finds(filter: Filter, batch: FlowBatch, row: int) -> bool:  # noqa: A002
    match filter:
        case Everything():
            return True
        case And(parts=parts):
            return all(finds(part, batch, row) for part in parts)
        case Or(parts=parts):
            return any(finds(part, batch, row) for part in parts)
        case Not(part=part):
            return not finds(part, batch, row)
        case ColumnComparison(left=left, operator=operator, right=right, offset=offset):
            other = value_of(right, batch, row)
            return _ORDER[operator](value_of(left, batch, row), other + offset if offset else other)
        case Membership(column=column, items=items, negated=negated):
            value = value_of(column, batch, row)
            return any(_is(value, item) for item in items) != negated
        case Comparison(column=column, operator=operator, value=wanted):
            return _compares(value_of(column, batch, row), operator, wanted)


def value_of(column: Column, batch: FlowBatch, row: int):
    values = batch.columns.get(column.name)
    valid = batch.valid.get(column.name)
    if values is None or (valid is not None and not valid[row]):
        return column.values[0] if column.kind is Kind.ENUM else _DEFAULTS.get(column.kind, column.default)
    match values:
        case Coded(codes=codes, values=known):
            value = known[codes[row]]
        case Lists(offsets=offsets, values=flat):
            return [int(value) for value in flat[offsets[row] : offsets[row + 1]]]
        case _:
            value = values[row]
    match column.kind:
        case Kind.TEXT:
            return value
        case Kind.ADDRESS:
            return value.tobytes()
        case Kind.ENUM:
            return column.values[value]
        case _:
            return int(value)


def _is(value, item) -> bool:
    return item.first <= value <= item.last if isinstance(item, Prefix | Span) else value == item


def _compares(value, operator, wanted) -> bool:
    match operator:
        case "=" | "!=" if isinstance(value, list):
            return (wanted in value) == (operator == "=")
        case "<<" | "!<<":
            return _is(value, wanted) == (operator == "<<")
        case "like" | "ilike" | "not-like" | "not-ilike":
            return _like(value, wanted, ignore_case="ilike" in operator) != operator.startswith("not")
        case "~" | "!~":
            pattern = wanted.replace("$", r"\Z").replace(r"\d", "[0-9]")
            return bool(re.search(pattern, value, re.DOTALL)) == (operator == "~")
        case _:
            return _ORDER[operator](value, wanted)


def _like(text: str, pattern: str, *, ignore_case: bool) -> bool:
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "%":
        return any(_like(text[at:], rest, ignore_case=ignore_case) for at in range(len(text) + 1))
    if head == "\\" and rest[:1] in ("%", "_", "\\"):
        head, rest = rest[0], rest[1:]
    elif head == "_":
        return bool(text) and _like(text[1:], rest, ignore_case=ignore_case)
    if not text:
        return False
    same = text[0].casefold() == head.casefold() if ignore_case else text[0] == head
    return same and _like(text[1:], rest, ignore_case=ignore_case)
