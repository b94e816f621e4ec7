"""One stored flow with all of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from millrace.errors import QueryError
from millrace.lang import Everything, Filter, Names, columns_of
from millrace.query.labels import UNKNOWN, label
from millrace.query.render import Json, json_columns
from millrace.query.search import HASH, Ask
from millrace.query.source import with_unknown
from millrace.query.sql import Parameters, identifier, moment_ms
from millrace.query.tables import Table
from millrace.query.where import where
from millrace.schema import Schema

_ID = re.compile(r"([0-9]{1,15})\.([0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class Record:
    """A stored flow.

    Attributes
    ----------
    columns : dict
        Value of every column, in the order of the schema.
    labels : dict
        Those of which more is known, for people (``AS15169 Google``, ``443 https``).
    """

    id: str
    columns: dict[str, Json]
    labels: dict[str, str]


def find_record(flow_id: str, schema: Schema, names: Names, scope: Filter, raw: Table, ask: Ask) -> Record | None:
    """The flow of an id that a page gave; None if it is not stored (any more), or not for this asker.

    Raises
    ------
    QueryError
        If no page can have given such an id.
    """
    found = _ID.fullmatch(flow_id)
    if found is None or int(found[2]) >= 1 << 64:
        raise QueryError("the id of the flow is none that a page has given")
    second = int(found[1]) // 1000
    if raw.knowing((column.name for column in columns_of(scope)), second + 1).since > second:
        return None
    parameters = Parameters()
    moment = moment_ms(int(found[1]), parameters)
    number = parameters.add("UInt64", int(found[2]))
    condition = f"TimeReceived >= {moment} AND TimeReceived <= {moment} AND {HASH} = {number}"
    if not isinstance(scope, Everything):
        condition += f" AND ({where(scope, parameters)})"
    listed = "".join(f"{identifier(column.name)}, " for column in schema)
    shown = f"{listed}toUnixTimestamp64Milli(TimeReceived) AS _ms"
    sql = f"SELECT {shown} FROM {identifier(raw.name)} WHERE {condition} LIMIT 1"  # noqa: S608 - values are bound
    rows = json_columns({column.name: column for column in schema}, with_unknown(ask(sql, parameters.values), raw))
    return Record(flow_id, rows[0], _labels(rows[0], schema, names)) if rows else None


def _labels(row: Mapping[str, Json], schema: Schema, names: Names) -> dict[str, str]:
    shown = {name: label(schema[name], value, names) for name, value in row.items() if value}
    return {name: text for name, text in shown.items() if text not in (str(row[name]), UNKNOWN)}
