"""Errors of the engine are told from every other error, and leave the store as errors of the store."""

import types

import pytest

from millrace.errors import QueryTimeoutError, StoreCorruptError, StoreError, StoreFullError
from millrace.store import Doomed
from millrace.store.connection import Connection
from millrace.store.faults import EngineError, of_read
from unit.store.made_flows import HOUR_MS, NOW_MS, assert_rollups_agree, few_keys, totals

SYSTEM = Doomed("SrcAS = 64501", "SrcAS = {p0:UInt32}", {"p0": 64501}, ("SrcAS",))
MINUTE_MS = 60_000
SERVER = {"session_timezone": "UTC"}
ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"


def deeper(*_, **__):
    """A defect of our own."""
    return deeper()


@pytest.fixture
def connection(folder):
    opened = Connection(folder, SERVER)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("statement", "code", "transient"),
    [
        ("SELECT 1 +\n\nFROM numbers(1)", 62, False),
        ("SELECT 1 FROM nowhere", 60, False),
        ("SELECT nothing", 47, False),
        ("SELECT throwIf(1, 'a text')", 395, False),
        ("SELECT number FROM numbers(10) SETTINGS max_result_rows = 1, max_block_size = 1", 396, False),
        ("SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 20000000", 241, True),
        (f"{ENDLESS} SETTINGS max_execution_time = 0.1", 159, True),
    ],
)
def test_an_error_of_a_statement_has_the_engines_code_and_says_whether_it_passes(
    connection, statement, code, transient
):
    with pytest.raises(EngineError) as caught:
        connection.read(statement, "TSV")
    error = caught.value
    assert (error.code, error.transient) == (code, transient)
    assert str(error).startswith(f"Code: {code}. DB::Exception: ")
    assert "\n" not in str(error)
    assert "Stack trace" not in str(error)
    assert connection.read("SELECT 1", "TSV") == b"1\n"


def test_what_a_failed_statement_had_written_is_not_in_the_answer_of_the_next_one(connection):
    for _ in range(30):
        with pytest.raises(EngineError):
            connection.read("SELECT number FROM numbers(10) SETTINGS max_result_rows = 1, max_block_size = 1", "TSV")
        assert connection.read("SELECT 1", "TSV") == b"1\n"


def test_a_statement_that_gives_nothing_back_fails_in_the_same_way(connection):
    with pytest.raises(EngineError, match="nowhere") as caught:
        connection.execute("DROP TABLE nowhere")
    assert caught.value.code == 60


def test_an_engine_that_cannot_be_opened_is_an_error_of_the_engine(connection, tmp_path):
    with pytest.raises(EngineError, match="already initialized with path"):
        Connection(tmp_path / "other", SERVER)


def test_what_the_engine_says_is_kept_as_one_line_without_its_stack():
    error = EngineError.of(
        "Code: 252. DB::Exception: Too many parts\n(300). (TOO_MANY_PARTS), Stack trace (when copying this message, "
        "always include the lines below):\n\n0. DB::Exception::Exception @ 0x1\n1. main @ 0x2\n"
    )
    assert str(error) == "Code: 252. DB::Exception: Too many parts (300). (TOO_MANY_PARTS)"
    assert error.transient


@pytest.mark.parametrize(
    ("said", "code", "transient"),
    [
        ("std::exception. Code: 1001, type: std::bad_alloc", 0, False),
        ("Code: 75. DB::Exception: Cannot write to file: errno: 28, strerror: No space left on device", 75, True),
        ("Code: 394. DB::Exception: Query was cancelled", 394, False),
        ("Code: 246. DB::Exception: Unexpected size of part", 246, False),
        ("", 0, False),
    ],
)
def test_code_and_whether_it_passes_are_read_from_the_text(said, code, transient):
    error = EngineError.of(said)
    assert (str(error), error.code, error.transient) == (said, code, transient)


def test_a_code_within_a_text_of_a_user_is_not_the_engines():
    error = EngineError.of("Code: 159. DB::Exception: Timeout exceeded: at 'Code: 246. DB::Exception: damaged'")
    assert error.code == 159
    assert isinstance(of_read(error), QueryTimeoutError)


