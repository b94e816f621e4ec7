"""Read columns of a FlowBatch as the encoders want them."""

from __future__ import annotations

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists, plain, texts
from millrace.batch.arrays import U8, AnyArray

ETYPE_IPV4 = 0x0800
ETYPE_IPV6 = 0x86DD


def numbers(flows: FlowBatch, name: str) -> AnyArray:
    """A numeric column; zeros where the batch does not have it."""
    values = flows.columns.get(name)
    if values is None or isinstance(values, Coded | Lists):
        return np.zeros(flows.rows, np.uint64)
    return values


def addresses(flows: FlowBatch, name: str) -> U8:
    """An address column, shape (rows, 16); zeros where the batch does not have it."""
    values = flows.columns.get(name)
    if values is None or isinstance(values, Lists):
        return np.zeros((flows.rows, 16), np.uint8)
    return plain(values)


def ipv4_words(flows: FlowBatch, name: str) -> AnyArray:
    """Last four bytes of an address column as ``>u4``, shape (rows,)."""
    return np.ascontiguousarray(addresses(flows, name)[:, 12:]).view(">u4").reshape(-1)


def fixed_texts(flows: FlowBatch, name: str, length: int) -> AnyArray:
    """A text column as ``S<length>``, shape (rows,); empty where the batch does not have it."""
    values = flows.columns.get(name)
    if not isinstance(values, Coded):
        return np.zeros(flows.rows, f"S{length}")
    encoded = np.array([text.encode()[:length] for text in texts(values.values)], f"S{length}")
    return encoded[values.codes]
