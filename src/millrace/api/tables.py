"""The table under a graph, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from millrace.query.render import Json
from millrace.query.results import Series

FIGURES = ("average", "minimum", "maximum", "last", "percentile95", "total")
"""Figures of a series, each a column; in the unit of the question, the total in what it counts."""

_SPACE = " "


def series_table(series: Series) -> pa.Table:
    """The series of an answer with their figures.

    Parameters
    ----------
    series : Series

    Returns
    -------
    pyarrow.Table
        A row per series: each dimension under its name and, with ``Label``
        behind the name, as people read it; ``Other`` (whether it is the rest,
        whose dimensions are null); ``Reverse`` (whether it is of the opposite
        direction); ``Unit``; `FIGURES` with a capital letter; and ``FiguresSeconds``, the length of the intervals
        whose averages minimum, maximum and 95th percentile are of.
    """
    rows = [*series.rows, *(series.reverse or ())]
    columns: dict[str, pa.Array] = {}
    for place, name in enumerate(series.dimensions):
        columns[name] = _values([_item(row.dimensions, place) for row in rows])
        columns[f"{name}Label"] = pa.array([_item(row.labels, place) for row in rows], pa.string())
    columns["Other"] = pa.array([row.other for row in rows], pa.bool_())
    reverse = [False] * len(series.rows) + [True] * len(series.reverse or ())
    columns["Reverse"] = pa.array(reverse, pa.bool_())
    columns["Unit"] = pa.array([series.unit] * len(rows), pa.string())
    for name in FIGURES:
        columns[name.capitalize()] = pa.array([float(getattr(row, name)) for row in rows], pa.float64())
    columns["FiguresSeconds"] = pa.array([series.figures_seconds] * len(rows), pa.uint32())
    return pa.table(columns)


def series_records(table: pa.Table) -> list[dict[str, Any]]:
    """Rows of `series_table` as JSON can say them."""
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def _item(values: Sequence[Any], place: int) -> Any:  # noqa: ANN401 - whatever is there
    return values[place] if place < len(values) else None


def _values(values: list[Json]) -> pa.Array:
    """Values of a dimension with the type that holds all of them; null where a row has none."""
    known = [value for value in values if value is not None]
    if any(isinstance(value, list) for value in known):
        return pa.array([None if value is None else _list_text(value) for value in values], pa.string())
    if known and all(isinstance(value, int) for value in known):
        return pa.array(values, pa.uint64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _list_text(value: Json) -> str:
    return _SPACE.join(map(str, value)) if isinstance(value, list) else str(value)
