"""Rollups have the totals of the flows, each flow counted once, whenever it came."""

import numpy as np
import pytest

from millrace.batch import Coded
from millrace.schema import Column, Kind, Schema
from millrace.store import RESOLUTIONS, rollups
from millrace.store.faults import EngineError
from millrace.store.rollups import BlockRange, choose_upto
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, make_flows, totals

MINUTE_MS = 60_000


def test_rows_are_aggregated_before_they_are_written(store):
    """2 exporters, 2 interfaces, 3 AS, 2 protocols: 24 rows per interval at most."""
    store.insert(few_keys(20_000, NOW_MS - HOUR_MS, HOUR_MS))
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    assert_rollups_agree(store)
    tables = store.status().tables
    assert tables["flows_1m0s"].rows <= 60 * 24
    assert tables["flows_5m0s"].rows <= 12 * 24
    assert tables["flows_1h0m0s"].rows <= 24


def test_names_are_kept(store):
    store.insert(few_keys(1000))
    store.wait_until_rolled_up(NOW_MS)
    for table in ("flows", *(resolution.table for resolution in RESOLUTIONS)):
        names = store.query(
            f"SELECT DISTINCT IPv6NumToString(ExporterAddress) AS a, ExporterName AS n FROM {table} ORDER BY a"
        )
        assert names.to_pylist() == [{"a": "::ffff:192.0.2.1", "n": "edge-1"}, {"a": "::ffff:192.0.2.2", "n": "edge-2"}]
    keys = "ExporterAddress, InIf, SrcAS, Proto"
    raw = totals(store, "flows", by=keys)
    assert totals(store, "flows_1h0m0s", by=keys) == raw


def test_every_kind_of_column_rolls_up(store):
    store.insert(make_flows(2000))
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)
    carried = [column.name for column in SCHEMA if column.rollup == "key"]
    assert store.query("SELECT * FROM flows_1m0s LIMIT 0").column_names == [
        "TimeReceived", *carried, "Bytes", "Packets", "Flows",
    ]  # fmt: skip
    both = ", ".join(carried)
    missing = store.query(f"SELECT count() AS n FROM (SELECT {both} FROM flows_1h0m0s EXCEPT SELECT {both} FROM flows)")
    assert missing.to_pylist() == [{"n": 0}]


def test_the_open_minute_waits_for_its_end_and_the_grace_time(open_store):
    store = open_store(rollup_grace_seconds=5)
    store.insert(few_keys(100, NOW_MS, 30_000))
    assert not store.maintain(NOW_MS + 31_000).rolled_up_rows
    assert not store.maintain(NOW_MS + 64_000).rolled_up_rows
    assert store.maintain(NOW_MS + 66_000).rolled_up_rows == {"1m": 100}
    assert store.status().rolled_up_to_ms == {"1m": NOW_MS + MINUTE_MS, "5m": NOW_MS, "1h": NOW_MS}
    assert totals(store, "flows_1m0s") == totals(store, "flows")


def test_as_many_rows_are_said_to_wait_as_did_for_the_minute_before(open_store):
    store = open_store(rollup_grace_seconds=5)
    store.insert(few_keys(100, NOW_MS, 30_000))
    assert store.status().waiting_rows == 100
    store.maintain(NOW_MS + 66_000)
    store.insert(few_keys(30, NOW_MS + MINUTE_MS, 5_000))
    assert store.status().waiting_rows == 100
    store.maintain(NOW_MS + 126_000)
    assert store.status().waiting_rows == 30
    store.maintain(NOW_MS + 186_000)
    assert store.status().waiting_rows == 0


def test_late_flows_are_added_to_their_interval(store):
    for seed in range(4):
        store.insert(few_keys(500, NOW_MS - HOUR_MS, HOUR_MS, seed=seed))
        store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
        assert_rollups_agree(store)
    assert totals(store, "flows")[0] == 2000


def test_flows_that_straddle_the_end_of_an_interval_are_counted_once(open_store):
    """A batch of the closed minute also holds flows of the next one."""
    store = open_store(rollup_grace_seconds=1)
    start = NOW_MS - HOUR_MS
    for second in range(0, 200, 7):
        store.insert(few_keys(50, start + second * 1000, 9_000, seed=second))
        store.maintain(start + second * 1000 + 9_000)
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    assert_rollups_agree(store)


def test_a_day_of_history_takes_few_statements(store):
    store.insert(few_keys(30_000, NOW_MS - 24 * HOUR_MS, 24 * HOUR_MS))
    rounds = [store.maintain(NOW_MS + 10_000 * attempt) for attempt in range(1, 4)]
    assert sum(len(done.rolled_up_rows) for done in rounds) == 3
    assert_rollups_agree(store)


