"""Batches to text and bytes."""

from millrace.formats.files import FileFormat, PartWriter, write_table, writer
from millrace.formats.jsonl import json_lines
from millrace.formats.text import mac_text, readable

__all__ = [
    "FileFormat",
    "PartWriter",
    "json_lines",
    "mac_text",
    "readable",
    "write_table",
    "writer",
]
