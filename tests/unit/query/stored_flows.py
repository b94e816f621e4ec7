"""A real store of a few flows, whose sums can be checked by hand."""

from ipaddress import IPv6Address

import pyarrow as pa
from chdb.session import Session

from millrace.batch import address_bytes
from millrace.errors import StoreError
from millrace.query import Table
from millrace.schema import Kind, Schema
from millrace.store.parameters import bind

BASE = 1_767_268_800
"""2026-01-01T12:00:00Z."""

SCHEMA = Schema()

TABLES = (Table("flows"), Table("flows_1m0s", 60), Table("flows_5m0s", 300), Table("flows_1h0m0s", 3600))


class ChdbStore:
    """chDB with the tables of the schema; keeps the statements that it was asked."""

    def __init__(self, folder):
        self._session = Session(str(folder))
        self.asked = []
        columns = ", ".join(f"`{c.name}` {c.clickhouse}" for c in SCHEMA)
        self._session.query(f"CREATE TABLE flows ({columns}) ENGINE = MergeTree ORDER BY TimeReceived")
        self.rolled = [c for c in SCHEMA if c.rollup == "key"]
        columns = ", ".join(f"`{c.name}` {c.clickhouse}" for c in self.rolled)
        for table in TABLES[1:]:
            self._session.query(
                f"CREATE TABLE {table.name} (TimeReceived DateTime('UTC'), {columns}, Bytes UInt64, Packets UInt64, "
                "Flows UInt64) ENGINE = MergeTree ORDER BY TimeReceived"
            )

    def query(self, sql, parameters, *, cancel=None, typed=True):
        if cancel is not None:
            cancel.check()
        self.asked.append((sql, dict(parameters)))
        try:
            return self._session.query(sql, "ArrowTable", params={k: bind(v) for k, v in parameters.items()})
        except Exception as error:
            raise StoreError(str(error)) from error

    def insert(self, rows):
        """Store flows given as dicts; columns left out have their default."""
        names = sorted({name for row in rows for name in row})
        table = pa.table(  # noqa: F841 - chDB finds it by its name
            {name: _array(SCHEMA[name], [row.get(name) for row in rows]) for name in names}
        )
        listed = ", ".join(names)
        shown = ", ".join(_cast(SCHEMA[name]) for name in names)
        self._session.query(f"INSERT INTO flows ({listed}) SELECT {shown} FROM Python(table)")

    def roll_up(self, until=None):
        """Fill the rollups; with `until`, Unix second by table name, only up to then."""
        names = [c.name for c in self.rolled]
        keys = ", ".join(f"`{name}`" for name in names)
        for table in TABLES[1:]:
            end = (until or {}).get(table.name, 2**32 - 1)
            self._session.query(
                f"INSERT INTO {table.name} (TimeReceived, {keys}, Bytes, Packets, Flows) "
                f"SELECT toStartOfInterval(TimeReceived, INTERVAL {table.interval_seconds} SECOND) AS t, {keys}, "
                "sum(Bytes), sum(Packets), count() FROM flows "
                f"WHERE TimeReceived < toDateTime({end}) GROUP BY t, {keys}"
            )

    def clear(self):
        for table in TABLES:
            self._session.query(f"TRUNCATE TABLE {table.name}")
        self.asked.clear()

    def close(self):
        self._session.close()


def _array(column, values):
    match column.kind:
        case Kind.ADDRESS:
            return pa.array([str(IPv6Address(address_bytes(value or "::"))) for value in values])
        case Kind.TIME_MS:
            return pa.array([value or 0 for value in values], pa.int64())
        case Kind.ENUM:
            return pa.array([value or column.values[0] for value in values])
        case Kind.TEXT:
            return pa.array([value or "" for value in values])
        case Kind.U32_LIST:
            return pa.array([value or [] for value in values], pa.list_(pa.uint32()))
        case _:
            return pa.array([value if value is not None else column.default for value in values], column.kind.arrow)


def _cast(column):
    if column.kind is Kind.TIME_MS:
        return f"fromUnixTimestamp64Milli({column.name}, 'UTC')"
    return f"CAST({column.name} AS {column.clickhouse})"


def flow(second=0.0, **columns):
    """A flow received `second` seconds after `BASE`."""
    usual = {
        "ExporterAddress": "192.0.2.1",
        "SrcAddr": "198.51.100.1",
        "DstAddr": "2001:db8::1",
        "SrcAS": 64500,
        "Bytes": 1000,
        "Packets": 10,
        "SamplingRate": 1,
    }
    return {"TimeReceived": round((BASE + second) * 1000), **usual, **columns}