def test_history_older_than_the_finest_rollup_reaches_the_coarser_ones(open_store):
    store = open_store(retention_raw_days=400, retention_1m_days=7)
    store.insert(few_keys(1000, NOW_MS - 60 * 24 * HOUR_MS, 24 * HOUR_MS))
    store.insert(few_keys(1, NOW_MS))
    store.wait_until_rolled_up(NOW_MS + HOUR_MS)
    assert totals(store, "flows_5m0s") == totals(store, "flows_1h0m0s") == totals(store, "flows")
    store.maintain(NOW_MS + 2 * HOUR_MS)
    assert totals(store, "flows_1m0s")[0] == 1
    assert totals(store, "flows_5m0s") == totals(store, "flows")


def test_more_rows_than_one_statement_may_take_go_in_pieces(store, monkeypatch):
    monkeypatch.setattr("millrace.store.roller._MIN_ROWS", 250)
    monkeypatch.setattr("millrace.store.roller._MAX_ROWS", 250)
    for seed in range(8):
        store.insert(few_keys(100, NOW_MS - HOUR_MS, HOUR_MS, seed=seed))
    first = store.maintain(NOW_MS)
    assert 0 < first.rolled_up_rows["1m"] <= 250
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    assert_rollups_agree(store)


def test_rollups_go_on_after_a_restart(open_store):
    open_store().insert(few_keys(500, NOW_MS - HOUR_MS, HOUR_MS))
    store = open_store()
    store.insert(few_keys(500, NOW_MS - HOUR_MS, HOUR_MS, seed=1))
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    assert_rollups_agree(store)
    store = open_store()
    assert not store.maintain(NOW_MS + MINUTE_MS).rolled_up_rows
    assert_rollups_agree(store)


def test_merged_parts_are_not_counted_again(store):
    for seed in range(6):
        store.insert(few_keys(100, seed=seed))
        if seed == 3:
            store.wait_until_rolled_up(NOW_MS)
            store._engine.execute("OPTIMIZE TABLE flows_open FINAL")
    store._engine.execute("OPTIMIZE TABLE flows_open FINAL")
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)


def test_a_statement_that_needs_too_much_memory_takes_less(store, monkeypatch):
    monkeypatch.setattr("millrace.store.roller._MIN_ROWS", 100)
    store._roller._settings = store._roller._settings.model_copy(update={"rollup_max_groups": 1000})
    for seed in range(8):
        store.insert(few_keys(100, NOW_MS - HOUR_MS, HOUR_MS, seed=seed))
    execute = store._engine.execute
    refused = 0

    def small(sql, settings=None):
        nonlocal refused
        if sql.startswith("INSERT INTO flows_1m") and refused < 3:
            refused += 1
            raise EngineError.of("Code: 241. DB::Exception: Query memory limit exceeded")
        execute(sql, settings)

    monkeypatch.setattr(store._engine, "execute", small)
    taken = [store.maintain(NOW_MS + MINUTE_MS).rolled_up_rows.get("1m", 0) for _ in range(5)]
    assert taken[:3] == [0, 0, 0]
    assert taken[3] == 500
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    assert_rollups_agree(store)


@pytest.mark.parametrize("failing", ["before", "after"])
def test_a_statement_that_fails_or_loses_its_answer_is_settled(store, monkeypatch, failing):
    """Whether its rows arrived or not, they end up in the rollup once."""
    store.insert(few_keys(500, NOW_MS - HOUR_MS, HOUR_MS))
    execute = store._engine.execute
    broken = True

    def unreliable(sql, settings=None):
        nonlocal broken
        if broken and sql.startswith("INSERT INTO flows_"):
            broken = False
            if failing == "after":
                execute(sql, settings)
            raise EngineError.of("Code: 243. DB::Exception: no space")
        execute(sql, settings)

    monkeypatch.setattr(store._engine, "execute", unreliable)
    assert store.maintain(NOW_MS + MINUTE_MS).errors
    assert store.status().last_error
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    assert_rollups_agree(store)
    assert store.status().last_error == ""


def test_a_statement_that_arrived_in_part_is_undone_and_run_again(open_store):
    """As after a crash between two parts of one statement."""
    store = open_store()
    store.insert(few_keys(500, NOW_MS - 72 * HOUR_MS, 71 * HOUR_MS))
    partial = rollups.rollup_statement(SCHEMA, RESOLUTIONS[0], BlockRange(0, 100))
    store._state.put("rollup:1m", {"done": 0, "plan": {"upto": 100, "target": 0}})
    store._engine.execute(f"{partial} WHERE one.SrcAS = 64500")
    assert 0 < totals(store, "flows_1m0s")[0] < 500
    store = open_store()
    assert totals(store, "flows_1m0s")[0] == 0
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)


