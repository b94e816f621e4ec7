"""Minimum, maximum, 95th percentile, last and average: of what is stored, whatever is drawn, and of what is covered."""

from datetime import UTC, datetime

import pytest

from millrace.api.tables import series_records, series_table
from millrace.query import Asking, HeatmapQuestion, QueryEngine, SankeyQuestion, SeriesQuestion, Table, TopQuestion

from .stored_flows import BASE, SCHEMA, TABLES, flow

DAY, HOUR = 86_400, 3600
NOW = BASE + 30 * DAY


def moment(second):
    return datetime.fromtimestamp(second, UTC)


def text(second):
    return f"{moment(second):%Y-%m-%dT%H:%M:%S}Z"


def of_rate(second, mbit, seconds=300, **columns):
    """A flow that is so many Mbit/s of an interval."""
    return flow(second, Bytes=mbit * 125_000 * seconds, **columns)


@pytest.fixture
def month(store):
    """200 Mbit/s for 30 days, of which every 15th interval of five minutes has 1000: more than 5 % of them."""
    flows = [
        of_rate(300 * n, 1000 if n % 15 == 0 else 200 - 800 / 14, SrcAS=1 + n % 15 // 8) for n in range(30 * DAY // 300)
    ]
    store.insert([{**f, "Bytes": round(f["Bytes"])} for f in flows])
    store.roll_up()


@pytest.mark.parametrize("drawn", [{}, {"points": 120}, {"interval_seconds": 6 * HOUR}, {"points": 2000},
                                   {"interval": "day"}, {"interval": "month"}, {"interval_seconds": 2220}])  # fmt: skip
@pytest.mark.usefixtures("month")
def test_95th_percentile_of_a_month_is_of_five_minutes_whatever_is_drawn(engine, drawn):
    series = engine.series(SeriesQuestion(last_seconds=30 * DAY, **drawn), Asking(float(NOW)))
    assert series.figures_seconds == 300
    row = series.total
    assert (row.percentile95, row.maximum) == (1e9, 1e9)
    assert row.minimum == pytest.approx((200 - 800 / 14) * 1e6)
    assert row.average == pytest.approx(200e6)


@pytest.mark.usefixtures("month")
def test_every_row_and_file_has_figures_of_five_minutes(engine):
    question = SeriesQuestion(
        last_seconds=30 * DAY, dimensions=["SrcAS"], limit=1, limit_by="p95", bidirectional=True, interval="day"
    )
    series = engine.series(question, Asking(float(NOW)))
    first, rest = series.rows
    # AS 1 has the tops, and none of the intervals of AS 2.
    assert (first.dimensions, first.percentile95, first.minimum) == ([1], 1e9, 0.0)
    assert (rest.other, rest.maximum) == (True, pytest.approx((200 - 800 / 14) * 1e6))
    assert rest.percentile95 == rest.maximum
    assert series.reverse[0].maximum == 1e9
    records = series_records(series_table(series))
    assert {(r["FiguresSeconds"], r["Maximum"]) for r in records if not r["Other"]} == {(300, 1e9)}


@pytest.mark.parametrize("limit_by", ["maximum", "p95"])
def test_largest_by_a_figure_are_those_of_that_figure_and_not_of_what_is_drawn(store, engine, limit_by):
    """AS 1 fills each hour evenly with 300 Mbit/s; AS 2 has 1 Gbit/s in one of ten intervals: a third of that a day."""
    tops = [of_rate(300 * n, 1000, SrcAS=2) for n in range(0, 3 * DAY // 300, 10)]
    store.insert([of_rate(300 * n, 300, SrcAS=1) for n in range(3 * DAY // 300)] + tops)
    store.roll_up()
    question = SeriesQuestion(
        dimensions=["SrcAS"], limit=1, limit_by=limit_by, interval="day", start=moment(BASE), end=moment(BASE + 3 * DAY)
    )
    series = engine.series(question, Asking(float(NOW)))
    assert series.rows[0].dimensions == [2]
    assert (series.rows[0].maximum, series.rows[0].percentile95, series.rows[0].minimum) == (1e9, 1e9, 0.0)


@pytest.mark.parametrize(
    ("seconds", "figures"),
    [(900, 10), (HOUR, 60), (6 * HOUR, 60), (6 * HOUR + 60, 300), (DAY, 300), (365 * DAY, 300), (800 * DAY, 3600)],
)
@pytest.mark.parametrize("points", [1, 50, 200, 2000])
def test_resolution_follows_from_the_range_alone(engine, seconds, figures, points):
    series = engine.series(SeriesQuestion(last_seconds=seconds, points=points), Asking(float(NOW)))
    assert series.figures_seconds == figures


def test_resolution_is_that_of_the_finest_rollup_that_reaches_so_far_back(store):
    """Single flows are kept longer than minutes by default, and would be too many."""
    since = {"flows": NOW - 15 * DAY, "flows_1m0s": NOW - 7 * DAY, "flows_5m0s": NOW - 90 * DAY}
    tables = [Table(t.name, t.interval_seconds, since=since.get(t.name, 0)) for t in TABLES]
    engine = QueryEngine(store, SCHEMA, lambda: tables)

    def figures(ago, days, **more):
        start = NOW - ago * DAY
        question = SeriesQuestion(start=moment(start), end=moment(start + days * DAY), points=50, **more)
        series = engine.series(question, Asking(float(NOW)))
        return series.figures_seconds, sorted({source.table for source in series.sources})

    assert figures(3, 0.25) == (60, ["flows_1m0s"])
    assert figures(10, 0.25) == (300, ["flows_5m0s"])
    assert figures(10, 0.25, dimensions=["SrcPort"]) == (60, ["flows"])
    assert figures(30, 30)[0] == 300
    assert figures(100, 20) == (3600, ["flows_1h0m0s"])


def test_volumes_have_the_figures_of_their_buckets(store, engine):
    """The 95th percentile of what is moved in a day is no average."""
    store.insert([flow(300 * n, Bytes=n // 288) for n in range(10 * 288)])
    store.roll_up()
    question = SeriesQuestion(
        unit="bytes", interval_seconds=DAY, start=moment(BASE + DAY // 2), end=moment(BASE + 9 * DAY + DAY // 2)
    )
    series = engine.series(question, Asking(float(NOW)))
    row = series.total
    assert series.figures_seconds == DAY
    assert (row.minimum, row.maximum, row.last) == (min(row.points), max(row.points), row.points[-1])
    assert row.average == pytest.approx(row.total / 9)


def first_known(second):
    return tuple(Table(t.name, t.interval_seconds, first=second) for t in TABLES)


@pytest.mark.parametrize("years", [1, 10, 19])
@pytest.mark.parametrize(
    "more", [{}, {"points": 5}, {"interval": "year"}, {"interval": "month"}, {"interval_seconds": 30 * DAY}]
)
def test_wide_range_is_told_of_the_time_for_which_there_are_data(store, years, more):
    """Two days of 100 and 60 Mbit/s by turns in ten years: minimum, maximum, 95th and last were 0, the average 0.05."""
    first, now = BASE + 3000, BASE + 2 * DAY + 3300
    store.insert([of_rate(3000 + 300 * n, 100 if n % 2 else 60) for n in range(2 * DAY // 300 + 1)])
    store.roll_up()
    engine = QueryEngine(store, SCHEMA, lambda: first_known(first))
    asking = Asking(float(now // 60 * 60))
    series = engine.series(SeriesQuestion(last_seconds=years * 365 * DAY, **more), asking)
    assert (series.covered_start, series.covered_end) == (text(first), text(now))
    row = series.total
    assert row.average == pytest.approx(80e6, rel=0.01)
    assert (row.minimum, row.maximum, row.percentile95) == (
        pytest.approx(60e6),
        pytest.approx(100e6),
        pytest.approx(100e6),
    )
    assert series.figures_seconds == 300
    assert row.minimum <= row.last <= row.maximum
    assert all(point == 0 or row.minimum <= point <= row.maximum for point in row.points)
    volume = sum(point * seconds for point, seconds in zip(row.points, series.seconds, strict=True)) / 8
    assert volume == pytest.approx(row.total)
    top = engine.top(TopQuestion(dimensions=["SrcAS"], last_seconds=years * 365 * DAY), asking)
    assert (top.covered_start, top.total.value) == (text(first), pytest.approx(row.average))
    sankey = engine.sankey(SankeyQuestion(dimensions=["SrcAS", "DstAS"], last_seconds=years * 365 * DAY), asking)
    assert sankey.total == pytest.approx(row.average)
    heatmap = engine.heatmap(HeatmapQuestion(down=["SrcAS"], across=["DstAS"], last_seconds=years * 365 * DAY), asking)
    assert heatmap.values == [[pytest.approx(row.average)]]


def test_nothing_is_covered_before_the_first_flow(store):
    store.insert([flow(10)])
    engine = QueryEngine(store, SCHEMA, lambda: first_known(BASE + 10))
    question = {"start": moment(BASE - 2 * HOUR), "end": moment(BASE - HOUR)}
    series = engine.series(SeriesQuestion(previous="day", **question), Asking(float(NOW)))
    assert series.covered_start == series.covered_end == series.end
    assert (series.total.average, series.total.maximum, series.total.last) == (0, 0, 0)
    assert series.previous is None
    assert engine.top(TopQuestion(dimensions=["SrcAS"], **question), Asking(float(NOW))).total.value == 0
    assert engine.heatmap(HeatmapQuestion(down=["SrcAS"], **question), Asking(float(NOW))).values == []


@pytest.mark.parametrize(("every", "percentile"), [(12, 100e6), (24, 0.0)])
def test_intervals_without_flows_count_as_nothing(store, engine, every, percentile):
    store.insert([of_rate(300 * n, 100) for n in range(0, 2 * DAY // 300, every)])
    store.roll_up()
    series = engine.series(SeriesQuestion(start=moment(BASE), end=moment(BASE + 2 * DAY)), Asking(float(NOW)))
    assert (series.total.minimum, series.total.maximum) == (0.0, 100e6)
    assert series.total.percentile95 == percentile


@pytest.mark.parametrize(
    "drawn", [{}, {"points": 7}, {"interval": "day"}, {"interval": "week"}, {"interval_seconds": 6 * HOUR}]
)
def test_period_before_has_the_figures_of_its_range_whatever_is_drawn(store, engine, drawn):
    """Of flows that match in few intervals, and of none for two days."""
    flows = [of_rate(300 * n, 50 + n * 37 % 900, SrcAS=1 + n % 3) for n in range(14 * DAY // 300) if not 576 < n < 1152]
    store.insert(flows)
    store.roll_up()
    asked = {"filter": "SrcAS = 2", "timezone": "Europe/Berlin", "dimensions": ["SrcAS"], **drawn}
    week = {"start": moment(BASE), "end": moment(BASE + 7 * DAY)}
    then = engine.series(SeriesQuestion(**asked, **week), Asking(float(NOW)))
    week = {"start": moment(BASE + 7 * DAY), "end": moment(BASE + 14 * DAY)}
    now = engine.series(SeriesQuestion(previous="week", **asked, **week), Asking(float(NOW)))
    rates = sorted((50 + n * 37 % 900) * 1e6 * (n % 3 == 1 and not 576 < n < 1152) for n in range(7 * DAY // 300))
    at = 0.95 * (len(rates) - 1)
    percentile = rates[int(at)] + (rates[int(at) + 1] - rates[int(at)]) * (at % 1)
    for row in (then.total, then.rows[0], now.previous.row):
        assert (row.minimum, row.maximum) == pytest.approx((0, rates[-1]))
        assert row.percentile95 == pytest.approx(percentile)
        assert row.average == pytest.approx(sum(rates) / len(rates))


def test_figures_of_the_period_before_are_about_what_is_told_of_it(store):
    """A column came in the middle of the day before: the morning is not known, and does not count as nothing."""
    store.insert([of_rate(300 * n, 100) for n in range(2 * DAY // 300)])
    store.roll_up()
    gaps = {"SrcAS": ((0, BASE + DAY // 2),)}
    tables = [Table(t.name, t.interval_seconds, gaps=gaps) for t in TABLES]
    engine = QueryEngine(store, SCHEMA, lambda: tables)
    question = SeriesQuestion(
        filter="SrcAS = 64500",
        previous="day",
        interval_seconds=HOUR,
        start=moment(BASE + DAY),
        end=moment(BASE + 2 * DAY),
    )
    row = engine.series(question, Asking(float(NOW))).previous.row
    assert row.points == pytest.approx([0.0] * 12 + [1e8] * 12)
    assert (row.average, row.minimum, row.percentile95, row.maximum) == pytest.approx((1e8,) * 4)
    volume = engine.series(question.model_copy(update={"unit": "bytes"}), Asking(float(NOW))).previous.row
    assert volume.total == pytest.approx(DAY // 2 * 1e8 / 8)
    assert (volume.average, volume.minimum, volume.maximum) == pytest.approx((HOUR * 1e8 / 8,) * 3)
