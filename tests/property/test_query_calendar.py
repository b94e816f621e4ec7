"""Days, weeks, months and years of the asker's zone, wherever clocks are changed: compared with plain Python."""

import math
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from millrace.query import Asking, HeatmapQuestion, QueryEngine, SankeyQuestion, SeriesQuestion, Table, TopQuestion
from unit.query.stored_flows import SCHEMA, TABLES, ChdbStore, flow

from .flow_sums import Sums, calendar, text

EXAMPLES = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example asks a store: shrinking takes minutes
)

ZONES = (
    "Europe/Berlin",  # 2026-03-29 and 2026-10-25
    "America/New_York",  # 2026-03-08 and 2026-11-01
    "Asia/Kathmandu",  # 5:45 h before Greenwich
    "Australia/Lord_Howe",  # changes its clock by half an hour
    "Pacific/Apia",  # 13 h before Greenwich
    "America/Havana",  # changes its clock at midnight
    "UTC",
)

DAY = 86_400
YEAR = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
NOW = YEAR + 400 * DAY + 3 * 3600
"""A full minute: ranges that end now end then."""

INTERVALS = {"day": (1, 60), "week": (5, 200), "month": (20, 390), "year": (200, 800)}
"""Days of the ranges that are asked for in each."""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = ChdbStore(tmp_path_factory.mktemp("chdb"))
    yield store
    store.close()


def day(year, month, number):
    """Midnight, in whatever zone."""
    return f"{year}-{month:02}-{number:02}T00:00:00"


def local(zone, *fields):
    return int(datetime(*fields, tzinfo=ZoneInfo(zone)).timestamp())


def stored(store, flows):
    store.clear()
    if flows:
        store.insert(flows)
        store.roll_up()


def engine_of(store, tables=TABLES):
    return QueryEngine(store, SCHEMA, lambda: tables)


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@st.composite
def questions(draw):
    interval = draw(st.sampled_from(list(INTERVALS)))
    shortest, longest = INTERVALS[interval]
    seconds = draw(st.integers(shortest * DAY, longest * DAY))
    end = draw(st.integers(YEAR + 60 * DAY, NOW))
    return interval, draw(st.sampled_from(ZONES)), end - seconds, end


@st.composite
def traffic_of(draw, start, end):
    """Flows anywhere in a range, some of them around its changes of the clock."""
    moments = draw(st.lists(st.integers(start * 1000, end * 1000 - 1), min_size=20, max_size=80))
    return [
        {**flow(SrcAS=draw(st.integers(1, 3)), Bytes=draw(st.integers(1, 10**6))), "TimeReceived": ms} for ms in moments
    ]


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("unit", ["bits/s", "bytes"])
def test_buckets_of_the_calendar(store, unit, data):
    interval, zone, start, end = data.draw(questions())
    flows = data.draw(traffic_of(start, end))
    stored(store, flows)
    question = SeriesQuestion(
        unit=unit, dimensions=["SrcAS"], interval=interval, timezone=zone, limit=2,
        limit_by=data.draw(st.sampled_from(["average", "maximum", "last", "p95"])),
        start=datetime.fromtimestamp(start, UTC), end=datetime.fromtimestamp(end, UTC),
    )  # fmt: skip
    answer = engine_of(store).series(question, Asking(float(NOW)))
    edges = calendar(start, end, interval, zone)
    fine = 0 if unit == "bytes" else 300 if end - start <= 366 * DAY else 3600
    sums = Sums(flows, unit, ["SrcAS"], start, end, edges, fine=fine)
    assert (answer.start, answer.end, answer.interval) == (text(start), text(end), interval)
    assert answer.times == [text(second) for second in sums.starts]
    assert answer.seconds == sums.seconds
    assert sum(answer.seconds) == end - start
    for row in answer.rows:
        shown = {tuple(r.dimensions) for r in answer.rows if not r.other}
        keys = [k for k in sums.amounts if k not in shown] if row.other else [tuple(row.dimensions)]
        assert row.points == near(sums.points(sums.together(sums.amounts, keys)))
        figures = sums.figures(keys)
        assert [row.average, row.minimum, row.maximum, row.last, row.percentile95] == near(
            [figures[name] for name in ("average", "minimum", "maximum", "last", "p95")]
        )
    assert answer.total.total == sum(sums.total)
    assert answer.total.points == near(sums.points(sums.total))


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("America/Havana", (2026, 3, 8), 23),
        ("Asia/Kathmandu", (2026, 6, 1), 24),
    ],
)
def test_day_is_as_long_as_the_clock_says(store, zone, date, hours):
    """A byte per second is eight bits per second on every day; its volume is that of its seconds."""
    before = datetime(*date, tzinfo=ZoneInfo(zone)).timestamp() - DAY
    stored(store, [{**flow(Bytes=60), "TimeReceived": int(before + s) * 1000} for s in range(0, 4 * DAY, 60)])
    asked = {
        "interval": "day", "timezone": zone, "start": day(*date), "end": day(*date[:2], date[2] + 1)
    }  # fmt: skip
    (row,) = engine_of(store).series(SeriesQuestion(unit="bytes", **asked), Asking(float(NOW))).rows
    assert row.points == [hours * 3600]
    answer = engine_of(store).series(SeriesQuestion(**asked), Asking(float(NOW)))
    assert answer.seconds == [hours * 3600]
    assert answer.rows[0].points == [8.0]
    assert (answer.rows[0].minimum, answer.rows[0].maximum, answer.rows[0].percentile95) == (8.0, 8.0, 8.0)


