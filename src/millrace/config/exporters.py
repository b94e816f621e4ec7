"""Settings of the exporters: what is known of them without asking them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from ipaddress import ip_network
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from millrace.config.section import Section
from millrace.decode import NO_QUIRKS, STRANGER, Quirks, QuirksOf, Trust, TrustOf
from millrace.enrich import Exporter, Interface, StaticMetadata

RESERVED_ADDRESSES = 256
"""Largest subnet whose exporters have reserved places."""


class InterfaceSettings(Section):
    """Interfaces of an exporter: what their index stands for."""

    name: str = ""
    """Name, as ifName would say; the one that the exporter announces if empty."""

    description: str = ""
    """Description, as ifAlias would say; the one that the exporter announces if empty."""

    speed_mbps: int = Field(default=0, ge=0, le=2**32 - 1)
    """Speed; 0: unknown."""

    provider: str = ""
    """Provider or peer at the other end."""

    connectivity: str = ""
    """Kind of connectivity, such as `transit`, `peering`, `customer`."""

    boundary: Literal["undefined", "external", "internal"] = "undefined"
    """Whether the interface faces another network."""


class ExporterSettings(Section):
    """Exporters by subnet or address; of several that contain an exporter the longest prefix counts."""

    name: str = ""
    """Name; the address if empty."""

    group: str = ""
    """Group of the exporter."""

    role: str = ""
    """Role, such as `edge`, `core`."""

    site: str = ""
    """Site where it stands."""

    region: str = ""
    """Region where it stands."""

    tenant: str = ""
    """Whom it serves."""

    default_sampling_rate: int | None = Field(default=None, ge=1, le=2**32 - 1)
    """N of 1-in-N, where the exporter does not tell."""

    sampling_rate: int | None = Field(default=None, ge=1, le=2**32 - 1)
    """N of 1-in-N, whatever the exporter tells."""

    swapped_sampling_rates: bool = False
    """The exporter sends sampling rates with their bytes in the wrong order (a rate of 1000 comes as 3892510720)."""

    reverse_in_23_24: bool = False
    """The fields 23 and 24 (OUT_BYTES, OUT_PKTS) of its NetFlow v9 records count the other direction of the flow."""

    source_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(default=(), max_length=64)
    """UDP ports from which it sends: templates and options from other ports are refused. Empty: all are accepted."""

    default_interface: InterfaceSettings | None = None
    """Interfaces that are not listed; interface 0, which means unknown, is not one of them."""

    interfaces: dict[Annotated[int, Field(ge=0, le=2**32 - 1)], InterfaceSettings] = Field(default_factory=dict)
    """Interfaces by ifIndex."""


def _check_subnet(text: str) -> str:
    # Kept as written: two spellings of one subnet would fall together here, unseen.
    ip_network(text)
    return text


Subnet: TypeAlias = Annotated[str, AfterValidator(_check_subnet)]
"""Subnet or single address, as text."""

ExportersSettings: TypeAlias = dict[Subnet, ExporterSettings]
"""Exporters by subnet: the type of the key `exporters` of the configuration file."""


def static_metadata(exporters: Mapping[str, ExporterSettings]) -> StaticMetadata:
    """Build the look-up that enrichment uses.

    Raises
    ------
    ConfigError
        If two keys name the same subnet.
    """
    return StaticMetadata(_exporter(subnet, settings) for subnet, settings in exporters.items())


def exporter_quirks(exporters: Mapping[str, ExporterSettings]) -> QuirksOf:
    """Build the function that tells the decoder how exporters depart from the standards.

    Raises
    ------
    ConfigError
        If two keys name the same subnet.
    """
    subnets = static_metadata(exporters)
    by_number = (NO_QUIRKS, *(Quirks(**settings.model_dump(include=_QUIRKS)) for settings in exporters.values()))
    return lambda address: by_number[subnets.find(address)]


def exporter_trust(exporters: Mapping[str, ExporterSettings]) -> TrustOf:
    """Build the function that tells the decoder whose place is kept, and from which ports exporters announce.

    A place is kept for those whose key names at most `RESERVED_ADDRESSES`
    addresses: in a larger subnet a forger finds as many as he wants.

    Raises
    ------
    ConfigError
        If two keys name the same subnet.
    """
    subnets = static_metadata(exporters)
    by_number = (STRANGER, *(_trust(subnet, settings) for subnet, settings in exporters.items()))
    return lambda address: by_number[subnets.find(address)]


def _trust(subnet: str, settings: ExporterSettings) -> Trust:
    few = ip_network(subnet).num_addresses <= RESERVED_ADDRESSES
    return Trust(configured=few, ports=frozenset(settings.source_ports))


_QUIRKS = {field.name for field in fields(Quirks)}
"""Settings that concern decoding, not enrichment: a setting of the same name per quirk."""


def _exporter(subnet: str, settings: ExporterSettings) -> Exporter:
    default = settings.default_interface
    plain = settings.model_dump(exclude={"interfaces", "default_interface", "source_ports", *_QUIRKS})
    return Exporter(
        subnet,
        **plain,
        default_interface=None if default is None else _interface(default),
        interfaces={index: _interface(interface) for index, interface in settings.interfaces.items()},
    )


def _interface(settings: InterfaceSettings) -> Interface:
    return Interface(**settings.model_dump())
