"""Hypothesis strategies of NetFlow and IPFIX streams: well-formed but restless ones, and hostile bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hypothesis import strategies as st

from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    UPTIME_MS,
    V9,
    VARIABLE,
    Field,
    LegacyRecord,
    Template,
    Value,
    data_set,
    message,
    options_template_set,
    template_set,
    v5,
    withdrawal_set,
)


@dataclass(frozen=True)
class Sent:
    """A datagram of a stream: its bytes, its source, when it is received in ns, and the UDP port of its sender."""

    payload: bytes
    source: str
    time_ns: int
    port: int = 50000


_ELEMENTS = (
    Field(8, 4), Field(12, 4), Field(27, 16), Field(1, 8), Field(1, 3), Field(2, 4), Field(2, 1), Field(4, 1),
    Field(7, 2),
    Field(11, 2), Field(10, 4), Field(14, 2), Field(21, 4), Field(22, 4), Field(152, 8), Field(154, 8), Field(48, 1),
    Field(34, 4), Field(61, 1), Field(70, 3), Field(71, 3), Field(95, 4), Field(96, 12), Field(225, 4), Field(231, 8),
    Field(232, 8), Field(299, 4), Field(56, 6), Field(6, 2), Field(243, 2), Field(2, 8, 29305), Field(1, 8, 29305),
    Field(60, 1), Field(32, 2), Field(210, 3), Field(7, 2, 29305), Field(28, 16), Field(9, 1), Field(29, 1),
    Field(15, 4), Field(62, 16), Field(281, 16), Field(230, 1), Field(139, 2), Field(176, 1), Field(179, 1),
    Field(256, 2), Field(153, 8), Field(151, 4), Field(158, 4), Field(160, 8), Field(161, 4), Field(162, 4),
    Field(323, 8), Field(152, 8, 29305), Field(21, 4, 29305),
)  # fmt: skip
_VARIABLE_ELEMENTS = (Field(96, VARIABLE), Field(82, VARIABLE), Field(371, VARIABLE), Field(291, VARIABLE))
_OPTIONS = (
    Field(34, 4), Field(50, 2), Field(305, 4), Field(306, 4), Field(309, 4), Field(310, 4), Field(48, 1), Field(10, 4),
    Field(95, 4), Field(96, 6), Field(82, 8), Field(160, 8), Field(302, 8),
)  # fmt: skip


def templates(version: int) -> st.SearchStrategy[Template]:
    """Templates of few IDs, so that they are announced anew and changed often."""
    known = _ELEMENTS + _VARIABLE_ELEMENTS if version == IPFIX else _ELEMENTS
    usable = [field for field in known if version == IPFIX or not field.pen]
    fields = st.lists(st.sampled_from(usable), min_size=1, max_size=8)
    options = st.lists(st.sampled_from(_OPTIONS), min_size=2, max_size=5)
    return st.one_of(
        st.builds(Template, st.integers(256, 258), fields),
        st.builds(Template, st.integers(258, 259), options, st.just(1)),
    )


def _usual(field: Field) -> st.SearchStrategy[int]:
    """What an element may well hold: times of the last hours, versions, ethertypes."""
    ago = st.sampled_from((0, 1, 2000, 600_000, 7_200_000, 86_400_000, 900_000_000))
    match field.id:
        case 152 | 153 | 160 | 323:
            return ago.map(lambda ms: EXPORT_S * 1000 - ms)
        case 151:
            return ago.map(lambda ms: EXPORT_S - ms // 1000)
        case 21 | 22:
            return ago.map(lambda ms: max(0, UPTIME_MS - ms))
        case 60:
            return st.sampled_from((4, 6))
        case 256:
            return st.sampled_from((0x0800, 0x86DD))
    return st.just(0)


@st.composite
def record_bytes(draw: st.DrawFn, template: Template) -> bytes:
    """A record of a template with small numbers, so that rates, names and selectors meet."""
    values: list[Value] = []
    for field in template.specs():
        if field.length == VARIABLE:
            values.append(draw(st.binary(max_size=4)))
        else:
            values.append(
                draw(st.one_of(st.integers(0, 3), st.integers(0, (1 << (8 * field.length)) - 1), _usual(field)))
            )
    return template.record(*values)


@st.composite
def streams(draw: st.DrawFn, max_datagrams: int = 10) -> list[Sent]:
    """Datagrams of a few exporters, ports and domains: templates and their changes, options, data before templates."""
    sent: list[Sent] = []
    known: dict[tuple[int, int], Template] = {}
    time_ns = EXPORT_S * 1_000_000_000
    for _ in range(draw(st.integers(1, max_datagrams))):
        version = draw(st.sampled_from((5, V9, IPFIX, IPFIX)))
        source = draw(st.sampled_from(("192.0.2.1", "192.0.2.2")))
        sequence = draw(st.integers(0, 20))
        time_ns += draw(st.sampled_from((0, 1_000_000, 10_000_000_000)))
        if version == 5:
            records = [LegacyRecord()] * draw(st.integers(0, 3))
            payload = v5(*records, sequence=sequence, sampling=draw(st.sampled_from((0, 100, 0x4064))))
        else:
            sets = draw(st.lists(_sets(version, known), max_size=4))
            payload = message(version, *sets, sequence=sequence, domain=draw(st.integers(0, 1)))
        sent.append(Sent(payload, source, time_ns, draw(st.sampled_from((50000, 50000, 50001, 50002)))))
    return sent


@st.composite
def _sets(draw: st.DrawFn, version: int, known: dict[tuple[int, int], Template]) -> bytes:
    action = draw(st.sampled_from(("template", "data", "data", "data", "withdraw", "early")))
    of_version = [template for (of, _), template in known.items() if of == version]
    if action == "withdraw" and version == IPFIX:
        return withdrawal_set(draw(st.integers(256, 259)))
    if action == "data" and of_version:
        return _data(draw, draw(st.sampled_from(of_version)))
    template = draw(templates(version))
    if action == "early":
        known[version, template.id] = template
        return _data(draw, template)
    known[version, template.id] = template
    make = template_set if template.scopes is None else options_template_set
    return make(version, template)


def _data(draw: st.DrawFn, template: Template) -> bytes:
    records = draw(st.lists(record_bytes(template), min_size=1, max_size=3))
    return data_set(template.id, *records, padding=draw(st.integers(0, 3)))


def hostile() -> st.SearchStrategy[bytes]:
    """Bytes that begin like a datagram of some version, cut or followed by anything."""
    start = st.sampled_from([struct.pack("!HH", version, 3) for version in (1, 5, 7, 9, 10)])
    words = st.lists(
        st.one_of(st.sampled_from((0, 1, 2, 3, 4, 5, 8, 255, 256, 257, 0x8001, 0xFFFF)), st.integers(0, 0xFFFF)),
        max_size=60,
    ).map(lambda numbers: struct.pack(f"!{len(numbers)}H", *numbers))
    headers = st.binary(min_size=12, max_size=20)
    return st.builds(lambda *parts: b"".join(parts), start, headers, words, st.binary(max_size=8))
