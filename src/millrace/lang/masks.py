"""A filter on a batch: which flows it finds, as the store would.

Each comparison looks at whole columns; texts and coded addresses are compared once per entry of their dictionary.
What is unknown has the column's default, as in the store.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from millrace.batch import Coded, FlowBatch, Lists
from millrace.batch.arrays import AnyArray, Bool
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
from millrace.lang.patterns import like_regex
from millrace.schema import Column, Kind, Schema

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_CONTRARY = {"!=": "=", "!<<": "<<", "not-like": "like", "not-ilike": "ilike", "!~": "~"}

_Test: TypeAlias = Callable[[AnyArray], Bool]


def mask(filter: Filter, batch: FlowBatch, schema: Schema) -> Bool:  # noqa: A002 - the field's word
    """Which flows of a batch a filter finds.

    Parameters
    ----------
    filter : Filter
    batch : FlowBatch
        A column that it lacks has its default in every row.
    schema : Schema
        The columns of the batch.

    Returns
    -------
    ndarray of bool, shape (batch.rows,)
    """
    match filter:
        case Everything():
            return np.ones(batch.rows, np.bool_)
        case And(parts=parts):
            return reduce(np.logical_and, (mask(part, batch, schema) for part in parts))
        case Or(parts=parts):
            return reduce(np.logical_or, (mask(part, batch, schema) for part in parts))
        case Not(part=part):
            return ~mask(part, batch, schema)
        case Comparison():
            return _comparison(filter, batch)
        case Membership(column=column, items=items, negated=negated):
            found = _where(column, batch, _one_of(column, items))
            return ~found if negated else found
        case ColumnComparison():
            return _columns(filter, batch)


def _comparison(comparison: Comparison, batch: FlowBatch) -> Bool:
    column, sign, value = comparison.column, comparison.operator, comparison.value
    positive = _CONTRARY.get(sign, sign)
    if column.kind is Kind.U32_LIST:
        found = _has(column, batch, cast("int", value))
    elif positive in ("like", "ilike", "~"):
        found = _where(column, batch, _matches(positive, str(value)))
    elif positive in ("=", "<<"):
        found = _where(column, batch, _one_of(column, (value,)))
    else:
        bound = _stored(column, value)
        found = _where(column, batch, lambda values: cast("Bool", _ORDER[positive](values, bound)))
    return ~found if positive != sign else found


def _columns(comparison: ColumnComparison, batch: FlowBatch) -> Bool:
    left, right = (_filled(column, batch) for column in (comparison.left, comparison.right))
    found: Bool = _ORDER[comparison.operator](left, right + comparison.offset if comparison.offset else right)
    return found


def _where(column: Column, batch: FlowBatch, test: _Test) -> Bool:
    """Rows whose value passes a test of distinct or plain values."""
    unknown = bool(test(_default(column))[0])
    values = batch.columns.get(column.name)
    if values is None:
        return np.full(batch.rows, unknown)
    if isinstance(values, Coded):
        found = test(_comparable(column, values.values)) if len(values.values) else np.array([unknown])
        found = found[values.codes]
    else:
        found = test(_comparable(column, values))
    valid = batch.valid.get(column.name)
    return found if valid is None else np.where(valid, found, unknown)


def _filled(column: Column, batch: FlowBatch) -> AnyArray:
    """Value of each row; texts as objects of str that their dictionary holds."""
    default = _default(column)
    values = batch.columns.get(column.name)
    if values is None:
        return np.broadcast_to(default, batch.rows)
    if isinstance(values, Coded):
        known = _comparable(column, values.values) if len(values.values) else default
        filled = known[values.codes]
    else:
        filled = _comparable(column, values)
    valid = batch.valid.get(column.name)
    return filled if valid is None else np.where(valid, filled, default)


def _comparable(column: Column, values: Any) -> AnyArray:  # noqa: ANN401 - a sequence of str or any array
    """Values as NumPy compares them; addresses as strings of 16 bytes, whose order is theirs."""
    if column.kind is Kind.TEXT:
        return np.array([str(value) for value in values], np.object_)
    if column.kind is Kind.ADDRESS:
        return np.ascontiguousarray(values, np.uint8).reshape(-1, 16).view("S16").ravel()
    array: AnyArray = values
    return array


def _default(column: Column) -> AnyArray:
    match column.kind:
        case Kind.TEXT:
            return np.array([""], np.object_)
        case Kind.ADDRESS:
            return np.array([b""], "S16")
        case kind:
            return np.array([column.default], kind.dtype)


def _stored(column: Column, value: Item) -> Any:  # noqa: ANN401 - int, str or bytes, as the column compares
    """A value as the column's array holds it; None for a name that an enum does not have."""
    if column.kind is Kind.ENUM:
        return column.values.index(value) if value in column.values else None
    return value


def _one_of(column: Column, items: tuple[Item, ...]) -> _Test:
    singles = [_stored(column, item) for item in items if not isinstance(item, Prefix | Span)]
    singles = [single for single in singles if single is not None]
    ranges = [(item.first, item.last) for item in items if isinstance(item, Prefix | Span)]

    def test(values: AnyArray) -> Bool:
        found = _among(column, values, singles)
        for first, last in ranges:
            found = found | ((values >= first) & (values <= last))
        return found

    return test


def _among(column: Column, values: AnyArray, singles: list[Any]) -> Bool:
    if not singles:
        return np.zeros(len(values), np.bool_)
    if column.kind is Kind.TEXT:
        found: Bool = pc.is_in(pa.array(values, pa.string()), pa.array(singles, pa.string())).to_numpy(
            zero_copy_only=False
        )
        return found
    return np.isin(values, np.array(singles, values.dtype))


def _matches(sign: str, pattern: str) -> _Test:
    # The store's dot takes line breaks too.
    regex = f"(?s){pattern}" if sign == "~" else like_regex(pattern)

    def test(values: AnyArray) -> Bool:
        texts = pa.array(values, pa.string())
        found: Bool = pc.match_substring_regex(texts, regex, ignore_case=sign == "ilike").to_numpy(zero_copy_only=False)
        return found

    return test


def _has(column: Column, batch: FlowBatch, value: int) -> Bool:
    lists = batch.columns.get(column.name)
    if lists is None:
        return np.zeros(batch.rows, np.bool_)
    assert isinstance(lists, Lists)
    hits = np.zeros(len(lists.values) + 1, np.int64)
    np.cumsum(lists.values == value, out=hits[1:])
    found: Bool = hits[lists.offsets[1:]] > hits[lists.offsets[:-1]]
    valid = batch.valid.get(column.name)
    return found if valid is None else found & valid
