"""Times of flows that cannot be, against the time of export, are unknown and counted."""

from __future__ import annotations

import pytest

from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    UPTIME_MS,
    V9,
    LegacyRecord,
    Template,
    data_set,
    ipfix,
    message,
    options_template_set,
    template_set,
    v5,
    v9,
)

EXPORT_MS = EXPORT_S * 1000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def ntp(ms):
    return ((ms // 1000 + 2_208_988_800) << 32) | ((ms % 1000 << 32) // 1000)


def times(flow):
    return flow.get("TimeFlowStart"), flow.get("TimeFlowEnd")


def one(collector, fields, values, version=IPFIX):
    template = Template(256, fields)
    (flow,) = collector.send(message(version, template_set(version, template), template.data(values)))
    return flow


def boot_options(boot_ms):
    options = Template(300, [(149, 4), (160, 8)], 1)
    return options_template_set(IPFIX, options), data_set(300, options.record(0, boot_ms))


def test_a_start_of_the_system_from_before_a_reboot_puts_no_flow_into_the_past(collector):
    template = Template(256, [(22, 4), (21, 4)])
    before, after = EXPORT_MS - 10 * DAY, EXPORT_MS + MINUTE
    (first,) = collector.send(
        ipfix(*boot_options(before), template_set(IPFIX, template), template.data((863_998_000, 863_999_000)))
    )
    (second,) = collector.send(ipfix(template.data((28_000, 29_000)), export_s=EXPORT_S + 90))
    (third,) = collector.send(ipfix(*boot_options(after), template.data((38_000, 39_000)), export_s=EXPORT_S + 100))
    assert times(first) == (before + 863_998_000, before + 863_999_000)
    assert times(second) == (None, None)
    assert times(third) == (after + 38_000, after + 39_000)
    assert collector.event("implausible_times") == 1


@pytest.mark.parametrize("up_ms", [2 * HOUR, DAY, 10 * DAY, 40 * DAY])
def test_however_long_the_system_had_been_up(collector, up_ms):
    boot = EXPORT_MS - up_ms
    assert times(one(collector, [(160, 8), (22, 4), (21, 4)], (boot, 28_000, 29_000))) == (None, None)
    assert collector.event("implausible_times") == 1


def test_of_a_stale_start_of_the_system_an_absolute_end_is_kept_and_the_start_is_not(collector):
    fields = [(160, 8), (22, 4), (21, 4), (153, 8)]
    flow = one(collector, fields, (EXPORT_MS - 3 * DAY, 28_000, 29_000, EXPORT_MS - 1000))
    assert times(flow) == (None, EXPORT_MS - 1000)
    assert collector.event("implausible_times") == 1


WRONG_FORMS = [
    ([(152, 8), (153, 8)], (0x7FFF_FFFF_FFFF, 0x7FFF_FFFF_FFFF)),
    ([(152, 8), (153, 8)], (EXPORT_S, EXPORT_S)),
    ([(154, 8), (155, 8)], (EXPORT_S << 32, EXPORT_S << 32)),
    ([(156, 8), (157, 8)], (EXPORT_S << 32, EXPORT_S << 32)),
    ([(150, 4), (151, 4)], (EXPORT_S - 30 * 86_400,) * 2),
    ([(150, 4), (151, 4)], (EXPORT_S + 86_400,) * 2),
    ([(158, 8), (159, 8)], (30 * DAY * 1000,) * 2),
    ([(323, 8)], (EXPORT_MS - 30 * DAY,)),
    ([(322, 4)], (EXPORT_S + 3 * 86_400,)),
    ([(324, 8)], (EXPORT_S << 32,)),
    ([(258, 8)], (EXPORT_S,)),
    ([(160, 8), (22, 4), (21, 4)], (EXPORT_MS - DAY, DAY + HOUR, DAY + HOUR)),
]


@pytest.mark.parametrize("version", [V9, IPFIX])
@pytest.mark.parametrize(("fields", "values"), WRONG_FORMS)
def test_a_time_in_a_wrong_unit_or_far_off_is_unknown_in_every_form(collector, version, fields, values):
    if version == V9 and (160, 8) in fields:
        pytest.skip("NetFlow v9 tells the uptime in its header")
    assert times(one(collector, fields, values, version)) == (None, None)
    assert collector.event("implausible_times") == 1


@pytest.mark.parametrize("off_ms", [-10 * DAY, DAY])
def test_uptimes_of_v9_and_v5(collector, off_ms):
    ticks = (UPTIME_MS + off_ms) & 0xFFFFFFFF
    template = Template(256, [(22, 4), (21, 4)])
    (flow,) = collector.send(v9(template_set(V9, template), template.data((ticks, ticks))))
    wrong, right = collector.send(
        v5(LegacyRecord(first=ticks, last=ticks), LegacyRecord(first=UPTIME_MS, last=UPTIME_MS))
    )
    assert times(flow) == times(wrong) == (None, None)
    assert times(right) == (EXPORT_MS, EXPORT_MS)
    assert collector.event("implausible_times") == 2


def test_one_wrong_end_leaves_the_other(collector):
    flow = one(collector, [(152, 8), (153, 8)], (EXPORT_MS - 5000, EXPORT_MS + DAY))
    assert times(flow) == (EXPORT_MS - 5000, None)
    (flow,) = collector.send(v5(LegacyRecord(first=(UPTIME_MS - 20 * DAY) & 0xFFFFFFFF, last=UPTIME_MS)))
    assert times(flow) == (None, EXPORT_MS)
    assert collector.event("implausible_times") == 2


@pytest.mark.parametrize("ago", [0, DAY, 7 * DAY])
def test_flows_of_long_active_timeouts_keep_their_times(collector, ago):
    for fields, start in (([(152, 8), (153, 8)], EXPORT_MS - ago), ([(150, 4), (153, 8)], (EXPORT_MS - ago) // 1000)):
        assert times(one(collector, fields, (start, EXPORT_MS))) == (EXPORT_MS - ago, EXPORT_MS)
    (flow,) = collector.send(v5(LegacyRecord(first=(UPTIME_MS - ago) & 0xFFFFFFFF, last=UPTIME_MS)))
    assert times(flow) == (EXPORT_MS - ago, EXPORT_MS)
    assert collector.event("implausible_times") == 0


def test_a_connection_made_months_ago_keeps_its_start_beside_a_sound_end(collector):
    start = EXPORT_MS - 100 * DAY
    assert times(one(collector, [(152, 8), (153, 8)], (start, EXPORT_MS))) == (start, EXPORT_MS)
    assert times(one(collector, [(152, 8)], (start,))) == (None, None)
    assert times(one(collector, [(152, 8), (153, 8)], (5 * DAY, EXPORT_MS))) == (None, EXPORT_MS)
    assert collector.event("implausible_times") == 2


def test_clocks_of_the_collector_and_of_the_exporter_may_differ(collector):
    template = Template(256, [(152, 8), (153, 8)])
    payload = ipfix(template_set(IPFIX, template), template.data((EXPORT_MS - 2000, EXPORT_MS - 1000)))
    (flow,) = collector.send(payload, at_s=EXPORT_S + 400 * 86_400)
    assert times(flow) == (EXPORT_MS - 2000, EXPORT_MS - 1000)


def test_times_that_are_not_told_are_not_counted(collector):
    assert times(one(collector, [(152, 8), (153, 8), (7, 2)], (0, 0, 1))) == (None, None)
    assert times(one(collector, [(7, 2)], (1,))) == (None, None)
    assert times(one(collector, [(22, 4), (21, 4)], (1, 2))) == (None, None)
    assert collector.event("implausible_times") == 0


def test_absolute_times_win_over_uptimes(collector):
    fields = [(22, 4), (21, 4), (152, 8), (153, 8)]
    values = (UPTIME_MS - 7000, UPTIME_MS - 6000, EXPORT_MS - 5000, EXPORT_MS - 4000)
    assert times(one(collector, fields, values, V9)) == (EXPORT_MS - 5000, EXPORT_MS - 4000)


def test_uptimes_help_out_where_absolute_times_cannot_be(collector):
    fields = [(22, 4), (21, 4), (156, 8), (157, 8)]
    values = (UPTIME_MS - 7000, UPTIME_MS - 6000, EXPORT_S << 32, EXPORT_S << 32)
    assert times(one(collector, fields, values, V9)) == (EXPORT_MS - 7000, EXPORT_MS - 6000)
    assert collector.event("implausible_times") == 0


@pytest.mark.parametrize(("element", "length"), [(161, 4000), (162, 4_000_999)])
def test_start_and_end_follow_from_each_other_and_the_duration(collector, element, length):
    start, end = EXPORT_MS - 9000, EXPORT_MS - 5000
    assert times(one(collector, [(152, 8), (element, 4)], (start, length))) == (start, end)
    assert times(one(collector, [(153, 8), (element, 4)], (end, length))) == (start, end)
    assert times(one(collector, [(22, 4), (element, 4)], (UPTIME_MS - 9000, length), V9)) == (start, end)
    assert times(one(collector, [(element, 4), (7, 2)], (length, 1))) == (None, None)


def test_told_times_win_over_the_duration(collector):
    fields = [(152, 8), (153, 8), (161, 4)]
    assert times(one(collector, fields, (EXPORT_MS - 9000, EXPORT_MS - 1, 7))) == (EXPORT_MS - 9000, EXPORT_MS - 1)
    assert times(one(collector, fields, (0, EXPORT_MS - 1, 7))) == (EXPORT_MS - 8, EXPORT_MS - 1)
    assert times(one(collector, fields, (EXPORT_MS - 9, EXPORT_MS + DAY, 7))) == (EXPORT_MS - 9, EXPORT_MS - 2)
    assert collector.event("implausible_times") == 0


def test_the_reverse_direction_is_checked_too(collector):
    reverse = 29305
    fields = [(152, 8), (153, 8), (1, 4), (1, 4, reverse), (152, 8, reverse)]
    template = Template(256, fields)
    values = (EXPORT_MS - 3000, EXPORT_MS - 1000, 10, 20, EXPORT_MS + DAY)
    forward, back = collector.send(ipfix(template_set(IPFIX, template), template.data(values)))
    assert times(forward) == (EXPORT_MS - 3000, EXPORT_MS - 1000)
    assert times(back) == (None, EXPORT_MS - 1000)
    assert collector.event("implausible_times") == 1


def test_reverse_uptimes_use_the_start_of_the_system_that_the_record_tells(collector):
    reverse = 29305
    fields = [(160, 8), (22, 4), (21, 4), (1, 4), (1, 4, reverse), (22, 4, reverse)]
    template = Template(256, fields)
    boot = EXPORT_MS - 100_000
    _, back = collector.send(ipfix(template_set(IPFIX, template), template.data((boot, 90_000, 99_000, 1, 1, 95_000))))
    assert times(back) == (boot + 95_000, boot + 99_000)


def test_nothing_is_counted_of_an_exporter_that_tells_no_implausible_time(collector):
    template = Template(256, [(22, 4), (21, 4)])
    records = template.data(*[(UPTIME_MS - 2000 - n, UPTIME_MS - n) for n in range(50)])
    collector.send(v9(template_set(V9, template), records))
    assert not [key for key in collector.counts.events if key[2] == "implausible_times"]


@pytest.mark.parametrize(
    ("uptime_ms", "start", "end", "expected", "counted"),
    [
        (UPTIME_MS, 0, 0, (None, None), 0),
        (UPTIME_MS, 0, UPTIME_MS - 5, (None, EXPORT_MS - 5), 0),
        (UPTIME_MS, UPTIME_MS - 9, 0, (EXPORT_MS - 9, None), 0),
        (5000, 0, 3000, (EXPORT_MS - 5000, EXPORT_MS - 2000), 0),
        (0, 0, 0, (None, None), 0),
        (0, 1000, 2000, (None, None), 1),
        (0, (1 << 32) - 9000, (1 << 32) - 5, (EXPORT_MS - 9000, EXPORT_MS - 5), 0),
        ((1 << 32) - 1, (1 << 32) - 9000, (1 << 32) - 5, (EXPORT_MS - 8999, EXPORT_MS - 4), 0),
    ],
)
def test_an_uptime_of_zero_is_none(collector, uptime_ms, start, end, expected, counted):
    """Exporters that do not know fill in 0; a flow of the first moment is exported soon after it."""
    template = Template(256, [(22, 4), (21, 4), (7, 2)])
    (flow,) = collector.send(v9(template_set(V9, template), template.data((start, end, 1)), uptime_ms=uptime_ms))
    assert times(flow) == expected
    (flow,) = collector.send(v5(LegacyRecord(first=start, last=end), uptime_ms=uptime_ms))
    assert times(flow) == expected
    assert collector.event("implausible_times") == 2 * counted


def test_an_uptime_of_zero_beside_the_start_of_the_system_is_none(collector):
    fields = [(160, 8), (22, 4), (21, 4)]
    assert times(one(collector, fields, (EXPORT_MS - HOUR, 0, HOUR - 5))) == (None, EXPORT_MS - 5)
    assert times(one(collector, fields, (EXPORT_MS - HOUR // 2, 0, 0))) == (None, None)
    assert times(one(collector, fields, (EXPORT_MS - 9000, 0, 8000))) == (EXPORT_MS - 9000, EXPORT_MS - 1000)
    assert collector.event("implausible_times") == 0


def test_where_an_exporter_tells_no_time_of_export_that_of_receipt_stands_for_it(collector):
    absolute, ticks = Template(256, [(152, 8), (153, 8)]), Template(256, [(22, 4), (21, 4)])
    at = EXPORT_MS - 9000, EXPORT_MS - 5
    up = UPTIME_MS - 9000, UPTIME_MS - 5
    payloads = [
        ipfix(template_set(IPFIX, absolute), absolute.data(at), export_s=0),
        v9(template_set(V9, ticks), ticks.data(up), export_s=0),
        v5(LegacyRecord(first=up[0], last=up[1]), export_s=0),
    ]
    assert [times(flow) for payload in payloads for flow in collector.send(payload)] == [at, at, at]
    assert collector.event("implausible_times") == 0
    assert collector.decoder.exporters()[0].clock_skew_s == 0
