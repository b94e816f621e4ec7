"""Questions to the embedded store: rollups as it makes them, types as it gives them."""

from datetime import UTC, datetime

import numpy as np
import pytest

from millrace.batch import Coded, FlowBatch, Lists, address_bytes
from millrace.errors import QueryError
from millrace.lang import Membership, text_of
from millrace.query import (
    Asking,
    QueryEngine,
    Question,
    SeriesQuestion,
    StoreTables,
    Table,
    TopQuestion,
    complete_tables,
)
from millrace.schema import Schema
from millrace.store import EmbeddedStore
from millrace.store.store import StoreStatus, TableStatus

SCHEMA = Schema()
ROWS = 4000

NASTY = "it's a \\ {p0:String}\t; DROP TABLE flows --"


def made(start):
    """Two hours of flows, one each 1.8 s, that end with the open interval."""
    i = np.arange(ROWS)
    flows = FlowBatch(ROWS)
    flows.put("TimeReceived", (start * 1000 + i * 1800).astype(np.int64))
    flows.put("ExporterAddress", Coded((i % 2).astype(np.int32), _packed("192.0.2.1", "2001:db8::2")))
    flows.put("ExporterName", Coded((i % 2).astype(np.int32), ["edge", NASTY]))
    flows.put("SrcAddr", _packed("10.0.0.1", "10.0.0.2", "2001:db8::1", "10.9.0.1")[i % 4])
    flows.put("SrcAS", (64500 + i % 3).astype(np.uint32))
    flows.put("InIf", (1 + i % 2).astype(np.uint32))
    flows.put("Proto", np.where(i % 2, 6, 17).astype(np.uint8))
    flows.put("FlowDirection", (i % 3).astype(np.uint8))
    flows.put("SrcMAC", np.full(ROWS, 0x001B210A0B0C, np.uint64))
    flows.put("DstCommunities", Lists(np.arange(ROWS + 1, dtype=np.int32), np.full(ROWS, 64500 << 16 | 7, np.uint32)))
    flows.put("Bytes", (1 + i).astype(np.uint64))
    flows.put("Packets", np.ones(ROWS, np.uint64))
    flows.put("SamplingRate", (1 + i % 2).astype(np.uint64))
    return flows


def _packed(*addresses):
    return np.frombuffer(b"".join(address_bytes(text) for text in addresses), np.uint8).reshape(-1, 16)


START = int(datetime.now(UTC).timestamp()) // 3600 * 3600 - 3 * 3600 + 17
NOW = START + ROWS * 1.8

ASKING = Asking(NOW)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with EmbeddedStore(tmp_path_factory.mktemp("data"), SCHEMA) as store:
        store.insert(made(START))
        store.wait_until_rolled_up(int(NOW * 1000))
        yield store


@pytest.fixture(scope="module")
def engine(store):
    return QueryEngine(store, SCHEMA, StoreTables(store.status))


def between(start=0, end=7200, **more):
    return {
        "start": datetime.fromtimestamp(START + start, UTC),
        "end": datetime.fromtimestamp(START + end, UTC),
        **more,
    }


def test_rollups_answer_with_the_numbers_of_the_flows(store, engine):
    raw = QueryEngine(store, SCHEMA, lambda: [Table("flows")])
    for question in (
        TopQuestion(dimensions=["SrcAS", "ExporterName"], unit="l2-bits/s", **between()),
        TopQuestion(dimensions=["ExporterAddress"], unit="flows/s", **between(100, 6789)),
        TopQuestion(dimensions=["InIf", "FlowDirection"], filter="Proto = tcp", **between()),
    ):
        rolled, exact = engine.top(question, ASKING), raw.top(question, ASKING)
        assert {source.table for source in rolled.sources} > {"flows", "flows_1m0s"}
        assert (rolled.rows, rolled.total) == (exact.rows, exact.total)
    i = np.arange(ROWS)
    total = engine.top(TopQuestion(dimensions=["SrcAS"], **between()), ASKING).total
    assert total.bytes == int(((1 + i) * (1 + i % 2)).sum())
    assert total.flows == ROWS


def test_series_of_rollups_and_of_flows_agree(store, engine):
    question = SeriesQuestion(dimensions=["SrcAS"], unit="flows/s", interval_seconds=300, limit=2, **between())
    rolled = engine.series(question, ASKING)
    raw = QueryEngine(store, SCHEMA, lambda: [Table("flows")]).series(question, ASKING)
    assert [(row.dimensions, row.points) for row in rolled.rows] == [(row.dimensions, row.points) for row in raw.rows]
    assert sum(rolled.rows[-1].points) > 0


def test_values_come_as_people_write_them(engine):
    names = ["ExporterAddress", "ExporterName", "SrcMAC", "FlowDirection", "DstCommunities", "SrcAddr"]
    (row,) = engine.top(TopQuestion(dimensions=names, limit=1, unit="flows/s", **between()), ASKING).rows
    assert row.dimensions == ["192.0.2.1", "edge", "00:1b:21:0a:0b:0c", "undefined", ["64500:7"], "10.0.0.1"]


