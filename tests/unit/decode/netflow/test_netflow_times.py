"""Times in every form."""

from __future__ import annotations

import pytest

from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    UPTIME_MS,
    V9,
    Template,
    ipfix,
    message,
    options_template_set,
    template_set,
    v9,
)

EXPORT_MS = EXPORT_S * 1000
START_MS, END_MS = EXPORT_MS - 61_234, EXPORT_MS - 1_007


def ntp(ms):
    return ((ms // 1000 + 2_208_988_800) << 32) | ((ms % 1000 << 32) // 1000)


def times(flow):
    return flow.get("TimeFlowStart"), flow.get("TimeFlowEnd")


def one(collector, fields, values, version=IPFIX):
    template = Template(256, fields)
    (flow,) = collector.send(message(version, template_set(version, template), template.data(values)))
    return flow


@pytest.mark.parametrize("version", [V9, IPFIX])
@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ([(152, 8), (153, 8)], (START_MS, END_MS)),
        ([(154, 8), (155, 8)], (ntp(START_MS), ntp(END_MS) | 0x7FF)),
        ([(156, 8), (157, 8)], (ntp(START_MS), ntp(END_MS))),
        ([(158, 4), (159, 4)], (61_234_000, 1_007_000)),
        ([(150, 4), (152, 8), (151, 4), (153, 8)], (EXPORT_S - 62, START_MS, EXPORT_S - 2, END_MS)),
        ([(152, 8), (154, 8), (153, 8), (155, 8)], (0, ntp(START_MS), 0, ntp(END_MS))),
    ],
)
def test_absolute_times(collector, version, fields, values):
    assert times(one(collector, fields, values, version)) == (START_MS, END_MS)


def test_times_in_seconds(collector):
    assert times(one(collector, [(150, 4), (151, 4)], (EXPORT_S - 9, EXPORT_S - 3))) == (
        EXPORT_MS - 9000,
        EXPORT_MS - 3000,
    )


def test_ntp_times_of_the_era_that_begins_in_2036(collector):
    after_2036 = 2_085_978_496_000 + 5_250
    template = Template(256, [(154, 8), (155, 8)])
    records = template.data((ntp(after_2036) & ((1 << 64) - 1),) * 2)
    (flow,) = collector.send(ipfix(template_set(IPFIX, template), records, export_s=after_2036 // 1000 + 1))
    assert times(flow) == (after_2036, after_2036)


def test_v9_uptimes(collector):
    flow = one(collector, [(22, 4), (21, 4)], (UPTIME_MS - 61_234, UPTIME_MS - 1_007), V9)
    assert times(flow) == (START_MS, END_MS)


def test_v9_flow_that_began_before_the_uptime_wrapped(collector):
    template = Template(256, [(22, 4), (21, 4)])
    (flow,) = collector.send(v9(template_set(V9, template), template.data(((1 << 32) - 5000, 500)), uptime_ms=1000))
    assert times(flow) == (EXPORT_MS - 6000, EXPORT_MS - 500)


def test_ipfix_uptimes_with_the_start_of_the_system_in_the_record(collector):
    boot = EXPORT_MS - 90_000_000
    flow = one(collector, [(160, 8), (22, 4), (21, 4)], (boot, START_MS - boot, END_MS - boot))
    assert times(flow) == (START_MS, END_MS)


def test_ipfix_uptimes_wrap_too(collector):
    boot = EXPORT_MS - (1 << 32) - 1000
    flow = one(
        collector, [(160, 8), (22, 4), (21, 4)], (boot, (START_MS - boot) % (1 << 32), (END_MS - boot) % (1 << 32))
    )
    assert times(flow) == (START_MS, END_MS)


@pytest.mark.parametrize("domain", [0, 7])
def test_ipfix_uptimes_with_the_start_of_the_system_in_options(collector, domain):
    """Of the domain itself or, where it tells none, of another one of the exporter."""
    boot = EXPORT_MS - 90_000_000
    told = Template(300, [(149, 4), (160, 8)], scopes=1)
    flows = Template(256, [(22, 4), (21, 4)])
    (flow,) = collector.send(
        ipfix(options_template_set(IPFIX, told), told.data((0, boot)), domain=domain),
        ipfix(template_set(IPFIX, flows), flows.data((START_MS - boot, END_MS - boot))),
    )
    assert times(flow) == (START_MS, END_MS)


def test_ipfix_uptimes_of_which_nothing_is_known_are_unknown(collector):
    assert times(one(collector, [(22, 4), (21, 4)], (1, 2))) == (None, None)


def test_a_start_of_the_system_after_the_export_is_not_believed(collector):
    boot = EXPORT_MS + 900_000_000_000
    flow = one(collector, [(160, 8), (22, 4), (21, 4)], (boot, 5000, 6000))
    assert times(flow) == (None, None)
    assert collector.event("implausible_times") == 1


def test_records_without_times_have_the_export_time_marked_as_unknown(make):
    collector = make()
    template = Template(256, [(7, 2)])
    from millrace.batch import DatagramBatch

    batch = DatagramBatch.from_payloads([ipfix(template_set(IPFIX, template), template.data((1,)))])
    flows = collector.decoder.decode(batch).flows
    assert flows.columns["TimeFlowStart"].tolist() == [EXPORT_MS]
    assert flows.valid["TimeFlowStart"].tolist() == [False]


def test_events_have_the_time_of_observation_at_both_ends(collector):
    assert times(one(collector, [(323, 8)], (START_MS,))) == (START_MS, START_MS)


@pytest.mark.parametrize("value", [0, (1 << 64) - 1])
def test_times_that_cannot_be_are_unknown(collector, value):
    assert times(one(collector, [(152, 8), (153, 8)], (value, END_MS))) == (None, END_MS)


def test_time_received_is_the_datagrams(collector):
    template = Template(256, [(7, 2)])
    (flow,) = collector.send(ipfix(template_set(IPFIX, template), template.data((1,))), at_s=EXPORT_S + 12.25)
    assert flow["TimeReceived"] == EXPORT_MS + 12_250
