"""Integers that change with every batch, kept as columns: an attribute of one scope, an array of all of a batch.

What is noted of each of hundreds of exporters per batch would otherwise be as
many steps of Python.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from millrace.batch.arrays import I64

_FIRST_ROWS = 64


class Ledger:
    """A table of int64 with a row for each owner, a column for each name.

    Row 0 belongs to nobody: it may be written to for what is not kept.

    Parameters
    ----------
    initial : dict
        Name of each column, and what a new row has in it.
    """

    def __init__(self, initial: dict[str, int]) -> None:
        self._initial = np.array(list(initial.values()), np.int64)
        self._number = {name: number for number, name in enumerate(initial)}
        self._table = np.repeat(self._initial[:, None], _FIRST_ROWS, axis=1)
        self._used = 1
        self._free: list[int] = []

    def column(self, name: str) -> I64:
        """All rows of a column, to be read and written to; valid until the next `open_row`."""
        column: I64 = self._table[self._number[name]]
        return column

    def columns(self, first: str, last: str) -> I64:
        """The same of all columns between two, shape (columns, rows)."""
        columns: I64 = self._table[self._number[first] : self._number[last] + 1]
        return columns

    def open_row(self) -> int:
        """A row for a new owner."""
        if self._free:
            row = self._free.pop()
        else:
            row, self._used = self._used, self._used + 1
            if row == self._table.shape[1]:
                self._table = np.concatenate([self._table, np.empty_like(self._table)], axis=1)
        self._table[:, row] = self._initial
        return row

    def close_row(self, row: int) -> None:
        """The owner is forgotten: the row may be given to another one."""
        self._free.append(row)

    def get(self, row: int, name: str) -> int:
        """One integer."""
        value: int = self._table.item(self._number[name], row)
        return value

    def put(self, row: int, name: str, value: int) -> None:
        """Write one integer."""
        self._table[self._number[name], row] = value


class Owner(Protocol):
    """What has a row."""

    @property
    def ledger(self) -> Ledger:
        """Where it is."""
        ...

    @property
    def row(self) -> int:
        """Which it is."""
        ...


class Entry:
    """An attribute that is kept in the column of its name."""

    _name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: Owner, kind: type | None = None) -> int:
        return owner.ledger.get(owner.row, self._name)

    def __set__(self, owner: Owner, value: int) -> None:
        owner.ledger.put(owner.row, self._name, value)