def test_a_statement_that_arrived_before_a_crash_is_not_run_again(open_store):
    store = open_store()
    store.insert(few_keys(500))
    store._state.put("rollup:1m", {"done": 0, "plan": {"upto": 1, "target": 0}})
    store._engine.execute(rollups.rollup_statement(SCHEMA, RESOLUTIONS[0], BlockRange(0, 1)))
    store = open_store()
    assert "1m" not in store.maintain(NOW_MS).rolled_up_rows
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)


def test_flows_inserted_after_the_newest_were_dropped_and_a_restart_are_rolled_up(open_store):
    """The engine numbers inserts from its newest part: numbers come again when that part is gone."""
    store = open_store(close_after_seconds=86_400)
    store.insert(few_keys(100, NOW_MS - 48 * HOUR_MS))
    for seed in range(5):
        store.insert(few_keys(100, NOW_MS - 2 * HOUR_MS, seed=seed))
    store.wait_until_rolled_up(NOW_MS)
    parts = "SELECT name FROM system.parts WHERE active AND table = 'flows_open' AND max_time > now() - 86400"
    for (part,) in store._engine.rows(parts):
        store._engine.execute(f"ALTER TABLE flows_open DROP PART '{part}'")
    store = open_store(close_after_seconds=86_400)
    store.insert(few_keys(70, seed=9))
    store.wait_until_rolled_up(NOW_MS)
    assert totals(store, "flows")[0] == 170
    assert [totals(store, resolution.table)[0] for resolution in RESOLUTIONS] == [670, 670, 670]


def test_block_numbers_that_come_again_are_not_taken_for_done_after_a_second_restart(open_store):
    """The newest part is dropped, the store restarts, takes flows, and is killed before it rolls them up."""
    store = open_store(close_after_seconds=86_400)
    store.insert(few_keys(100, NOW_MS - 48 * HOUR_MS))
    for seed in range(5):
        store.insert(few_keys(100, NOW_MS - 2 * HOUR_MS, seed=seed))
    store.wait_until_rolled_up(NOW_MS)
    parts = "SELECT name FROM system.parts WHERE active AND table = 'flows_open' AND max_time > now() - 86400"
    for (part,) in store._engine.rows(parts):
        store._engine.execute(f"ALTER TABLE flows_open DROP PART '{part}'")
    store = open_store(close_after_seconds=86_400)
    store.insert(few_keys(70, seed=9))
    store = open_store(close_after_seconds=86_400)
    store.wait_until_rolled_up(NOW_MS)
    assert [totals(store, resolution.table)[0] for resolution in RESOLUTIONS] == [670, 670, 670]


@pytest.mark.parametrize("arrived", [True, False])
def test_a_statement_that_finished_counts_although_its_flows_are_lost_since(open_store, arrived):
    """Killed between the statement and the note that it is done; meanwhile a part that it took was damaged."""
    store = open_store()
    store.insert(few_keys(100, NOW_MS - 48 * HOUR_MS))
    store.insert(few_keys(60, NOW_MS - 2 * HOUR_MS))
    plan = {"upto": 2, "target": 0, "rows": 160, "flows": 160}
    store._state.put("rollup:1m", {"done": 0, "plan": plan})
    if arrived:
        store._engine.execute(rollups.rollup_statement(SCHEMA, RESOLUTIONS[0], BlockRange(0, 2)))
    part = store._engine.rows("SELECT name FROM system.parts WHERE active AND table = 'flows_open' ORDER BY rows")[0][0]
    store._engine.execute(f"ALTER TABLE flows_open DETACH PART '{part}'")
    store = open_store()
    store.wait_until_rolled_up(NOW_MS)
    kept = 160 if arrived else 100
    assert [totals(store, resolution.table)[0] for resolution in RESOLUTIONS] == [kept, kept, kept]


def test_a_users_column_may_be_a_key_of_the_rollups(open_store):
    colour = Column("Colour", Kind.U8, "Colour", "A key of our own.", "Test", rollup="key")
    store = open_store(Schema([colour]))
    flows = few_keys(300)
    flows.put("Colour", (np.arange(300) % 3).astype(np.uint8))
    store.insert(flows)
    store.wait_until_rolled_up(NOW_MS)
    assert totals(store, "flows_1h0m0s", by="Colour") == totals(store, "flows", by="Colour")


