"""What enrichment should know of a model: parts of a configuration, as plain dicts."""

from __future__ import annotations

from millrace.generate.model import Model
from millrace.generate.netflow5 import AS_TRANS
from millrace.generate.networks import NETWORKS, prefixes

LOCAL_AS_NAME = "Example Network"


def demo_metadata(model: Model) -> dict[str, dict[str, object]]:
    """What enrichment should know of the routers: the configuration key ``exporters``, as plain dicts by address."""
    return {
        exporter.address: {
            "name": exporter.name,
            "group": exporter.group,
            "role": exporter.role,
            "site": exporter.site,
            "region": exporter.region,
            "tenant": exporter.tenant,
            "default_sampling_rate": exporter.sampling_rate,
            "interfaces": {
                interface.index: {
                    "name": interface.name,
                    "description": interface.description,
                    "speed_mbps": interface.speed_mbps,
                    "provider": interface.provider,
                    "connectivity": interface.connectivity,
                    "boundary": interface.boundary,
                }
                for interface in exporter.interfaces
            },
        }
        for exporter in model.exporters
    }


def demo_networks(model: Model) -> dict[str, dict[str, object]]:
    """What enrichment should know of addresses: the configuration key ``networks``, by prefix."""
    known: dict[str, dict[str, object]] = {
        str(network["prefix"]): {"country": network["country"]} for network in prefixes()
    }
    for exporter in model.exporters:
        country, state, city = exporter.place
        site: dict[str, object] = {
            "name": f"{exporter.site} subscribers" if exporter.networks else exporter.site,
            "role": "subscribers" if exporter.networks else "staff",
            "site": exporter.site,
            "region": exporter.region,
            "tenant": "" if exporter.networks else exporter.tenant,
            "country": country,
            "state": state,
            "city": city,
        }
        known |= {exporter.prefix4: site, exporter.prefix6: site}
        for network in exporter.networks:
            # The rest is that of the site.
            part: dict[str, object] = {"name": network.name, "role": network.role, "tenant": network.tenant}
            known |= {network.prefix4: part, network.prefix6: part}
    return known


def demo_as_names(model: Model) -> dict[int, str]:
    """Names of the AS that occur: the configuration key ``as_names``."""
    neighbours = {
        interface.asn: interface.description.partition(": ")[2].partition(" (")[0]
        for exporter in model.exporters
        for interface in exporter.interfaces
        if interface.asn
    }
    remote = {network.asn: network.name for network in NETWORKS}
    return {**neighbours, **remote, model.local_as: LOCAL_AS_NAME, AS_TRANS: "AS_TRANS"}
