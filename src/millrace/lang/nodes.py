"""The tree that a filter becomes: columns of the schema and typed values, nothing to look up or check any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from millrace.schema import Column

Operator: TypeAlias = Literal[
    "=", "!=", "<", "<=", ">", ">=", "<<", "!<<", "like", "not-like", "ilike", "not-ilike", "~", "!~"
]
"""Operators of `Comparison`. For lists `=` and `!=` mean: has, has not."""

Order: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]
"""Operators of `ColumnComparison`."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A subnet as a closed range of addresses.

    Parameters
    ----------
    first, last : bytes
        Addresses of 16 bytes; IPv4 is mapped into IPv6.
    text : str
        Canonical notation, ``192.0.2.0/24`` for an IPv4 subnet.
    """

    first: bytes
    last: bytes
    text: str


Value: TypeAlias = int | str | bytes
"""int: numbers, MACs, times in Unix ms; str: texts, names of enums; bytes: addresses of 16 bytes."""


@dataclass(frozen=True, slots=True)
class Span:
    """A closed range of values, `first` not above `last`."""

    first: Value
    last: Value


Item: TypeAlias = int | str | bytes | Prefix | Span
"""A member of a list."""


@dataclass(frozen=True, slots=True)
class Everything:
    """No condition at all. Stands alone, never inside another node."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A column compared with a value.

    Parameters
    ----------
    column : Column
    operator : Operator
    value : int, str, bytes or Prefix
        `Prefix` for ``<<`` and ``!<<``, a pattern for ``like`` and its kin (``%``, ``_``, escaped by a backslash)
        and for ``~`` and ``!~`` (RE2, found anywhere in the text).
    """

    column: Column
    operator: Operator
    value: Value | Prefix


@dataclass(frozen=True, slots=True)
class Membership:
    """A column compared with a list of single values, ranges and subnets."""

    column: Column
    items: tuple[Item, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class ColumnComparison:
    """Two columns of comparable kinds.

    Parameters
    ----------
    left, right : Column
    operator : Order
    offset : int
        Milliseconds added to `right`, which is a time: ``TimeFlowEnd > TimeFlowStart + 90s``. 0 for other columns.
    """

    left: Column
    operator: Order
    right: Column
    offset: int = 0


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more conditions."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of two or more conditions."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a condition."""

    part: Condition


Condition: TypeAlias = Comparison | Membership | ColumnComparison | And | Or | Not
Filter: TypeAlias = Comparison | Membership | ColumnComparison | And | Or | Not | Everything


def joined(kind: type[And | Or], parts: Iterable[Condition]) -> Condition:
    """`And` or `Or` of one or more conditions, those of the same kind taken apart; a single one stays itself."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def conjunction(*filters: Filter) -> Filter:
    """All of several filters; those that are `Everything` say nothing."""
    parts = tuple(part for part in filters if not isinstance(part, Everything))
    return joined(And, parts) if parts else Everything()


def columns_of(filter: Filter) -> tuple[Column, ...]:  # noqa: A002 - the field's word
    """Distinct columns that a filter names, in order of appearance."""
    return tuple({column.name: column for column in _columns(filter)}.values())


def _columns(node: Filter) -> Iterator[Column]:
    match node:
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _columns(part)
        case Not(part=part):
            yield from _columns(part)
        case ColumnComparison(left=left, right=right):
            yield left
            yield right
        case Comparison(column=column) | Membership(column=column):
            yield column
        case Everything():
            return
