"""Ages are counted from a moment that no wrong clock can push far."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from millrace.store.faults import EngineError
from millrace.store.retention import DAY_MS, RetentionClock
from unit.store.made_flows import HOUR_MS, NOW_MS, assert_rollups_agree, few_keys, totals

ROUND_MS = 600_000
YEAR_MS = 365 * DAY_MS


def test_it_follows_a_clock_that_is_right():
    clock = RetentionClock()
    for step in range(1000):
        now = NOW_MS + step * ROUND_MS
        assert clock.advance(now, now - 1000) == now


def test_it_stays_within_a_day_of_what_is_stored():
    clock = RetentionClock()
    clock.advance(NOW_MS, NOW_MS)
    for step in range(1000):
        assert clock.advance(NOW_MS + step * ROUND_MS, NOW_MS) <= NOW_MS + DAY_MS


@pytest.mark.parametrize("flows_come", [False, True])
def test_a_step_forward_is_no_time_that_passed(flows_come):
    """Whether or not flows arrive that carry the wrong time; and it goes on when the clock is right again."""
    clock = RetentionClock()
    clock.advance(NOW_MS, NOW_MS)
    for step in range(6):
        wrong = NOW_MS + YEAR_MS + step * ROUND_MS
        newest = wrong if flows_come else NOW_MS
        assert clock.advance(wrong, newest) <= NOW_MS + 2 * 6 * ROUND_MS
    for step in range(6, 20):
        right = NOW_MS + step * ROUND_MS
        assert right - 6 * ROUND_MS <= clock.advance(right, wrong if flows_come else right) <= right


def test_steps_to_and_fro_do_not_add_up():
    clock = RetentionClock()
    clock.advance(NOW_MS, NOW_MS)
    for step in range(200):
        clock.advance(NOW_MS + step * ROUND_MS + YEAR_MS, NOW_MS + YEAR_MS + step * ROUND_MS)
        assert clock.advance(NOW_MS + step * ROUND_MS, NOW_MS + 2 * YEAR_MS) <= NOW_MS + step * ROUND_MS


def test_a_step_back_and_forward_again_leaves_it_where_it_was():
    clock = RetentionClock()
    clock.advance(NOW_MS, NOW_MS)
    clock.advance(0, NOW_MS)
    assert clock.advance(NOW_MS + ROUND_MS, NOW_MS + ROUND_MS) >= NOW_MS


def test_after_a_pause_it_catches_up_a_day_in_a_day():
    clock = RetentionClock()
    clock.advance(NOW_MS, NOW_MS)
    resumed = NOW_MS + 3 * DAY_MS
    clock = RetentionClock.restored(json.loads(json.dumps(clock.stored)))
    assert clock.advance(resumed, resumed) == NOW_MS
    for step in range(1, 3 * 144 + 1):
        now = resumed + step * ROUND_MS
        reached = clock.advance(now, now)
    assert reached == now


@given(
    st.lists(
        st.tuples(st.integers(-2 * YEAR_MS, 2 * YEAR_MS), st.integers(0, DAY_MS), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_the_clock_does_ages_grow_at_most_twice_as_fast_as_time(steps):
    """True time passes; the wall clock is off by any amount each round; flows may carry the wrong time."""
    clock, true, newest = RetentionClock(), NOW_MS, NOW_MS
    clock.advance(true, newest)
    largest_small_step = 0
    for error, passed, stamped in steps:
        true += passed
        wall = true + error
        if stamped:
            newest = max(newest, wall)
        if clock.wall_ms is not None and clock.steady(wall):
            largest_small_step += 2 * (wall - clock.wall_ms)
        reached = clock.advance(wall, newest)
        assert reached <= wall
        assert reached <= newest + DAY_MS
        assert reached <= NOW_MS + largest_small_step


def filled(open_store):
    """Flows of the last 14 days, rolled up; retention has looked at them once."""
    store = open_store(retention_1m_days=30)
    for days in range(14):
        store.insert(few_keys(20, NOW_MS - days * DAY_MS, seed=days))
    store.wait_until_rolled_up(NOW_MS + HOUR_MS)
    store.maintain(NOW_MS + HOUR_MS)
    assert totals(store, "flows")[0] == 280
    return store


@pytest.mark.parametrize("flows_come", [False, True])
def test_a_clock_that_steps_forward_deletes_nothing_and_is_reported(open_store, folder, flows_come):
    store = filled(open_store)
    if flows_come:
        store.insert(few_keys(5, NOW_MS + YEAR_MS))
    for step in range(1, 7):
        store.maintain(NOW_MS + YEAR_MS + step * ROUND_MS)
    assert totals(store, "flows")[0] == 280 + 5 * flows_come
    assert any("the clock says" in warning for warning in store.status().warnings)

    store = open_store(retention_1m_days=30)
    store.maintain(NOW_MS + YEAR_MS + 7 * ROUND_MS)
    assert totals(store, "flows")[0] == 280 + 5 * flows_come
    assert any("store prune --expired" in warning for warning in store.warnings())

    store.maintain(NOW_MS + HOUR_MS + ROUND_MS)
    assert bool(store.warnings()) == flows_come
    store.wait_until_rolled_up(NOW_MS + HOUR_MS)
    assert_rollups_agree(store)
    assert not (folder / "audit.jsonl").exists()


def test_rows_of_the_far_future_do_not_make_others_expire(open_store):
    store = filled(open_store)
    store.insert(few_keys(5, NOW_MS + 20 * YEAR_MS))
    store.maintain(NOW_MS + HOUR_MS + ROUND_MS)
    assert totals(store, "flows")[0] == 285
    assert any("store delete" in warning for warning in store.warnings())


def test_expired_flows_go_while_time_passes_day_by_day(open_store):
    """Also in a store that is given the time, as here."""
    store = open_store(retention_raw_days=3)
    for days in range(10):
        store.insert(few_keys(20, NOW_MS + days * DAY_MS, seed=days))
        store.wait_until_rolled_up(NOW_MS + days * DAY_MS + HOUR_MS)
        store.maintain(NOW_MS + days * DAY_MS + 2 * HOUR_MS)
    assert totals(store, "flows")[0] == 3 * 20
    assert not store.warnings()


def test_a_retention_that_fails_is_told_until_it_succeeds(open_store, monkeypatch):
    store = open_store(retention_raw_days=1)
    for days in (0, 3):
        store.insert(few_keys(20, NOW_MS + days * DAY_MS, seed=days))
    store.wait_until_rolled_up(NOW_MS + 3 * DAY_MS + HOUR_MS)

    def fail(*_):
        raise EngineError.of("Code: 1. DB::Exception: no part can be dropped")

    with monkeypatch.context() as broken:
        broken.setattr("millrace.store.keeper.drop_parts", fail)
        now_ms = NOW_MS + 3 * DAY_MS + 2 * HOUR_MS
        store._keeper.start()
        for second in range(5):
            assert "no part can be dropped" in str(store.maintain(now_ms + second * 1000).errors)
            assert "no part can be dropped" in store.status().last_error
    assert store.maintain(now_ms + 30_000).errors
    # It need not wait for the next time.
    assert not store.maintain(now_ms + 61_000).errors
    assert not store.status().last_error
    assert totals(store, "flows")[0] == 20


def test_a_clock_that_was_ahead_for_a_moment_closes_no_hour_before_its_time_afterwards(open_store):
    store = open_store()
    store.insert(few_keys(20, NOW_MS - HOUR_MS))
    store.wait_until_rolled_up(NOW_MS)
    store.maintain(NOW_MS + 10 * YEAR_MS)
    for minute in range(8):
        store.insert(few_keys(20, NOW_MS + minute * 60_000, span_ms=50_000, seed=minute))
        for second in range(8, 16, 3):
            store.maintain(NOW_MS + (minute + 1) * 60_000 + second * 1000)
    assert totals(store, "flows_1m0s", f"TimeReceived >= toDateTime({NOW_MS // 1000})")[0] == 160
    assert totals(store, "flows_1h0m0s", f"TimeReceived >= toDateTime({NOW_MS // 1000})")[0] == 0
    store.wait_until_rolled_up(NOW_MS + HOUR_MS + 10_000)
    assert_rollups_agree(store)
