"""Parts of SQL statements; values travel as parameters, never in the text."""

from __future__ import annotations

from dataclasses import dataclass, field

from millrace.errors import QueryError, did_you_mean
from millrace.schema import Column, Schema


@dataclass(slots=True)
class Parameters:
    """Values of a statement, by the name of their place.

    Attributes
    ----------
    values : dict
        Numbers and texts.
    """

    values: dict[str, int | str] = field(default_factory=dict)

    def add(self, kind: str, value: int | str) -> str:
        """Keep a value; return its place in the SQL: ``{p0:UInt32}``."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


def identifier(name: str) -> str:
    """Quote the name of a column; the names of user columns are the user's."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def known_column(schema: Schema, name: str) -> Column:
    """Column of that name; QueryError with the nearest name if there is none."""
    if name not in schema:
        raise QueryError(f"unknown column {name!r}{did_you_mean(name, schema.names)}")
    return schema[name]


def known_dimension(schema: Schema, name: str) -> Column:
    """Column that may be grouped by; QueryError otherwise."""
    column = known_column(schema, name)
    if not column.dimension:
        raise QueryError(f"column {name!r} is not a dimension: flows are not grouped by it")
    return column
