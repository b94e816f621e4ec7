"""Values that a column has had lately."""

import gc
import tracemalloc
from datetime import UTC, datetime

import pytest

from millrace.errors import QueryError
from millrace.lang import DEFAULT_NAMES, parse
from millrace.query import Asking, QueryEngine, ValuesQuestion
from millrace.query import values as reading

from .stored_flows import BASE, SCHEMA, TABLES, flow

NOW = BASE + 200.0
ASKING = Asking(NOW)
FOREVER = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def put(store):
    """Store flows, and roll them up."""

    def put(*rows):
        store.insert(rows)
        store.roll_up()

    return put


def values(engine, column, asking=ASKING, **question):
    return engine.values(ValuesQuestion(column=column, **question), asking)


def test_most_frequent_values_come_first(put, engine):
    put(*(flow(1, InIfProvider=name) for name in ("cogent", "telia", "cogent")))
    assert [(v.value, v.text, v.flows) for v in values(engine, "InIfProvider")] == [
        ("cogent", '"cogent"', 2),
        ("telia", '"telia"', 1),
    ]


def test_values_mean_themselves_in_a_filter(put, engine):
    nasty = "it's \\ \"a\" {p0:String}\t-- ' OR 1"
    put(
        *[
            flow(1, InIfProvider=nasty, SrcAddr="2001:db8::7", SrcMAC=7, Proto=6, SrcAS=15169, SrcPort=443,
                 FlowDirection="ingress", DstCommunities=[(64500 << 16) | 1, 2], DstASPath=[9], SrcCountry="FR")
        ]
    )  # fmt: skip
    names = ["InIfProvider", "SrcAddr", "SrcMAC", "Proto", "SrcAS", "SrcPort", "FlowDirection", "DstCommunities",
             "DstASPath", "SrcCountry", "EType", "InIf"]  # fmt: skip
    for name in names:
        found = values(engine, name)
        assert found, name
        for value in found:
            condition = f"{name} = {value.text}"
            assert values(engine, "Bytes", filter=condition), condition
    assert [v.value for v in values(engine, "DstCommunities")] in (["64500:1", "0:2"], ["0:2", "64500:1"])


def test_labels_have_names(put, engine):
    put(*[flow(1, SrcAS=15169, SrcPort=443, Proto=6, SrcCountry="FR")])
    assert values(engine, "SrcAS")[0].label == f"AS15169 {DEFAULT_NAMES.as_name(15169)}".rstrip()
    assert values(engine, "SrcPort")[0].label.startswith("443")
    assert values(engine, "Proto")[0].label == "TCP"
    assert values(engine, "SrcCountry")[0].label == "France"


@pytest.mark.parametrize(
    ("column", "contains", "found"),
    [
        ("InIfProvider", "GEN", ["cogent"]),
        ("InIfProvider", "nothing", []),
        ("SrcCountry", "franc", ["FR"]),
        ("SrcAddr", "100.7", ["198.51.100.7"]),
        ("Proto", "tcp", [6]),
    ],
)
def test_contains_is_looked_for_in_what_is_shown(put, engine, column, contains, found):
    put(*[flow(1, InIfProvider="cogent", SrcCountry="FR", SrcAddr="198.51.100.7", Proto=6)])
    assert [v.value for v in values(engine, column, contains=contains)] == found


@pytest.mark.parametrize(
    ("column", "part", "value"),
    [("SrcAddr", "100.77", "198.51.100.77"), ("SrcMAC", "00:4D", "00:00:00:00:00:4d"), ("SrcPort", "77", 77)],
)
def test_rare_values_are_found_too(put, engine, monkeypatch, column, part, value):
    monkeypatch.setattr(reading, "KNOWN_VALUES", 10)
    rows = [flow(1, SrcAddr=f"198.51.100.{n}", SrcMAC=n, SrcPort=n) for n in range(100)]
    put(*rows, *rows[:50])
    assert value not in [v.value for v in values(engine, column)]
    assert [v.value for v in values(engine, column, contains=part)] == [value]