def test_day_that_a_zone_left_out_is_no_bucket(store):
    """Samoa went to the other side of the date line: after 2011-12-29 came the 31st."""
    stored(
        store,
        [{**flow(), "TimeReceived": int(datetime(2011, 12, 31, tzinfo=ZoneInfo("Pacific/Apia")).timestamp()) * 1000}],
    )
    question = SeriesQuestion(
        interval="day", unit="bytes", timezone="Pacific/Apia", start=day(2011, 12, 28), end=day(2012, 1, 2)
    )
    answer = engine_of(store).series(question, Asking(float(NOW)))
    assert answer.seconds == [DAY] * 4
    assert answer.rows[0].points == [0.0, 0.0, 1000.0, 0.0]


@pytest.mark.parametrize("zone", ZONES)
def test_weeks_begin_on_monday(store, zone):
    stored(store, [])
    question = SeriesQuestion(interval="week", timezone=zone, start=day(2026, 2, 4), end=day(2026, 4, 10))
    answer = engine_of(store).series(question, Asking(float(NOW)))
    there = [datetime.fromisoformat(time).astimezone(ZoneInfo(zone)) for time in answer.times[1:]]
    assert {(moment.weekday(), moment.hour, moment.minute) for moment in there} == {(0, 0, 0)}
    assert len(there) == 9


@pytest.mark.parametrize(
    ("days", "interval"), [(1, "seconds"), (90, "seconds"), (190, "day"), (900, "week"), (2500, "month")]
)
def test_buckets_of_a_day_and_more_that_are_chosen_are_of_the_calendar(store, days, interval):
    stored(store, [])
    question = SeriesQuestion(last_seconds=days * DAY, timezone="Europe/Berlin")
    answer = engine_of(store).series(question, Asking(float(NOW)))
    assert answer.interval == interval
    edges = [datetime.fromisoformat(time).astimezone(ZoneInfo("Europe/Berlin")) for time in answer.times[1:]]
    if interval != "seconds":
        assert {edge.hour for edge in edges} == {0}
    assert answer.interval_seconds == {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}.get(
        interval, answer.interval_seconds
    )


@pytest.mark.parametrize(
    ("zone", "date", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), [5, 6, 6, 6]),
        ("Europe/Berlin", (2026, 10, 25), [7, 6, 6, 6]),
        ("America/Havana", (2026, 11, 1), [7, 6, 6, 6]),
        ("Australia/Lord_Howe", (2026, 4, 5), [6.5, 6, 6, 6]),
        ("Africa/Cairo", (2026, 4, 24), [5, 6, 6, 6]),  # begins at one o'clock
        ("Africa/Cairo", (2026, 10, 29), [6, 6, 6, 7]),
        ("Asia/Kathmandu", (2026, 6, 1), [6] * 4),
        ("UTC", (2026, 6, 1), [6] * 4),
    ],
)
def test_six_hours_begin_at_the_midnight_of_who_asks(store, zone, date, hours):
    """They began with those of Greenwich: in Berlin at one o'clock, and in summer at two."""
    before = datetime(*date, tzinfo=ZoneInfo(zone)).timestamp() - 3 * DAY
    stored(store, [{**flow(Bytes=60), "TimeReceived": int(before + s) * 1000} for s in range(0, 6 * DAY, 60)])
    asked = {"timezone": zone, "start": day(*date), "end": day(*date[:2], date[2] + 1)}
    answer = engine_of(store).series(
        SeriesQuestion(unit="bytes", interval_seconds=6 * 3600, previous="day", **asked), Asking(float(NOW))
    )
    assert (answer.interval, answer.interval_seconds, len(answer.sources)) == ("seconds", 6 * 3600, 1)
    assert answer.seconds == answer.rows[0].points == [3600 * length for length in hours]
    late = 3600 if date == (2026, 4, 24) else 0
    assert sum(answer.previous.row.points) == answer.previous.row.total == DAY - late, "the whole day before"
    rates = engine_of(store).series(
        SeriesQuestion(points=5, limit_by="last", dimensions=["SrcAS"], **asked), Asking(float(NOW))
    )
    assert rates.seconds == [3600 * length for length in hours]
    for row in (rates.total, *rates.rows):
        assert {*row.points, row.minimum, row.maximum, row.last, row.percentile95, row.average} == {8.0}
    field = engine_of(store).heatmap(HeatmapQuestion(down=["SrcAS"], points=5, **asked), Asking(float(NOW)))
    assert ([column.time for column in field.columns], field.values) == (rates.times, [[8.0] * 4])
    tables = {source.table for source in answer.sources}
    whole = before % 3600 == 0 and zone != "Australia/Lord_Howe"
    assert tables == ({"flows_1h0m0s"} if whole else {"flows_5m0s"})


