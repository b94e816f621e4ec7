"""Parts of SQL statements; values travel as parameters, never in the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import TypeAlias

from millrace.errors import QueryError, did_you_mean
from millrace.schema import Column, Schema

Bound: TypeAlias = int | str | tuple[int, ...] | tuple[str, ...]
"""A value of a statement: a number, a text, or an array of either."""

_PLACE = re.compile(r"`(?:\\.|[^`\\])*`|\{(?P<name>p\d+):(?P<kind>[\w()]+)\}", re.DOTALL)
"""A place of a value; quoted names come first, for they may look like one."""

_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"}
)


@dataclass(slots=True)
class Parameters:
    """Values of a statement, by the name of their place.

    Attributes
    ----------
    values : dict
        Numbers, texts, and arrays of them.
    """

    values: dict[str, Bound] = field(default_factory=dict)

    def add(self, kind: str, value: Bound) -> str:
        """Keep a value; return its place in the SQL: ``{p0:UInt32}``."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"

    def used(self, sql: str) -> dict[str, Bound]:
        """The values that a statement names."""
        return {name: self.values[name] for name in (place["name"] for place in _PLACE.finditer(sql)) if name}


def written_out(sql: str, values: Mapping[str, Bound]) -> str:
    """Statement with its values in the text, as literals, for people to read and to run.

    Parameters
    ----------
    sql : str
        Made with the places of `Parameters.add`.
    values : mapping
        `Parameters.values`.
    """

    def place(found: re.Match[str]) -> str:
        name = found["name"]
        return found[0] if name is None else _literal(found["kind"], values[name])

    return _PLACE.sub(place, sql)


def _literal(kind: str, value: Bound) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_literal('', item) for item in value)}]"
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    # The engine takes a number without a sign as an unsigned one.
    return f"toInt64({value})" if kind == "Int64" else str(value)


def identifier(name: str) -> str:
    """Quote the name of a column; the names of user columns are the user's."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def moment_ms(time_ms: int, parameters: Parameters) -> str:
    """SQL of a moment, Unix milliseconds."""
    return f"fromUnixTimestamp64Milli({parameters.add('Int64', time_ms)}, 'UTC')"


def address(packed: bytes, parameters: Parameters) -> str:
    """SQL of an address of 16 bytes."""
    return f"toIPv6({parameters.add('String', str(IPv6Address(packed)))})"


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
