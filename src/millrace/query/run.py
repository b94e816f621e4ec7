"""One question being answered: what its statements need, and what they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa

from millrace.lang import Names
from millrace.query.sql import Bound, Parameters, written_out
from millrace.query.tables import Table
from millrace.schema import Schema

Asked: TypeAlias = Callable[[str, dict[str, Bound]], pa.Table]
"""Answers a statement with its values."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a question is answered with.

    Parameters
    ----------
    schema : Schema
    names : Names
    tables : sequence of Table
    query : callable
        Answers a statement with its values.
    may_be_implausible : callable
        `Store.may_be_implausible`.

    Attributes
    ----------
    sql : list of str
        Statements that ran, their values written out.
    """

    schema: Schema
    names: Names
    tables: Sequence[Table]
    query: Asked
    may_be_implausible: Callable[[int, int], bool]
    sql: list[str] = field(default_factory=list)

    def ask(self, sql: str, parameters: Parameters) -> pa.Table:
        """Answer a statement. Raises QueryError and StoreError."""
        values = parameters.used(sql)
        self.sql.append(written_out(sql, values))
        return self.query(sql, values)
