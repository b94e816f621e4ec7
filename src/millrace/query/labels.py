"""Values of dimensions in words for people."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.lang import Names
from millrace.query.dimensions import Dimension
from millrace.schema import Column, Kind

UNKNOWN = "unknown"


def labels(dimensions: Sequence[Dimension], values: Sequence[object], names: Names) -> list[str]:
    """Values of a combination of dimensions, with the names that are known (``AS15169 Google``)."""
    return [label(dimension.column, value, names) for dimension, value in zip(dimensions, values, strict=True)]


def label(column: Column, value: object, names: Names) -> str:
    """A value of a column, as JSON has it, for people."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, list | tuple):
        return " ".join(label(column, item, names) for item in value)
    if isinstance(value, int):
        return _number(column, value, names)
    if column.kind is Kind.TEXT and column.name.endswith("Country"):
        return names.country(str(value)) or str(value)
    return str(value)


def _number(column: Column, value: int, names: Names) -> str:
    match column.display:
        case "as":
            return f"AS{value} {names.as_name(value)}".rstrip() if value else UNKNOWN
        case "protocol":
            return names.protocol(value) or str(value)
        case "ethertype":
            return names.ethertype(value) or f"{value:#06x}"
        case "port":
            return f"{value} {names.service(value)}".rstrip()
        case _:
            return str(value)
