"""Settings of the exporters: what is known of them without asking them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from millrace.config.section import Section
from millrace.enrich import Exporter, Interface, StaticMetadata


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


def _exporter(subnet: str, settings: ExporterSettings) -> Exporter:
    default = settings.default_interface
    plain = settings.model_dump(exclude={"interfaces", "default_interface"})
    return Exporter(
        subnet,
        **plain,
        default_interface=None if default is None else _interface(default),
        interfaces={index: _interface(interface) for index, interface in settings.interfaces.items()},
    )


def _interface(settings: InterfaceSettings) -> Interface:
    return Interface(**settings.model_dump())
