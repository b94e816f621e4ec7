"""A stop stores what was received; what a full store does not take is given up in time, counted, and told."""

import json
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from millrace.generate import LoadPool
from services.collector import MILLRACE, Collector, free_port, wait_for

QUICK = "pipeline:\n  flush_interval_s: 0.1\n  retry_interval_s: 0.1\n  stop_timeout_s: 2\n"
FULL = "store:\n  min_free_bytes: 1000000000000000\n"


@pytest.fixture(autouse=True)
def _signals():
    """A signal that whoever runs the tests ignores (``nohup``) would be ignored by what they start, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def collector(tmp_path):
    running = []

    def start(extra):
        running.append(Collector(tmp_path, extra))
        running[0].start()
        return running[0]

    yield start
    for collector in running:
        collector.stop()


def send(collector):
    """240 flows of NetFlow v5."""
    pool = LoadPool("netflow-v5", datagrams=8)
    batch = pool.take(8, 1_700_000_000_000_000_000).batch("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for index in range(len(batch)):
            sock.sendto(batch.payload(index), ("127.0.0.1", collector.udp_port))
    return 8 * pool.per_datagram


def status(collector):
    return httpx.get(f"{collector.url}/api/v1/status", timeout=5).json()


def test_a_stop_stores_what_is_in_flight_and_says_so_by_its_exit_status(collector):
    running = collector(QUICK)
    sent = send(running)
    wait_for(lambda: status(running)["decoded"].get("flows", 0) == sent, 10)
    assert running.stop() == 0
    assert int(running.sql("SELECT count() AS n FROM flows")[0]["n"]) == sent


def test_what_a_full_store_does_not_take_is_given_up_in_time_counted_and_told(collector):
    running = collector(QUICK + FULL)
    sent = send(running)
    wait_for(lambda: status(running)["storing"] == "refused", 10)
    wait_for(lambda: status(running)["waiting_flows"] == sent, 10)
    health = httpx.get(f"{running.url}/health", timeout=5)
    assert health.status_code == 503
    assert health.json()["components"]["writer"]["status"] == "failed"
    assert running.stop() == 3
    told = [json.loads(line) for line in running.log().splitlines() if line.startswith("{")]
    assert [line["flows"] for line in told if line["event"] == "given up at the end"] == [sent]


@pytest.fixture
def spawn(tmp_path):
    """Starts `millrace` with a log file, and ends it after the test."""
    running = []

    def start(*arguments):
        with (tmp_path / "out").open("wb") as out:
            running.append(subprocess.Popen([MILLRACE, *arguments], stdout=out, stderr=out, cwd=tmp_path))
        return running[0]

    yield start
    for process in running:
        process.kill()
        process.wait()


def loads(process):
    """Whether the program's libraries are being loaded."""
    return "numpy" in Path(f"/proc/{process.pid}/maps").read_text()


def answers(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_while_the_program_loads_ends_it_in_order(spawn, tmp_path, number):
    process = spawn("serve", "--data", str(tmp_path / "data"))
    wait_for(lambda: loads(process), 20)
    process.send_signal(number)
    assert process.wait(30) == 0
    assert "Traceback" not in (tmp_path / "out").read_text()


def test_a_terminal_that_is_closed_ends_it_in_order_and_nohup_keeps_it(collector):
    running = collector(QUICK)
    sent = send(running)
    wait_for(lambda: status(running)["decoded"].get("flows", 0) == sent, 10)
    running._process.send_signal(signal.SIGHUP)
    assert running._process.wait(30) == 0
    assert int(running.sql("SELECT count() AS n FROM flows")[0]["n"]) == sent
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    running._process.send_signal(signal.SIGHUP)
    time.sleep(0.7)
    assert running.healthy()


def test_other_commands_end_by_a_signal_as_programs_do(spawn):
    process = spawn("generate", "--to", f"127.0.0.1:{free_port()}", "--rate", "1")
    wait_for(lambda: loads(process), 20)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM


def test_signals_that_go_on_until_the_end_change_nothing_of_it(collector):
    running = collector(QUICK)
    process = running._process
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.005)
    assert process.returncode == 0
    assert "Traceback" not in running.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_demo_is_stopped_as_a_collector_is(spawn, tmp_path, number):
    port = free_port(socket.SOCK_STREAM)
    process = spawn("demo", "--data", str(tmp_path / "demo"), "--port", str(port))
    wait_for(lambda: answers(port), 30)
    process.send_signal(number)
    assert process.wait(30) == 0
    assert "Traceback" not in (tmp_path / "out").read_text()
    # The folder was closed in order.
    assert not (tmp_path / "demo" / "millrace.sock").exists()


def test_a_question_that_runs_does_not_make_the_end_a_crash(collector):
    running = collector(QUICK)
    sent = send(running)
    wait_for(lambda: status(running)["decoded"].get("flows", 0) == sent, 10)
    endless = "SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) % 7 = 3"
    asking = subprocess.Popen(
        [MILLRACE, "sql", "--data", running.data, endless], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        wait_for(lambda: running.sql("SELECT count() AS n FROM system.processes")[0]["n"] not in ("0", "1", 0, 1), 30)
        assert running.stop() == 0
    finally:
        asking.kill()
        asking.communicate()
    assert int(running.sql("SELECT count() AS n FROM flows")[0]["n"]) == sent
