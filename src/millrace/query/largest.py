"""SQL of the combinations of dimensions that are the largest by some figure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from millrace.query.buckets import Buckets, Fine
from millrace.query.capacity import interface_dimensions, with_capacities
from millrace.query.dimensions import Dimension, listed
from millrace.query.flows import Flows
from millrace.query.questions import LimitBy

PERCENTILE = 0.95


def largest(
    flows: Flows,
    dimensions: Sequence[Dimension],
    limit: int,
    limit_by: LimitBy = "average",
    buckets: Buckets | None = None,
    fine: Fine | None = None,
) -> str:
    """SQL of the combinations, largest first.

    Of percentages of the speed of interfaces that the dimensions tell apart,
    each combination is measured against its own interfaces.

    Parameters
    ----------
    flows : Flows
    dimensions : sequence of Dimension
    limit : int
        Combinations at most.
    limit_by : {"average", "maximum", "last", "p95"}
        Of the whole intervals, but the average over the whole range.
        Combinations that agree in it follow their average.
    buckets : Buckets, optional
        Intervals, unless the average decides.
    fine : Fine, optional
        Intervals of maximum and 95th percentile in place of these.
    """
    names = listed(dimensions)
    per_speed = ""
    found = figures_sql(flows, dimensions, limit_by, buckets, fine)
    named = interface_dimensions(flows.measure, dimensions)
    if named:
        found = with_capacities(found, flows, named)
        per_speed = " / _capacity"
    place = flows.parameters.add("UInt32", limit)
    return (
        f"SELECT {names} FROM ({found}) "  # noqa: S608 - values are bound
        f"ORDER BY _figure{per_speed} DESC, _sum{per_speed} DESC, {names} LIMIT {place}"
    )


def largest_of_each(flows: Flows, dimensions: Sequence[Dimension], limit: int) -> str:
    """SQL of one tuple: for each dimension by itself, an array of the values with the largest average.

    All of them in one pass. Not for percentages of the speed of interfaces.

    Parameters
    ----------
    flows : Flows
    dimensions : sequence of Dimension
    limit : int
        Values of each at most.
    """
    names = listed(dimensions)
    sets = ", ".join(f"({dimension.name})" for dimension in dimensions)
    place = flows.parameters.add("UInt32", limit)
    arrays = ", ".join(
        f"groupArrayIf({dimension.name}, _absent = {absent([at], len(dimensions))})"
        for at, dimension in enumerate(dimensions)
    )
    return (
        f"SELECT tuple({arrays}) FROM (SELECT * FROM ("  # noqa: S608 - values are bound
        f"SELECT grouping({names}) AS _absent, {names}, sum({flows.amount}) AS _sum FROM ({flows.whole}) "
        f"GROUP BY GROUPING SETS ({sets})) ORDER BY _sum DESC, {names} LIMIT {place} BY _absent)"
    )


def absent(present: Collection[int], count: int) -> int:
    """What ``grouping`` of `count` columns says of rows by some: a bit for each other, the first the highest."""
    return sum(1 << (count - 1 - place) for place in range(count) if place not in present)


def figures_sql(
    flows: Flows, dimensions: Sequence[Dimension], limit_by: LimitBy, buckets: Buckets | None, fine: Fine | None
) -> str:
    """SQL of each combination with its ``_figure`` and its ``_sum`` over the range."""
    names = listed(dimensions)
    average = f"SELECT {names}, sum({flows.amount}) AS _sum, _sum AS _figure FROM ({flows.whole}) GROUP BY {names}"  # noqa: S608 - values are bound
    if limit_by == "average" or buckets is None:
        return average
    add = flows.parameters.add
    starts = [buckets.edges[place] for place in (buckets.some[0], buckets.some[-1])]
    if limit_by == "last":
        figure = f"sumIf({flows.amount}, {buckets.sql(flows.parameters)} = {add('UInt32', starts[1])})"
        return (
            f"SELECT {names}, sum({flows.amount}) AS _sum, {figure} AS _figure FROM ({flows.buckets}) GROUP BY {names}"  # noqa: S608 - values are bound
        )
    if fine is None:
        interval, count = buckets.sql(flows.parameters), len(buckets.some)
    else:
        interval, starts, count = flows.number(fine.seconds), [fine.first, fine.last], fine.count
    within = f"_interval BETWEEN {add('UInt32', starts[0])} AND {add('UInt32', starts[1])}"
    figure = f"maxIf(_amount, {within})"
    if limit_by == "p95":
        figure = _percentile(f"arraySort(groupArrayIf(toFloat64(_amount), {within}))", count)
    return (
        f"SELECT {names}, sum(_amount) AS _sum, {figure} AS _figure FROM ("  # noqa: S608 - values are bound
        f"SELECT {names}, {interval} AS _interval, sum({flows.amount}) AS _amount "
        f"FROM ({flows.buckets}) GROUP BY {names}, _interval) GROUP BY {names}"
    )


def _percentile(ascending: str, count: int) -> str:
    """SQL of the percentile of `count` amounts of which only those above zero are in an array, interpolated."""
    place = PERCENTILE * (count - 1)
    low = int(place)
    zeros = f"({count} - length({ascending} AS _sorted))"

    def at(index: int) -> str:
        return f"if({index} >= {zeros}, _sorted[{index} - {zeros} + 1], 0)"

    # In this form, that of equal values is that value; the values ascend.
    high = min(low + 1, count - 1)
    return f"{at(low)} + ({at(high)} - {at(low)}) * {place - low!r}"
