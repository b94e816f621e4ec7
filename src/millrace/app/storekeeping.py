"""The store by itself, without a collector: for commands that delete on purpose."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from millrace.app.settings import Settings
from millrace.errors import QueryError
from millrace.lang import DEFAULT_NAMES, Everything, columns_of, parse
from millrace.query.sql import Parameters
from millrace.query.where import where
from millrace.store import Doomed, EmbeddedStore, require_folder

_FOREVER_MS = Doomed("").end_ms


@contextmanager
def opened_store(settings: Settings) -> Iterator[EmbeddedStore]:
    """The store of a configuration, open to this process alone.

    Raises
    ------
    StoreError
        If there is no data folder, or a collector has it.
    """
    require_folder(settings.data)
    store = EmbeddedStore(settings.data, settings.columns.schema_of(), settings.store)
    store.start(on_purpose=True)
    try:
        yield store
    finally:
        store.stop()


def doomed_flows(settings: Settings, text: str, start: str, end: str) -> Doomed:
    """Flows that a filter and a range of time choose.

    Parameters
    ----------
    settings : Settings
    text : str
        In the filter language; empty: all of the range.
    start, end : str
        ISO 8601, in UTC unless they say an offset; the end is excluded. Empty: no bound.

    Raises
    ------
    QueryError
        If the filter or a time is wrong, or nothing is chosen.
    """
    names = DEFAULT_NAMES.with_autonomous_systems(settings.as_names)
    chosen = parse(text, settings.columns.schema_of(), names)
    if isinstance(chosen, Everything) and not (start or end):
        raise QueryError("say which flows: --filter, --from, --to, or several of them")
    start_ms, end_ms = _moment_ms(start, 0), _moment_ms(end, _FOREVER_MS)
    if start_ms >= end_ms:
        raise QueryError(f"the range is empty: it begins at {start} and ends before {end}")
    parameters = Parameters()
    condition = where(chosen, parameters)
    columns = tuple(column.name for column in columns_of(chosen))
    return Doomed(text, condition, parameters.values, columns, start_ms, end_ms)


def _moment_ms(text: str, absent_ms: int) -> int:
    if not text:
        return absent_ms
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{text!r} is not a time such as '2026-01-31' or '2026-01-31T12:00:00+01:00'") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(math.floor(moment.timestamp() * 1000), 0), _FOREVER_MS)