@pytest.mark.parametrize(
    ("parts", "after", "max_rows", "upto"),
    [
        ([], 0, 100, 0),
        ([(1, 1, 50), (2, 2, 50), (3, 3, 50)], 0, 100, 2),
        ([(1, 1, 50), (2, 2, 50)], 0, 1000, 2),
        ([(1, 1, 500)], 0, 100, 1),
        ([(1, 10, 1000)], 0, 100, 1),
        ([(1, 10, 1000)], 5, 300, 8),
        ([(1, 10, 1000), (11, 11, 5)], 5, 600, 11),
        ([(3, 3, 10), (1, 4, 40)], 0, 1000, 4),
    ],
)
def test_how_many_blocks_one_statement_takes(parts, after, max_rows, upto):
    assert choose_upto(parts, after, max_rows) == upto


def told(rows, start_ms, name, value, octets):
    """Flows of which a look-up said something: a column with one value, and bytes."""
    flows = few_keys(rows, start_ms, 1)
    for key, same in (("InIf", 1), ("SrcAS", 64500), ("Proto", 6)):
        flows.put(key, np.full(rows, same, flows.columns[key].dtype))
    flows.put("Bytes", np.full(rows, octets, np.uint64))
    exporter = np.zeros(rows, np.int32)
    flows.put("ExporterAddress", Coded(exporter, np.full((1, 16), 7, np.uint8)))
    flows.put("ExporterName", Coded(exporter, ["edge-1"]))
    column = SCHEMA[name]
    one = {Kind.TEXT: lambda: Coded(exporter, [value])}.get(
        column.kind, lambda: np.full(rows, value, column.kind.dtype)
    )
    flows.put(name, one())
    return flows


LOOKED_UP = [
    column
    for column in SCHEMA
    if column.rollup and column.name.endswith(("Name", "Group", "Role", "Site", "Region", "Tenant",
        "Description", "Connectivity", "Provider", "Speed", "Boundary", "Country"))
]  # fmt: skip
"""What look-ups say of a flow: it changes with the configuration, and with what exporters announce."""


@pytest.mark.variants(8)
@pytest.mark.parametrize("name", [column.name for column in LOOKED_UP])
def test_what_changes_inside_of_an_interval_tells_rows_apart(store, name):
    """30 MB of A and 210 MB of B were 240 MB of A."""
    values = {Kind.TEXT: ("A", "B"), Kind.ENUM: (1, 2)}.get(SCHEMA[name].kind, (10, 20))
    store.insert(told(3, NOW_MS - HOUR_MS + 1000, name, values[0], 10_000_000))
    store.insert(told(7, NOW_MS - HOUR_MS + 2000, name, values[1], 30_000_000))
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    raw = totals(store, "flows", by=name)
    assert [row[1:3] for row in raw] == [(3, 30_000_000), (7, 210_000_000)]
    for resolution in RESOLUTIONS:
        assert totals(store, resolution.table, by=name) == raw


def test_a_text_lends_no_letter_to_its_neighbour(store):
    """ "ab" beside "c" is another group than "a" beside "bc"."""
    flows = few_keys(2, NOW_MS - HOUR_MS, 1)
    for name in ("InIf", "SrcAS", "Proto"):
        flows.put(name, np.full(2, 6, flows.columns[name].dtype))
    for name in ("ExporterAddress", "ExporterName"):
        flows.put(name, Coded(np.zeros(2, np.int32), flows.columns[name].values))
    flows.put("InIfName", Coded(np.array([0, 1], np.int32), ["ab", "a"]))
    flows.put("InIfDescription", Coded(np.array([0, 1], np.int32), ["c", "bc"]))
    store.insert(flows)
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    by = "InIfName, InIfDescription"
    assert totals(store, "flows_1h0m0s", by=by) == totals(store, "flows", by=by)
    assert len(totals(store, "flows_1h0m0s", by=by)) == 2


def test_forged_sums_do_not_wrap(store):
    """Many records near 2⁶⁴ bytes of one group, among others, at each step from raw to hours."""
    octets = [2**64 - 1] * 5 + [2**63] * 4 + [2**36 - 1] * 50 + [1000] * 100
    for minute in range(7):
        flows = told(len(octets), NOW_MS - HOUR_MS + minute * MINUTE_MS, "InIfName", "a", 0)
        flows.put("Bytes", np.array(octets, np.uint64))
        flows.put("Packets", np.array(octets[::-1], np.uint64))
        store.insert(flows)
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    wanted = 7 * sum(octets)
    for table in ("flows", *(resolution.table for resolution in RESOLUTIONS)):
        sums = store.query(
            f"SELECT toString(sum(toUInt128(Bytes))) AS b, toString(sum(toUInt128(Packets))) AS p FROM {table}"
        )
        assert sums.to_pylist() == [{"b": str(wanted), "p": str(wanted)}]
    assert store.status().tables["flows_1h0m0s"].rows <= 7 * (18 + 1)
