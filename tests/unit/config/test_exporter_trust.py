"""Which exporters have reserved places, and from which ports they announce."""

from __future__ import annotations

import pytest

from millrace.batch import address_bytes
from millrace.config import ExporterSettings, exporter_trust
from millrace.decode import STRANGER, Trust


def test_exporters_of_small_subnets_have_reserved_places() -> None:
    trust = exporter_trust(
        {
            "192.0.2.1": ExporterSettings(source_ports=(2055, 2056)),
            "198.51.100.0/24": ExporterSettings(),
            "10.0.0.0/8": ExporterSettings(source_ports=(9995,)),
            "2001:db8::/64": ExporterSettings(name="all of a site"),
            "2001:db8::1": ExporterSettings(),
        }
    )
    assert trust(address_bytes("192.0.2.1")) == Trust(configured=True, ports=frozenset({2055, 2056}))
    assert trust(address_bytes("198.51.100.77")) == Trust(configured=True)
    # A forger finds as many addresses in it as he wants.
    assert trust(address_bytes("10.1.2.3")) == Trust(ports=frozenset({9995}))
    assert trust(address_bytes("2001:db8::2")) == STRANGER
    assert trust(address_bytes("2001:db8::1")) == Trust(configured=True)
    assert trust(address_bytes("203.0.113.1")) == STRANGER


@pytest.mark.parametrize("ports", [[0], [65536], ["x"]])
def test_ports_are_ports(ports) -> None:
    with pytest.raises(ValueError, match="source_ports"):
        ExporterSettings(source_ports=ports)
