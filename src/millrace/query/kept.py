"""SQL that keeps the largest combinations of dimensions apart and adds the rest up."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from millrace.query.dimensions import Dimension, listed
from millrace.query.render import Key, keys


class Kept:
    """Columns of a statement for some dimensions: their values where they are among the largest.

    Parameters
    ----------
    dimensions : sequence of Dimension
    name : str
        Tells it from others of the same statement.
    query : str
        Where the statement finds the largest combinations: a query, or the name of one in its WITH clause.

    Attributes
    ----------
    query : str
    top : str
        Column that tells whether a combination is one of them.
    """

    def __init__(self, dimensions: Sequence[Dimension], name: str = "", query: str = "") -> None:
        self._dimensions = dimensions
        self.query = query or f"_largest{name}"
        self.top = f"_top{name}"
        self._values = [f"_d{name}{place}" for place in range(len(dimensions))]

    @property
    def names(self) -> str:
        """Columns, to group by."""
        return ", ".join([self.top, *self._values])

    @property
    def columns(self) -> str:
        """SQL of the columns: whether it is one of the largest, and the values if so."""
        kept = [
            f"if({self.top}, {dimension.name}, defaultValueOfArgumentType({dimension.name})) AS {value}"
            for dimension, value in zip(self._dimensions, self._values, strict=True)
        ]
        return ", ".join([f"({listed(self._dimensions)}) IN {self.query} AS {self.top}", *kept])

    def keys(self, table: pa.Table) -> list[Key | None]:
        """Combination of each row of the answer; None: the rest."""
        tops = table.column(self.top).to_pylist()
        return [
            key if top else None for key, top in zip(keys(self._dimensions, table, self._values), tops, strict=True)
        ]
