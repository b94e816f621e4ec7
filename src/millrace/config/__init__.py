"""Typed configuration: YAML file, environment overrides, errors that name the key."""

from millrace.config.environment import variable_name
from millrace.config.exporters import (
    ExporterSettings,
    ExportersSettings,
    InterfaceSettings,
    exporter_quirks,
    exporter_trust,
    static_metadata,
)
from millrace.config.load import load, secrets_in
from millrace.config.networks import ASNamesSettings, NetworkSettings, NetworksSettings, static_networks
from millrace.config.pages import reference, schema, show
from millrace.config.section import Section

__all__ = [
    "ASNamesSettings",
    "ExporterSettings",
    "ExportersSettings",
    "InterfaceSettings",
    "NetworkSettings",
    "NetworksSettings",
    "Section",
    "exporter_quirks",
    "exporter_trust",
    "load",
    "reference",
    "schema",
    "secrets_in",
    "show",
    "static_metadata",
    "static_networks",
    "variable_name",
]
