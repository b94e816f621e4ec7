"""Hours that are over are sorted and packed: every flow is shown once, before, meanwhile and afterwards."""

import re
import threading
from dataclasses import replace

import numpy as np
import pytest

from millrace.errors import StoreError, StoreLossError
from millrace.generate import default_model, history
from millrace.query import Asking, QueryEngine, SearchQuestion, StoreTables
from millrace.schema import COLUMNS, Column, Kind, Schema
from millrace.store import Doomed, closing, ddl
from millrace.store.config import StoreSettings
from millrace.store.embedded_engine import EmbeddedEngine
from millrace.store.resolutions import BEFORE_TABLE, CLOSED_TABLE, OPEN_TABLE
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, make_flows, totals

DAY_MS = 24 * HOUR_MS
LATER_MS = NOW_MS + HOUR_MS
"""When this hour's predecessor is closed."""


class KilledError(BaseException):
    """Ends everything, as `kill -9` does."""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(closing, "_SETTLE_S", 0.0)
    monkeypatch.setattr(closing, "_PAUSE_S", 0.0)


@pytest.fixture
def small_passes(monkeypatch):
    monkeypatch.setattr(closing, "PASS_ROWS", 500)


def rows_of(store, table):
    return int(store._engine.rows(f"SELECT count() FROM {table}")[0][0])


def everything(store):
    """All that `flows` shows, as one number and a count."""
    return store._engine.rows("SELECT count(), sum(cityHash64(*)) FROM flows")


def close(store, now_ms=LATER_MS):
    """Maintain until nothing is left to be done."""
    for _ in range(100):
        before = store._closer.boundary
        done = store.maintain(now_ms)
        assert not done.errors
        if store._closer.boundary == before and not done.rolled_up_rows:
            store.wait_until_rolled_up(now_ms)
            return
    raise AssertionError("there is always something left to be closed")


