"""The two batch types that travel between stages, and their array helpers."""

from millrace.batch.arrays import ARENA_PADDING, map_ipv4, spans, windows
from millrace.batch.datagrams import DatagramBatch, address_bytes, address_text
from millrace.batch.flows import Coded, FlowBatch, Lists, Values, plain, texts

__all__ = [
    "ARENA_PADDING",
    "Coded",
    "DatagramBatch",
    "FlowBatch",
    "Lists",
    "Values",
    "address_bytes",
    "address_text",
    "map_ipv4",
    "plain",
    "spans",
    "texts",
    "windows",
]
