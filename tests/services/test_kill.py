"""`kill -9` during load, again and again: the store opens, little is missing, templates are known."""

import os
import socket
import struct
import time

import pytest

from services.collector import Collector, wait_for

FLUSH_INTERVAL_S = 0.5
SLACK_S = 1.0
"""Time for the kernel, the decoder and the insert itself, on a busy machine."""

KILLS = 10 if os.environ.get("MILLRACE_LONG") else 5

TEMPLATE = struct.pack("!HHHHHHHHHHHHHHHH", 2, 32, 256, 6, 8, 4, 12, 4, 7, 2, 11, 2, 1, 8, 2, 8)


def _message(sequence: int, sets: bytes) -> bytes:
    return struct.pack("!HHIII", 10, 16 + len(sets), int(time.time()), sequence, 1) + sets


def _data(first: int, records: int) -> bytes:
    body = b"".join(
        struct.pack("!4s4sHHQQ", b"\xc0\0\2\1", b"\xc0\0\2\2", 1, 2, first + index, 1) for index in range(records)
    )
    return struct.pack("!HH", 256, 4 + len(body)) + body


class Exporter:
    """Announces its template once, then sends records that carry their own number in `Bytes`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._target = ("127.0.0.1", port)
        self.sent: list[tuple[float, int, int]] = []
        self._next = 1

    def announce(self) -> None:
        self._socket.sendto(_message(0, TEMPLATE), self._target)

    def send(self, seconds: float, records: int = 20) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._socket.sendto(_message(self._next, _data(self._next, records)), self._target)
            self.sent.append((time.monotonic(), self._next, self._next + records))
            self._next += records
            time.sleep(0.002)

    def acknowledged_by(self, moment: float) -> set[int]:
        return {number for when, first, stop in self.sent if when <= moment for number in range(first, stop)}

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def collector(tmp_path):
    collector = Collector(tmp_path, f"pipeline:\n  flush_interval_s: {FLUSH_INTERVAL_S}\n")
    yield collector
    collector.stop()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_kills_lose_at_most_the_last_flush_interval(collector):
    exporter = Exporter(collector.udp_port)
    wanted: set[int] = set()
    for attempt in range(KILLS):
        collector.start()
        if attempt == 0:
            exporter.announce()
        began = len(exporter.sent)
        exporter.send(2.0)
        collector.kill()
        killed = time.monotonic()
        safe = exporter.acknowledged_by(killed - FLUSH_INTERVAL_S - SLACK_S)
        wanted |= safe - {n for _, first, stop in exporter.sent[:began] for n in range(first, stop)}
    collector.start()
    exporter.send(0.2)
    last = exporter.sent[-1][2] - 1
    wait_for(lambda: collector.sql(f"SELECT count() AS n FROM flows WHERE Bytes = {last}")[0]["n"] in (1, "1"), 10)
    stored = [int(str(row["Bytes"])) for row in collector.sql("SELECT Bytes FROM flows")]
    exporter.close()
    assert len(stored) == len(set(stored)), "a flow is stored twice"
    assert wanted - set(stored) == set(), "flows older than the last flush interval are missing"
    assert len(wanted) > 1000