def test_hours_that_are_over_are_packed_and_show_the_same(store):
    store.insert(make_flows(2_000, NOW_MS - 3 * HOUR_MS, 2 * HOUR_MS))
    store.insert(make_flows(300, NOW_MS, HOUR_MS // 2, seed=1))
    before = everything(store)
    close(store)
    assert everything(store) == before
    assert (rows_of(store, OPEN_TABLE), rows_of(store, CLOSED_TABLE)) == (300, 2_000)
    assert_rollups_agree(store)
    assert store.status().tables["flows"].rows == 2_300


def test_an_hour_is_not_closed_before_its_flows_have_come(store):
    store.insert(few_keys(100, NOW_MS - HOUR_MS, HOUR_MS))
    wait_ms = int(StoreSettings().close_after_seconds * 1000)
    store.maintain(NOW_MS + wait_ms - 1)
    assert rows_of(store, CLOSED_TABLE) == 0
    close(store, NOW_MS + wait_ms)
    assert rows_of(store, CLOSED_TABLE) == 100


@pytest.mark.usefixtures("small_passes")
def test_who_asks_while_hours_are_closed_sees_every_flow_once(store):
    for part in range(6):
        store.insert(few_keys(700, NOW_MS - (part + 1) * HOUR_MS, HOUR_MS, seed=part))
    expected = totals(store, "flows")
    answers, over = [], threading.Event()

    def ask():
        while not over.is_set():
            answers.append(totals(store, "flows"))

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    close(store)
    over.set()
    for thread in asking:
        thread.join()
    assert rows_of(store, CLOSED_TABLE) == 4_200
    assert len(answers) > 5
    assert set(answers) == {expected}


@pytest.mark.usefixtures("small_passes")
def test_a_pass_is_bounded_however_many_flows_there_are(store, monkeypatch):
    copied = []
    execute = store._engine.execute

    def watched(sql, settings=None, parameters=None):
        execute(sql, settings, parameters)
        if sql.startswith(f"INSERT INTO {CLOSED_TABLE}"):
            copied.append(rows_of(store, CLOSED_TABLE))

    monkeypatch.setattr(store._engine, "execute", watched)
    store.insert(few_keys(5_000, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    close(store)
    sizes = np.diff([0, *copied])
    assert sizes.sum() == 5_000
    assert sizes.max() <= 500


POINTS = (
    "INSERT INTO millrace_state SELECT 'closed', .*\"closing\": [0-9]{1,9},",
    f"INSERT INTO {CLOSED_TABLE}",
    "INSERT INTO millrace_state SELECT 'closed', .*\"closing\": [0-9]{10,}",
    f"ALTER TABLE `{OPEN_TABLE}` DROP PART",
)


@pytest.mark.variants(5)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("point", POINTS)
def test_wherever_it_is_killed_nothing_is_lost_or_doubled(store, monkeypatch, point, after):
    """As a start does it; a process that is really killed is in the service tests."""
    store.insert(make_flows(400, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    close(store)
    store.insert(few_keys(50, NOW_MS - 2 * HOUR_MS, HOUR_MS, seed=1))
    store.insert(few_keys(200, NOW_MS, HOUR_MS, seed=2))
    expected = everything(store)
    execute = store._engine.execute
    killed = []

    def unreliable(sql, settings=None, parameters=None):
        hit = re.match(point, sql)
        if not hit or after:
            execute(sql, settings, parameters)
        if hit:
            killed.append(sql)
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(store._engine, "execute", unreliable)
        with pytest.raises(KilledError):
            close(store, NOW_MS + 2 * HOUR_MS)
    assert killed
    assert everything(store) == expected
    store._closer.start()
    assert everything(store) == expected
    close(store, NOW_MS + 2 * HOUR_MS)
    assert everything(store) == expected
    assert rows_of(store, CLOSED_TABLE) == 650
    assert_rollups_agree(store)


def test_a_copy_that_is_not_whole_is_thrown_away_and_made_again(store, monkeypatch):
    store.insert(few_keys(400, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    expected = everything(store)
    execute = store._engine.execute

    def forgetful(sql, settings=None, parameters=None):
        if sql.startswith(f"INSERT INTO {CLOSED_TABLE}"):
            sql = sql.replace(" ORDER BY ", " WHERE Bytes % 2 ORDER BY ")
        execute(sql, settings, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(store._engine, "execute", forgetful)
        done = store.maintain(LATER_MS)
    assert "of 400 flows" in done.errors[0]
    assert rows_of(store, CLOSED_TABLE) == 0
    assert everything(store) == expected
    close(store)
    assert rows_of(store, CLOSED_TABLE) == 400
    assert everything(store) == expected


def test_flows_that_come_late_are_shown_at_once_and_closed_with_the_next_hour(store):
    store.insert(few_keys(400, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    close(store)
    store.insert(few_keys(60, NOW_MS - 2 * HOUR_MS, HOUR_MS, seed=1))
    store.insert(few_keys(100, NOW_MS, HOUR_MS, seed=2))
    expected = everything(store)
    assert totals(store, "flows")[0] == 560
    close(store)
    assert rows_of(store, CLOSED_TABLE) == 400
    close(store, NOW_MS + 2 * HOUR_MS)
    assert rows_of(store, CLOSED_TABLE) == 560
    assert everything(store) == expected
    assert_rollups_agree(store)


def test_a_history_that_comes_faster_than_time_is_closed_as_it_comes(store, monkeypatch):
    monkeypatch.setattr(closing, "_PAUSE_S", 30.0)
    for hour in range(6):
        store.insert(few_keys(200, NOW_MS - (12 - hour) * HOUR_MS, HOUR_MS, seed=hour))
        close(store)
        assert rows_of(store, CLOSED_TABLE) == 200 * hour
        assert store._closer.boundary.until_ms <= NOW_MS - (12 - hour) * HOUR_MS
    monkeypatch.setattr(closing, "_PAUSE_S", 0.0)
    close(store)
    assert rows_of(store, CLOSED_TABLE) == 1_200
    assert_rollups_agree(store)


@pytest.mark.usefixtures("small_passes")
def test_many_that_come_late_are_closed_soon_and_in_pieces(store, monkeypatch):
    monkeypatch.setattr(closing, "_MANY_LATE", 1_000)
    store.insert(few_keys(400, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    close(store)
    for part in range(5):
        store.insert(few_keys(400, NOW_MS - 30 * HOUR_MS, HOUR_MS, seed=part))
    expected = everything(store)
    close(store)
    assert rows_of(store, CLOSED_TABLE) > 1_200
    assert everything(store) == expected
    assert_rollups_agree(store)


def test_originals_stay_until_a_rollup_has_taken_them(store):
    store.insert(few_keys(400, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    store._closer.step(LATER_MS, 10)
    store._closer.drop_originals(0)
    assert (rows_of(store, OPEN_TABLE), rows_of(store, CLOSED_TABLE)) == (400, 400)
    assert totals(store, "flows")[0] == store.status().tables["flows"].rows == 400
    close(store)
    store.insert(few_keys(1, NOW_MS, seed=1))
    close(store)
    assert rows_of(store, OPEN_TABLE) == 1
    store.wait_until_rolled_up(NOW_MS + 2 * HOUR_MS)
    assert_rollups_agree(store)


def test_originals_stay_until_questions_that_may_need_them_are_over(store, monkeypatch):
    monkeypatch.setattr(closing, "_SETTLE_S", 3600.0)
    store.insert(few_keys(400, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    close(store)
    assert (rows_of(store, OPEN_TABLE), rows_of(store, CLOSED_TABLE)) == (400, 400)
    store.insert(few_keys(1, NOW_MS, seed=1))
    store._closer.start()
    close(store)
    assert rows_of(store, OPEN_TABLE) == 1


def test_flows_that_come_after_numbers_of_inserts_began_again_are_shown(open_store):
    """The engine numbers inserts from its newest part: numbers come again when that part is gone."""
    store = open_store()
    for seed in range(5):
        store.insert(few_keys(100, NOW_MS - 2 * HOUR_MS, seed=seed))
    close(store)
    store._engine.execute(f"TRUNCATE TABLE {OPEN_TABLE}")
    for _ in range(2):
        store = open_store()
        store.insert(few_keys(10, NOW_MS - 2 * HOUR_MS, seed=9))
    assert totals(store, "flows")[0] == 520
    close(store, NOW_MS + 2 * HOUR_MS)
    assert totals(store, "flows")[0] == 520
    assert_rollups_agree(store)


@pytest.mark.parametrize("which", ["closed", "open", "late", "copied"])
def test_what_is_deleted_on_purpose_is_gone_wherever_it_is(store, monkeypatch, which):
    if which == "copied":
        monkeypatch.setattr(closing, "_SETTLE_S", 3600.0)
    store.insert(few_keys(400, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    if which != "open":
        close(store)
    if which == "late":
        store.insert(few_keys(400, NOW_MS - 2 * HOUR_MS, HOUR_MS, seed=1))
    doomed = Doomed("SrcAS = 64501", "SrcAS = {p0:UInt32}", {"p0": 64501}, ("SrcAS",))
    expected = totals(store, "flows", where="SrcAS != 64501")
    store.delete(doomed)
    assert totals(store, "flows") == expected
    assert_rollups_agree(store)
    assert (
        rows_of(store, f"{OPEN_TABLE} WHERE SrcAS = 64501")
        == rows_of(store, f"{CLOSED_TABLE} WHERE SrcAS = 64501")
        == 0
    )


def test_expired_flows_go_from_what_is_closed_and_that_is_written_down(open_store):
    store = open_store(retention_raw_days=3)
    store.insert(few_keys(100, NOW_MS - 5 * DAY_MS))
    store.insert(few_keys(50, NOW_MS - HOUR_MS))
    close(store)
    for day in range(3):
        store.maintain(LATER_MS + day * 600_001)
    assert totals(store, "flows")[0] == 50
    assert store.deleted_rows() == {("retention", "flows"): 100}


def test_a_column_that_came_later_is_asked_for_in_closed_hours_too(open_store):
    colour = Column("Colour", Kind.TEXT, "Colour", "A user's column.", "User")
    store = open_store()
    store.insert(few_keys(100, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    close(store)
    store = open_store(Schema([colour]))
    assert store.query("SELECT DISTINCT Colour FROM flows").to_pylist() == [{"Colour": ""}]
    assert store.status().gaps["flows"]["Colour"]
    store = open_store()
    store.insert(few_keys(100, NOW_MS, HOUR_MS, seed=1))
    close(store, NOW_MS + 2 * HOUR_MS)
    *_, (_, gap_end) = open_store(Schema([colour])).status().gaps["flows"]["Colour"]
    # What came while the column was away does not tell it, although it was copied since.
    assert gap_end > (NOW_MS + HOUR_MS // 2) // 1000


def test_a_flow_of_a_closed_hour_is_found_page_by_page(store):
    store.insert(make_flows(500, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    close(store)
    store.insert(make_flows(100, NOW_MS - HOUR_MS // 2, HOUR_MS // 2, seed=1))
    engine = QueryEngine(store, SCHEMA, StoreTables(store.status))
    asking = Asking(NOW_MS / 1000)
    question = {"start": f"{(NOW_MS - DAY_MS) / 1000}", "end": f"{NOW_MS / 1000}", "limit": 100}
    found, cursor = [], None
    while True:
        page = engine.search(SearchQuestion.model_validate({**question, "cursor": cursor}), asking)
        found += page.ids
        cursor = page.cursor
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 600


OLDER = replace(
    next(table for table in ddl.tables(SCHEMA, StoreSettings()) if table.name == OPEN_TABLE),
    name="flows",
    partition="toDate(TimeReceived)",
)


def older(open_store, batches):
    """A store as version 1 left it: one table, by days."""
    store = open_store()
    engine = store._engine
    for flows in batches:
        store.insert(flows)
    engine.execute("DROP VIEW flows")
    engine.execute(OLDER.create)
    names = ", ".join(f"`{column.name}`" for column in COLUMNS)
    # As many inserts as there were: their numbers count.
    for index in range(len(batches)):
        block = f"_block_number = {index + 1}"
        engine.execute(f"INSERT INTO flows ({names}) SELECT {names} FROM {OPEN_TABLE} WHERE {block}")
    for table in (OPEN_TABLE, CLOSED_TABLE):
        engine.execute(f"DROP TABLE {table} SYNC")
    store._state.put("closed", {})
    return store._engine.rows("SELECT count(), sum(cityHash64(*)) FROM flows")


BATCHES = [make_flows(300, NOW_MS - (30 - hours) * HOUR_MS, HOUR_MS, seed=hours) for hours in range(0, 30, 6)]


@pytest.mark.usefixtures("small_passes")
def test_the_flows_of_an_earlier_version_are_packed_while_new_ones_come(open_store):
    expected = older(open_store, BATCHES)
    store = open_store()
    assert everything(store) == expected
    store.insert(few_keys(100, NOW_MS, seed=99))
    expected = everything(store)
    close(store)
    assert everything(store) == expected
    assert (rows_of(store, BEFORE_TABLE), rows_of(store, CLOSED_TABLE), rows_of(store, OPEN_TABLE)) == (0, 1_500, 100)
    store.wait_until_rolled_up(NOW_MS + 2 * HOUR_MS)
    assert_rollups_agree(store)
    store = open_store()
    assert everything(store) == expected
    assert BEFORE_TABLE not in [name for (name,) in store._engine.rows("SHOW TABLES")]


UPGRADE_POINTS = (
    "RENAME TABLE flows TO",
    "INSERT INTO millrace_state SELECT 'closed'",
    f"RENAME TABLE {OPEN_TABLE} TO",
    f"CREATE TABLE IF NOT EXISTS `{OPEN_TABLE}`",
    "CREATE OR REPLACE VIEW",
    f"INSERT INTO {CLOSED_TABLE}",
    f"ALTER TABLE `{BEFORE_TABLE}` DROP PART",
)


@pytest.mark.variants(4)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("point", UPGRADE_POINTS)
def test_an_upgrade_may_be_killed_anywhere(open_store, monkeypatch, point, after):
    expected = older(open_store, BATCHES[:2])
    execute = EmbeddedEngine.execute
    killed = []

    def unreliable(self, sql, settings=None, parameters=None):
        hit = re.match(point, sql)
        if not hit or after:
            execute(self, sql, settings, parameters)
        if hit:
            killed.append(sql)
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedEngine, "execute", unreliable)
        with pytest.raises(KilledError):
            close(open_store())
    assert killed
    store = open_store()
    assert everything(store) == expected
    close(store)
    assert everything(store) == expected
    assert_rollups_agree(store)
    assert rows_of(store, CLOSED_TABLE) == 600


def test_a_closed_hour_takes_less_room(store):
    for flows in history(default_model(), NOW_MS - 2 * HOUR_MS, NOW_MS - HOUR_MS, 50_000):
        store.insert(flows)
    room = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = '{}'"
    opened = int(store._engine.rows(room.format(OPEN_TABLE))[0][0])
    close(store)
    assert rows_of(store, CLOSED_TABLE) == 50_000
    assert int(store._engine.rows(room.format(CLOSED_TABLE))[0][0]) < opened * 2 / 3


def test_a_store_that_refuses_to_close_says_so_and_goes_on(store, monkeypatch):
    store.insert(few_keys(100, NOW_MS - 2 * HOUR_MS, HOUR_MS))
    execute = store._engine.execute

    def refusing(sql, settings=None, parameters=None):
        if sql.startswith(f"INSERT INTO {CLOSED_TABLE}"):
            raise StoreError("no room")
        execute(sql, settings, parameters)

    with monkeypatch.context() as patch:
        patch.setattr(store._engine, "execute", refusing)
        assert "no room" in store.maintain(LATER_MS).errors[0]
        store.insert(few_keys(10, NOW_MS, seed=1))
        assert totals(store, "flows")[0] == 110
    close(store)
    assert totals(store, "flows")[0] == 110


def test_an_upgrade_with_a_shorter_retention_is_refused_and_changes_nothing(open_store):
    expected = older(open_store, BATCHES[:2])
    with pytest.raises(StoreLossError, match="300 rows"):
        open_store(retention_raw_days=1, retention_1m_days=1)
    store = open_store()
    assert everything(store) == expected
