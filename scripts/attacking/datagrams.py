"""What each attack sends: datagrams with the address they come from, without end.

Addresses of 127.0.0.0/8 stand for forged ones: those from 127.16.0.0 on, so that honest exporters have others.
"""

from __future__ import annotations

import itertools
import random
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Datagram: TypeAlias = tuple[str, bytes]
"""Source address and payload."""

FULL_BYTES = 1400
"""Payload of a full datagram."""

_V9, _IPFIX = 9, 10


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack.

    Attributes
    ----------
    name, text : str
    prepare : callable
        From the seconds of the attack to what is sent before it begins, as fast as it goes.
    send : callable
        From the same to what is sent at the rate of the attack.
    settings : callable
        From the same to settings of the collector without which so short an attack would not reach what it is after.
    """

    name: str
    text: str
    prepare: Callable[[float], Iterator[Datagram]]
    send: Callable[[float], Iterator[Datagram]]
    settings: Callable[[float], dict[str, object]] = lambda _: {}


def source(number: int) -> str:
    """A forged address, of four million."""
    return f"127.{16 + number // 65_025 % 64}.{number // 255 % 255}.{1 + number % 254}"


def _message(domain: int, *sets: bytes) -> bytes:
    body = b"".join(sets)
    return struct.pack("!HHIII", _IPFIX, 16 + len(body), int(time.time()), 0, domain) + body


def _set(number: int, content: bytes) -> bytes:
    return struct.pack("!HH", number, 4 + len(content)) + content


def _template(number: int, fields: list[tuple[int, int]]) -> bytes:
    return struct.pack("!HH", number, len(fields)) + b"".join(struct.pack("!HH", *field) for field in fields)


def _nothing(_: float) -> Iterator[Datagram]:
    return iter(())


_COSTLY_SOURCES, _COSTLY_FIELDS, _COSTLY_SETS = 2, 500, 280


def _costly_templates(seconds: float) -> int:
    """Templates of each source: 4000, or fewer where there is not the time to announce them."""
    return min(4000, max(300, int(100 * seconds)))


def _announce_costly(seconds: float) -> Iterator[Datagram]:
    rng = random.Random(1)
    for number in range(_costly_templates(seconds)):
        for which in range(_COSTLY_SOURCES):
            fields = [(rng.randint(1, 400), 0) for _ in range(_COSTLY_FIELDS - 1)]
            yield source(which), _message(1, _set(2, _template(256 + number, [*fields, (4, 1)])))


def _costly(seconds: float) -> Iterator[Datagram]:
    """Sets of a byte, each of another template."""
    rng, amount = random.Random(2), _costly_templates(seconds)
    for which in itertools.cycle(range(_COSTLY_SOURCES)):
        chosen = rng.sample(range(256, 256 + amount), _COSTLY_SETS)
        yield source(which), _message(1, *(_set(number, b"\x06") for number in chosen))


def _domains(_: float) -> Iterator[Datagram]:
    """Each a domain of its own, of sixteen sources at a time."""
    for number in itertools.count():
        yield source(number % 16 + number // 16_000 * 16), _message(number)


def _templates(_: float) -> Iterator[Datagram]:
    """Full sets of templates of one field, twenty for each source."""
    for number in itertools.count():
        first = 256 + number % 20 * 170
        yield source(number // 20), _message(1, _set(2, b"".join(_template(first + n, [(7, 2)]) for n in range(170))))


def _options(_: float) -> Iterator[Datagram]:
    """Names of interfaces, ten thousand for each source."""
    template = struct.pack("!HHH", 300, 2, 1) + struct.pack("!HHHH", 10, 4, 82, 1)
    for number in itertools.count():
        first = number % 40 * 250
        records = b"".join(struct.pack("!IB", first + n, 65 + n % 26) for n in range(250))
        yield source(number // 40), _message(1, _set(3, template), _set(300, records))


def _exporters(_: float) -> Iterator[Datagram]:
    """Each from an address of its own, with a template and a flow of it."""
    for number in itertools.count():
        fields = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1)]
        record = struct.pack("!IIHHB", number, number, 1, 2, 6)
        yield source(number), _message(1, _set(2, _template(256, fields)), _set(256, record))


def _waiting(_: float) -> Iterator[Datagram]:
    """Sixteen data sets without a template from each of ten thousand addresses, over and over."""
    for number in itertools.count():
        yield source(number % 10_000), _message(1, *(_set(300 + n, b"12") for n in range(16)))


ATTACKS = (
    Attack("calm", "nothing, to compare with", _nothing, _nothing),
    Attack(
        "costly-layouts", "280 sets per datagram, each of another template of 500 fields", _announce_costly, _costly
    ),
    Attack("domains", "a new observation domain per datagram", _nothing, _domains),
    Attack("templates", "170 new templates per datagram", _nothing, _templates),
    Attack("options", "250 new interface names per datagram", _nothing, _options),
    Attack("exporters", "a new exporter per datagram, with a template and a flow", _nothing, _exporters),
    Attack(
        "forgetting",
        "data sets that wait from ten thousand exporters, and are given up",
        _nothing,
        _waiting,
        lambda seconds: {"decode": {"waiting_s": max(1.0, seconds / 4), "exporters": 5000}},
    ),
)