def test_zones_of_half_hours_are_answered_from_five_minutes_not_from_hours(store):
    stored(store, [{**flow(Bytes=1), "TimeReceived": (YEAR + s) * 1000} for s in range(0, 40 * DAY, 900)])
    question = {"start": day(2026, 1, 3), "end": day(2026, 1, 13), "interval": "day", "unit": "bytes"}
    nepal = engine_of(store).series(SeriesQuestion(timezone="Asia/Kathmandu", **question), Asking(float(NOW)))
    assert {source.table for source in nepal.sources} == {"flows_5m0s"}
    assert nepal.rows[0].points == [96.0] * 10
    berlin = engine_of(store).series(SeriesQuestion(timezone="Europe/Berlin", **question), Asking(float(NOW)))
    assert {source.table for source in berlin.sources} == {"flows_1h0m0s"}


def test_where_only_hours_are_left_edges_of_a_zone_of_half_hours_are_the_hours_before(store):
    """What is known in five minutes is told by the day of the zone, what is known in hours by the hour before."""
    stored(store, [{**flow(Bytes=1), "TimeReceived": (YEAR + s) * 1000} for s in range(0, 40 * DAY, 900)])
    since = YEAR + 8 * DAY
    tables = tuple(t if t.interval_seconds == 3600 else Table(t.name, t.interval_seconds, since=since) for t in TABLES)
    question = SeriesQuestion(
        timezone="Asia/Kathmandu", start=day(2026, 1, 3), end=day(2026, 1, 13), interval="day", unit="bytes"
    )
    answer = engine_of(store, tables).series(question, Asking(float(NOW)))
    minutes = [datetime.fromisoformat(time).minute for time in answer.times]
    assert minutes == [0] * 7 + [15] * 3
    assert answer.rows[0].points == [seconds / 900 for seconds in answer.seconds]
    assert {source.table for source in answer.sources} == {"flows_1h0m0s", "flows_5m0s"}
    assert sum(answer.rows[0].points) == answer.rows[0].total


PERIODS = {
    # A month before is the whole month before, whatever its length; its missing days are its last.
    ("month", "month", (2026, 3, 1), (2026, 4, 1)): ((2026, 2, 1), (2026, 3, 1)),
    ("month", "day", (2026, 3, 1), (2026, 4, 1)): ((2026, 2, 1), (2026, 3, 1)),
    ("month", "day", (2026, 2, 1), (2026, 3, 1)): ((2026, 1, 1), (2026, 2, 1)),
    ("year", "month", (2026, 1, 1), (2027, 1, 1)): ((2025, 1, 1), (2026, 1, 1)),
    ("year", "day", (2026, 3, 1), (2026, 4, 1)): ((2025, 3, 1), (2025, 4, 1)),
    ("week", "day", (2026, 3, 30), (2026, 4, 6)): ((2026, 3, 23), (2026, 3, 30)),  # clocks change in the week before
    ("day", "day", (2026, 3, 29), (2026, 3, 30)): ((2026, 3, 28), (2026, 3, 29)),
    ("52-weeks", "week", (2026, 3, 30), (2026, 4, 13)): ((2025, 3, 31), (2025, 4, 14)),
}


