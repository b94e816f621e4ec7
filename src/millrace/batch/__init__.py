"""The two batch types that travel between stages, and their array helpers."""

from millrace.batch.addresses import (
    MAPPED_BITS,
    MAPPED_FIRST,
    MAPPED_WORDS,
    address_bytes,
    address_text,
    as_ipv6,
    is_mapped,
    map_ipv4,
    mapped_rows,
)
from millrace.batch.arrays import ARENA_PADDING, spans, windows
from millrace.batch.datagrams import DatagramBatch
from millrace.batch.flows import Coded, FlowBatch, Lists, Values, plain, texts

__all__ = [
    "ARENA_PADDING",
    "MAPPED_BITS",
    "MAPPED_FIRST",
    "MAPPED_WORDS",
    "Coded",
    "DatagramBatch",
    "FlowBatch",
    "Lists",
    "Values",
    "address_bytes",
    "address_text",
    "as_ipv6",
    "is_mapped",
    "map_ipv4",
    "mapped_rows",
    "plain",
    "spans",
    "texts",
    "windows",
]
