"""Flows for files."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from millrace.errors import QueryError
from millrace.lang import parse
from millrace.query import Asking, ExportQuestion, SearchQuestion
from millrace.query import export as exporting

from .stored_flows import BASE, SCHEMA, flow

ASKING = Asking(BASE + 7200.0)
DAY = 86_400


def exported(engine, asking=ASKING, **question):
    made = engine.export(ExportQuestion(**question), asking)
    return pa.concat_tables([made.schema.empty_table(), *made.tables])


def test_values_are_those_of_a_search(store, engine):
    store.insert(
        [flow(1, SrcMAC=5, FlowDirection="ingress", DstCommunities=[(64500 << 16) | 7], MPLSLabels=[3], InIfName="a")]
    )
    columns = ["SrcAddr", "DstAddr", "SrcMAC", "FlowDirection", "DstCommunities", "MPLSLabels", "InIfName", "Bytes"]
    rows = exported(engine, columns=columns, last_seconds=9000).to_pylist()
    assert rows == engine.search(SearchQuestion(columns=columns, last_seconds=9000), ASKING).flows
    assert len(rows) == 1


def test_types_are_those_that_data_frames_want(store, engine):
    store.insert([flow(1.25, TimeFlowEnd=(BASE + 1) * 1000)])
    columns = ["TimeReceived", "TimeFlowStart", "TimeFlowEnd", "SrcAddr", "SrcPort", "FlowDirection", "DstCommunities"]
    table = exported(engine, columns=columns, last_seconds=9000)
    time, text = pa.timestamp("ms", tz="UTC"), pa.string()
    assert table.schema.types == [time, time, time, text, pa.uint16(), text, pa.list_(text)]
    assert table.column("TimeReceived")[0].as_py() == datetime(2026, 1, 1, 12, 0, 1, 250_000, UTC)
    assert table.column("TimeFlowStart")[0].as_py() is None
    assert table.schema.field("SrcPort").metadata[b"title"] == b"Source port"


@pytest.mark.parametrize(("limit", "rows"), [(1, 1), (7, 7), (8, 8), (99, 99), (100, 100), (1000, 100)])
def test_limit_holds_over_windows_and_parts(store, engine, monkeypatch, limit, rows):
    monkeypatch.setattr(exporting, "EXPORT_ROWS", 7)
    store.insert([flow(-5000.0 * number, SrcPort=number) for number in range(100)])
    table = exported(engine, columns=["SrcPort"], limit=limit, last_seconds=30 * DAY)
    assert table.column("SrcPort").to_pylist() == list(range(rows))


def test_no_more_is_in_memory_than_a_part(store, engine, monkeypatch):
    monkeypatch.setattr(exporting, "EXPORT_ROWS", 10)
    store.insert([flow(1, SrcPort=number) for number in range(95)])
    made = engine.export(ExportQuestion(columns=["SrcPort"], last_seconds=9000), ASKING)
    asked = len(store.asked)
    sizes = [next(made.tables).num_rows for _ in range(3)]
    assert max(sizes) <= 10
    assert len(store.asked) > asked, "the store is asked as the file is read"
    rest = [table.num_rows for table in made.tables]
    assert sum(sizes) + sum(rest) == 95


def test_scope_and_filter_apply(store, engine):
    store.insert([flow(1, SrcPort=number, ExporterTenant="ab"[number % 2]) for number in range(6)])
    asking = Asking(ASKING.now, scope=parse("ExporterTenant = 'a'", SCHEMA))
    table = exported(engine, asking, columns=["SrcPort"], filter="SrcPort >= 2", last_seconds=9000)
    assert sorted(table.column("SrcPort").to_pylist()) == [2, 4]


def test_nothing_is_a_table_without_rows(store, engine):
    assert exported(engine, columns=["SrcAddr", "DstASPath"]).num_rows == 0


def test_wrong_questions_are_refused_before_anything_is_read(store, engine):
    for question in ({"columns": ["Nope"]}, {"filter": "SrcAsn = 1"}):
        with pytest.raises(QueryError):
            engine.export(ExportQuestion(**question), ASKING)
    assert store.asked == []
