"""The one table of flow columns and the registry of information elements."""

from millrace.schema.column import Column, ElementRef, HeaderBits, Kind
from millrace.schema.columns import (
    COLUMNS,
    EXPORTER_ATTRIBUTES,
    FLOW_PROTOCOLS,
    IMPLAUSIBLE,
    MAX_SAMPLING_RATE,
    SAMPLING_SOURCES,
    TUNNEL_TYPES,
)
from millrace.schema.counters import COUNTER_COLUMNS
from millrace.schema.schema import Schema

__all__ = [
    "COLUMNS",
    "COUNTER_COLUMNS",
    "EXPORTER_ATTRIBUTES",
    "FLOW_PROTOCOLS",
    "IMPLAUSIBLE",
    "MAX_SAMPLING_RATE",
    "SAMPLING_SOURCES",
    "TUNNEL_TYPES",
    "Column",
    "ElementRef",
    "HeaderBits",
    "Kind",
    "Schema",
]