def test_answers_are_remembered_for_a_minute(store):
    now = [0.0]
    recent = reading.RecentValues(SCHEMA, DEFAULT_NAMES, clock=lambda: now[0])
    store.insert([flow(1, SrcPort=1)])

    def ask(**question):
        question = ValuesQuestion(column="SrcPort", **question)
        return recent.of(question, parse(question.filter, SCHEMA), TABLES, NOW, store.query)

    ask()
    ask(contains="1")
    assert len(store.asked) == 1
    ask(filter="SrcPort = 1")
    assert len(store.asked) == 2
    now[0] += 61
    ask()
    assert len(store.asked) == 3


def fill(recent, store, questions):
    for number in range(questions):
        question = ValuesQuestion(column="InIfDescription", filter=f"SrcPort != {number}")
        recent.of(question, parse(question.filter, SCHEMA), TABLES, NOW, store.query)
    return recent.bytes_kept


def test_what_is_remembered_is_bounded_by_what_it_takes(store):
    store.insert([flow(1, InIfDescription=f"{n} {'x' * 200}") for n in range(500)])
    recent = reading.RecentValues(SCHEMA, DEFAULT_NAMES, max_bytes=1_000_000)
    fill(recent, store, 1)
    gc.collect()
    tracemalloc.start()
    try:
        before = recent.bytes_kept
        counted = fill(recent, store, 20)
        gc.collect()
        in_memory = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert before < counted <= 1_000_000
    assert 0.7 * in_memory < counted < 2 * in_memory


def test_what_is_remembered_goes_when_its_time_is_over(store):
    now = [0.0]
    recent = reading.RecentValues(SCHEMA, DEFAULT_NAMES, clock=lambda: now[0])
    store.insert([flow(1, InIfDescription="x")])
    one = fill(recent, store, 1)
    assert fill(recent, store, 5) > one
    now[0] = 61.0
    assert fill(recent, store, 1) == one


def test_scopes_do_not_share_what_is_remembered(put, engine):
    put(*[flow(1, SrcPort=ord(tenant), ExporterTenant=tenant) for tenant in "ab"])
    for tenant in "ab":
        asking = Asking(NOW, scope=parse(f'ExporterTenant = "{tenant}"', SCHEMA))
        assert [v.value for v in values(engine, "SrcPort", asking)] == [ord(tenant)]
        assert [v.value for v in values(engine, "ExporterTenant", asking)] == [tenant]


def test_long_ranges_are_cut_to_the_latest_part(put, engine):
    put(flow(100, SrcPort=1, InIfProvider="new"), flow(-2000, SrcPort=2, InIfProvider="old"))
    assert [v.value for v in values(engine, "SrcPort", start=FOREVER)] == [1]
    names = {v.value for v in values(engine, "InIfProvider", start=FOREVER)}
    assert names == {"new", "old"}


def test_columns_of_rollups_are_read_from_them(put, store, engine):
    put(flow(1))
    values(engine, "SrcAS")
    values(engine, "SrcPort")
    (rolled, _), (raw, _) = store.asked
    assert "flows_1m0s" in rolled
    assert "flows_1m0s" not in raw


def test_times_have_no_values(store, engine):
    assert values(engine, "TimeReceived") == []
    assert store.asked == []


def test_unknown_column_is_refused(engine):
    with pytest.raises(QueryError, match="did you mean 'SrcAS'"):
        values(engine, "SrcAsn")


def test_engine_without_rollups_answers_too(store):
    store.insert([flow(100, SrcAS=5)])
    engine = QueryEngine(store, SCHEMA, lambda: TABLES[:1])
    assert [v.value for v in values(engine, "SrcAS")] == [5]


def test_a_filter_with_or_keeps_to_the_range(put, engine):
    put(flow(10, SrcAS=1), flow(20, SrcAS=2), flow(-7200, SrcAS=1), flow(7200, SrcAS=2))
    end = datetime.fromtimestamp(BASE + 3600, UTC)
    found = values(engine, "SrcAS", start=datetime.fromtimestamp(BASE, UTC), end=end, filter="SrcAS = 1 OR SrcAS = 2")
    assert [(value.value, value.flows) for value in found] == [(1, 1), (2, 1)]
