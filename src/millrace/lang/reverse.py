"""A filter seen from the other direction: source and destination, input and output swapped."""

from __future__ import annotations

import re
from typing import cast

from millrace.lang.nodes import And, ColumnComparison, Comparison, Condition, Everything, Filter, Membership, Not, Or
from millrace.schema import Column, Schema

_PARTNERS = {"Src": "Dst", "Dst": "Src", "In": "Out", "Out": "In", "Ingress": "Egress", "Egress": "Ingress"}
_DIRECTED = re.compile(r"(Outer)?(Src|Dst|In|Out|Ingress|Egress)(?=[A-Z])")


def reversed_column(column: Column, schema: Schema) -> Column:
    """The same column of the other direction (``SrcAS``: ``DstAS``); itself if there is none."""
    found = _DIRECTED.match(column.name)
    if found is None:
        return column
    name = f"{found[1] or ''}{_PARTNERS[found[2]]}{column.name[found.end() :]}"
    if name not in schema:
        return column
    partner = schema[name]
    return partner if partner.kind is column.kind and partner.values == column.values else column


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
            return Comparison(reversed_column(column, schema), operator, value)
        case Membership(column=column, items=items, negated=negated):
            return Membership(reversed_column(column, schema), items, negated)
        case ColumnComparison(left=left, operator=order, right=right, offset=offset):
            return ColumnComparison(reversed_column(left, schema), order, reversed_column(right, schema), offset)
        case Everything():
            return filter
