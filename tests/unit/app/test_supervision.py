"""Parts that fail are told, go on, recover, and cost the other parts nothing."""

import json
import signal
import threading
import time

import pytest

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.errors import StoreError, StoreFullError
from millrace.generate import LoadPool
from millrace.store.store import Maintenance


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def made(folder, **settings):
    return Application(
        Settings.model_validate(
            {
                "data": folder,
                "receive": {"listeners": ["127.0.0.1:0"]},
                "api": {"enabled": False},
                "pipeline": {"flush_interval_s": 0.05, "retry_interval_s": 0.05, "stop_timeout_s": 0.5},
                **settings,
            }
        )
    )


@pytest.fixture
def application(tmp_path, monkeypatch):
    monkeypatch.setattr("millrace.app.application._MAINTENANCE_INTERVAL_S", 0.05)
    monkeypatch.setattr("millrace.app.application._NAMES_INTERVAL_S", 0.05)
    application = made(tmp_path)
    yield application
    application.pipeline.give_up_waiting()
    application.stop()


def condition(application, component):
    return application.health.report().components[component]


def feed(application):
    """240 flows."""
    pool = LoadPool("ipfix", datagrams=10)
    now_ns = time.time_ns()
    application.pipeline.put(pool.preamble(now_ns).batch("192.0.2.1", time_ns=now_ns))
    application.pipeline.put(pool.take(10, now_ns).batch("192.0.2.1", time_ns=now_ns))


def test_every_thread_has_a_condition_and_all_are_well(application):
    application.start()
    wait_for(lambda: application.health.report().status == "ok")
    assert set(application.health.report().components) == {
        "receive", "decoder", "writer", "counters", "maintenance", "memory", "names", "store", "sql",
    }  # fmt: skip


def test_the_servers_have_conditions_and_counts_too(tmp_path):
    application = made(tmp_path, api={"enabled": True, "port": 0})
    application.start()
    try:
        assert condition(application, "api").status == condition(application, "sql").status == "ok"
        text = application.metrics.render()[0].decode()
        assert 'millrace_threads_restarts_total{thread="api"} 0.0' in text
        assert 'millrace_threads_restarts_total{thread="sql"} 0.0' in text
    finally:
        application.stop()


@pytest.mark.parametrize("error", [RuntimeError("no table"), MemoryError("no table"), SystemExit("no table")])
def test_names_that_cannot_be_taken_over_end_neither_rollups_nor_the_job(application, monkeypatch, error):
    failing = [error]

    def with_names(names):
        if failing:
            raise failing[0]
        return enricher

    enricher = application._enricher
    monkeypatch.setattr(type(enricher), "with_names", lambda self, names: with_names(names))
    rounds = []
    maintain = application.store.maintain
    monkeypatch.setattr(application.store, "maintain", lambda now_ms: rounds.append(1) or maintain(now_ms))
    application.start()
    wait_for(lambda: condition(application, "names").status == "degraded")
    assert "no table" in condition(application, "names").reasons[0]
    seen = len(rounds)
    wait_for(lambda: len(rounds) > seen + 3)
    assert condition(application, "maintenance").status == "ok"
    failing.clear()
    wait_for(lambda: condition(application, "names").status == "ok")
    told = condition(application, "names")
    assert "no table" in told.last_error
    assert told.last_error_at is not None


def test_maintenance_that_fails_is_told_and_goes_on(application, monkeypatch):
    answers = [RuntimeError("defect")]

    def maintain(now_ms):
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    monkeypatch.setattr(application.store, "maintain", maintain)
    application.start()
    wait_for(lambda: condition(application, "maintenance").status == "degraded")
    answers[0] = Maintenance(errors=["retention of flows: no"])
    wait_for(lambda: "retention of flows: no" in str(condition(application, "maintenance").reasons))
    answers[0] = Maintenance()
    wait_for(lambda: condition(application, "maintenance").status == "ok")
    text = application.metrics.render()[0].decode()
    assert 'millrace_threads_failures_total{thread="maintenance"}' in text
    assert 'millrace_threads_runs_total{thread="names"}' in text


