"""What the costliest datagrams of each kind cost the decoder, at one megabit per second, and what costly layouts do.

No sockets: what is measured is the processor time of decoding alone. Figures are seconds of it per second of traffic,
with the headers of Ethernet, IPv4 and UDP counted.

    .venv/bin/python scripts/measure_datagrams.py
"""

from __future__ import annotations

import platform
import random
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.schema import Schema
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    LegacyRecord,
    Template,
    data_set,
    ipfix,
    options_template_set,
    set_of,
    template_set,
    v5,
    v9,
    withdrawal_set,
)

_HEADERS_BYTES = 46
_BYTES_PER_S = 125_000
_BATCH_S = 0.02
_ATTACKER = "203.0.113.9"
_BATCHES, _WARM = 24, 4

Sent = tuple[bytes, str, int]
"""Payload, source and port."""


@dataclass(frozen=True, slots=True)
class Case:
    """Datagrams of one kind: what is announced before, and the one of a number."""

    name: str
    make: Callable[[int], bytes | Sent]
    announced: tuple[bytes, ...] = ()


def _forged(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


_ONE = Template(256, [(4, 1)])
_RATE = Template(400, [(302, 2), (34, 1)], scopes=1)
_NAME = Template(401, [(10, 1), (82, 1)], scopes=1)
_TEXT = Template(404, [(96, 0xFFFF)])


def _sflow(number: int, sample: bytes, samples: int) -> bytes:
    return struct.pack("!IIIIIII", 5, 1, 0xC0000201, 0, number, 1000, samples) + sample * samples


CASES = (
    Case("data sets without a template", lambda _: ipfix(*[data_set(300)] * 360, domain=1)),
    Case("each of another template that is missing",
         lambda n: ipfix(*(data_set(256 + (n * 290 + k) % 60_000, b"1") for k in range(290)), domain=1)),
    Case("template sets of one template",
         lambda n: ipfix(*(template_set(IPFIX, Template(256 + (n * 120 + k) % 60_000, [(4, 1)])) for k in range(120)),
                         domain=1)),
    Case("templates of two fields",
         lambda n: ipfix(template_set(IPFIX, *(Template(256 + k, [((n * 110 + k) % 30_000 + 1, 1), (4, 1)])
                                              for k in range(110))), domain=n)),
    Case("NetFlow v9: template sets of one template",
         lambda n: v9(*(template_set(V9, Template(256 + (n * 120 + k) % 60_000, [(4, 1)])) for k in range(120)),
                      domain=1)),
    Case("withdrawals of nothing", lambda _: ipfix(*(withdrawal_set(300 + k) for k in range(180)), domain=1)),
    Case("empty template sets", lambda _: ipfix(*[set_of(2, b"")] * 360, domain=1)),
    Case("sets of reserved numbers", lambda _: ipfix(*[set_of(9, b"")] * 360, domain=1)),
    Case("a bad length", lambda _: ipfix(b"\1\0\0\1\1", domain=1)),
    Case("options: a sampling rate in three bytes",
         lambda n: ipfix(data_set(400, *(struct.pack("!HB", (n * 480 + k) & 0xFFFF, 5) for k in range(480))), domain=1),
         (ipfix(options_template_set(IPFIX, _RATE), domain=1),)),
    Case("options: a name in two bytes", lambda _: ipfix(data_set(401, bytes(range(1, 251)) * 5), domain=1),
         (ipfix(options_template_set(IPFIX, _NAME), domain=1),)),
    Case("flows of a byte", lambda _: ipfix(data_set(256, bytes([6]) * 1400), domain=1),
         (ipfix(template_set(IPFIX, _ONE), domain=1),)),
    Case("flows of a byte, a set each", lambda _: ipfix(*[data_set(256, b"\6")] * 280, domain=1),
         (ipfix(template_set(IPFIX, _ONE), domain=1),)),
    Case("texts of no length", lambda _: ipfix(data_set(404, bytes(1399) + b"\1x"), domain=1),
         (ipfix(template_set(IPFIX, _TEXT), domain=1),)),
    Case("forged exporters: a header", lambda n: (ipfix(domain=1), _forged(n), 50_000)),
    Case("forged exporters: a template",
         lambda n: (ipfix(template_set(IPFIX, Template(300, [(4, 1)])), domain=1), _forged(n), 50_000)),
    Case("forged exporters: a flow of NetFlow v5", lambda n: (v5(LegacyRecord()), _forged(n), 50_000)),
    Case("new domains: a header", lambda n: ipfix(domain=n)),
    Case("new ports: a header", lambda n: (ipfix(domain=1), _ATTACKER, n % 60_000 + 1)),
    Case("sequence numbers at random", lambda n: ipfix(domain=1, sequence=n * 7919 & 0xFFFFFFFF)),
    Case("sFlow: samples without records",
         lambda n: _sflow(n, struct.pack("!IIIIIIIIII", 1, 32, n, 1, 100, 1000, 0, 1, 2, 0), 34)),
    Case("sFlow: empty samples of an unknown kind", lambda n: _sflow(n, struct.pack("!II", 9, 0), 170)),
    Case("no flow protocol", lambda n: (b"\0\x63ab", _forged(n), 50_000)),
)  # fmt: skip
"""Those that were found to cost most for their bytes."""


def _batch(sent: Iterable[bytes | Sent], at_s: float) -> DatagramBatch:
    rows = [(one, _ATTACKER, 50_000) if isinstance(one, bytes) else one for one in sent]
    payloads, sources, ports = zip(*rows, strict=True)
    return DatagramBatch.from_payloads(payloads, source=sources, source_port=ports, time_ns=round(at_s * 1e9))


def measure(case: Case) -> tuple[float, float]:
    """Seconds of a second at one megabit, and microseconds per datagram."""
    decoder = Decoder(Schema())
    for payload in case.announced:
        decoder.decode(_batch([payload], EXPORT_S))
    size = len(_batch([case.make(0)], 0).payload(0)) + _HEADERS_BYTES
    each = max(1, round(_BYTES_PER_S * _BATCH_S / size))
    spent, octets = 0.0, 0
    for turn in range(_BATCHES):
        batch = _batch([case.make(turn * each + k) for k in range(each)], EXPORT_S + turn * _BATCH_S)
        began = time.process_time()
        decoder.decode(batch)
        if turn >= _WARM:
            spent += time.process_time() - began
            octets += int((batch.stop - batch.start).sum()) + _HEADERS_BYTES * len(batch)
    return spent / octets * _BYTES_PER_S, spent / (_BATCHES - _WARM) / each * 1e6


_HONEST = [f"192.0.2.{number}" for number in range(4)]
_HONEST_DATAGRAMS, _HONEST_RECORDS = 40, 24
_USUAL = Template(
    256, [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 8), (2, 8), (152, 8), (153, 8), (10, 4), (14, 4)]
)  # fmt: skip
_COLUMNS = [
    (1, 4), (2, 4), (4, 1), (5, 1), (6, 1), (7, 2), (8, 4), (10, 4), (11, 2), (12, 4), (14, 4), (16, 4), (17, 4),
    (27, 16), (28, 16), (56, 6), (57, 6), (58, 2), (59, 2), (61, 1), (136, 1), (152, 8), (153, 8), (96, 8), (82, 32),
    (9, 1), (13, 1), (15, 4), (32, 2), (54, 4), (62, 16), (80, 6), (81, 6), (89, 1), (70, 3), (71, 3), (72, 3),
    (234, 4), (235, 4), (225, 4), (226, 4), (227, 2), (228, 2),
]  # fmt: skip
"""Elements that fill columns."""


