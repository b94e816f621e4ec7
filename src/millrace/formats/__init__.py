"""Batches to text and bytes."""

from millrace.formats.csv import CsvWriter, finite
from millrace.formats.jsonl import json_lines
from millrace.formats.text import mac_text, readable

__all__ = ["CsvWriter", "finite", "json_lines", "mac_text", "readable"]
