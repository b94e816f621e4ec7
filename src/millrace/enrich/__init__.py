"""Enrichment: batch to batch, over immutable look-up snapshots."""

from millrace.enrich.as_names import ASNames
from millrace.enrich.enricher import Enricher, Filler
from millrace.enrich.metadata import BOUNDARIES, Exporter, Interface, StaticMetadata
from millrace.enrich.networks import Network, Networks
from millrace.enrich.table import LearnedNames

__all__ = [
    "BOUNDARIES",
    "ASNames",
    "Enricher",
    "Exporter",
    "Filler",
    "Interface",
    "LearnedNames",
    "Network",
    "Networks",
    "StaticMetadata",
]
