"""Synthetic traffic looks like traffic, and is the same for the same seed."""

import numpy as np
import pytest

from millrace.batch import Coded, Lists
from millrace.generate import Past, Traffic, default_model, demo_metadata, history
from millrace.generate.curve import burst, demand, draw_times
from millrace.generate.model import DEFAULT_FLOWS_PER_S
from millrace.schema import Schema

DAY_MS = 86_400_000
THURSDAY = 1_762_992_000_000  # 2025-11-13T00:00Z


def test_equal_seeds_give_equal_flows_and_others_do_not():
    traffic = Traffic(default_model())
    tables = [
        traffic.draw(np.random.default_rng(seed), THURSDAY, THURSDAY + 1000, 500).to_arrow(Schema())
        for seed in (3, 3, 4)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_flows_are_of_the_canonical_columns():
    schema = Schema()
    flows = Traffic(default_model()).draw(np.random.default_rng(0), THURSDAY, THURSDAY + DAY_MS, 2000)
    for name, values in flows.columns.items():
        column = schema[name]
        if isinstance(values, np.ndarray):
            assert values.dtype == column.kind.dtype, name
        else:
            assert isinstance(values, Coded | Lists)
    assert flows.to_arrow(schema).num_rows == 2000


def test_evening_is_busier_than_the_night_in_local_time():
    hours = THURSDAY + np.arange(24) * 3_600_000
    for offset in (0, 1, -5):
        local = np.roll(demand("evening", hours, offset), offset)
        assert local.argmax() in (20, 21)
        assert local.argmin() == 4
        assert local.max() / local.min() > 4


def test_an_office_rests_at_weekends_and_homes_do_not():
    noon = THURSDAY + np.array([0, 2]) * DAY_MS + 12 * 3_600_000
    office, homes = demand("office", noon, 0), demand("evening", noon, 0)
    assert office[1] < 0.3 * office[0]
    assert homes[1] > homes[0]


def test_times_follow_the_curve():
    times = draw_times(default_model(), np.random.default_rng(0), THURSDAY, THURSDAY + DAY_MS, 20_000)
    assert (np.diff(times) >= 0).all()
    assert times[0] >= THURSDAY
    assert times[-1] < THURSDAY + DAY_MS
    counts = np.bincount((times - THURSDAY) // 3_600_000, minlength=24)
    assert counts[19] > 1.8 * counts[4]


def test_a_few_networks_make_most_of_the_traffic():
    flows = Traffic(default_model()).draw(np.random.default_rng(0), THURSDAY, THURSDAY + DAY_MS, 30_000)
    estimate = flows.columns["Bytes"] * flows.columns["SamplingRate"]
    asn, index = np.unique(flows.columns["SrcAS"], return_inverse=True)
    volume = np.sort(np.bincount(index, estimate)[asn != 64500])[::-1]
    assert len(volume) > 40
    assert volume[:8].sum() > 0.55 * volume.sum()


def test_both_directions_both_families_and_all_exporters_occur():
    model = default_model()
    flows = Traffic(model).draw(np.random.default_rng(0), THURSDAY, THURSDAY + DAY_MS, 5000)
    assert set(np.unique(flows.columns["EType"])) == {0x0800, 0x86DD}
    assert set(np.unique(flows.columns["ExporterAddress"].codes)) == set(range(len(model.exporters)))
    inbound = flows.columns["DstAS"] == model.local_as
    assert 0.2 < inbound.mean() < 0.8
    assert ((flows.columns["SrcAS"] == model.local_as) != inbound).all()


def test_interfaces_are_those_of_the_exporter_and_cross_the_boundary():
    model = default_model()
    flows = Traffic(model).draw(np.random.default_rng(0), THURSDAY, THURSDAY + DAY_MS, 5000)
    metadata = demo_metadata(model)
    for code, exporter in enumerate(model.exporters):
        mine = flows.columns["ExporterAddress"].codes == code
        known = metadata[exporter.address]["interfaces"]
        for row in np.flatnonzero(mine)[:200]:
            sides = {known[int(flows.columns[name][row])]["boundary"] for name in ("InIf", "OutIf")}
            assert sides == {"external", "internal"}


def test_a_burst_comes_once_a_day_from_ntp_and_is_a_small_part_of_the_flows():
    times = THURSDAY + np.arange(0, 7 * DAY_MS, 60_000)
    active = burst(times) > 0
    assert 0.005 < active.mean() < 0.05
    begin = int(times[active][3])
    flows = Traffic(default_model()).draw(np.random.default_rng(0), begin, begin + 60_000, 5000)
    reflected = (flows.columns["SrcPort"] == 123) & (flows.columns["Proto"] == 17) & (flows.columns["Packets"] > 1)
    reflected &= flows.columns["Bytes"] == 468 * flows.columns["Packets"]
    assert 0.01 < reflected.mean() < 0.15
    assert len(np.unique(flows.columns["DstAddr"][reflected], axis=0)) == 1


def test_history_has_the_number_of_flows_in_order_of_time():
    batches = list(history(default_model(), THURSDAY, THURSDAY + DAY_MS, 12_345))
    times = np.concatenate([batch.columns["TimeReceived"] for batch in batches])
    assert len(times) == 12_345
    assert (np.diff(times) >= 0).all()


def test_history_of_fewer_flows_shows_the_same_traffic_by_its_sampling_rates():
    model = default_model()
    past = Past(model, 100, THURSDAY, THURSDAY + DAY_MS, most_flows=20_000, fewer_flows=8_640)
    batches = list(past.batches(THURSDAY, THURSDAY + DAY_MS))
    rates = {int(rate) for batch in batches for rate in np.unique(batch.columns["SamplingRate"])}
    # 8640 flows in a day instead of 100 a second.
    assert 900 <= past.factor <= 1200
    assert rates == {exporter.sampling_rate * past.factor for exporter in model.exporters}
    assert sum(len(batch) for batch in batches) == past.flows(THURSDAY, THURSDAY + DAY_MS)


def test_history_is_as_dense_as_live_sending_where_that_is_not_too_much():
    past = Past(default_model(), 0.5, THURSDAY, THURSDAY + DAY_MS, most_flows=100_000, fewer_flows=1000)
    assert past.factor == 1
    assert past.flows(THURSDAY, THURSDAY + DAY_MS) == pytest.approx(0.5 * 86_400, rel=0.1)


@pytest.mark.parametrize("rate", [20, 400, 4000])
def test_traffic_is_the_same_at_every_rate(rate):
    shares = [exporter.sampling_rate * rate for exporter in default_model().at_rate(rate).exporters]
    wanted = [exporter.sampling_rate * DEFAULT_FLOWS_PER_S for exporter in default_model().exporters]
    assert shares == pytest.approx(wanted, rel=0.02)
