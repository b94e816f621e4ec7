"""Whatever reads files leaves what the collector was told as it is, and does not use it."""

import json
import signal
import time

import pytest

import millrace
from millrace.app.application import Application
from millrace.app.demo import run_demo
from millrace.app.loading import load_captures
from millrace.app.settings import Settings
from millrace.batch import DatagramBatch
from millrace.errors import SourceError
from millrace.pipeline import Pipeline
from millrace.testing.netflow import V9, Template, template_set, v9
from unit.receive.capture_files import ethernet, pcap, udp

OLD = Template(256, [(8, 4), (12, 4), (1, 4), (2, 4)])
NOW = Template(256, [(8, 4), (12, 4), (2, 4), (1, 4)])
VALUES = ("192.0.2.1", "192.0.2.2", 1000, 1)


ROUTER = "198.51.100.7"


def captured(path, *payloads):
    """A capture of what the router sent."""
    frames = [ethernet(udp(payload, source=ROUTER)) for payload in payloads]
    path.write_bytes(pcap(frames))
    return path


@pytest.fixture
def settings(tmp_path):
    return Settings.model_validate(
        {
            "data": tmp_path / "data",
            "receive": {"listeners": ["127.0.0.1:0"]},
            "api": {"enabled": False},
            "pipeline": {"flush_interval_s": 0.05},
        }
    )


@pytest.fixture
def signals():
    """Handlers of signals as they were, after a demo has taken them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def collect(settings, *payloads):
    """A collector that receives these and stops."""
    application = Application(settings)
    application.start()
    application.pipeline.put(DatagramBatch.from_payloads(payloads, source=ROUTER, time_ns=time.time_ns()))
    application.stop()
    return application


def stored(settings):
    application = Application(settings)
    application.store.start()
    try:
        return application.store.query("SELECT Bytes, Packets FROM flows ORDER BY TimeReceived, Bytes").to_pylist()
    finally:
        application.store.stop()


def test_templates_of_an_old_capture_do_not_decode_what_routers_send_now(tmp_path, settings):
    collect(settings, v9(template_set(V9, NOW), NOW.data(("192.0.2.1", "192.0.2.2", 1, 1000))))
    before = (settings.data / "state.json").read_bytes()
    capture = captured(tmp_path / "old.pcap", v9(template_set(V9, OLD)), v9(OLD.data(VALUES), sequence=1))
    assert load_captures(settings, [capture], end_now=True).flows == 1
    assert (settings.data / "state.json").read_bytes() == before
    collect(settings, v9(NOW.data(("192.0.2.1", "192.0.2.2", 1, 1000)), sequence=2))
    # All have a thousand bytes and one packet, each by its own template.
    assert stored(settings) == [{"Bytes": 1000, "Packets": 1}] * 3


def test_templates_of_the_collector_do_not_decode_a_file(tmp_path, settings):
    collect(settings, v9(template_set(V9, NOW), NOW.data(("192.0.2.1", "192.0.2.2", 1, 1000))))
    capture = captured(tmp_path / "data-only.pcap", v9(OLD.data(VALUES)))
    assert load_captures(settings, [capture], end_now=True).flows == 0


def test_templates_of_an_earlier_file_serve_the_later_ones(tmp_path, settings):
    first = captured(tmp_path / "templates.pcap", v9(template_set(V9, OLD)))
    second = captured(tmp_path / "data.pcap", v9(OLD.data(VALUES), sequence=1))
    assert load_captures(settings, [first, second], end_now=True).flows == 1
    assert not (settings.data / "state.json").exists()


def test_other_readers_of_files_write_nothing(tmp_path, settings, monkeypatch):
    collect(settings, v9(template_set(V9, NOW)))
    before = {path: path.read_bytes() for path in settings.data.glob("*.json")}
    assert before
    capture = captured(tmp_path / "old.pcap", v9(template_set(V9, OLD)), v9(OLD.data(VALUES), sequence=1))
    monkeypatch.chdir(settings.data.parent)
    assert millrace.read(capture)["Bytes"].to_pylist() == [1000]
    assert {path: path.read_bytes() for path in settings.data.glob("*.json")} == before


def test_what_a_store_does_not_take_in_the_end_is_told(tmp_path, settings, monkeypatch):
    capture = captured(tmp_path / "old.pcap", v9(template_set(V9, OLD)), v9(OLD.data(VALUES), sequence=1))

    def refuse(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr("millrace.store.EmbeddedStore.insert", refuse)
    hurried = settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"stop_timeout_s": 0.1})})
    loaded = load_captures(hurried, [capture], end_now=True)
    assert (loaded.flows, loaded.lost) == (0, 1)


@pytest.mark.usefixtures("signals")
def test_the_demos_history_leaves_no_state_and_says_what_it_does(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("millrace.app.demo.HISTORY_FLOWS", 2000, raising=False)
    insert = Pipeline.put
    monkeypatch.setattr(Pipeline, "put", lambda self, batch: told.append("put") or insert(self, batch))
    from millrace.store import EmbeddedStore

    store = EmbeddedStore.insert
    applications = []
    services = Application.services
    monkeypatch.setattr(Application, "services", lambda self: applications.append(self) or services(self))

    def inserted(self, flows, *, token=None):
        told.append(applications[0].services().status()["activity"])
        store(self, flows, token=token)

    monkeypatch.setattr(EmbeddedStore, "insert", inserted)
    run_demo(tmp_path / "demo", http_port=0, rate=1, duration_s=0.1)
    during = [activity for activity in told if activity]
    assert during[0]["text"] == "The demo makes two days of history"
    shares = [activity["share"] or 0.0 for activity in during if activity["text"] == during[0]["text"]]
    assert shares == sorted(shares)
    assert applications[0].services().status()["activity"] is None
    state = tmp_path / "demo" / "state.json"
    assert not state.exists() or json.loads(state.read_text())["exporters"] != []


@pytest.mark.usefixtures("signals")
def test_a_demo_whose_sending_fails_goes_on_sending(tmp_path, monkeypatch):
    attempts = []

    def run(self, *, stop):
        attempts.append(self)
        if len(attempts) == 1:
            raise OSError(105, "No buffer space available")
        stop.wait(5)

    monkeypatch.setattr("millrace.app.demo.MOST_HISTORY_FLOWS", 1000)
    monkeypatch.setattr("millrace.app.demo.FEWER_HISTORY_FLOWS", 1000)
    monkeypatch.setattr("millrace.app.demo.Generator.run", run)
    assert run_demo(tmp_path / "demo", http_port=0, rate=1, duration_s=0.6)
    assert len(attempts) == 2


def test_a_demo_on_a_busy_port_says_so_and_what_to_do(tmp_path):
    import socket

    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(SourceError, match=rf"port {port}.*--port 0"):
            run_demo(tmp_path / "demo", http_port=port, rate=1, duration_s=0.1)
    assert not (tmp_path / "demo").exists()