@pytest.mark.variants(6)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize(("asked", "then"), PERIODS.items())
def test_period_before_by_the_calendar(store, zone, asked, then):
    period, interval, start, end = asked
    flows = [
        {**flow(Bytes=300 + s % 7), "TimeReceived": (local(zone, 2024, 12, 20) + s) * 1000}
        for s in range(0, 500 * DAY, 7200)
    ]
    stored(store, flows)
    question = SeriesQuestion(
        previous=period, interval=interval, timezone=zone, unit="bytes", start=day(*start), end=day(*end)
    )
    now = Asking(float(local(zone, *end) + DAY))
    answer = engine_of(store).series(question, now)
    first, last = (local(zone, *moment) for moment in then)
    assert (answer.previous.start, answer.previous.end) == (text(first), text(last))
    inside = [f["Bytes"] for f in flows if first * 1000 <= f["TimeReceived"] < last * 1000]
    assert answer.previous.row.total == near(sum(inside))
    assert len(answer.previous.row.points) == len(answer.times)
    rates = engine_of(store).series(question.model_copy(update={"unit": "bits/s"}), now)
    assert rates.previous.row.average == near(8 * sum(inside) / (last - first))
    if interval == "day":
        # Day by day: each with the day of that name, or with the last that there is.
        days = calendar(first, last, "day", zone)
        sums = [sum(f["Bytes"] for f in flows if a * 1000 <= f["TimeReceived"] < b * 1000) for a, b in pairwise(days)]
        wanted = [sums[min(place, len(sums) - 1)] for place in range(len(answer.times))]
        assert answer.previous.row.points == near(wanted)


@pytest.mark.parametrize(
    ("start", "end", "period"),
    [
        ((2026, 3, 1), (2026, 4, 1), "month"),
        ((2026, 2, 1), (2026, 3, 1), "month"),
        ((2026, 3, 2), (2026, 4, 1), "4-weeks"),
        ((2026, 1, 1), (2027, 1, 1), "year"),
        ((2026, 3, 2), (2026, 3, 9), "week"),
        ((2026, 3, 2), (2026, 3, 3), "day"),
    ],
)
def test_ranges_of_the_calendar_are_compared_with_those_before(store, start, end, period):
    stored(store, [])
    question = SeriesQuestion(previous="auto", timezone="Europe/Berlin", start=day(*start), end=day(*end))
    assert engine_of(store).series(question, Asking(float(NOW))).previous.period == period


def test_month_so_far_is_compared_with_the_month_before(store):
    stored(store, [])
    now = local("Europe/Berlin", 2026, 3, 20, 15)
    question = SeriesQuestion(previous="auto", timezone="Europe/Berlin", start=day(2026, 3, 1))
    previous = engine_of(store).series(question, Asking(float(now))).previous
    assert (previous.period, previous.start) == ("month", text(local("Europe/Berlin", 2026, 2, 1)))


@EXAMPLES
@given(
    start=st.integers(YEAR, NOW - 1), seconds=st.integers(1, 40 * DAY), zone=st.sampled_from(ZONES),
    condition=st.sampled_from(["", "SrcAS = 1"]),
)  # fmt: skip
def test_one_question_has_one_total_everywhere(store, start, seconds, zone, condition):
    end = min(start + seconds, NOW)
    stored(store, [
        {**flow(SrcAS=s % 3, DstAS=s % 2, Bytes=s % 1009), "TimeReceived": start * 1000 - 5 * 10**6 + s * 997_003}
        for s in range(math.ceil(40 * DAY * 1000 / 997_003))
    ])  # fmt: skip
    engine, asking = engine_of(store), Asking(float(NOW))
    asked = {
        "unit": "bytes", "filter": condition, "timezone": zone,
        "start": datetime.fromtimestamp(start, UTC), "end": datetime.fromtimestamp(end, UTC),
    }  # fmt: skip
    series = engine.series(SeriesQuestion(dimensions=["SrcAS"], **asked), asking)
    top = engine.top(TopQuestion(dimensions=["SrcAS"], **asked), asking)
    sankey = engine.sankey(SankeyQuestion(dimensions=["SrcAS", "DstAS"], **asked), asking)
    field = engine.heatmap(HeatmapQuestion(down=["SrcAS"], across=["DstAS"], **asked), asking)
    times = engine.heatmap(HeatmapQuestion(down=["SrcAS"], **asked), asking)
    assert len({(a.start, a.end) for a in (series, top, sankey, field, times)}) == 1
    totals = [top.total.bytes, sankey.total, *(sum(map(sum, heat.values)) for heat in (field, times))]
    assert [*totals, sum(series.total.points)] == near([series.total.total] * 5)
