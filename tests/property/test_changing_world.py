"""Whatever changes while flows arrive, every answer is what adding up the stored flows one by one gives."""

import os
from collections import defaultdict
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from millrace.lang import parse
from millrace.query import (
    Asking,
    ExportQuestion,
    HeatmapQuestion,
    QueryEngine,
    SankeyQuestion,
    SearchQuestion,
    SeriesQuestion,
    StoreTables,
    TopQuestion,
    ValuesQuestion,
)
from millrace.store import RESOLUTIONS, EmbeddedStore

from .changing_world import OWN, World

HOUR = 3600
BASE = int(datetime.now(UTC).timestamp()) // HOUR * HOUR - 9 * HOUR
END = BASE + 8 * HOUR
RANGE = {"start": datetime.fromtimestamp(BASE, UTC), "end": datetime.fromtimestamp(END, UTC)}

STEPS = ("configure", "announce", "arrive", "arrive", "roll_up", "change_columns")

FILTERS = {
    "": lambda f: True,
    "InIfProvider = alpha": lambda f: f["InIfProvider"] == "alpha",
    "OutIfBoundary = external": lambda f: f["OutIfBoundary"] == "external",
    "NOT (SrcASName = beta)": lambda f: f["SrcASName"] != "beta",
    "InIfSpeed >= 10 AND InIfSpeed != OutIfSpeed": lambda f: f["InIfSpeed"] >= 10 and f["InIfSpeed"] != f["OutIfSpeed"],
    "ExporterTenant IN ('alpha', 'beta') OR DstNetTenant = gamma": lambda f: (
        f["ExporterTenant"] in ("alpha", "beta") or f["DstNetTenant"] == "gamma"
    ),
    "InIfName = alpha AND SrcAddr << 10.0.0.0/8": lambda f: f["InIfName"] == "alpha" and f["SrcAddr"].startswith("10."),
    "SamplingRateSource = configured": lambda f: f["SamplingRateSource"] == "configured",
    "Implausible != no": lambda f: f["Implausible"] != "no",
    "Tenant = red": lambda f: f["Tenant"] == "red",
    "Tenant != red": lambda f: f["Tenant"] != "red",
}
"""Filters in the language and in Python; those of the tenant ask by a column that comes and goes."""

DIMENSIONS = (
    "ExporterName", "ExporterGroup", "ExporterRole", "ExporterSite", "ExporterRegion", "ExporterTenant",
    "InIfName", "InIfDescription", "InIfConnectivity", "InIfProvider", "InIfSpeed", "InIfBoundary",
    "OutIfName", "OutIfProvider", "OutIfSpeed", "OutIfBoundary", "SrcASName", "DstASName", "SrcNetName", "DstNetRole",
    "SrcCountry", "SrcAS", "Implausible", "SamplingRateSource", "SrcAddr",
)  # fmt: skip

AMOUNTS = {
    "bytes": lambda f: f["Bytes"] * f["SamplingRate"],
    "packets/s": lambda f: f["Packets"] * f["SamplingRate"],
    "flows/s": lambda f: 1,
}


class OneStore:
    """The store of a folder, opened with one schema after the other; it begins empty for each example."""

    def __init__(self, folder):
        self._folder, self._count, self._store = folder, 0, None

    def anew(self):
        self.close()
        self._count += 1

    def __call__(self, schema):
        self.close()
        self._store = EmbeddedStore(self._folder / str(self._count), schema)
        self._store.start()
        return self._store

    def close(self):
        if self._store is not None:
            self._store.stop()
            self._store = None


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    store = OneStore(tmp_path_factory.mktemp("world"))
    yield store
    store.close()


class Expected:
    """Stored flows of a question, added up one by one."""

    def __init__(self, world, question, scope):
        self.flows = [
            flow
            for flow in world.rows
            if BASE * 1000 <= flow["TimeReceived"] < END * 1000 and FILTERS[question](flow) and FILTERS[scope](flow)
        ]
        self.tells = not any(text.startswith("Tenant") for text in (question, scope))

    def since(self, start):
        """The flows from the moment on that an answer begins with."""
        second = datetime.fromisoformat(start).timestamp()
        return [flow for flow in self.flows if flow["TimeReceived"] >= second * 1000]


def sums(flows, unit, names):
    found = defaultdict(int)
    for flow in flows:
        found[tuple(flow[name] for name in names)] += AMOUNTS[unit](flow)
    return dict(found)


def near(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def percentile(values):
    ordered = sorted(values)
    place = 0.95 * (len(ordered) - 1)
    low = int(place)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)