def test_texts_travel_unchanged(engine):
    condition = text_of(Membership(SCHEMA["ExporterName"], (NASTY, "x' OR 1=1")))
    (row,) = engine.top(TopQuestion(dimensions=["ExporterName"], filter=condition, **between()), ASKING).rows
    assert (row.dimensions, row.flows) == ([NASTY], ROWS // 2)


def test_statements_as_text_are_taken_by_the_command_line(store, engine):
    condition = text_of(Membership(SCHEMA["ExporterName"], (NASTY, "edge")))
    question = TopQuestion(dimensions=["ExporterName", "SrcAddr"], filter=condition, unit="flows/s", **between())
    answer = engine.top(question, ASKING)
    (sql,) = answer.sql
    total, *rows = store.execute_local(sql, "TabSeparated").decode().splitlines()
    assert len(rows) == len(answer.rows) == 4
    assert [int(row.split("\t")[-1]) for row in rows] == [row.flows for row in answer.rows]
    assert int(total.split("\t")[-1]) == ROWS


def test_seen_exporters(engine):
    first, second = engine.seen(Question(**between()), ASKING)
    assert {first.address, second.address} == {"192.0.2.1", "2001:db8::2"}
    assert {exporter.flows for exporter in (first, second)} == {ROWS // 2}
    assert [interface.index for interface in first.interfaces] == [1]


def test_question_beyond_the_bounds_of_the_store_is_refused(store):
    class Hasty:
        def query(self, sql, parameters, *, cancel=None, typed=True):
            return store.query(sql, parameters, max_rows=1, cancel=cancel)

    with pytest.raises(QueryError, match="rows"):
        QueryEngine(Hasty(), SCHEMA, lambda: [Table("flows")]).top(
            TopQuestion(dimensions=["SrcAddr"], **between()), ASKING
        )


def test_tables_of_the_store_come_with_the_flows_themselves_first(store):
    tables = StoreTables(store.status)
    assert [table.name for table in tables()] == ["flows", "flows_1m0s", "flows_5m0s", "flows_1h0m0s"]


def status_of(oldest, rolled_up_to):
    names = ("flows", "flows_1m0s", "flows_5m0s", "flows_1h0m0s")
    tables = {
        name: TableStatus(1, 1, 1, 0, None if first is None else first * 1000, None)
        for name, first in zip(names, oldest, strict=True)
    }
    return StoreStatus(tables, 1, 1, "", dict(zip(("1m", "5m", "1h"), rolled_up_to, strict=True)))


def test_table_that_begins_later_than_another_has_expired_what_was_before():
    tables = complete_tables(status_of((900_030, 900_000, 300_000, 0), (950_000_000, None, 936_000_000)))
    assert [(table.since, table.until) for table in tables] == [
        (900_030, 2**32 - 1),
        (900_000, 950_000),
        (300_000, 0),
        (0, 936_000),
    ]


def test_tables_that_begin_together_know_all_there_was():
    """A collector that started an hour ago knows that there was nothing before."""
    tables = complete_tables(status_of((900_030, 900_000, 900_000, 900_000), (1, 1, 1)))
    assert {table.since for table in tables} == {0}
    assert {table.since for table in complete_tables(status_of((None,) * 4, (None,) * 3))} == {0}


@pytest.mark.parametrize("years", [1, 10])
@pytest.mark.parametrize("more", [{}, {"interval": "month", "timezone": "Asia/Kathmandu"}])
def test_wide_range_is_told_of_the_time_for_which_the_store_has_data(engine, years, more):
    """Minimum, maximum, 95th percentile and last were 0, and the average next to nothing."""
    question = SeriesQuestion(last_seconds=years * 365 * 86_400, unit="flows/s", **more)
    series = engine.series(question, ASKING)
    assert datetime.fromisoformat(series.covered_start).timestamp() == START
    total = series.total
    assert total.total == pytest.approx(ROWS, rel=0.01), "a wide range ends with a full minute"
    assert total.average == pytest.approx(1 / 1.8, rel=0.02)
    assert 0.5 < total.minimum <= total.percentile95 <= total.maximum < 0.6
    assert 0.5 < total.last < 0.6


def test_statements_with_buckets_of_the_calendar_can_be_asked_as_text(store, engine):
    series = engine.series(
        SeriesQuestion(
            last_seconds=86_400, interval="day", timezone="Asia/Kathmandu", dimensions=["SrcAS"], unit="bytes"
        ),
        ASKING,
    )
    (sql,) = series.sql
    assert "roundDown" in sql
    amounts = [sum(amounts) for amounts in store.query(sql, {}).column("_amounts").to_pylist()]
    assert sum(amounts) == series.total.total
