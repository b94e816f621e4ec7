"""What flows do not tell is not taken for unknown: tables remember since when they know a column."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from millrace.batch import Coded
from millrace.errors import QueryError
from millrace.lang import parse
from millrace.query import (
    Asking,
    ExportQuestion,
    HeatmapQuestion,
    QueryEngine,
    SearchQuestion,
    SeriesQuestion,
    StoreTables,
    TopQuestion,
    ValuesQuestion,
)
from millrace.schema import COLUMNS, Column, Kind, Schema
from millrace.store import Doomed, ddl
from millrace.store.config import StoreSettings
from millrace.store.knowledge import Knowledge
from unit.store.made_flows import NOW_MS, SCHEMA, few_keys

NOW = NOW_MS // 1000
HOUR = 3600
OLD_S, NEW_S = NOW - 20 * HOUR, NOW - 4 * HOUR
TENANT = Column("Tenant", Kind.TEXT, "Tenant", "Whose it is.", "User")
ROLLED = replace(TENANT, rollup="key")
ROLLUPS = {"flows_1m0s": 60, "flows_5m0s": 300, "flows_1h0m0s": 3600}


def flows(start_s, rows=60, tenant=None):
    """A flow a minute of 1000 bytes."""
    made = few_keys(rows, start_s * 1000)
    made.put("TimeReceived", start_s * 1000 + np.arange(rows) * 60_000)
    made.put("Bytes", np.full(rows, 1000, np.uint64))
    if tenant is not None:
        made.put("Tenant", Coded(np.zeros(rows, np.int32), [tenant]))
    return made


def engine_of(store, schema):
    store.wait_until_rolled_up(NOW_MS)
    return QueryEngine(store, schema, StoreTables(store.status))


def moment(second):
    return datetime.fromtimestamp(second, UTC)


DAY = {"start": moment(NOW - 24 * HOUR), "end": moment(NOW)}
ASKING = Asking(float(NOW))


def test_a_store_that_always_had_its_columns_has_no_gap(open_store):
    open_store().insert(flows(OLD_S))
    store = open_store()
    assert not any(store.status().gaps.values())


@pytest.mark.parametrize("column", [TENANT, ROLLED], ids=["of flows", "of rollups"])
def test_a_column_that_came_later_is_asked_for_from_then_on(open_store, column):
    store = open_store()
    store.insert(flows(OLD_S))
    store.wait_until_rolled_up(NOW_MS)
    schema = Schema([column])
    store = open_store(schema)
    newest = OLD_S + 59 * 60
    gaps = store.status().gaps
    assert gaps["flows"] == {"Tenant": ((0, newest + 1),)}
    if column.rollup:
        for name, seconds in ROLLUPS.items():
            assert gaps[name] == {"Tenant": ((0, -(-(newest + 1) // seconds) * seconds),)}
    store.insert(flows(NEW_S, tenant="A"))
    store.insert(flows(NEW_S + 10, tenant=""))
    engine = engine_of(store, schema)
    for tenant, count in (("A", 60), ("", 60)):
        top = engine.top(TopQuestion(dimensions=["SrcAS"], filter=f"Tenant = '{tenant}'", **DAY), ASKING)
        assert top.total.flows == count
        assert top.start > moment(newest).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert engine.top(TopQuestion(dimensions=["SrcAS"], **DAY), ASKING).total.flows == 180
    early = {"start": moment(OLD_S - HOUR), "end": moment(OLD_S + HOUR // 2)}
    with pytest.raises(QueryError, match=r"flows do not tell Tenant before 20\d\d-.* UTC, when it came; ask about"):
        engine.top(TopQuestion(dimensions=["Tenant"], **early), ASKING)
    # Opened once more nothing is forgotten.
    assert open_store(schema).status().gaps == gaps


def test_who_is_limited_by_a_column_never_gets_flows_that_do_not_tell_it(open_store):
    """Flows of before have no tenant that anybody knew: "not B" and "unknown" are no answers about them."""
    open_store().insert(flows(OLD_S))
    schema = Schema([TENANT])
    store = open_store(schema)
    store.insert(flows(NEW_S, tenant="A"))
    engine = engine_of(store, schema)
    old = engine.search(SearchQuestion(limit=1, start=DAY["start"], end=moment(OLD_S + HOUR)), ASKING).ids[0]
    for condition in ("Tenant != B", "Tenant = ''", "NOT (Tenant = B)", "Tenant = A"):
        asking = Asking(float(NOW), scope=parse(condition, schema))
        wanted = 0 if condition == "Tenant = ''" else 60
        assert engine.top(TopQuestion(dimensions=["SrcAS"], **DAY), asking).total.flows == wanted
        assert engine.series(SeriesQuestion(unit="bytes", **DAY), asking).total.total == 1000 * wanted
        assert sum(map(sum, engine.heatmap(HeatmapQuestion(down=["SrcAS"], unit="bytes", **DAY), asking).values)) == (
            1000 * wanted
        )
        assert len(engine.search(SearchQuestion(limit=500, **DAY), asking).flows) == wanted
        assert sum(table.num_rows for table in engine.export(ExportQuestion(**DAY), asking).tables) == wanted
        assert sum(exporter.flows for exporter in engine.seen(SeriesQuestion(**DAY), asking)) == wanted
        values = engine.values(ValuesQuestion(column="SrcAS", **DAY), asking)
        assert sum(value.flows for value in values) <= wanted
        assert engine.record(old, asking) is None
        early = {"start": DAY["start"], "end": moment(OLD_S + HOUR // 2)}
        for ask in (
            lambda a=asking, e=early: engine.search(SearchQuestion(**e), a),
            lambda a=asking, e=early: engine.export(ExportQuestion(**e), a),
            lambda a=asking, e=early: engine.series(SeriesQuestion(**e), a),
        ):
            with pytest.raises(QueryError, match="do not tell Tenant"):
                ask()
    assert engine.record(old, ASKING) is not None


def test_flows_that_do_not_tell_a_column_show_nothing_of_it(open_store):
    """Of every kind of column: 0, "" or the first name of an enumeration is no value of theirs."""
    names = {
        Kind.U8: "Tos", Kind.U16: "Tunnel", Kind.U32: "Colour", Kind.U64: "Count", Kind.MAC: "Card",
        Kind.TEXT: "Tenant", Kind.ADDRESS: "Via", Kind.TIME_MS: "Seen", Kind.U32_LIST: "Labels", Kind.ENUM: "Kind",
    }  # fmt: skip
    assert set(names) == set(Kind)
    later = [
        Column(name, kind, name, "Came later.", "User", values=("none", "some") if kind is Kind.ENUM else ())
        for kind, name in names.items()
    ]
    open_store().insert(flows(OLD_S, rows=3))
    schema = Schema(later)
    store = open_store(schema)
    store.insert(flows(NEW_S, rows=2, tenant="A"))
    engine = engine_of(store, schema)
    asked = {"columns": ["SrcAS", *names.values()], **DAY}
    page = engine.search(SearchQuestion(**asked), ASKING)
    records = [engine.record(flow_id, ASKING).columns for flow_id in page.ids]
    table = pa.concat_tables(engine.export(ExportQuestion(**asked), ASKING).tables)
    assert [flow["Tenant"] for flow in page.flows] == ["A", "A", None, None, None]
    for name in names.values():
        known = [flow[name] is not None for flow in page.flows]
        assert known == [record[name] is not None for record in records] == table.column(name).is_valid().to_pylist()
        assert known == ([True, True] if name != "Seen" else [False, False]) + [False] * 3, name
    assert all(flow["SrcAS"] for flow in page.flows)


def test_what_rollups_once_carried_along_is_asked_of_single_flows(open_store):
    """A data folder of a program that kept no record: names in its rollups are those of one arbitrary flow."""
    store = open_store()
    store.insert(flows(OLD_S))
    store.wait_until_rolled_up(NOW_MS)
    for table in ("flows", *ROLLUPS):
        store._state.put(f"columns:{table}", {})
    store = open_store()
    gaps = store.status().gaps
    assert gaps["flows"] == {}
    assert gaps["flows_1h0m0s"]["InIfProvider"] == ((0, OLD_S + HOUR),)
    assert "SrcAS" not in gaps["flows_1h0m0s"]
    store.insert(flows(NEW_S))
    engine = engine_of(store, SCHEMA)
    top = engine.top(TopQuestion(dimensions=["ExporterName"], **DAY), ASKING)
    early = moment(OLD_S + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert top.total.flows == 120
    assert {source.table for source in top.sources if source.start < early} == {"flows"}
    assert "flows_1h0m0s" in {source.table for source in top.sources}
    by_as = engine.top(TopQuestion(dimensions=["SrcAS"], **DAY), ASKING)
    assert {source.table for source in by_as.sources if source.start < early} == {"flows_1h0m0s"}


def test_a_column_that_was_away_lacks_the_rows_of_that_time(open_store):
    """As after a start with another configuration, whose schema did not have it."""
    schema = Schema([TENANT])
    store = open_store(schema)
    store.insert(flows(OLD_S, tenant="A"))
    without = Knowledge(store._engine, store._state, tuple(ddl.tables(SCHEMA, StoreSettings())))
    without.update()
    without.update()
    store.insert(flows(OLD_S + HOUR + 7))
    again = Knowledge(store._engine, store._state, tuple(ddl.tables(schema, StoreSettings())))
    again.update()
    gap = (OLD_S + HOUR + 7, OLD_S + HOUR + 7 + 59 * 60 + 1)
    assert again.gaps["flows"] == {"Tenant": (gap,)}
    store._knowledge.gaps = again.gaps
    store.insert(flows(NEW_S, tenant="A"))
    engine = engine_of(store, schema)
    asked = {"dimensions": ["SrcAS"], "filter": "Tenant = A"}
    before = {"start": DAY["start"], "end": moment(OLD_S + HOUR)}
    # Intervals that reach into the gap show nothing of it.
    wide = SeriesQuestion(unit="flows/s", interval_seconds=HOUR * 2, filter="Tenant != B", **before)
    assert engine.series(wide, ASKING).total.total == 60
    assert engine.top(TopQuestion(**asked, **before), ASKING).total.flows == 60
    assert engine.top(TopQuestion(**asked, **DAY), ASKING).total.flows == 60
    assert engine.top(TopQuestion(dimensions=["SrcAS"], **DAY), ASKING).total.flows == 180


def delete_until(store, until_s):
    store.wait_until_rolled_up(NOW_MS)
    assert store.delete(Doomed("", end_ms=until_s * 1000)).flows


def test_flows_that_are_gone_leave_no_gap(open_store):
    """A store that was emptied is filled anew with flows of the same time, as from a capture: they tell the column."""
    open_store().insert(flows(OLD_S))
    schema = Schema([ROLLED])
    store = open_store(schema)
    store.insert(flows(NEW_S, tenant="A"))
    assert set(store.status().gaps["flows_1h0m0s"]) == {"Tenant"}
    delete_until(store, OLD_S + HOUR)
    store = open_store(schema)
    assert not any(store.status().gaps.values())
    store.insert(flows(OLD_S, tenant="A"))
    top = TopQuestion(dimensions=["Tenant"], filter="Tenant = A", **DAY)
    assert engine_of(store, schema).top(top, ASKING).total.flows == 120


def test_a_gap_goes_only_with_its_last_row(open_store):
    open_store().insert(flows(OLD_S))
    schema = Schema([ROLLED])
    store = open_store(schema)
    store.insert(flows(NEW_S, tenant="A"))
    gaps = store.status().gaps
    delete_until(store, OLD_S + 59 * 60)
    assert open_store(schema).status().gaps == gaps


def test_rows_that_wait_for_an_empty_rollup_keep_its_gap(open_store):
    open_store().insert(flows(OLD_S))
    schema = Schema([ROLLED])
    gaps = open_store(schema).status().gaps
    assert gaps["flows_1h0m0s"] == {"Tenant": ((0, OLD_S + HOUR),)}
    assert open_store(schema).status().gaps == gaps


def test_a_column_that_was_away_while_the_store_was_emptied_lacks_what_came_then(open_store):
    """Numbers of blocks begin again with an empty table: those that came then are not older than the last with it."""
    schema = Schema([ROLLED])
    store = open_store(schema)
    for hour in range(3):
        store.insert(flows(OLD_S + hour * HOUR, tenant="A"))
    store = open_store()
    store.wait_until_rolled_up(NOW_MS)
    for table, part in store._engine.rows("SELECT table, name FROM system.parts WHERE active AND table LIKE 'flows%'"):
        store._engine.execute(f"ALTER TABLE {table} DROP PART '{part}'")
    store = open_store()
    store.insert(flows(NEW_S))
    store.wait_until_rolled_up(NOW_MS)
    store = open_store(schema)
    gap = (NEW_S, NEW_S + 59 * 60 + 1)
    assert store.status().gaps["flows"] == {"Tenant": (gap,)}
    assert store.status().gaps["flows_1h0m0s"] == {"Tenant": ((NEW_S, NEW_S + HOUR),)}
    with pytest.raises(QueryError, match="do not tell Tenant"):
        engine_of(store, schema).top(
            TopQuestion(dimensions=["SrcAS"], filter="Tenant != B", start=moment(NEW_S), end=moment(NEW_S + HOUR // 2)),
            ASKING,
        )


def test_a_start_that_fails_leaves_no_gap(open_store):
    schema = Schema([TENANT])
    store = open_store(schema)
    store.insert(flows(OLD_S, tenant="A"))
    tables = [tuple(ddl.tables(one, StoreSettings())) for one in (SCHEMA, schema)]
    for wanted in tables:
        knowledge = Knowledge(store._engine, store._state, wanted)
        knowledge.update()
    assert knowledge.gaps["flows"] == {}


def test_rows_that_wait_for_the_rollup_while_a_column_comes_are_in_its_gap(open_store):
    """Their interval is closed by the newer program; what it adds of them does not tell the column."""
    base = [column for column in COLUMNS if column.name != "SrcASName"]
    open_store(Schema(base=base)).insert(flows(OLD_S))
    store = open_store()
    gaps = store.status().gaps
    end = OLD_S + 59 * 60 + 1
    assert gaps["flows"] == {"SrcASName": ((0, end),)}
    assert gaps["flows_1h0m0s"]["SrcASName"] == ((0, -(-end // 3600) * 3600),)
    engine = engine_of(store, SCHEMA)
    with pytest.raises(QueryError, match="SrcASName"):
        engine.top(TopQuestion(dimensions=["SrcASName"], start=DAY["start"], end=moment(OLD_S + HOUR // 2)), ASKING)
    assert engine.top(TopQuestion(dimensions=["SrcAS"], **DAY), ASKING).total.flows == 60


def test_who_asked_before_is_told_of_flows_that_come_late(open_store):
    """An answer about the past is kept for a minute, but no range is closed for good."""
    store = open_store()
    store.insert(flows(OLD_S))
    store.insert(flows(NEW_S))
    engine = engine_of(store, SCHEMA)
    past = {"start": DAY["start"], "end": moment(NEW_S + 2 * HOUR)}

    def counted():
        """When all is rolled up again, so that the same statement runs."""
        store.wait_until_rolled_up(NOW_MS)
        found = engine.top(TopQuestion(dimensions=["SrcAS"], **past), Asking(float(NOW))).total.flows
        assert engine.series(SeriesQuestion(unit="bytes", **past), Asking(float(NOW))).total.total == 1000 * found
        return found

    assert counted() == 120
    store.insert(flows(NEW_S + 10))
    assert counted() == 180
    store.delete(Doomed("", "1", {}, (), OLD_S * 1000, (OLD_S + HOUR) * 1000))
    assert counted() == 120
    before = store.status().past_changes
    store.insert(flows(int(time.time()), rows=1))
    assert store.status().past_changes == before, "else no answer would ever be kept"


@pytest.mark.parametrize("rolled_at", [NOW_MS, NOW_MS + 3600_000], ids=["late", "clock set back"])
def test_flows_that_come_late_are_in_every_answer_at_once(open_store, rolled_at):
    """The store refused for a while, or the clock was set back: rollups are not complete for that time any more."""
    store = open_store()
    store.insert(flows(OLD_S))
    store.insert(flows(NEW_S))
    store.wait_until_rolled_up(rolled_at)
    top = TopQuestion(dimensions=["SrcAS"], **DAY)

    engine = engine_of(store, SCHEMA)
    assert engine.top(top, ASKING).total.flows == 120
    store.insert(flows(NEW_S - HOUR))
    store.insert(flows(NOW - 300, rows=5))
    assert engine.top(top, ASKING).total.flows == 185
    assert engine.series(SeriesQuestion(unit="bytes", **DAY), ASKING).total.total == 185_000
    # One after the other the rollups take them.
    for _ in range(4):
        assert not store.maintain(NOW_MS).errors
        assert engine.top(top, ASKING).total.flows == 185
    store.wait_until_rolled_up(rolled_at)
    assert engine.top(top, ASKING).total.flows == 185