class Asked:
    """One question after the other, of the rollups and of the single flows alone."""

    def __init__(self, world, seed):
        self.world = world
        self.random = Random(seed)
        tables = StoreTables(world.store.status)
        self.engines = [
            QueryEngine(world.store, world.schema, tables),
            QueryEngine(world.store, world.schema, lambda: tables()[:1]),
        ]

    def check_all(self):
        for question in [*FILTERS]:
            scope = self.random.choice(["", *FILTERS])
            if self.world.schema is not OWN and any(text.startswith("Tenant") for text in (question, scope)):
                continue
            self.scope, self.expected = scope, Expected(self.world, question, scope)
            self.asking = Asking(float(END + 600), scope=parse(scope, self.world.schema))
            for engine in self.engines:
                checks = [self.top, self.series, self.sankey, self.heatmap, self.across, self.values, self.others]
                for check in self.random.sample(checks, 4):
                    if self.expected.tells or self.world.since_change < END:
                        check(engine, {"filter": question, **RANGE})

    def told(self, start):
        """Flows that an answer is about; all of them tell what is asked by."""
        flows = self.expected.since(start)
        if not self.expected.tells:
            assert all(flow["told"] for flow in flows)
            assert datetime.fromisoformat(start).timestamp() <= max(self.world.since_change, BASE)
        else:
            assert flows == self.expected.flows
        return flows

    def dimensions(self, least, most):
        return self.random.sample(DIMENSIONS, self.random.randint(least, most))

    def top(self, engine, asked):
        unit, names = self.random.choice([*AMOUNTS]), self.dimensions(1, 3)
        leave_out = self.random.choice([False, True])
        question = TopQuestion(unit=unit, dimensions=names, limit=1000, leave_out_implausible=leave_out, **asked)
        answer = engine.top(question, self.asking)
        flows = self.told(answer.start)
        assert answer.implausible_flows == sum(flow["Implausible"] != "no" for flow in flows)
        if leave_out:
            flows = [flow for flow in flows if flow["Implausible"] == "no"]
        for column, counted in (("bytes", "bytes"), ("packets", "packets/s"), ("flows", "flows/s")):
            assert {tuple(row.dimensions): getattr(row, column) for row in answer.rows} == sums(flows, counted, names)
            assert getattr(answer.total, column) == sums(flows, counted, []).get((), 0)
        everything = sums(flows, unit, []).get((), 0)
        for row in answer.rows:
            assert row.share == near(sums(flows, unit, names)[tuple(row.dimensions)] / (everything or 1))

    def series(self, engine, asked):
        unit, names, step = "bytes", self.dimensions(0, 2), self.random.choice([300, HOUR])
        limit_by = self.random.choice(["average", "maximum", "last", "p95"])
        question = SeriesQuestion(
            unit=unit, dimensions=names, interval_seconds=step, limit=50, limit_by=limit_by, **asked
        )
        answer = engine.series(question, self.asking)
        flows = self.told(answer.start)
        times = [int(datetime.fromisoformat(time).timestamp()) for time in answer.times]
        found = {tuple(row.dimensions): row for row in answer.rows if not row.other}
        if names and len(sums(flows, unit, names)) <= 50:
            assert found.keys() == sums(flows, unit, names).keys()
        for key, row in [*found.items(), *([((), answer.total)] if names else [])]:
            own = [flow for flow in flows if not key or tuple(flow[name] for name in names) == key]
            for resolution, points in ((step, row.points), (getattr(answer, "figures_seconds", step), None)):
                counted = defaultdict(int)
                for flow in own:
                    counted[flow["TimeReceived"] // 1000 // resolution * resolution] += AMOUNTS[unit](flow)
                if points is not None:
                    assert points == near([counted[time // resolution * resolution] for time in times])
                elif self.expected.tells and resolution == step:
                    # Of a bucket of which nothing is stored at its beginning there is no figure.
                    covered = int(datetime.fromisoformat(answer.covered_start).timestamp())
                    amounts = [counted[second] for second in range(BASE, END, resolution) if second >= covered]
                    assert (row.maximum, row.minimum) == near((max(amounts), min(amounts)))
                    assert row.percentile95 == near(percentile(amounts))
            assert row.total == near(sum(map(AMOUNTS[unit], own)))

    def sankey(self, engine, asked):
        unit, names = "bytes", self.dimensions(2, 3)
        answer = engine.sankey(SankeyQuestion(unit=unit, dimensions=names, limit=50, **asked), self.asking)
        flows = self.told(answer.start)
        assert answer.total == near(sums(flows, unit, []).get((), 0))
        for place in range(len(names) - 1):
            pairs = {
                (answer.nodes[link.source].value, answer.nodes[link.target].value): link.rate
                for link in answer.links
                if answer.nodes[link.source].dimension == place
            }
            assert pairs == near(sums(flows, unit, names[place : place + 2]))

    def heatmap(self, engine, asked):
        names = self.dimensions(1, 2)
        answer = engine.heatmap(HeatmapQuestion(unit="bytes", down=names, points=8, limit=200, **asked), self.asking)
        flows = self.told(answer.start)
        rows = {tuple(row.dimensions): sum(values) for row, values in zip(answer.rows, answer.values, strict=True)}
        assert rows == near(sums(flows, "bytes", names))

    def across(self, engine, asked):
        names = self.random.sample(DIMENSIONS, 2)
        question = HeatmapQuestion(unit="bytes", down=names[:1], across=names[1:], limit=200, **asked)
        answer = engine.heatmap(question, self.asking)
        flows = self.told(answer.start)
        cells = {
            (*row.dimensions, *column.dimensions): value
            for row, values in zip(answer.rows, answer.values, strict=True)
            for column, value in zip(answer.columns, values, strict=True)
            if value
        }
        assert cells == near({key: value for key, value in sums(flows, "bytes", names).items() if value})

    def values(self, engine, asked):
        name = self.random.choice(DIMENSIONS)
        if name == "SrcAddr" or not self.expected.tells or engine is not self.engines[0]:
            return
        if "SrcAddr" in asked["filter"] + self.scope:
            return
        answer = engine.values(ValuesQuestion(column=name, limit=100, **asked), self.asking)
        wanted = {key[0]: count for key, count in sums(self.expected.flows, "flows/s", [name]).items()}
        assert {value.value: value.flows for value in answer} == wanted

    def others(self, engine, asked):
        """Search, export, and who was seen."""
        found = engine.search(SearchQuestion(limit=5000, columns=["TimeReceived", "Bytes"], **asked), self.asking).flows
        if self.expected.tells:
            assert sorted(flow["Bytes"] for flow in found) == sorted(flow["Bytes"] for flow in self.expected.flows)
        else:
            late = [flow for flow in self.expected.flows if flow["TimeReceived"] >= self.world.since_change * 1000]
            assert len(late) <= len(found) <= sum(flow["told"] for flow in self.expected.flows)
        tables = engine.export(ExportQuestion(columns=["Bytes"], **asked), self.asking).tables
        assert sum(table.num_rows for table in tables) == len(found)
        if self.expected.tells:
            seen = {one.address: one.flows for one in engine.seen(SeriesQuestion(**asked), self.asking)}
            assert seen == {key[0]: n for key, n in sums(self.expected.flows, "flows/s", ["ExporterAddress"]).items()}


def check_rollups_by_sql(world):
    """Every rollup says of every kept column what the flows say, interval by interval."""
    kept = [column for column in world.schema if column.rollup not in (None, "sum")]
    keys = ", ".join(f"`{column.name}`" for column in kept)
    for resolution in RESOLUTIONS:
        until = world.store.status().rolled_up_to_ms[resolution.name] or 0
        sql = (
            f"SELECT toUnixTimestamp({resolution.start_of}(TimeReceived)) AS at, {keys}, "
            "sum(toInt256(Bytes)) AS b, sum(toInt256(Packets)) AS p, sum({flows}) AS n FROM {table} "
            f"WHERE TimeReceived < fromUnixTimestamp64Milli({until}) GROUP BY ALL"
        )
        raw, rolled = (
            sql.replace("{table}", table).replace("{flows}", flows)
            for table, flows in (("flows", "1"), (resolution.table, "Flows"))
        )
        differing = world.store.query(
            f"SELECT count() AS n FROM (({raw} EXCEPT {rolled}) UNION ALL ({rolled} EXCEPT {raw}))"
        )
        assert differing["n"][0].as_py() == 0, resolution.name


@settings(
    max_examples=3 if os.environ.get("MILLRACE_LONG") else 1,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(st.sampled_from(STEPS), min_size=6, max_size=14),
    seam=st.sampled_from([END + 600, BASE + 3 * HOUR + 700]),
)
def test_every_answer_is_that_of_the_flows(opened, seed, steps, seam):
    opened.anew()
    world = World(opened, seed, (BASE + 2 * HOUR) * 1000)
    world.arrive()
    world.configure()
    world.arrive()
    for step in steps:
        if world.now_ms < (END - HOUR) * 1000:
            getattr(world, step)()
    if world.schema is not OWN:
        world.change_columns()
    world.arrive()
    world.announce()
    world.arrive()
    # Late flows are in the rollups then, and single flows answer for what comes after the seam.
    world.store.wait_until_rolled_up(seam * 1000)
    check_rollups_by_sql(world)
    Asked(world, seed).check_all()
