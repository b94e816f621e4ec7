"""Whatever flows are stored, and wherever rollups end: graphs show what adding up flow by flow gives."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from millrace.lang import parse
from millrace.query import (
    Asking,
    HeatmapQuestion,
    QueryEngine,
    SankeyQuestion,
    SeriesQuestion,
    TopQuestion,
)
from unit.query.stored_flows import SCHEMA, ChdbStore

from .flow_sums import Sums, even, percentile, text, turned
from .made_traffic import DIMENSIONS, FILTERS, NOW, PARTLY, UNITS, UNTIL, spans, traffic

EXAMPLES = settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example asks a store: shrinking takes minutes
)

PERIODS = {"hour": 3600, "day": 86_400, "week": 7 * 86_400}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = ChdbStore(tmp_path_factory.mktemp("chdb"))
    yield store
    store.close()


class Asked:
    """Flows in a store, half of them rolled up, and an engine."""

    def __init__(self, store, flows, scope=""):
        store.clear()
        if flows:
            store.insert(flows)
            store.roll_up(UNTIL)
        self.engine = QueryEngine(store, SCHEMA, lambda: PARTLY)
        self.flows = [flow for flow in flows if FILTERS[scope](flow)]
        self.asking = Asking(float(NOW), scope=parse(scope, SCHEMA))

    def chosen(self, condition):
        return [flow for flow in self.flows if FILTERS[condition](flow)]

    def back(self, condition):
        return [flow for flow in map(turned, self.flows) if FILTERS[condition](flow)]


def moment(second):
    return datetime.fromtimestamp(second, UTC)


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def key(dimensions):
    return tuple(dimensions)


grouped = st.fixed_dictionaries(
    {
        "filter": st.sampled_from(list(FILTERS)),
        "truncate_v4": st.sampled_from([32, 24, 8, 0]),
        "truncate_v6": st.sampled_from([128, 64, 48, 0]),
    }
)
series_questions = st.tuples(
    st.fixed_dictionaries(
        {
            "dimensions": st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True),
            "limit": st.integers(1, 5),
            "limit_by": st.sampled_from(["average", "maximum", "last", "p95"]),
            "interval_seconds": st.sampled_from([None, 7, 60, 90, 300, 3600]),
            "points": st.sampled_from([1, 10, 200]),
            "bidirectional": st.booleans(),
            "previous": st.sampled_from([None, "auto", "hour", "day", "week"]),
        }
    ),
    grouped,
    spans,
)


def check_row(row, sums, keys, capacity):
    amounts = sums.together(sums.amounts, keys)
    figures = sums.figures(keys, capacity)
    assert row.points == near(sums.points(amounts, capacity))
    assert {
        "average": row.average, "minimum": row.minimum, "maximum": row.maximum, "last": row.last,
        "p95": row.percentile95,
    } == near(figures)  # fmt: skip
    assert row.total == near(0 if "%" in sums.unit else sum(amounts))


def check_rows(rows, sums, limit, limit_by):
    """Those with the largest figures have rows of their own, the rest is one more."""
    shown = [key(row.dimensions) for row in rows if not row.other]
    figures = {k: sums.figures([k], sums.capacity(k))[limit_by] for k in sums.amounts}
    wanted = sorted(figures.values(), reverse=True)[:limit]
    assert [figures[k] for k in shown] == near(wanted)
    assert [row.other for row in rows] == [False] * len(wanted) + [True] * (len(figures) > limit)
    for row in rows:
        if row.other:
            check_row(row, sums, [k for k in sums.amounts if k not in shown], sums.capacity_of_rest(shown))
        else:
            check_row(row, sums, [key(row.dimensions)], sums.capacity(key(row.dimensions)))


@pytest.mark.parametrize("unit", UNITS)
@EXAMPLES
@given(
    flows=traffic, scope=st.sampled_from(list(FILTERS)[:3]), asked=st.lists(series_questions, min_size=3, max_size=3)
)
def test_series(store, unit, flows, scope, asked):
    place = Asked(store, flows, scope)
    for options, group, (start, end) in asked:
        question = SeriesQuestion(unit=unit, start=moment(start), end=moment(end), **options, **group)
        if options["interval_seconds"] and (end - start) // options["interval_seconds"] > 2000:
            continue
        answer = place.engine.series(question, place.asking)
        step = answer.interval_seconds
        assert options["interval_seconds"] in (None, step)
        assert (answer.asked_start, answer.asked_end) == (text(start), text(end))
        assert (answer.start, answer.end) == (text(start), text(end))
        assert (answer.covered_start, answer.covered_end) == (text(start), text(end))
        edges = even(start, end, step)
        told = {"v4": group["truncate_v4"], "v6": group["truncate_v6"], "fine": fine_of(unit, end - start)}
        names = options["dimensions"]
        sums = Sums(place.chosen(group["filter"]), unit, names, start, end, edges, **told)
        assert answer.figures_seconds == (sums.fine or step)
        assert answer.times == [text(second) for second in sums.starts]
        assert answer.seconds == sums.seconds
        if names:
            check_rows(answer.rows, sums, options["limit"], options["limit_by"])
        else:
            check_row(answer.rows[0], sums, sums.amounts, sums.capacity())
        check_row(answer.total, sums, sums.amounts, sums.capacity())
        if not sums.naming:
            stacked = [sum(values) for values in zip(*(row.points for row in answer.rows), strict=True)]
            assert (stacked or [0] * sums.count) == near(answer.total.points)
        if options["bidirectional"] and names:
            back = Sums(place.back(group["filter"]), unit, names, start, end, edges, **told)
            check_rows(answer.reverse, back, options["limit"], options["limit_by"])
        check_previous(answer.previous, options["previous"], sums, place.chosen(group["filter"]), end - start)


def fine_of(unit, seconds):
    """Seconds of the intervals of figures of a range of some hours; of volumes these are what is drawn."""
    return 0 if unit == "bytes" else 10 if seconds < 3600 else 60


def check_previous(previous, period, sums, flows, seconds):
    if period is None:
        assert previous is None
        return
    if period == "auto":
        period = "hour" if seconds < 7200 else "day"
    shift = PERIODS[period]
    moved = [{**flow, "TimeReceived": flow["TimeReceived"] + shift * 1000} for flow in flows]
    earlier = Sums(moved, sums.unit, [], sums.start, sums.end, sums.edges, fine=sums.fine)
    assert (previous.period, previous.start, previous.end) == (
        period, text(sums.start - shift), text(sums.end - shift),
    )  # fmt: skip
    check_row(previous.row, earlier, earlier.amounts, earlier.capacity())


@pytest.mark.parametrize("unit", UNITS)
@EXAMPLES
@given(
    flows=traffic,
    scope=st.sampled_from(list(FILTERS)[:3]),
    names=st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=3, unique=True),
    limit=st.integers(1, 5),
    group=grouped,
    span=spans,
)
def test_top(store, unit, flows, scope, names, limit, group, span):
    place = Asked(store, flows, scope)
    start, end = span
    question = TopQuestion(unit=unit, start=moment(start), end=moment(end), dimensions=names, limit=limit, **group)
    answer = place.engine.top(question, place.asking)
    lengths = (group["truncate_v4"], group["truncate_v6"])
    sums = Sums(place.chosen(group["filter"]), unit, names, start, end, [start, end], *lengths)
    values = {k: sums.value(sum(a), end - start, sums.capacity(k)) for k, a in sums.amounts.items()}
    assert [row.value for row in answer.rows] == near(sorted(values.values(), reverse=True)[:limit])
    everything = sum(sums.total)
    for row in answer.rows:
        assert row.value == near(values[key(row.dimensions)])
        assert row.share == near(sum(sums.amounts[key(row.dimensions)]) / (everything or 1))
    assert answer.total.value == near(sums.value(everything, end - start, sums.capacity()))
    for column, counted in (("bytes", "bytes"), ("packets", "packets/s"), ("flows", "flows/s")):
        measurable = [
            flow
            for flow in place.chosen(group["filter"])
            if "%" not in unit or flow["InIfSpeed" if unit == "in-%" else "OutIfSpeed"]
        ]
        other = Sums(measurable, counted, names, start, end, [start, end], *lengths)
        assert getattr(answer.total, column) == sum(other.total)
        assert [getattr(row, column) for row in answer.rows] == [
            sum(other.amounts[key(row.dimensions)]) for row in answer.rows
        ]


def kept_values(sums, limit):
    """Amounts of the largest combinations."""
    return sorted((sum(a) for a in sums.amounts.values()), reverse=True)[:limit]


@pytest.mark.parametrize("unit", ["bits/s", "l2-bits/s", "packets/s", "flows/s", "bytes"])
@EXAMPLES
@given(
    flows=traffic,
    names=st.lists(st.sampled_from(DIMENSIONS), min_size=2, max_size=4, unique=True),
    limit=st.integers(1, 4),
    group=grouped,
    span=spans,
)
def test_sankey(store, unit, flows, names, limit, group, span):
    place = Asked(store, flows)
    start, end = span
    question = SankeyQuestion(unit=unit, start=moment(start), end=moment(end), dimensions=names, limit=limit, **group)
    answer = place.engine.sankey(question, place.asking)
    lengths = (group["truncate_v4"], group["truncate_v6"])
    chosen = place.chosen(group["filter"])
    shown = [{n.value for n in answer.nodes if n.dimension == i and not n.other} for i in range(len(names))]
    together = Sums(chosen, unit, names, start, end, [start, end], *lengths)
    for i, name in enumerate(names):
        alone = Sums(chosen, unit, [name], start, end, [start, end], *lengths)
        wanted = [alone.value(amount, end - start) for amount in kept_values(alone, limit)]
        nodes = [node for node in answer.nodes if node.dimension == i]
        assert [node.rate for node in nodes if not node.other] == near(wanted)
        assert sum(node.rate for node in nodes) == near(answer.total)
        for node in nodes:
            if not node.other:
                assert node.rate == near(alone.value(sum(alone.amounts[node.value,]), end - start))
            into = sum(link.rate for link in answer.links if answer.nodes[link.target] is node)
            out = sum(link.rate for link in answer.links if answer.nodes[link.source] is node)
            assert i == 0 or into == near(node.rate)
            assert i == len(names) - 1 or out == near(node.rate)
    expected = {}
    for values, amounts in together.amounts.items():
        places = [value if value in shown[i] else None for i, value in enumerate(values)]
        for i in range(len(names) - 1):
            link = (i, places[i], places[i + 1])
            expected[link] = expected.get(link, 0) + together.value(sum(amounts), end - start)
    found = {
        (answer.nodes[k.source].dimension, answer.nodes[k.source].value, answer.nodes[k.target].value): k.rate
        for k in answer.links
    }
    assert found == near(expected)
    assert answer.total == near(together.value(sum(together.total), end - start))


@pytest.mark.parametrize("unit", UNITS)
@EXAMPLES
@given(
    flows=traffic,
    down=st.lists(st.sampled_from(DIMENSIONS), min_size=1, max_size=2, unique=True),
    across=st.lists(st.sampled_from(DIMENSIONS), max_size=2, unique=True),
    limit=st.integers(1, 4),
    group=grouped,
    span=spans,
)
def test_heatmap(store, unit, flows, down, across, limit, group, span):
    place = Asked(store, flows)
    start, end = span
    question = HeatmapQuestion(
        unit=unit, start=moment(start), end=moment(end), down=down, across=across, limit=limit, points=30, **group
    )
    answer = place.engine.heatmap(question, place.asking)
    lengths = (group["truncate_v4"], group["truncate_v6"])
    chosen = place.chosen(group["filter"])
    if not across:
        step = answer.interval_seconds
        sums = Sums(chosen, unit, down, start, end, even(start, end, step), *lengths)
        assert [column.time for column in answer.columns] == [text(second) for second in sums.starts]
        shown = [key(row.dimensions) for row in answer.rows if not row.other]
        for row, values in zip(answer.rows, answer.values, strict=True):
            if not row.other:
                found = key(row.dimensions)
                assert values == near(sums.points(sums.amounts[found], sums.capacity(found)))
        assert len(shown) == min(limit, len(sums.amounts))
        return
    sums = Sums(chosen, unit, [*down, *across], start, end, [start, end], *lengths)
    shown = [[key(axis.dimensions) for axis in axes if not axis.other] for axes in (answer.rows, answer.columns)]
    expected = {}
    for values, amounts in sums.amounts.items():
        parts = values[: len(down)], values[len(down) :]
        cell = tuple(part if part in axis else None for part, axis in zip(parts, shown, strict=True))
        expected[cell] = expected.get(cell, 0) + sum(amounts)
    seconds = end - start
    for row, values in zip(answer.rows, answer.values, strict=True):
        for column, value in zip(answer.columns, values, strict=True):
            cell = tuple(None if axis.other else key(axis.dimensions) for axis in (row, column))
            counted = expected.get(cell, 0)
            if not sums.naming:
                assert value == near(sums.value(counted, seconds, sums.capacity()) if counted else 0)
            elif None not in cell:
                capacity = sums.capacity(cell[0] + cell[1])
                assert value == near(sums.value(counted, seconds, capacity) if counted else 0)
    if not any("%" in unit for unit in (unit,)):
        for names, axis in ((down, shown[0]), (across, shown[1])):
            alone = Sums(chosen, unit, names, start, end, [start, end], *lengths)
            assert [sum(alone.amounts[k]) for k in axis] == kept_values(alone, limit)


def test_percentile_of_the_reference_is_the_usual_one():
    assert percentile([1, 2, 3, 4, 5], 0.95) == pytest.approx(4.8)
