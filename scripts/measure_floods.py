"""What floods of forged exporters cost the decoder once its bounds are reached, and whether a newcomer is served.

Each flood first fills the bound, then goes on at a given rate (bits per second
on the wire) for some seconds of its own time; meanwhile an honest exporter that
was known before, and one that is new, send. No sockets: what is measured is
decoding alone, in batches of 20 ms as receivers make them.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Decoder, Limits, Trust
from millrace.schema import Schema
from millrace.testing.netflow import EXPORT_S, IPFIX, Template, ipfix, options_template_set, template_set

_HEADERS_BYTES = 14 + 20 + 8
"""Ethernet, IPv4 and UDP of a datagram."""
_BATCH_S = 0.02
KNOWN, NEW, NAMED = "192.0.2.1", "192.0.2.2", "192.0.2.3"
_OWN = [Template(300 + n, [(7, 2), (8, 4), (12, 4), (1, 8)]) for n in range(20)]
_NAMES = Template(290, [(10, 4), (82, 8)], scopes=1)

Payload = Callable[[int], bytes]
"""The datagram of a forged source by its number."""


def places(number: int) -> bytes:
    """A template, and nothing else."""
    return ipfix(template_set(IPFIX, Template(256, [(7, 2), (210, number % 60_000 + 1)])))


def places_with_flows(number: int) -> bytes:
    """The same with one valid flow."""
    own = Template(256, [(7, 2), (210, 6)])
    return ipfix(template_set(IPFIX, own), own.data((number % 60_000, bytes(6))))


def templates(number: int) -> bytes:
    """As many templates as a datagram has room for, of field lists of their own."""
    own = [Template(256 + n, [(7, 2), (210, (number * 7 + n) % 60_000 + 1)]) for n in range(4000)]
    return ipfix(template_set(IPFIX, *own))


def field_lists(number: int) -> bytes:
    """Long field lists that nobody else has."""
    own = [Template(256 + n, [(210, (number * 61 + n + k) % 60_000 + 1) for k in range(200)]) for n in range(75)]
    return ipfix(template_set(IPFIX, *own))


def options(number: int) -> bytes:
    """As many names of interfaces as a datagram has room for."""
    return ipfix(options_template_set(IPFIX, _NAMES), _NAMES.data(*((n + 1, f"{number % 1000}") for n in range(5000))))


FLOODS: dict[str, tuple[Payload, int]] = {
    "places": (places, 12_000),
    "places, a flow each": (places_with_flows, 12_000),
    "places, long known": (places_with_flows, 12_000),
    "templates": (templates, 30),
    "field lists": (field_lists, 400),
    "options": (options, 110),
}
"""Each with the datagrams that fill its bound."""
_PREPARED = "places, long known"
"""The forger sent a flow in each name ten minutes before, so that all are known."""
_NEW_DATA_AFTER = 50
"""Batches between the templates of the new exporter and its first data: a second."""


@dataclass
class Honest:
    """Flows of an honest exporter, sent and decoded.

    `served_s`: from its templates to its first flow; of the new one a second goes by before its first data.
    """

    sent: int = 0
    decoded: int = 0
    announced_s: float = -1.0
    served_s: float = -1.0


def forged(number: int) -> str:
    """Address of a forged source."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def made(payloads: list[tuple[str, bytes]], at_s: float) -> DatagramBatch:
    """A batch of (source, payload)."""
    return DatagramBatch.from_payloads(
        [payload for _, payload in payloads], source=[source for source, _ in payloads], time_ns=round(at_s * 1e9)
    )


def honest_datagrams(at: int, honest: dict[str, Honest], new_from: int) -> Iterator[tuple[str, bytes]]:
    """Data each 100 ms; templates each 60 s, those of the new one when it comes."""
    for source, own in honest.items():
        if source == NEW and at < new_from:
            continue
        begins = source == NEW and at == new_from
        if begins or at % 3000 == 0:
            own.announced_s = at * _BATCH_S if own.announced_s < 0 else own.announced_s
            yield source, ipfix(template_set(IPFIX, *_OWN))
        if at % 5 == 0 and not (source == NEW and at < new_from + _NEW_DATA_AFTER):
            own.sent += len(_OWN)
            yield source, ipfix(*(template.data((1, bytes(4), bytes(4), 100)) for template in _OWN))


