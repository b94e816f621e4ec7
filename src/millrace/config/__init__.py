"""Typed configuration: YAML file, environment overrides, errors that name the key."""

from millrace.config.environment import variable_name
from millrace.config.exporters import ExporterSettings, ExportersSettings, InterfaceSettings, static_metadata
from millrace.config.load import load
from millrace.config.pages import reference, schema, show
from millrace.config.section import Section

__all__ = [
    "ExporterSettings",
    "ExportersSettings",
    "InterfaceSettings",
    "Section",
    "load",
    "reference",
    "schema",
    "show",
    "static_metadata",
    "variable_name",
]
