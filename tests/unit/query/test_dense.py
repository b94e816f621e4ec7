"""Where very many flows wait for the rollups, long ranges end before them."""

import pytest

from millrace.lang import DEFAULT_NAMES
from millrace.query import Asking, SeriesQuestion, Table
from millrace.query.buckets import bucketed
from millrace.query.coverage import complete_tables
from millrace.query.selection import select
from millrace.query.tables import settled_until
from millrace.schema import Schema
from millrace.store import StoreStatus

SCHEMA = Schema()
NOW = 1_767_268_850
MINUTE = NOW // 60 * 60
FEW, MANY = 100_000, 5_000_000


def tables(waiting, until=MINUTE):
    status = StoreStatus({}, 1, 1, "", {"1m": until * 1000, "5m": until * 1000, "1h": until * 1000}, waiting)
    return complete_tables(status)


def range_of(waiting, seconds, until=MINUTE):
    known = tables(waiting, until)
    question = SeriesQuestion(last_seconds=seconds)
    selection = select(question, Asking(NOW), SCHEMA, DEFAULT_NAMES, settled=settled_until(known))
    made = bucketed(known, selection, 200)
    return selection, made.plan, made.buckets.step


@pytest.mark.parametrize("seconds", [900, 3600, 86_400])
def test_long_ranges_end_where_the_rollups_do_and_read_nothing_else(seconds):
    selection, plan, step = range_of(MANY, seconds)
    assert selection.end == MINUTE
    assert selection.end - selection.start == seconds
    assert selection.asked[1] > MINUTE + 40, "the answer tells that it ends before what was asked for"
    assert step >= 60
    assert all(segment.table.interval_seconds for segment in plan.segments)


@pytest.mark.parametrize(("waiting", "seconds"), [(FEW, 900), (FEW, 3600), (MANY, 300)])
def test_short_ranges_and_few_flows_are_told_up_to_now(waiting, seconds):
    selection, plan, _ = range_of(waiting, seconds)
    assert selection.end > MINUTE + 40
    assert plan.segments[-1].table == Table("flows")


def test_rollups_that_are_far_behind_do_not_cut_a_large_part():
    selection, _, _ = range_of(MANY, 3600, until=MINUTE - 600)
    assert selection.end > MINUTE


def test_store_without_rollups_is_asked_up_to_now():
    assert settled_until([Table("flows")]) is None
