"""Settings of networks: what is known of addresses by prefix, and names of AS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from millrace.config.exporters import Subnet
from millrace.config.section import Section
from millrace.enrich import Network, Networks


def _quoted(country: object) -> object:
    if country is False:
        raise ValueError('write the code in quotes, "NO": YAML takes it for false')
    return country


class NetworkSettings(Section):
    """Networks by prefix; what the longest prefix leaves empty comes from the shorter ones that contain it."""

    name: str = ""
    """Name of the network."""

    role: str = ""
    """Role, such as `customers`, `servers`."""

    site: str = ""
    """Site where it is used."""

    region: str = ""
    """Region where it is used."""

    tenant: str = ""
    """Whose it is."""

    country: Annotated[str, BeforeValidator(_quoted)] = Field(default="", pattern="^([A-Z]{2})?$")
    """Country of the addresses: ISO 3166 code of two capital letters."""

    state: str = ""
    """State or province of the addresses."""

    city: str = ""
    """City of the addresses."""

    asn: int = Field(default=0, ge=0, le=2**32 - 1)
    """AS number, for flows whose exporter tells none."""


NetworksSettings: TypeAlias = dict[Subnet, NetworkSettings]
"""Networks by prefix: the type of the key `networks` of the configuration file."""

ASNamesSettings: TypeAlias = dict[Annotated[int, Field(ge=1, le=2**32 - 1)], Annotated[str, Field(min_length=1)]]
"""Names by AS number: the type of the key `as_names` of the configuration file."""


def static_networks(networks: Mapping[str, NetworkSettings]) -> Networks:
    """Build the look-up that enrichment uses.

    Raises
    ------
    ConfigError
        If two keys name the same prefix.
    """
    return Networks(Network(prefix, **settings.model_dump()) for prefix, settings in networks.items())
