"""No bytes make the raw decoder raise, loop or grow without bound."""

import json
import random
import struct

import pytest

from effort import Effort
from millrace.batch import DatagramBatch
from millrace.decode.raw import RawDecoder, RawLimits
from millrace.testing.netflow import IPFIX, V9, LegacyRecord, Template, data_set, ipfix, set_of, template_set, v5, v9
from millrace.testing.packets import ethernet, ipv4, tcp, vxlan
from millrace.testing.sflow import datagram, flow_sample, raw_header

TEMPLATE = Template(256, [(8, 4), (291, 0xFFFF), (82, 0xFFFF), (315, 0xFFFF)])
SEEDS = [
    ipfix(template_set(IPFIX, TEMPLATE), data_set(256, bytes(4) + b"\x06\x03\x00\x04\x00\x01\x11\x01a\x02bb" * 3)),
    v9(template_set(V9, Template(256, [(1, 4), (2, 4)])), data_set(256, bytes(16))),
    v5(LegacyRecord(), LegacyRecord()),
    datagram([flow_sample([raw_header(ethernet(ipv4(vxlan(1, ethernet(ipv4(tcp(1, 2)))))))])]),
]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_datagrams_are_shown(seed):
    chance, decoder = random.Random(seed), RawDecoder()
    payloads = []
    for _ in range(400):
        payload = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randint(1, 6)):
            payload[chance.randrange(len(payload))] = chance.choice(
                (0, 1, 2, 3, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        payloads.append(bytes(payload[: chance.randint(0, len(payload))] if chance.random() < 0.3 else payload))
    for shown in decoder.decode(DatagramBatch.from_payloads(payloads)):
        json.dumps(shown, allow_nan=False)


def shown_within(payloads: list[bytes], seconds: float, limits: RawLimits | None = None) -> list[dict]:
    with Effort() as spent:
        shown = list(RawDecoder(limits).decode(DatagramBatch.from_payloads(payloads)))
    assert spent.seconds < seconds
    return shown


def test_fields_without_bytes_do_not_multiply_records():
    """A datagram of 64 KiB could ask for a thousand million values."""
    many = Template(256, [*[(1, 0)] * 12_000, (4, 1)])
    shown = shown_within([ipfix(template_set(IPFIX, many)), ipfix(data_set(256, bytes(60_000)))], 10)
    assert shown[1]["problems"][-1]["reason"] == "truncated"


def test_withdrawing_all_again_and_again_is_cheap():
    announce = [
        ipfix(template_set(IPFIX, *(Template(256 + n + 1000 * d, [(1, 4)]) for n in range(1000)))) for d in range(20)
    ]
    withdraw = ipfix(set_of(2, struct.pack("!HH", 2, 0) * 16_000))
    shown_within([*announce, withdraw], 5)


def test_template_flood_stays_bounded():
    decoder = RawDecoder(RawLimits(template_fields=1000))
    payloads = [ipfix(template_set(IPFIX, Template(256, [(1, 4)] * 9)), domain=domain) for domain in range(500)]
    list(decoder.decode(DatagramBatch.from_payloads(payloads)))
    data = [ipfix(data_set(256, bytes(36)), domain=domain) for domain in (0, 499)]
    first, last = decoder.decode(DatagramBatch.from_payloads(data))
    assert first["problems"][0]["reason"] == "template-unknown", "the oldest template went"
    assert last["sets"][0]["records"]


def test_problems_of_one_datagram_are_bounded():
    shown = shown_within([ipfix(*[set_of(9, b"")] * 10_000)], 5)[0]
    assert len(shown["problems"]) < 1000
    assert shown["problems_unlisted"] > 9000
