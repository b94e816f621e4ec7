"""What a store says of itself."""

from __future__ import annotations


def test_each_table_says_how_long_its_rows_are_kept(open_store):
    tables = open_store(retention_raw_days=400, retention_1m_days=7).status().tables
    assert tables["flows"].keep_days == 400
    assert tables["flows_1m0s"].keep_days == 7
