"""Moments of the calendar of a zone."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.query import calendar

BERLIN = ZoneInfo("Europe/Berlin")

zones = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Africa/Monrovia", "UTC"]
)


def unix(*fields, zone=BERLIN):
    return int(datetime(*fields, tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("period", "moment", "before"),
    [
        ("hour", (2026, 3, 29, 3, 30), (2026, 3, 29, 1, 30)),  # the clock skipped two
        ("day", (2026, 3, 29, 14), (2026, 3, 28, 14)),  # 23 hours
        ("day", (2026, 10, 26, 1), (2026, 10, 25, 1)),  # 25 hours
        ("week", (2026, 4, 1), (2026, 3, 25)),
        ("4-weeks", (2026, 4, 1), (2026, 3, 4)),
        ("month", (2026, 3, 31, 12), (2026, 2, 28, 12)),
        ("month", (2026, 1, 15), (2025, 12, 15)),
        ("year", (2024, 2, 29, 6), (2023, 2, 28, 6)),
        ("year", (2026, 1, 1), (2025, 1, 1)),
        ("52-weeks", (2026, 1, 5), (2025, 1, 6)),
    ],
)
def test_moment_a_period_before(period, moment, before):
    assert calendar.earlier(period, unix(*moment), BERLIN) == unix(*before)


@given(
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(0, 2_500_000_000),
    st.integers(1, 800 * 86_400),
    zones,
)
def test_intervals_cover_a_range_without_gap(interval, start, seconds, name):
    zone, end = ZoneInfo(name), start + seconds
    edges = calendar.edges(interval, start, end, zone)
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    assert all(before < after for before, after in pairwise(edges))
    assert all(calendar.begins(interval, edge, zone) for edge in edges)


@given(st.sampled_from(list(calendar.USUAL_SECONDS)), st.integers(86_400 * 400, 2_500_000_000), zones)
def test_moment_is_in_the_interval_that_begins_before(interval, second, name):
    zone = ZoneInfo(name)
    start, stop = calendar.edges(interval, second, second + 1, zone)[:2]
    assert start <= second < stop
    assert datetime.fromtimestamp(start, UTC) <= datetime.fromtimestamp(second, UTC)
