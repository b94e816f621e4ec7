"""Columns to group by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from millrace.batch import MAPPED_BITS
from millrace.query.questions import Grouped
from millrace.query.sql import Parameters, identifier, known_dimension
from millrace.schema import Column, Kind, Schema

_IS_IPV4 = "BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255')"


@dataclass(frozen=True, slots=True)
class Dimension:
    """A column to group by.

    Parameters
    ----------
    column : Column
    v4, v6 : int
        Addresses are grouped by their prefixes of this length.
    """

    column: Column
    v4: int = 32
    v6: int = 128

    @property
    def truncated(self) -> bool:
        """Whether values are prefixes and not what is stored."""
        return self.column.kind is Kind.ADDRESS and (self.v4 < 32 or self.v6 < 128)

    @property
    def alias(self) -> str:
        """Name of its values in the relation of flows; not that of the column if they differ from it."""
        return f"{self.column.name}/prefix" if self.truncated else self.column.name

    @property
    def name(self) -> str:
        """The same, quoted."""
        return identifier(self.alias)

    def select(self, parameters: Parameters) -> str:
        """SQL that makes its values of the columns of a table."""
        if not self.truncated:
            return self.name
        stored = identifier(self.column.name)
        v4 = parameters.add("UInt8", MAPPED_BITS + self.v4)
        v6 = parameters.add("UInt8", self.v6)
        return f"tupleElement(IPv6CIDRToRange({stored}, if({stored} {_IS_IPV4}, {v4}, {v6})), 1) AS {self.name}"


def dimensions_of(names: Iterable[str], question: Grouped, schema: Schema) -> list[Dimension]:
    """Dimensions of a question, each once; raises QueryError for one that there is not."""
    columns = [known_dimension(schema, name) for name in dict.fromkeys(names)]
    return [Dimension(column, question.truncate_v4, question.truncate_v6) for column in columns]


def listed(dimensions: Sequence[Dimension]) -> str:
    """Names of dimensions, as a list in SQL."""
    return ", ".join(dimension.name for dimension in dimensions)
