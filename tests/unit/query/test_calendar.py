"""Moments of the calendar of a zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.query import calendar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


def clock_numbers(seconds, start, end, zone):
    """Where the clock shows the beginning of an interval, quarter of an hour by quarter of an hour."""
    newest, found = None, []
    for second in range(start // 900 * 900, end + 2 * 86_400, 900):
        shown = datetime.fromtimestamp(second, zone).replace(tzinfo=UTC) - EPOCH
        number, rest = divmod(shown, timedelta(seconds=seconds))
        if newest is not None and (number > newest or (not rest and seconds <= 3600)):
            found.append(second)
        newest = number if newest is None else max(newest, number)
    return found


CHANGES = {
    "Europe/Berlin": [(2026, 3, 29), (2026, 10, 25)],
    "America/Sao_Paulo": [(2018, 11, 4), (2019, 2, 17)],
    "America/Havana": [(2026, 3, 8), (2026, 11, 1)],
    "Asia/Kathmandu": [(2026, 6, 1)],
    "Australia/Lord_Howe": [(2026, 4, 5), (2026, 10, 4)],
    "Africa/Cairo": [(2026, 4, 24), (2026, 10, 30)],
    "Pacific/Apia": [(2011, 12, 30)],
    "UTC": [(2026, 6, 1)],
}


@pytest.mark.parametrize("hours", [0.5, 1, 2, 3, 4, 6, 8, 12])
@pytest.mark.parametrize(("name", "date"), [(name, date) for name, dates in CHANGES.items() for date in dates])
def test_hours_are_counted_from_midnight_by_the_clock(name, date, hours):
    seconds, zone = int(hours * 3600), ZoneInfo(name)
    change = int(datetime(*date, tzinfo=UTC).timestamp())
    start, end = change - 2 * 86_400 + 1234, change + 2 * 86_400 + 4321
    edges = calendar.clock_edges(seconds, start, end, zone)
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    wanted = clock_numbers(seconds, start - 86_400, end, zone)
    assert edges == [edge for edge in wanted if edges[0] <= edge <= edges[-1]]


@given(st.sampled_from(list(calendar.USUAL_SECONDS)), st.integers(86_400 * 400, 2_500_000_000), zones)
def test_moment_is_in_the_interval_that_begins_before(interval, second, name):
    zone = ZoneInfo(name)
    start, stop = calendar.edges(interval, second, second + 1, zone)[:2]
    assert start <= second < stop
    assert datetime.fromtimestamp(start, UTC) <= datetime.fromtimestamp(second, UTC)
