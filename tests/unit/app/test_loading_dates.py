"""Files with dates that cannot be do not fill the store with partitions."""

from __future__ import annotations

import time

import numpy as np
import pytest

from millrace.app.application import Application
from millrace.app.loading import AHEAD_NS, MOST_DAYS, Dates, load_captures
from millrace.app.settings import Settings
from millrace.batch import DatagramBatch
from millrace.testing.netflow import LegacyRecord, v5
from unit.receive.capture_files import ethernet, pcap, udp

DAY_S = 86_400


@pytest.fixture
def settings(tmp_path):
    return Settings.model_validate(
        {"data": tmp_path / "data", "api": {"enabled": False}, "pipeline": {"flush_interval_s": 0.05}}
    )


def dated(path, seconds):
    """A capture of a flow at each of these Unix seconds."""
    frame = ethernet(udp(v5(LegacyRecord()), source="198.51.100.7"))
    path.write_bytes(pcap([frame] * len(seconds), times=[(int(second), 0) for second in seconds]))
    return path


def stored(settings):
    """Days of stored flows, and parts of the store."""
    application = Application(settings)
    application.store.start()
    try:
        (days,) = application.store.query(
            "SELECT groupArray(Day) AS Days, groupArray(Flows) AS Flows FROM (SELECT toUnixTimestamp(toStartOfDay("
            "TimeReceived)) AS Day, count() AS Flows FROM flows GROUP BY Day ORDER BY Day)"
        ).to_pylist()
        return dict(zip(days["Days"], days["Flows"], strict=True))
    finally:
        application.store.stop()


def test_times_more_than_a_day_ahead_count_as_received_now(tmp_path, settings):
    now = int(time.time())
    ahead = [now + n * DAY_S for n in range(2, 1502)]
    loaded = load_captures(settings, [dated(tmp_path / "far.pcap", [now - 60, now + 3600, *ahead])])
    assert (loaded.flows, loaded.implausible_times, loaded.too_many_days) == (1502, 1500, 0)
    days = stored(settings)
    assert sum(days.values()) == 1502
    assert max(days) <= now + 2 * DAY_S
    assert len(days) <= 3


def test_a_file_has_a_bound_of_days(tmp_path, settings):
    now = int(time.time())
    early, late = MOST_DAYS + 30, MOST_DAYS
    seconds = [now - n * 3 * DAY_S for n in range(early, 0, -1)]
    loaded = load_captures(settings, [dated(tmp_path / "wide.pcap", seconds)])
    assert (loaded.flows, loaded.too_many_days) == (late, 30)
    assert len(stored(settings)) == late


def test_each_file_has_its_own_days():
    dates, now_ns = Dates(), time.time_ns()
    for _ in range(2):
        dates.begin_file()
        for first in range(0, MOST_DAYS + 10, 7):
            times = [now_ns - (first + n) * DAY_S * 10**9 for n in range(7)]
            dates.check(DatagramBatch.from_payloads([b"x"] * 7, time_ns=times), now_ns)
    amount = len(range(0, MOST_DAYS + 10, 7)) * 7
    assert dates.left_out == 2 * (amount - MOST_DAYS)


@pytest.mark.parametrize("time_ns", [-1, -(2**62), 2**62, 2**63 - 1])
def test_times_out_of_all_reason(time_ns):
    dates, now_ns = Dates(), time.time_ns()
    batch = dates.check(DatagramBatch.from_payloads([b"x", b"y"], time_ns=[time_ns, now_ns - 5]), now_ns)
    assert batch.time_ns.tolist() == [now_ns, now_ns - 5]
    assert dates.implausible == 1


def test_sound_times_are_left_as_they_are():
    dates, now_ns = Dates(), time.time_ns()
    batch = DatagramBatch.from_payloads([b"x"] * 3, time_ns=[0, now_ns, now_ns + AHEAD_NS])
    assert dates.check(batch, now_ns) is batch
    assert np.array_equal(batch.time_ns, [0, now_ns, now_ns + AHEAD_NS])
    assert (dates.implausible, dates.left_out) == (0, 0)
