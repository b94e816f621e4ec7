"""A start without the configuration of the store loses nothing: it is refused, with what would be lost."""

import time

import numpy as np
import pytest
from typer.testing import CliRunner

from millrace.app.settings import Settings
from millrace.cli.main import app
from millrace.errors import StoreLossError
from millrace.generate import write_capture
from millrace.query import QueryEngine, StoreTables
from millrace.query.asking import Asking
from millrace.query.questions import ExportQuestion, SearchQuestion
from millrace.store import EmbeddedStore, local_sql
from unit.store.made_flows import HOUR_MS, NOW_MS, few_keys, totals

DAY_MS = 24 * HOUR_MS
OWN = {"columns": [{"name": "FlowId", "type": "u64", "element": {"id": 148}}]}


def settings(folder, **store):
    return Settings.model_validate({"data": folder / "data", "schema": OWN, "store": store})


def opened(chosen):
    return EmbeddedStore(chosen.data, chosen.columns.schema_of(), chosen.store)


def load(capture, folder, *words):
    result = CliRunner().invoke(app, ["load", str(capture), "--data", str(folder / "data"), *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture
def filled(tmp_path):
    """A store kept for 60 days, with a column of the user, 60 % of it older than 15 days."""
    longer = settings(tmp_path, retention_raw_days=60)
    with opened(longer) as store:
        for rows, days in ((600, 30), (400, 1)):
            flows = few_keys(rows, NOW_MS - days * DAY_MS, seed=days)
            flows.put("FlowId", np.arange(1, rows + 1, dtype=np.uint64))
            store.insert(flows)
        store.wait_until_rolled_up(NOW_MS)
    return tmp_path


def test_load_without_the_configuration_is_refused_and_loses_nothing(filled):
    capture = write_capture(filled / "mix.pcap", flows=100, seed=3)
    with pytest.raises(StoreLossError, match=r"600 rows.*millrace store prune"):
        load(capture, filled, "--end-now")
    with opened(settings(filled, retention_raw_days=60)) as store:
        store.maintain(NOW_MS + HOUR_MS)
        assert totals(store, "flows")[0] == 1000
        assert store.query("SELECT countIf(FlowId > 0) AS n FROM flows").to_pylist() == [{"n": 1000}]


def test_load_without_the_column_leaves_it_and_all_questions_work(filled):
    """Where only the column is forgotten (the retention comes by the environment)."""
    capture = write_capture(filled / "mix.pcap", flows=100, seed=3)
    runner = CliRunner(env={"MILLRACE_STORE__RETENTION_RAW_DAYS": "60"})
    done = runner.invoke(app, ["load", str(capture), "--data", str(filled / "data"), "--end-now"])
    assert done.exit_code == 0, done.output

    bare = Settings.model_validate({"data": filled / "data", "store": {"retention_raw_days": 60}})
    assert b"FlowId" in local_sql(bare.data, "SELECT * FROM flows LIMIT 1", "JSONEachRow")
    with opened(bare) as store:
        store.wait_until_rolled_up()
        engine = QueryEngine(store, bare.columns.schema_of(), StoreTables(store.status))
        page = engine.search(SearchQuestion(last_seconds=40 * 86_400, limit=1000), Asking(time.time()))
        assert len(page.flows) == 1000
        assert "FlowId" not in page.flows[0]
        export = engine.export(ExportQuestion(last_seconds=40 * 86_400, columns=["Bytes"]), Asking(time.time()))
        assert sum(table.num_rows for table in export.tables) == totals(store, "flows")[0]
    with opened(settings(filled, retention_raw_days=60)) as store:
        assert store.query("SELECT countIf(FlowId > 0) AS n FROM flows").to_pylist() == [{"n": 1000}]
        assert totals(store, "flows")[0] > 1000