def test_a_store_that_refuses_and_then_accepts_is_told_and_over(application, monkeypatch):
    refusing = [StoreFullError("no room is left")]
    insert = application.store.insert

    def refuse(flows, *, token=None):
        if refusing:
            raise refusing[0]
        insert(flows, token=token)

    monkeypatch.setattr(application.store, "insert", refuse)
    application.start()
    status = application.services().status
    assert status()["storing"] == "yes"
    feed(application)
    wait_for(lambda: condition(application, "writer").status == "failed")
    assert "no room is left" in condition(application, "writer").reasons[0]
    assert status()["storing"] == "refused"
    assert condition(application, "counters").status == "ok"
    refusing.clear()
    wait_for(lambda: condition(application, "writer").status == "ok")
    assert status()["storing"] == "yes"
    assert application.pipeline.writer.stored == 240


def test_losses_are_told_for_a_while_and_counted_for_ever(application, monkeypatch):
    monkeypatch.setattr("millrace.pipeline.losses.LATELY_S", 0.3)
    application.pipeline.writer.dropped.add("insert-failed", 7)
    application.pipeline.refused.add("queue-full", 3)
    application.start()
    application.pipeline.writer.dropped.add("insert-failed", 1)
    assert condition(application, "writer").reasons == ("flows were given up: 8 insert-failed",)
    wait_for(lambda: application.health.report().status == "ok")
    status = application.services().status()
    assert status["dropped_flows"] == {"insert-failed": 8}
    assert status["refused_datagrams"] == 3


@pytest.mark.parametrize("part", ["receiver", "pipeline", "api"])
def test_a_part_that_does_not_stop_costs_the_others_nothing(tmp_path, monkeypatch, part):
    application = made(tmp_path, api={"enabled": True, "port": 0})
    owner = getattr(application, part)
    stop = owner.stop

    def fail():
        stop()
        raise RuntimeError("does not stop")

    monkeypatch.setattr(owner, "stop", fail)
    application.start()
    feed(application)
    application.stop()
    assert application.failed_stops == [part]
    assert application.pipeline.writer.stored == 240
    # The store was closed: another may open the folder.
    again = made(tmp_path)
    again.start()
    assert again.store.query("SELECT count() AS n FROM flows")["n"][0].as_py() == 240
    again.stop()


def test_an_interrupt_in_the_middle_of_a_stop_still_stops_the_rest(tmp_path, monkeypatch):
    application = made(tmp_path)
    stop = application.receiver.stop

    def interrupted():
        stop()
        raise KeyboardInterrupt

    monkeypatch.setattr(application.receiver, "stop", interrupted)
    application.start()
    with pytest.raises(KeyboardInterrupt):
        application.stop()
    assert application.failed_stops == ["receiver"]
    assert not application.pipeline.alive
    again = made(tmp_path)
    again.start()
    again.stop()


@pytest.fixture
def signals(monkeypatch):
    """Handlers of signals, which are called and not installed."""
    handlers = {}
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.update({number: handler}))
    return handlers


@pytest.mark.parametrize("refuses", [False, True])
def test_a_run_says_whether_all_was_stored(tmp_path, monkeypatch, signals, refuses):
    application = made(tmp_path)
    if refuses:

        def refuse(*_, **__):
            raise StoreError("no")

        monkeypatch.setattr(application.store, "insert", refuse)

    def end():
        feed(application)
        wait_for(lambda: application.pipeline.writer.waiting_rows or application.pipeline.writer.stored)
        signals[signal.SIGTERM]()

    assert application.run(end) is not refuses
    assert application.unstored.flows == (240 if refuses else 0)


def test_a_second_signal_ends_the_wait_for_a_store_that_refuses(tmp_path, monkeypatch, signals):
    application = made(tmp_path, pipeline={"flush_interval_s": 0.05, "stop_timeout_s": 60})

    def refuse(*_, **__):
        raise StoreFullError("no room")

    monkeypatch.setattr(application.store, "insert", refuse)

    def end():
        feed(application)
        wait_for(lambda: application.pipeline.writer.last_error)
        signals[signal.SIGINT]()
        threading.Timer(0.5, signals[signal.SIGINT]).start()

    began = time.monotonic()
    assert not application.run(end)
    assert time.monotonic() - began < 20


def test_a_state_that_cannot_be_read_is_no_reason_not_to_start(tmp_path):
    (tmp_path / "state.json").write_text(json.dumps({"format": 1, "templates": [{"exporter": 7}, None], "sampling": 3}))
    application = made(tmp_path)
    application.start()
    feed(application)
    application.stop()
    assert application.pipeline.writer.stored == 240
