"""What a flow column is: its logical kind and everything that follows from it.

A `Column` is a row of the one table of columns. Its `Kind` decides how values
look in NumPy, Arrow and ClickHouse, so that these facts stand in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
import pyarrow as pa

Rollup = Literal["key", "sum"]
"""How a rollup treats a column: rows are told apart by it, or it is added up."""

Display = Literal[
    "number", "address", "as", "port", "mac", "time", "text", "bytes", "packets",
    "protocol", "ethertype", "bits", "community", "prefix-length",
]  # fmt: skip


class Kind(Enum):
    """Logical type of a column.

    =========  ==========================  =======================  ======================
    kind       NumPy                       Arrow                    ClickHouse
    =========  ==========================  =======================  ======================
    U8 … U64   uint8 … uint64, (n,)        uint8 … uint64           UInt8 … UInt64
    TIME_MS    int64, (n,), Unix ms        timestamp[ms, UTC]       DateTime64(3, 'UTC')
    ADDRESS    uint8, (n, 16), IPv6 or     fixed_size_binary[16]    IPv6
               IPv4-mapped, network order
    MAC        uint64, (n,), 48 bits       uint64                   UInt64
    ENUM       uint8, (n,)                 dictionary of string     Enum8
    TEXT       `Coded` of str              dictionary of string     LowCardinality(String)
    U32_LIST   `Lists` of uint32           list of uint32           Array(UInt32)
    =========  ==========================  =======================  ======================
    """

    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    TIME_MS = "time_ms"
    ADDRESS = "address"
    MAC = "mac"
    ENUM = "enum"
    TEXT = "text"
    U32_LIST = "u32_list"

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Element type of the NumPy array (for U32_LIST: of the values)."""
        return _DTYPES[self]

    @property
    def arrow(self) -> pa.DataType:
        """Arrow type."""
        return _ARROW[self]


_DTYPES: dict[Kind, np.dtype[np.generic]] = {
    Kind.U8: np.dtype(np.uint8),
    Kind.U16: np.dtype(np.uint16),
    Kind.U32: np.dtype(np.uint32),
    Kind.U64: np.dtype(np.uint64),
    Kind.TIME_MS: np.dtype(np.int64),
    Kind.ADDRESS: np.dtype(np.uint8),
    Kind.MAC: np.dtype(np.uint64),
    Kind.ENUM: np.dtype(np.uint8),
    Kind.TEXT: np.dtype(np.int32),
    Kind.U32_LIST: np.dtype(np.uint32),
}

_ARROW: dict[Kind, pa.DataType] = {
    Kind.U8: pa.uint8(),
    Kind.U16: pa.uint16(),
    Kind.U32: pa.uint32(),
    Kind.U64: pa.uint64(),
    Kind.TIME_MS: pa.timestamp("ms", tz="UTC"),
    Kind.ADDRESS: pa.binary(16),
    Kind.MAC: pa.uint64(),
    Kind.ENUM: pa.dictionary(pa.int8(), pa.string()),
    Kind.TEXT: pa.dictionary(pa.int32(), pa.string()),
    Kind.U32_LIST: pa.list_(pa.uint32()),
}


@dataclass(frozen=True, slots=True)
class ElementRef:
    """An information element that feeds a column.

    Parameters
    ----------
    id : int
        Element number, enterprise bit removed.
    pen : int
        Private enterprise number; 0 is IANA's registry.
    """

    id: int
    pen: int = 0


@dataclass(frozen=True, slots=True)
class HeaderBits:
    """A bit range of a sampled header that feeds a user's column.

    Parameters
    ----------
    layer : str
        Header from whose first bit the range is counted: ``ethernet``,
        ``ipv4``, ``ipv6``, ``tcp``, ``udp``, ``icmp`` (outermost of its kind).
    offset_bits, length_bits : int
        Range; at most 64 bits.
    """

    layer: str
    offset_bits: int
    length_bits: int


@dataclass(frozen=True, slots=True)
class Column:
    """A row of the table of columns.

    Parameters
    ----------
    name : str
        CamelCase, as the field's users know it (``SrcAS``).
    kind : Kind
        Logical type.
    title, description : str
        For people: a short label and a sentence.
    group : str
        Heading under which the reference lists it.
    elements : tuple of ElementRef
        Information elements that feed it, in order of preference. Of several
        present in one record the first with a non-zero value wins.
    netflow_v5 : str
        Field of NetFlow v1, v5 and v7 that feeds it, by its usual name.
    sflow : str
        sFlow structure that feeds it, for the reference page.
    header : HeaderBits, optional
        Bit range of a sampled header (user columns).
    values : tuple of str
        ENUM: names of 0, 1, 2 …
    default : int
        Value stored where the packet did not tell (numbers only).
    dimension : bool
        May be grouped and filtered by.
    rollup : {"key", "sum"}, optional
        How rollups treat it; absent from them when None.
    codec : str
        ClickHouse compression codec.
    display : str
        How the console and tables show it.
    """

    name: str
    kind: Kind
    title: str
    description: str
    group: str
    elements: tuple[ElementRef, ...] = ()
    netflow_v5: str = ""
    sflow: str = ""
    header: HeaderBits | None = None
    values: tuple[str, ...] = ()
    default: int = 0
    dimension: bool = True
    rollup: Rollup | None = None
    codec: str = "LZ4"
    display: Display = "number"

    @property
    def clickhouse(self) -> str:
        """ClickHouse type."""
        if self.kind is Kind.ENUM:
            inner = ", ".join(f"'{text}' = {code}" for code, text in enumerate(self.values))
            return f"Enum8({inner})"
        return _CLICKHOUSE[self.kind]


_CLICKHOUSE: dict[Kind, str] = {
    Kind.U8: "UInt8",
    Kind.U16: "UInt16",
    Kind.U32: "UInt32",
    Kind.U64: "UInt64",
    Kind.TIME_MS: "DateTime64(3, 'UTC')",
    Kind.ADDRESS: "IPv6",
    Kind.MAC: "UInt64",
    Kind.TEXT: "LowCardinality(String)",
    Kind.U32_LIST: "Array(UInt32)",
}
