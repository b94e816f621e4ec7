"""Flows as plain rows, and batches made of them: what files must give back, told apart from how they are made."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from random import Random

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists
from millrace.schema import Kind, Schema

SCHEMA = Schema()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BITS = {Kind.U8: 8, Kind.U16: 16, Kind.U32: 32, Kind.U64: 64}


def a_value(random, column):
    """A value as `batch_of` takes it: addresses, MAC addresses and names as texts, times in Unix milliseconds."""
    match column.kind:
        case Kind.ADDRESS:
            return str(ip_address(random.getrandbits(random.choice([32, 128]))))
        case Kind.MAC:
            return random.getrandbits(48).to_bytes(6, "big").hex(":")
        case Kind.ENUM:
            return random.choice(column.values)
        case Kind.TEXT:
            return random.choice(["", "edge1", 'quo"te', "naïve\n", "a,b", "Zürich", "\0"])
        case Kind.TIME_MS:
            return random.randrange(1, 10_000_000_000_000)
        case Kind.U32_LIST:
            return [random.getrandbits(32) for _ in range(random.randrange(4))]
        case kind:
            return random.choice([0, 1, random.getrandbits(_BITS[kind]), 2 ** _BITS[kind] - 1])


def some_rows(count, seed=0, known=0.7):
    """Rows with any of all columns."""
    random = Random(seed)
    return [{c.name: a_value(random, c) for c in SCHEMA if random.random() < known} for _ in range(count)]


def batch_of(rows, schema=SCHEMA):
    """A batch of rows; a column that a row lacks is unknown there, one that all lack is absent."""
    batch = FlowBatch(len(rows))
    for column in schema:
        valid = np.array([column.name in row for row in rows], np.bool_)
        if valid.any():
            values = _values(column, [row.get(column.name) for row in rows])
            batch.put(column.name, values, None if valid.all() else valid)
    return batch


def _values(column, values):
    match column.kind:
        case Kind.ADDRESS:
            packed = b"".join(_packed(value) for value in values)
            return np.frombuffer(packed, np.uint8).reshape(-1, 16)
        case Kind.MAC:
            return np.array([int((value or "0").replace(":", ""), 16) for value in values], np.uint64)
        case Kind.ENUM:
            return np.array([column.values.index(value) if value else 0 for value in values], np.uint8)
        case Kind.TEXT:
            known = list(dict.fromkeys(value or "" for value in values))
            return Coded(np.array([known.index(value or "") for value in values], np.int32), known)
        case Kind.U32_LIST:
            offsets = np.cumsum([0, *(len(value or ()) for value in values)]).astype(np.int32)
            return Lists(offsets, np.array([item for value in values for item in value or ()], np.uint32))
        case kind:
            return np.array([value or 0 for value in values], kind.dtype)


def _packed(text):
    if text is None:
        return bytes(16)
    packed = ip_address(text).packed
    return packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed


def as_json(rows, schema=SCHEMA):
    """Rows as JSON lines must have them."""
    return [
        {
            name: moment(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            if schema[name].kind is Kind.TIME_MS
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


def as_parquet(rows, schema=SCHEMA, columns=None):
    """Rows as a Parquet file must have them: every column, unknown ones null."""
    return [
        {
            name: moment(row[name]) if name in row and schema[name].kind is Kind.TIME_MS else row.get(name)
            for name in columns or schema.names
        }
        for row in rows
    ]


def moment(ms):
    return _EPOCH + timedelta(milliseconds=ms)
