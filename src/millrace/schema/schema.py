"""The columns of one installation: the built-in ones and the user's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

import pyarrow as pa

from millrace.errors import SchemaError, did_you_mean
from millrace.schema.column import Column
from millrace.schema.columns import COLUMNS

_OTHER_WAY = {"Src": "Dst", "Dst": "Src", "In": "Out", "Out": "In", "Ingress": "Egress", "Egress": "Ingress"}
_DIRECTED = re.compile(r"(Outer)?(Src|Dst|In|Out|Ingress|Egress)(?=[A-Z])")


class Schema:
    """An ordered, immutable set of columns.

    Parameters
    ----------
    extra : iterable of Column
        The user's columns; they follow the built-in ones.
    base : iterable of Column
        The built-in columns: of flows, or `COUNTER_COLUMNS`.

    Raises
    ------
    SchemaError
        If a name is used twice (names differ by more than case).
    """

    def __init__(self, extra: Iterable[Column] = (), base: Iterable[Column] = COLUMNS) -> None:
        columns = (*base, *extra)
        by_name: dict[str, Column] = {}
        seen: dict[str, str] = {}
        for column in columns:
            other = seen.setdefault(column.name.casefold(), column.name)
            if column.name in by_name or other != column.name:
                raise SchemaError(f"column {column.name!r} is defined twice (also as {other!r}); choose another name")
            by_name[column.name] = column
        self._by_name = by_name

    def __iter__(self) -> Iterator[Column]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Column:
        """The column of that name; SchemaError with the nearest name if there is none."""
        try:
            return self._by_name[name]
        except KeyError:
            raise SchemaError(f"unknown column {name!r}{did_you_mean(name, self._by_name)}") from None

    def opposite(self, column: Column) -> Column:
        """The same column of the other direction (of ``SrcAS``: ``DstAS``); itself if there is none."""
        found = _DIRECTED.match(column.name)
        if found is None:
            return column
        name = f"{found[1] or ''}{_OTHER_WAY[found[2]]}{column.name[found.end() :]}"
        partner = self._by_name.get(name, column)
        return partner if partner.kind is column.kind and partner.values == column.values else column

    @property
    def names(self) -> tuple[str, ...]:
        """Names in storage order."""
        return tuple(self._by_name)

    @cached_property
    def arrow(self) -> pa.Schema:
        """Arrow schema; every field nullable, title and description as metadata."""
        return pa.schema(
            pa.field(c.name, c.kind.arrow, metadata={"title": c.title, "description": c.description}) for c in self
        )
