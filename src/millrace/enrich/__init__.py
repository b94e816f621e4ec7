"""Enrichment: batch to batch, over immutable look-up snapshots."""

from millrace.enrich.enricher import Enricher
from millrace.enrich.metadata import BOUNDARIES, Exporter, Interface, StaticMetadata
from millrace.enrich.table import LearnedNames

__all__ = ["BOUNDARIES", "Enricher", "Exporter", "Interface", "LearnedNames", "StaticMetadata"]
