"""A sampling rate that changes by more than ten times is told: whoever forges one makes traffic look larger."""

from __future__ import annotations

import pytest

from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Decoder
from millrace.schema import Schema
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    LegacyRecord,
    Template,
    message,
    options_template_set,
    v5,
)
from millrace.testing.packets import ethernet, ipv4, tcp
from millrace.testing.sflow import datagram, flow_sample, raw_header

NS = 1_000_000_000
ROUTER = "192.0.2.1"
SYSTEM = {V9: (1, 4), IPFIX: (149, 4)}


def by_options(rate, version=IPFIX):
    told = Template(300, [SYSTEM[version], (34, 4)], scopes=1)
    return message(version, options_template_set(version, told), told.data((0, rate)), domain=7)


def by_header(rate):
    return v5(LegacyRecord(), sampling=0x4000 | rate)


def by_samples(rate):
    packet = raw_header(ethernet(ipv4(tcp(1, 2, bytes(60)))))
    return datagram([flow_sample([packet], rate=rate)], agent=ROUTER)


WAYS = {
    "options-v9": lambda rate: by_options(rate, V9),
    "options-ipfix": by_options,
    "header-v5": by_header,
    "samples-sflow": by_samples,
}


def jumps_of(payloads, at_once=1):
    """How often rates jumped in datagrams that come in batches of so many, and the last example."""
    decoder, counted = Decoder(Schema()), 0
    for first in range(0, len(payloads), at_once):
        some = payloads[first : first + at_once]
        times = [(EXPORT_S + first + number) * NS for number in range(len(some))]
        decoded = decoder.decode(DatagramBatch.from_payloads(some, source=ROUTER, time_ns=times))
        counted += sum(n for (_, _, event), n in decoded.counts.events.items() if event == "sampling_rate_jumps")
    (status,) = decoder.exporters()
    assert status.address == address_bytes(ROUTER)
    found = [odd for odd in status.oddities if odd.event == "sampling_rate_jumps"]
    assert counted == sum(odd.count for odd in found)
    return (found[0].count, found[0].example) if found else (0, "")


def jumps(payload_of, *rates):
    return jumps_of([payload_of(rate) for rate in rates])


@pytest.mark.parametrize("way", WAYS)
def test_a_change_by_more_than_ten_times_is_told_in_either_direction(way):
    count, example = jumps(WAYS[way], 100, 1001, 100)
    assert count == 2
    assert example.endswith("told 1 in 1001, then 1 in 100")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rates", [(100,), (100, 100), (100, 1000, 101), (1, 10)])
def test_smaller_changes_and_the_first_one_are_not(way, rates):
    assert jumps(WAYS[way], *rates) == (0, "")


def test_a_forged_rate_is_told_once_and_so_is_its_end():
    assert jumps(by_options, 100, *[4_000_000_000] * 5, 100, 100)[0] == 2


def test_rates_of_two_samplers_are_no_change():
    told = Template(300, [(149, 4), (302, 4), (34, 4)], scopes=1)

    def payload(rate):
        return message(IPFIX, options_template_set(IPFIX, told), told.data((0, 1, rate), (0, 2, rate * 1000)))

    assert jumps(payload, 10, 10) == (0, "")
    count, example = jumps(payload, 10, 1000)
    assert count == 2
    assert example == "selector 2 of domain 0 told 1 in 10000, then 1 in 1000000"


def by_source(source, rate):
    packet = raw_header(ethernet(ipv4(tcp(1, 2, bytes(60)))))
    return flow_sample([packet], rate=rate, source=source)


def by_engine(engine, rate):
    return v5(LegacyRecord(), engine_id=engine, sampling=0x4000 | rate)


TURNS = (100, 1001, 100, 100, 0, 1001, 1001, 50, 16_000)
"""Five of these are more than ten times, or less than a tenth of, what was told before; 0 tells nothing."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("at_once", [1, 2, 3, 5, len(TURNS)])
def test_the_count_is_the_same_however_a_stream_is_cut_into_batches(way, at_once):
    count, example = jumps_of([WAYS[way](rate) for rate in TURNS], at_once)
    assert count == 5
    assert example.endswith("told 1 in 50, then 1 in 16000")


@pytest.mark.parametrize("at_once", [1, 2, 3, 8])
def test_engines_and_data_sources_that_take_turns_are_told_apart(at_once):
    engines = [by_engine(engine, 10 if engine == 1 else rate) for rate in (500, 6000, 6000, 20) for engine in (1, 2)]
    assert jumps_of(engines, at_once) == (2, "engine 2 told 1 in 6000, then 1 in 20")
    sources = [datagram([by_source(1, 10), by_source(2, rate)], agent=ROUTER) for rate in (500, 6000, 6000, 20)]
    assert jumps_of(sources, at_once) == (2, "source 2 told 1 in 6000, then 1 in 20")


def test_a_jump_hides_in_no_sample_of_a_datagram():
    assert jumps_of([datagram([by_source(1, rate) for rate in (100, 5000, 100)], agent=ROUTER)])[0] == 2


@pytest.mark.parametrize("at_once", [1, 7, 200])
def test_of_very_many_data_sources_the_first_are_followed(at_once):
    rounds = [
        [by_source(source, rate) for source in range(20 * part, 20 * part + 20)]
        for rate in (10, 1000)
        for part in range(10)
    ]
    assert jumps_of([datagram(samples, agent=ROUTER) for samples in rounds], at_once)[0] == 64