@pytest.mark.parametrize("kind", [RecursionError, NotImplementedError])
def test_errors_that_chdb_takes_for_the_engines_stay_what_they_are(monkeypatch, tmp_path, kind):
    """It makes its own error of every RuntimeError of the extension module."""

    def query(*_, **__):
        raise kind("ours")

    module = types.SimpleNamespace(connect=lambda _: types.SimpleNamespace(query=query, close=lambda: None))
    monkeypatch.setattr("chdb.state.sqlitelike._chdb", module)
    connection = Connection(tmp_path, SERVER)
    for ask in (connection.execute, lambda sql: connection.read(sql, "TSV")):
        with pytest.raises(kind, match="ours"):
            ask("SELECT 1")


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def test_a_defect_on_the_way_of_a_question_is_no_mistake_of_who_asks(store):
    with pytest.raises(RecursionError):
        store.query("SELECT {values:Array(UInt8)}", {"values": nested(20_000)})
    assert store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_defect_on_the_way_of_an_insert_is_no_refusal_of_the_engine(store, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("millrace.store.native.encode", deeper)
        with pytest.raises(RecursionError):
            store.insert(few_keys(10), token="a")
    store.insert(few_keys(10), token="a")
    assert totals(store, "flows")[0] == 10


def test_a_defect_at_the_start_is_no_damage_of_the_folder(open_store, monkeypatch):
    open_store().insert(few_keys(10))
    with monkeypatch.context() as broken:
        broken.setattr("millrace.store.dictionaries.read", deeper)
        with pytest.raises(RecursionError):
            open_store()
    store = open_store()
    assert totals(store, "flows")[0] == 10
    assert store.status().tables["flows"].detached == 0


def test_flows_that_a_defect_kept_from_a_rollup_go_into_it_later(store, monkeypatch):
    store.insert(few_keys(500, NOW_MS - HOUR_MS, HOUR_MS))
    with monkeypatch.context() as broken:
        broken.setattr("millrace.store.rollups.rollup_statement", deeper)
        with pytest.raises(RecursionError):
            store.maintain(NOW_MS + MINUTE_MS)
    assert store.status().rolled_up_to_ms["1m"] is None
    assert store.maintain(NOW_MS + MINUTE_MS).rolled_up_rows["1m"] == 500
    store.wait_until_rolled_up(NOW_MS + MINUTE_MS)
    assert_rollups_agree(store)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Code: 241. DB::Exception: (total) memory limit exceeded", StoreError),
        ("Code: 243. DB::Exception: Cannot reserve 1.00 MiB", StoreFullError),
        ("Code: 246. DB::Exception: Unexpected size of part", StoreCorruptError),
        ("Code: 999. DB::Exception: who knows", StoreCorruptError),
    ],
)
def test_a_start_that_may_succeed_later_is_not_called_damage(open_store, folder, monkeypatch, said, kind):
    def fail(*_):
        raise EngineError.of(said)

    with monkeypatch.context() as broken:
        broken.setattr("millrace.store.dictionaries.install", fail)
        with pytest.raises(StoreError, match="cannot be opened") as caught:
            open_store()
    assert type(caught.value) is kind
    assert str(folder) in str(caught.value)
    assert totals(open_store(), "flows")[0] == 0


@pytest.mark.parametrize(
    "act",
    [
        lambda store: store.status(),
        lambda store: store.prunable(),
        lambda store: store.prune(expired=True),
        lambda store: store.forecast_deletion(SYSTEM),
        lambda store: store.delete(SYSTEM),
    ],
)
def test_what_the_engine_refuses_is_an_error_of_the_store(store, monkeypatch, act):
    def fail(*_):
        raise EngineError.of("Code: 241. DB::Exception: (total) memory limit exceeded: would use 1.1 GiB")

    with monkeypatch.context() as broken:
        broken.setattr(store._engine, "rows", fail)
        with pytest.raises(StoreError, match=r"the engine refused while .*: \(total\) memory limit"):
            act(store)
