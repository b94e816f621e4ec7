"""`millrace store`: what would go is shown, and asked for, before it goes."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from millrace.batch import Coded, map_ipv4
from millrace.cli.main import app
from millrace.errors import QueryError, StoreError, StoreLockedError, StoreLossError
from millrace.schema import Column, Kind, Schema
from millrace.store import EmbeddedStore, StoreSettings
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, totals

DAY_MS = 24 * HOUR_MS
WIDE = Schema([Column("Colour", Kind.U32, "Colour", "A user's column.", "Own columns")])


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a folder with a configuration; errors of ours come out as such."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    (tmp_path / "millrace.yaml").write_text("data: data\n")

    def run(*words, stdin=None):
        result = CliRunner().invoke(app, ["store", *words, "--config", "millrace.yaml"], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    return run


def opened(folder, schema=SCHEMA, **settings):
    return EmbeddedStore(folder / "data", schema, StoreSettings(**settings))


@pytest.fixture
def filled(tmp_path):
    """Flows of two hosts, also from 40 days ago, and a column of the user."""
    addresses = map_ipv4(np.array([0xC6336401, 0xC6336402], ">u4"))
    with opened(tmp_path, WIDE, retention_raw_days=60, retention_1m_days=60) as store:
        for seed, days in enumerate((40, 1)):
            flows = few_keys(100, NOW_MS - days * DAY_MS, seed=seed)
            flows.put("SrcAddr", Coded((np.arange(100) % 2).astype(np.int32), addresses))
            flows.put("Colour", np.full(100, 7, np.uint32))
            store.insert(flows)
        store.wait_until_rolled_up(NOW_MS)
    return tmp_path


def test_prune_shows_what_would_go_and_deletes_nothing(run, filled):
    output = run("prune")
    assert "table flows was kept for 60 days and would be for 15, losing 100 rows" in output
    assert "expired in flows: 100 rows" in output
    assert "column Colour of flows" in output
    assert "nothing was deleted" in output
    with opened(filled, WIDE, retention_raw_days=60, retention_1m_days=60) as store:
        assert totals(store, "flows")[0] == 200
        assert store.query("SELECT DISTINCT Colour FROM flows").to_pylist() == [{"Colour": 7}]


def test_prune_asks_and_a_no_is_a_no(run, filled):
    assert "nothing was deleted" in run("prune", "--expired", "--columns", stdin="n\nn\n")
    with pytest.raises(StoreLossError):
        opened(filled).start()


def test_prune_deletes_what_expired_and_the_shorter_retention_counts(run, filled):
    assert "done" in run("prune", "--expired", stdin="y\n")
    with opened(filled, WIDE) as store:
        assert totals(store, "flows")[0] == 100
        assert totals(store, "flows_1h0m0s")[0] == 200
        assert store.query("SELECT DISTINCT Colour FROM flows").to_pylist() == [{"Colour": 7}]
    shown = run("audit")
    assert "prune" in shown
    assert "asked for: older than 15 days" in shown
    acts = [json.loads(line)["act"] for line in run("audit", "--json").splitlines()]
    assert set(acts) == {"prune", "keep"}


def test_prune_drops_columns_only_when_asked(run, filled):
    run("prune", "--columns", "--yes")
    with opened(filled, WIDE, retention_raw_days=60, retention_1m_days=60) as store:
        assert totals(store, "flows")[0] == 200
        assert store.query("SELECT DISTINCT Colour FROM flows").to_pylist() == [{"Colour": 0}]
    with pytest.raises(StoreError, match=r"no column .* is called Shape"):
        run("prune", "--column", "Shape")


def test_delete_shows_asks_and_deletes(run, filled):
    words = ("delete", "--filter", "SrcAddr = 198.51.100.1")
    output = run(*words, stdin="n\n")
    assert "100 flows match" in output
    assert "nothing was deleted" in output
    assert "deleted 100 flows" in run(*words, stdin="y\n")
    assert "0 flows match" in run(*words)
    with opened(filled, WIDE, retention_raw_days=60, retention_1m_days=60) as store:
        assert totals(store, "flows")[0] == 100
        assert_rollups_agree(store)
    line = next(line for line in map(json.loads, run("audit", "--json").splitlines()) if line["act"] == "delete")
    assert (line["rows"], line["filter"]) == (100, "SrcAddr = 198.51.100.1")


def test_delete_by_time_alone(run, filled):
    from datetime import UTC, datetime

    before = datetime.fromtimestamp(NOW_MS / 1000 - 20 * 86_400, UTC).strftime("%Y-%m-%d")
    assert "deleted 100 flows" in run("delete", "--to", before, "--yes")
    with opened(filled, WIDE, retention_raw_days=60, retention_1m_days=60) as store:
        assert totals(store, "flows")[0] == totals(store, "flows_1h0m0s")[0] == 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say which flows"),
        (("--filter", "SrcAdr = 1.2.3.4"), "did you mean"),
        (("--from", "yesterday"), "is not a time"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "the range is empty"),
    ],
)
def test_a_wrong_question_is_refused_before_anything_is_opened(run, words, said):
    with pytest.raises(QueryError, match=said):
        run("delete", *words)


def test_a_folder_in_use_or_none_at_all_is_refused(run, filled):
    with opened(filled, WIDE, retention_raw_days=60, retention_1m_days=60), pytest.raises(StoreLockedError):
        run("delete", "--filter", "Proto = 6")
    (filled / "millrace.yaml").write_text("data: elsewhere\n")
    with pytest.raises(StoreError, match="not a data folder"):
        run("prune")
    assert not (filled / "elsewhere").exists()
