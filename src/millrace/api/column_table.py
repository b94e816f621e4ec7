"""The table of columns, for whoever builds questions."""

from __future__ import annotations

from dataclasses import dataclass

from millrace.api.words import ColumnDisplay, ColumnKind
from millrace.lang import operators_of
from millrace.schema import Column


@dataclass(frozen=True, slots=True)
class ColumnView:
    """A column: what it means and what may be asked of it.

    Attributes
    ----------
    kind : str
        ``u8`` … ``u64``, ``time_ms``, ``address``, ``mac``, ``enum``, ``text``, ``u32_list``.
    display : str
        How to show it.
    dimension : bool
        Whether it may be grouped by.
    rolled_up : bool
        Whether questions about it are answered from rollups (fast over long ranges).
    operators : list of str
        Operators that a comparison may use.
    values : list of str
        Names of an enumeration.
    """

    name: str
    title: str
    description: str
    group: str
    kind: ColumnKind
    display: ColumnDisplay
    dimension: bool
    rolled_up: bool
    operators: list[str]
    values: list[str]


def column_view(column: Column) -> ColumnView:
    """What the API tells of a column."""
    return ColumnView(
        name=column.name,
        title=column.title,
        description=column.description,
        group=column.group,
        kind=column.kind.value,
        display=column.display,
        dimension=column.dimension,
        rolled_up=column.rollup is not None,
        operators=list(operators_of(column)),
        values=list(column.values),
    )
