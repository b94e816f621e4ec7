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


def jumps(payload_of, *rates):
    """How often rates jumped, and the last example."""
    decoder = Decoder(Schema())
    for second, rate in enumerate(rates):
        decoder.decode(DatagramBatch.from_payloads([payload_of(rate)], source=ROUTER, time_ns=(EXPORT_S + second) * NS))
    (status,) = decoder.exporters()
    assert status.address == address_bytes(ROUTER)
    found = [odd for odd in status.oddities if odd.event == "sampling_rate_jumps"]
    return (found[0].count, found[0].example) if found else (0, "")


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
