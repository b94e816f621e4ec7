"""An honest exporter, and the forged ones that flood a decoder beside it."""

from __future__ import annotations

from millrace.batch import address_bytes
from millrace.decode import Trust
from millrace.testing.netflow import EXPORT_S, IPFIX, Template, ipfix, options_template_set, template_set

YEAR_S = 365 * 86_400
HONEST = "192.0.2.1"
OWN = [Template(300 + n, [(7, 2), (210, n + 1)]) for n in range(20)]
"""Templates of the honest exporter."""
NAMES = Template(290, [(10, 4), (82, 8)], scopes=1)
RATE = Template(291, [(149, 4), (34, 4)], scopes=1)


def forged(n):
    return f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"


def distinct(first, amount, width=1):
    """Templates whose field lists nobody else has."""
    return [
        Template(256 + n, [(7, 2), *[(210, 1 + (first + n) % 60_000)] * width, (210, 1 + first // 60_000)])
        for n in range(amount)
    ]


def flood(collector, sources, templates, *, sends=False, at_s=EXPORT_S, width=1):
    """Each source announces so many templates of its own, and sends a flow if asked."""
    payloads = [
        ipfix(
            template_set(IPFIX, *(own := distinct(source * templates, templates, width))),
            *([own[0].data((1, *[b""] * (width + 1)))] if sends else []),
        )
        for source in sources
    ]
    collector.send(*payloads, source=[forged(source) for source in sources], at_s=at_s)


def announce(collector, templates=OWN, source=HONEST, at_s=EXPORT_S, port=50000):
    collector.send(ipfix(template_set(IPFIX, *templates)), source=source, at_s=at_s, port=port)


def served(collector, templates=OWN, source=HONEST, at_s=EXPORT_S, port=50000):
    """How many of its templates its data are read with."""
    payload = ipfix(*(template.data((n + 1, b"")) for n, template in enumerate(templates)))
    return len(collector.send(payload, source=source, at_s=at_s, port=port))


def statuses(collector):
    return {status.address: status for status in collector.decoder.exporters()}


def name_interfaces(collector, sources, each, at_s=EXPORT_S, sends=False):
    payloads = [
        ipfix(
            options_template_set(IPFIX, NAMES), NAMES.data(*((n + 1, f"i{n}") for n in range(each))),
            *([template_set(IPFIX, OWN[0]), OWN[0].data((1, b""))] if sends else []),
        )
        for _ in sources
    ]  # fmt: skip
    collector.send(*payloads, source=[forged(source) for source in sources], at_s=at_s)


def configured(address):
    return Trust(configured=address == address_bytes(HONEST))


def trusted(_):
    return Trust(ports=frozenset({2055, 2056}))
