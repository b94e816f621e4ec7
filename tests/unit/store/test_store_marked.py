"""The store knows in which hours implausible flows may be: questions about others need not look for them."""

import numpy as np
import pytest

from millrace.errors import StoreError
from millrace.store.faults import EngineError
from unit.store.made_flows import HOUR_MS, NOW_MS, few_keys

HOUR_S = HOUR_MS // 1000
NOW_S = NOW_MS // 1000


def marked(start_ms, code=1):
    """Ten flows, one of them implausible."""
    flows = few_keys(10, start_ms)
    flows.put("Implausible", np.array([0] * 9 + [code], np.uint8))
    return flows


def hours(store, since=48):
    """Hours before this one of which the store says that they may have implausible flows."""
    return [
        ago for ago in range(1, since) if store.may_be_implausible(NOW_S - ago * HOUR_S, NOW_S - (ago - 1) * HOUR_S)
    ]


def test_any_hour_may_have_some_until_what_is_stored_was_looked_through(open_store):
    store = open_store()
    store.insert(few_keys(10))
    assert hours(store, 4) == [1, 2, 3]
    store.maintain(NOW_MS)
    assert hours(store) == []


def test_what_is_inserted_is_known_at_once(open_store):
    store = open_store()
    store.maintain(NOW_MS)
    store.insert(marked(NOW_MS - 5 * HOUR_MS))
    store.insert(marked(NOW_MS - 3 * HOUR_MS, code=3))
    assert hours(store) == [3, 5]
    assert store.may_be_implausible(NOW_S - 30 * HOUR_S, NOW_S)
    assert not store.may_be_implausible(NOW_S - 30 * HOUR_S, NOW_S - 5 * HOUR_S)
    assert store.may_be_implausible(NOW_S - 5 * HOUR_S, NOW_S - 5 * HOUR_S + 1)


def test_flows_that_could_not_be_inserted_may_be_there_all_the_same(open_store, monkeypatch):
    store = open_store()
    store.maintain(NOW_MS)

    def fail(*_):
        raise EngineError("no")

    monkeypatch.setattr(store._engine, "insert", fail)
    with pytest.raises(StoreError):
        store.insert(marked(NOW_MS - 5 * HOUR_MS))
    assert hours(store) == [5]


@pytest.mark.parametrize("where", ["flows", "rollups"])
def test_what_was_stored_before_the_start_is_found(open_store, where):
    store = open_store()
    store.insert(marked(NOW_MS - 27 * HOUR_MS))
    store.insert(marked(NOW_MS - 3 * HOUR_MS))
    store.insert(few_keys(10))
    store.wait_until_rolled_up(NOW_MS)
    tables = ["flows_1m0s", "flows_5m0s", "flows_1h0m0s"] if where == "flows" else ["flows", "flows_1m0s", "flows_5m0s"]
    for table in tables:
        for physical in ("flows_open", "flows_closed") if table == "flows" else (table,):
            store._engine.execute(f"TRUNCATE TABLE {physical}")
    store = open_store()
    assert store.may_be_implausible(NOW_S - 2 * HOUR_S, NOW_S)
    store.maintain(NOW_MS)
    assert hours(store) == [3, 27]


def test_a_part_that_cannot_be_read_is_asked_again_when_it_is_set_aside(open_store, monkeypatch):
    store = open_store()
    store.insert(marked(NOW_MS - 3 * HOUR_MS))
    store.maintain(NOW_MS)
    store = open_store()
    failures = iter([EngineError("damaged"), EngineError("damaged")])
    rows = store._engine.rows

    def damaged(sql, *rest):
        if "_partition_id" in sql and (error := next(failures, None)):
            raise error
        return rows(sql, *rest)

    monkeypatch.setattr(store._engine, "rows", damaged)
    store.maintain(NOW_MS)
    store.maintain(NOW_MS)
    assert hours(store, 4) == [1, 2, 3]
    store.maintain(NOW_MS)
    assert hours(store) == [3]


def test_what_can_never_be_read_leaves_any_hour_open(open_store, monkeypatch):
    store = open_store()
    store.insert(few_keys(10))
    asked = []
    rows = store._engine.rows

    def damaged(sql, *rest):
        if "_partition_id" in sql:
            asked.append(sql)
            raise EngineError("damaged")
        return rows(sql, *rest)

    monkeypatch.setattr(store._engine, "rows", damaged)
    for _ in range(5):
        assert store.maintain(NOW_MS).errors == []
    assert hours(store, 4) == [1, 2, 3]
    assert len(asked) == 3
