"""The ledger: rows of their own for all owners, however many come and go."""

from __future__ import annotations

from millrace.decode.netflow.ledger import Ledger


def test_rows_keep_what_is_written_while_the_table_grows() -> None:
    ledger = Ledger({"first": -1, "second": 0, "third": 5})
    rows = [ledger.open_row() for _ in range(1000)]
    assert len(set(rows)) == 1000
    assert 0 not in rows
    for row in rows:
        ledger.put(row, "second", row * 3)
    assert [ledger.get(row, "second") for row in rows] == [row * 3 for row in rows]
    assert (ledger.column("first")[rows] == -1).all()
    assert ledger.columns("second", "third")[:, rows[7]].tolist() == [rows[7] * 3, 5]


def test_a_row_that_is_given_again_begins_anew() -> None:
    ledger = Ledger({"first": -1, "second": 0})
    ledger.open_row()
    row = ledger.open_row()
    ledger.put(row, "first", 9)
    ledger.close_row(row)
    assert ledger.open_row() == row
    assert (ledger.get(row, "first"), ledger.get(row, "second")) == (-1, 0)
