"""Which operators apply to which column, and how they are written."""

from __future__ import annotations

from typing import Final

from millrace.schema import Column, Kind

EQUALITY: Final = ("=", "!=")
ORDER: Final = ("<", "<=", ">", ">=")
LISTS: Final = ("IN", "NOT IN")

_NUMBER = (*EQUALITY, *ORDER, *LISTS, "BETWEEN", "NOT BETWEEN")
_BY_KIND: dict[Kind, tuple[str, ...]] = {
    Kind.ADDRESS: (*EQUALITY, "<<", "!<<", *LISTS, *ORDER, "BETWEEN", "NOT BETWEEN"),
    Kind.MAC: (*EQUALITY, *LISTS),
    Kind.ENUM: (*EQUALITY, *LISTS),
    Kind.TEXT: (*EQUALITY, *LISTS, "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "~", "!~"),
    Kind.U32_LIST: (*EQUALITY, *LISTS),
}

MEANINGS: Final = {
    "=": "equal", "!=": "different", "<": "less", "<=": "at most", ">": "more", ">=": "at least",
    "<<": "inside a subnet", "!<<": "outside a subnet",
    "IN": "one of", "NOT IN": "none of", "BETWEEN": "from … to …", "NOT BETWEEN": "outside of … to …",
    "LIKE": "matches, % is any text", "NOT LIKE": "does not match", "ILIKE": "matches regardless of case",
    "NOT ILIKE": "does not match regardless of case", "~": "regular expression", "!~": "not regular expression",
}  # fmt: skip
"""What each operator means, in a few words."""

_OF_LISTS = {"=": "has", "!=": "has not", "IN": "has one of", "NOT IN": "has none of"}

_SYNONYMS = {"==": "=", "<>": "!=", "UNLIKE": "NOT LIKE", "IUNLIKE": "NOT ILIKE", "NOTIN": "NOT IN"}

WRITTEN: Final = {"like": "LIKE", "not-like": "NOT LIKE", "ilike": "ILIKE", "not-ilike": "NOT ILIKE"}
"""Operators of `Comparison` that are written otherwise than they are called."""

CALLED: Final = {written: called for called, written in WRITTEN.items()}


def operators_of(column: Column) -> tuple[str, ...]:
    """Operators that apply to a column, as they are written."""
    return _BY_KIND.get(column.kind, _NUMBER)


def meaning(column: Column, operator: str) -> str:
    """What an operator means for a column."""
    return _OF_LISTS[operator] if column.kind is Kind.U32_LIST else MEANINGS[operator]


def canonical(*words: str) -> str:
    """An operator as it is written canonically (``notin``, ``not in``: ``NOT IN``)."""
    written = " ".join(words).upper()
    return _SYNONYMS.get(written, written)


def comparable(left: Column, right: Column) -> bool:
    """Whether two columns may be compared with each other."""
    numbers = (Kind.U8, Kind.U16, Kind.U32, Kind.U64)
    if left.kind in numbers:
        return right.kind in numbers
    return left.kind is right.kind is not Kind.U32_LIST and left.values == right.values


def column_operators(column: Column) -> tuple[str, ...]:
    """Operators between two columns of a column's kind."""
    return EQUALITY if column.kind in (Kind.MAC, Kind.ENUM, Kind.TEXT) else (*EQUALITY, *ORDER)