def scaled(scale: int) -> Limits:
    """The default bounds, so many times smaller."""
    usual = Limits()
    return Limits(
        exporters=usual.exporters // scale,
        templates=usual.templates // scale,
        template_bytes=usual.template_bytes // scale,
        options_entries=usual.options_entries // scale,
    )


def run(name: str, bits_per_second: float, seconds: float, scale: int = 1) -> dict[str, Honest]:
    """Run one flood and print a line; what became of the honest exporters."""
    payload, filling = FLOODS[name]
    bits_per_second, filling = bits_per_second / scale, filling // scale + 1
    decoder = Decoder(Schema(), scaled(scale), trust=lambda address: Trust(configured=address == address_bytes(NAMED)))
    honest = {KNOWN: Honest(), NEW: Honest(), NAMED: Honest()}
    for at_s in (EXPORT_S - 1300, EXPORT_S - 600):
        told = ipfix(template_set(IPFIX, *_OWN), _OWN[0].data((1, bytes(4), bytes(4), 100)))
        decoder.decode(made([(KNOWN, told), (NAMED, told)], at_s))
    if name == _PREPARED:
        for first in range(0, 10_000 // scale, 500):
            decoder.decode(made([(forged(first + n), payload(first + n)) for n in range(500)], EXPORT_S - 700))
    number = 0
    while number < filling:
        some = min(500, filling - number)
        decoder.decode(
            made([(forged(number + n), payload(number + n)) for n in range(some)], EXPORT_S - 60 + number / 1000)
        )
        number += some
    spent: list[float] = []
    budget, datagrams = 0.0, 0
    new_from = round(seconds / 2 / _BATCH_S)
    for at in range(round(seconds / _BATCH_S)):
        budget += bits_per_second / 8 * _BATCH_S
        payloads: list[tuple[str, bytes]] = []
        while budget > 0:
            wire = payload(number)
            budget -= len(wire) + _HEADERS_BYTES * (1 + len(wire) // 1472)
            payloads.append((forged(number), wire))
            number, datagrams = number + 1, datagrams + 1
        payloads += honest_datagrams(at, honest, new_from)
        if not payloads:
            continue
        batch = made(payloads, EXPORT_S + at * _BATCH_S)
        began = time.process_time()
        flows = decoder.decode(batch).flows
        spent.append(time.process_time() - began)
        if flows.datagram is not None:
            for datagram in flows.datagram.tolist():
                own = honest.get(payloads[datagram][0])
                if own is not None:
                    own.decoded += 1
                    if own.served_s < 0:
                        own.served_s = at * _BATCH_S - own.announced_s
    lost = ", ".join(f"{key} {100 * (1 - own.decoded / max(own.sent, 1)):.1f} %" for key, own in
                     (("known", honest[KNOWN]), ("new", honest[NEW]), ("configured", honest[NAMED])))  # fmt: skip
    print(
        f"{name:22} {datagrams / seconds:7.0f} datagrams/s  {100 * sum(spent) / seconds:5.1f} % of a core  "
        f"slowest batch {1000 * max(spent):6.1f} ms  median {1000 * float(np.median(spent)):5.1f} ms  "
        f"new one served after {honest[NEW].served_s:.2f} s  lost: {lost}  memory {resident_mb()} MB"
    )
    return honest


def resident_mb() -> int:
    """Memory of the process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 >> 20


def main() -> None:
    """Run the floods asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("floods", nargs="*", default=list(FLOODS), help=f"of {', '.join(FLOODS)}")
    parser.add_argument("--mbit", type=float, default=1.0, help="megabits per second of the flood")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--scale", type=int, default=1, help="make the bounds and the flood so many times smaller")
    given = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}, {given.mbit:g} Mbit/s"
    )
    for name in given.floods:
        run(name, given.mbit * 1e6, given.seconds, given.scale)


if __name__ == "__main__":
    main()
