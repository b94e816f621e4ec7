"""Conditions as SQL."""

from __future__ import annotations

from millrace.errors import QueryError
from millrace.query.conditions import AllOf, AnyOf, Comparison, Not
from millrace.query.sql import Parameters, identifier, known_column
from millrace.query.values import bind, bind_prefix, check_operator
from millrace.schema import Schema

Node = Comparison | AllOf | AnyOf | Not


def where(condition: Node, schema: Schema, parameters: Parameters) -> str:
    """SQL of a condition.

    Parameters
    ----------
    condition : Comparison, AllOf, AnyOf or Not
    schema : Schema
        Knows the columns.
    parameters : Parameters
        Takes the values.

    Raises
    ------
    QueryError
        If a column is unknown or a value is none of the column's.
    """
    match condition:
        case Comparison():
            return _comparison(condition, schema, parameters)
        case Not(condition=inner):
            return f"NOT ({where(inner, schema, parameters)})"
        case AllOf(conditions=inner):
            return " AND ".join(f"({where(part, schema, parameters)})" for part in inner)
        case AnyOf(conditions=inner):
            return " OR ".join(f"({where(part, schema, parameters)})" for part in inner)


def _comparison(comparison: Comparison, schema: Schema, parameters: Parameters) -> str:
    column = known_column(schema, comparison.column)
    operator, value = comparison.operator, comparison.value
    check_operator(column, operator)
    name = identifier(column.name)
    if operator in ("in", "not in"):
        if not isinstance(value, list):
            raise QueryError(f"{column.name}: {operator!r} takes a list of values")
        places = ", ".join(bind(column, item, parameters) for item in value)
        return f"{name} {operator.upper()} ({places})"
    if isinstance(value, list):
        raise QueryError(f"{column.name}: {operator!r} takes one value; use 'in' for a list")
    if operator in ("<<", "!<<"):
        first, last = bind_prefix(column, value, parameters)
        return f"{name} {'NOT ' if operator == '!<<' else ''}BETWEEN {first} AND {last}"
    place = bind(column, value, parameters)
    if operator in ("contains", "not contains"):
        return f"{'NOT ' if operator == 'not contains' else ''}has({name}, {place})"
    return f"{name} {operator.upper()} {place}"