def measure_layouts(fields: int, columns: bool, sets: int, per_s: int, seconds: float = 6.0) -> str:  # noqa: FBT001
    """Costly layouts of two sources beside 48 000 honest flows per second."""
    rng, decoder = random.Random(1), Decoder(Schema())
    sources = ["203.0.113.1", "203.0.113.2"]
    chosen: list[list[Template]] = [[], []]
    for own, source in zip(chosen, sources, strict=True):
        for number in range(3000):
            layout = rng.sample(_COLUMNS, fields) if columns else [(rng.randint(1, 400), 0) for _ in range(fields - 1)]
            own.append(Template(256 + number, [*layout, (4, 1)]))
        for first in range(0, 3000, 20):
            decoder.decode(_batch([(ipfix(template_set(IPFIX, *own[first : first + 20])), source, 1)], EXPORT_S))
    announcement = ipfix(template_set(IPFIX, _USUAL))
    decoder.decode(_batch([(announcement, source, 1) for source in _HONEST], EXPORT_S))
    record = _USUAL.record("10.0.0.1", "10.0.0.2", 1, 2, 6, 1000, 10, EXPORT_S * 1000, EXPORT_S * 1000, 1, 2)
    honest = [
        (ipfix(data_set(256, *[record] * _HONEST_RECORDS)), _HONEST[k % 4], 1) for k in range(_HONEST_DATAGRAMS)
    ]  # fmt: skip
    owed, evil, spent, flows = 0.0, 0, [], 0
    for turn in range(1, round(seconds / _BATCH_S) + 1):
        owed += per_s * _BATCH_S
        sent: list[bytes | Sent] = [*honest]
        while owed >= 1:
            owed, evil = owed - 1, evil + 1
            some = rng.sample(chosen[evil % 2], sets)
            content = (data_set(one.id, bytes(sum(field[1] for field in one.fields))) for one in some)
            sent.append((ipfix(*content), sources[evil % 2], 1))
        batch = _batch(sent, EXPORT_S + turn * _BATCH_S)
        began = time.process_time()
        found = decoder.decode(batch)
        spent.append(time.process_time() - began)
        flows += sum(
            amount for (who, _, event), amount in found.counts.events.items()
            if event == "flows" and who[-4:-1] == bytes([192, 0, 2])
        )  # fmt: skip
    calm = len(spent) // 6
    lost = 1 - flows / (len(spent) * _HONEST_DATAGRAMS * _HONEST_RECORDS)
    return (
        f"{sets} sets of {fields} fields, {per_s}/s: {sum(spent[calm:]) / (len(spent) - calm) / _BATCH_S:.2f} s per "
        f"second, slowest batch {1000 * max(spent):.0f} ms, honest flows not decoded {lost:.1%}"
    )


def main() -> None:
    """Print all figures."""
    print(f"{platform.machine()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}, 1 Mbit/s")
    for case in CASES:
        share, each_us = measure(case)
        print(f"{case.name:45} {share:5.2f} s per second {each_us:8.0f} us per datagram")
    for fields, columns, sets, per_s in ((500, False, 280, 20), (500, False, 280, 83), (10, False, 280, 83),
                                         (43, True, 29, 83)):  # fmt: skip
        print(measure_layouts(fields, columns, sets, per_s))


if __name__ == "__main__":
    main()
