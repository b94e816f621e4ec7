"""The demo's network looks like one that works: ports are neither idle nor full, days are smooth, nothing jumps."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from millrace.app.demo import FEWER_HISTORY_FLOWS, HISTORY_MS, MOST_HISTORY_FLOWS
from millrace.config import ExporterSettings, static_metadata
from millrace.enrich import Enricher
from millrace.generate import GenerateSettings, Generator, Past, default_model
from millrace.generate.curve import intensity
from millrace.generate.demo import demo_metadata

RATE = 20.0
STOP = 1_763_060_400_000  # 2025-11-13T19:00Z, a Thursday
START = STOP - HISTORY_MS
POINT_MS = 300_000
POINTS = HISTORY_MS // POINT_MS
MODEL = default_model().at_rate(RATE)


def past() -> Past:
    return Past(MODEL, RATE, START, STOP, most_flows=MOST_HISTORY_FLOWS, fewer_flows=FEWER_HISTORY_FLOWS)


@pytest.fixture(scope="module")
def course():
    """Bits per second of each port, direction and five minutes; of all; flows per second."""
    ports, flows = {}, np.zeros(POINTS)
    for batch in past().batches(START, STOP):
        point = (batch.columns["TimeReceived"] - START) // POINT_MS
        flows += np.bincount(point, minlength=POINTS)
        bits = 8.0 * batch.columns["Bytes"] * batch.columns["SamplingRate"] / (POINT_MS / 1000)
        exporter = batch.columns["ExporterAddress"].codes.astype(np.int64)
        for side in ("InIf", "OutIf"):
            key = exporter << 32 | batch.columns[side].astype(np.int64)
            for port in np.unique(key):
                here = key == port
                total = ports.setdefault((int(port >> 32), int(port & 0xFFFFFFFF), side), np.zeros(POINTS))
                total += np.bincount(point[here], bits[here], minlength=POINTS)
    whole = sum(total for (_, _, side), total in ports.items() if side == "InIf")
    return ports, whole, flows / (POINT_MS / 1000)


def load(course):
    """Share of the speed of each port, by direction."""
    speeds = {(e, i.index): i.speed_mbps * 1e6 for e, x in enumerate(MODEL.exporters) for i in x.interfaces}
    return {key: total / speeds[key[:2]] for key, total in course[0].items()}


def test_no_port_carries_more_than_it_can(course):
    assert max(share.max() for share in load(course).values()) < 0.85


def test_every_port_is_used_well_in_one_direction_at_the_busy_hour(course):
    shares = load(course)
    busy = {}
    for (exporter, index, _), share in shares.items():
        busy[exporter, index] = max(busy.get((exporter, index), 0), np.percentile(share, 95))
    named = {f"{MODEL.exporters[e].name} {index}": round(share, 3) for (e, index), share in busy.items()}
    assert all(share > 0.1 for share in named.values()), named
    assert np.median(list(named.values())) > 0.2, named


def test_no_peak_flattens_the_rest(course):
    whole = course[1]
    assert whole.max() < 3 * np.median(whole)
    assert whole.min() > 0.2 * np.median(whole)
    for key, total in course[0].items():
        if MODEL.exporters[key[0]].curve == "evening" and np.median(total) > 2e9:
            assert total.max() < 3.5 * np.median(total), key


def test_one_point_follows_the_other_smoothly(course):
    whole = course[1]
    ratio = whole[1:] / whole[:-1]
    assert ratio.min() > 0.75
    assert ratio.max() < 1.33


class Silent:
    """Takes what is sent."""

    def open(self):
        pass

    def close(self):
        pass

    def send(self, datagrams):
        return len(datagrams)


class Hasty:
    """An event that is never set and never waited for."""

    def wait(self, _seconds):
        return False


def test_live_flows_follow_the_history_without_a_jump(course):
    history_rate = course[2][-6:].mean()
    seconds = iter(range(10_000))
    generator = Generator(
        GenerateSettings(port=9, rate=RATE), MODEL, sender=lambda *_: Silent(),
        clock_ns=lambda: STOP * 1_000_000 + next(seconds) * 500_000_000,
    )  # fmt: skip
    sent = generator.run(duration_s=300, stop=Hasty())
    assert sent.flows / sent.seconds == pytest.approx(history_rate, rel=0.1)
    # The same sampling rates, so the same traffic.
    assert past().factor == 1


def test_a_week_has_a_pattern():
    hours = STOP + np.arange(7 * 24) * 3_600_000
    total = intensity(MODEL, hours).total.reshape(7, 24)
    assert (total.max(axis=1) > 2.5 * total.min(axis=1)).all()
    assert total.max() < 3 * np.median(total)


def test_no_flow_claims_what_cannot_be():
    """Records that stand for gigabytes in a second would be shown as implausible."""
    exporters = TypeAdapter(dict[str, ExporterSettings]).validate_python(demo_metadata(MODEL))
    enricher = Enricher(static_metadata(exporters))
    for batch in past().batches(START, STOP):
        flows = enricher.enrich(batch)
        assert not flows.columns["Implausible"].any()
