"""Questions are answered with bound parameters, within bounds, and change nothing."""

import threading
from datetime import UTC, datetime
from ipaddress import ip_address

import numpy as np
import pytest

from millrace.errors import MillraceError, QueryError, QueryTimeoutError, StoreFullError
from millrace.store.faults import EngineError, of_read
from unit.store.made_flows import NOW_MS, few_keys, totals


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", "it's a \\ 'quote' \" {x:String} ; DROP TABLE flows --"),
        ("String", "tab\t line\n return\r null\0 bell\b feed\f"),
        ("String", ""),
        ("String", "\\N"),
        ("UInt64", 2**64 - 1),
        ("Float64", 1.5),
        ("Bool", True),
        ("Array(UInt32)", [1, 2, 3]),
        ("Array(String)", ["it's", "a\\b", "tab\t", "], 'x"]),
        ("Nullable(String)", None),
        ("DateTime64(3, 'UTC')", datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)),
    ],
)
def test_a_parameter_comes_back_as_it_was_given(store, kind, value):
    assert store.query(f"SELECT {{p:{kind}}} AS v", {"p": value}).to_pylist() == [{"v": value}]


def test_parameters_that_are_addresses_or_numpy_numbers(store):
    found = store.query(
        "SELECT {a:IPv6} = {b:IPv6} AS same, {n:UInt32} AS n",
        {"a": ip_address("2001:db8::1"), "b": ip_address("2001:db8::1").packed, "n": np.uint32(7)},
    )
    assert found.to_pylist() == [{"same": 1, "n": 7}]


def test_a_parameter_of_an_unknown_kind_is_refused(store):
    with pytest.raises(QueryError, match="object"):
        store.query("SELECT {p:String}", {"p": object()})


def test_times_and_enumerations_are_typed(store):
    store.insert(few_keys(3, NOW_MS, 1))
    row = store.query("SELECT toStartOfHour(TimeReceived) AS t, FlowDirection, TimeReceived FROM flows LIMIT 1")
    assert row.to_pylist() == [
        {
            "t": datetime.fromtimestamp(NOW_MS / 1000, UTC),
            "FlowDirection": "undefined",
            "TimeReceived": datetime.fromtimestamp(NOW_MS / 1000, UTC),
        }
    ]


def test_an_empty_result_has_its_columns(store):
    assert store.query("SELECT TimeReceived, Proto FROM flows WHERE 0;").column_names == ["TimeReceived", "Proto"]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE flows",
        "INSERT INTO flows (Proto) VALUES (6)",
        "ALTER TABLE flows DELETE WHERE 1",
        "CREATE TABLE x (a UInt8) ENGINE = Memory",
        "SET readonly = 0",
        "SYSTEM STOP MERGES",
    ],
)
def test_nothing_can_be_changed(store, sql):
    store.insert(few_keys(5))
    for ask in (store.query, store.execute_local):
        with pytest.raises(QueryError):
            ask(sql)
    assert store.query("SELECT count() AS n FROM flows").to_pylist() == [{"n": 5}]


def test_wrong_sql_says_what_is_wrong(store):
    with pytest.raises(QueryError, match="SrcAsn"):
        store.query("SELECT SrcAsn FROM flows")


def test_too_many_rows_too_much_time_too_much_memory(store):
    with pytest.raises(QueryError, match="more rows than it may"):
        store.query("SELECT number FROM numbers(1000)", max_rows=10)
    with pytest.raises(QueryTimeoutError, match="longer than it may"):
        store.query("SELECT sum(sipHash64(number)) FROM numbers(100000000000)", max_seconds=0.2)
    with pytest.raises(QueryError, match="more memory than it may"):
        store.query("SELECT groupArray(number) FROM numbers(100000000)", max_memory_bytes=20_000_000)
    assert store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_full_device_is_no_mistake_of_who_asks():
    """As the engine says it: a device that is full at the right moment cannot be had here."""
    said = "Code: 243. DB::Exception: Not enough space on temporary disk, cannot reserve 275355049 bytes"
    error = of_read(EngineError.of(said))
    assert isinstance(error, StoreFullError)
    assert "free some space" in str(error)


def test_inserts_and_short_queries_go_on_during_a_long_query(store):
    finished = threading.Event()

    def ask_long():
        with pytest.raises(QueryError):
            store.query(
                "SELECT sum(sipHash64(number)) FROM numbers(100000000000) SETTINGS max_threads = 1", max_seconds=1
            )
        finished.set()

    thread = threading.Thread(target=ask_long)
    thread.start()
    store.insert(few_keys(10))
    assert store.query("SELECT count() AS n FROM flows").to_pylist() == [{"n": 10}]
    assert not finished.is_set()
    thread.join()


def test_many_threads_may_ask_at_the_same_time(open_store):
    store = open_store(query_connections=2)
    store.insert(few_keys(1000))
    answers = []

    def ask(number):
        answers.append(store.query("SELECT {n:UInt32} AS n, count() AS c FROM flows", {"n": number}).to_pylist()[0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer["n"] for answer in answers) == list(range(12))
    assert {answer["c"] for answer in answers} == {1000}


def test_local_output_formats(store):
    store.insert(few_keys(2))
    assert store.execute_local("SELECT count() FROM flows", "TSV") == b"2\n"
    assert store.execute_local("SELECT count() AS n FROM flows", "JSONEachRow") == b'{"n":2}\n'
    assert "┌" in store.execute_local("SELECT count() AS n FROM flows").decode()


def test_many_large_questions_at_a_time_are_all_answered_and_inserts_go_on(open_store):
    """Together they would need more than the engine may take."""
    store = open_store(query_connections=12, query_max_seconds=300)
    wrong, answers, asking = [], [], threading.Event()
    groups = "SELECT number % {rows:UInt64} AS x, count() AS n FROM numbers(6000000) GROUP BY x"

    def ask():
        asking.set()
        try:
            answers.append(store.query(f"SELECT max(n) AS most FROM ({groups})", {"rows": 4_000_000}).to_pylist())
        except MillraceError as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    assert asking.wait(10)
    inserted = 0
    while any(thread.is_alive() for thread in threads):
        store.insert(few_keys(20_000))
        inserted += 20_000
    for thread in threads:
        thread.join()
    assert wrong == []
    assert answers == [[{"most": 2}]] * 12
    assert totals(store, "flows")[0] == inserted > 0
