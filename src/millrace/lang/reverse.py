"""A filter seen from the other direction: source and destination, input and output swapped."""

from __future__ import annotations

from typing import cast

from millrace.lang.nodes import And, ColumnComparison, Comparison, Condition, Everything, Filter, Membership, Not, Or
from millrace.schema import Schema


def reversed_filter(filter: Filter, schema: Schema) -> Filter:  # noqa: A002 - the field's word
    """The filter that finds the traffic back: each column replaced by its partner."""
    match filter:
        case And(parts=parts):
            return And(tuple(cast("Condition", reversed_filter(part, schema)) for part in parts))
        case Or(parts=parts):
            return Or(tuple(cast("Condition", reversed_filter(part, schema)) for part in parts))
        case Not(part=part):
            return Not(cast("Condition", reversed_filter(part, schema)))
        case Comparison(column=column, operator=operator, value=value):
            return Comparison(schema.opposite(column), operator, value)
        case Membership(column=column, items=items, negated=negated):
            return Membership(schema.opposite(column), items, negated)
        case ColumnComparison(left=left, operator=order, right=right, offset=offset):
            return ColumnComparison(schema.opposite(left), order, schema.opposite(right), offset)
        case Everything():
            return filter
