"""Values that a column has had lately."""

from __future__ import annotations

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from millrace.lang import Filter, Names, columns_of, value_text
from millrace.query.cache import digest
from millrace.query.clauses import typed_value
from millrace.query.labels import label
from millrace.query.questions import ValuesQuestion
from millrace.query.render import json_values
from millrace.query.results import ColumnValue
from millrace.query.search import Ask
from millrace.query.source import answering, relation
from millrace.query.sql import Parameters, identifier, known_column
from millrace.query.tables import Table, plan
from millrace.query.where import where
from millrace.schema import Column, Kind, Schema

ROLLED_SECONDS = 86_400
RAW_SECONDS = 900
"""Values are looked for in the last so many seconds of a range at most: of rollups, of single flows."""

USUAL_ROLLED_SECONDS = 3600
USUAL_RAW_SECONDS = 300
"""The same if no range is given."""

RAW_ROWS = 2_000_000
"""Single flows that are looked at."""

KNOWN_VALUES = 5000
"""Values kept of a column, the most frequent ones."""

FRESH_SECONDS = 60.0

_ROUND_SECONDS = 300

MAX_BYTES = 16 * 1024 * 1024
"""What the values that are kept take in memory."""

_ENTRY_BYTES = 512
_VALUE_BYTES = 192
"""What a value takes apart from its texts: references, numbers, and a place in the list."""


@dataclass(frozen=True)
class _Known:
    """Values of a column at a time; `complete`: there are no others."""

    values: list[ColumnValue]
    complete: bool
    when: float

    @cached_property
    def bytes(self) -> int:
        """What it takes in memory."""
        texts = sum(_text_bytes(item) for value in self.values for item in (value.value, value.label, value.text))
        return _ENTRY_BYTES + len(self.values) * _VALUE_BYTES + texts


class RecentValues:
    """Answers questions for values; remembers the answers for `FRESH_SECONDS`. Safe to use from several threads.

    Parameters
    ----------
    schema : Schema
    names : Names
        For labels.
    clock : callable
        Monotonic seconds.
    max_bytes : int
        What the answers that are kept take in memory; the least recently used leave first.
    """

    def __init__(
        self,
        schema: Schema,
        names: Names,
        clock: Callable[[], float] = time.monotonic,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._schema = schema
        self._names = names
        self._clock = clock
        self._guard = threading.Lock()
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0

    @property
    def bytes_kept(self) -> int:
        """What the answers that are kept take in memory."""
        return self._bytes

    def of(
        self,
        question: ValuesQuestion,
        filter: Filter,  # noqa: A002 - the field's word
        tables: Sequence[Table],
        now: float,
        ask: Ask,
    ) -> list[ColumnValue]:
        """Values of a column, the most frequent first.

        Parameters
        ----------
        question : ValuesQuestion
        filter : Filter
            The question's, and the asker's scope.
        tables : sequence of Table
        now : float
            Unix seconds.
        ask : callable

        Raises
        ------
        QueryError
            If the column is unknown.
        """
        column = known_column(self._schema, question.column)
        if column.kind is Kind.TIME_MS:
            return []
        known = self._read(question, column, filter, tables, now, ask, "")
        wanted = question.contains.casefold()
        found = [value for value in known.values if _holds(value, wanted)]
        if wanted and len(found) < question.limit and not known.complete:
            # Rare values are not among those that are kept.
            rare = self._read(question, column, filter, tables, now, ask, question.contains)
            there = {value.text for value in found}
            found += [value for value in rare.values if value.text not in there]
        return found[: question.limit]

    def _read(
        self,
        question: ValuesQuestion,
        column: Column,
        filter: Filter,  # noqa: A002 - the field's word
        tables: Sequence[Table],
        now: float,
        ask: Ask,
        part: str,
    ) -> _Known:
        condition = Parameters()
        wanted = where(filter, condition), condition.values
        ranged = question.timezone, question.start, question.end, question.last_seconds
        key = digest((column.name, wanted, ranged, part))
        fresh = self._clock() - FRESH_SECONDS
        with self._guard:
            self._purge(fresh)
            known = self._known.get(key)
            if known is not None and known.when > fresh:
                self._known.move_to_end(key)
                return known
        sql, parameters = _statement(question, column, filter, tables, now, part)
        answer = ask(sql, parameters.used(sql))
        known = _Known(list(self._values(column, answer)), answer.num_rows < KNOWN_VALUES, self._clock())
        with self._guard:
            self._forget(key)
            self._known[key] = known
            self._bytes += known.bytes
            while self._bytes > self._max_bytes:
                self._forget(next(iter(self._known)))
        return known

    def _purge(self, fresh: float) -> None:
        for key in [key for key, known in self._known.items() if known.when <= fresh]:
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        known = self._known.pop(key, None)
        self._bytes -= known.bytes if known is not None else 0

    def _values(self, column: Column, answer: pa.Table) -> Iterator[ColumnValue]:
        item = replace(column, kind=Kind.U32) if column.kind is Kind.U32_LIST else column
        # A single community is no list, which is what a column of communities holds.
        plain = replace(item, display="number") if item.display == "community" else item
        shown = json_values(plain, answer.column("_value"))
        for value, flows in zip(shown, answer.column("_flows").to_pylist(), strict=True):
            assert not isinstance(value, list)
            text = value_text(column, typed_value(column, value))
            if column.display == "community":
                value = text
            yield ColumnValue(value, label(item, value, self._names), text, flows)


def _text_bytes(item: object) -> int:
    return sys.getsizeof(item) if isinstance(item, str) else 0


def _holds(value: ColumnValue, wanted: str) -> bool:
    return not wanted or wanted in value.label.casefold() or wanted in value.text.casefold()


def _statement(
    question: ValuesQuestion,
    column: Column,
    filter: Filter,  # noqa: A002 - the field's word
    tables: Sequence[Table],
    now: float,
    part: str,
) -> tuple[str, Parameters]:
    """SQL of the values that hold a part, and of how many flows have each."""
    parameters = Parameters()
    named = columns_of(filter)
    condition = where(filter, parameters) if named else ""
    usable = answering(tables, [column, *named])
    rolled = any(table.interval_seconds for table in usable)
    chosen = plan(usable, *_range(question, now, rolled=rolled))
    source = relation(chosen, [identifier(column.name)], condition, parameters)
    if not rolled:
        source = f"SELECT * FROM ({source}) LIMIT {RAW_ROWS}"  # noqa: S608 - a number of ours
    name = identifier(column.name)
    value = f"arrayJoin({name})" if column.kind is Kind.U32_LIST else name
    held = _shown_holds(column, parameters.add("String", part)) if part else "true"
    limit = parameters.add("UInt32", KNOWN_VALUES)
    return (
        f"SELECT {value} AS _value, sum(Flows) AS _flows FROM ({source}) GROUP BY _value HAVING {held} "  # noqa: S608 - values are bound
        f"ORDER BY _flows DESC, _value LIMIT {limit}"
    ), parameters


def _range(question: ValuesQuestion, now: float, *, rolled: bool) -> tuple[int, int]:
    if question.start is None and question.last_seconds is None:
        usual = USUAL_ROLLED_SECONDS if rolled else USUAL_RAW_SECONDS
        question = question.model_copy(update={"last_seconds": usual})
    start, end = question.span(now)
    if not rolled:
        return max(start, end - RAW_SECONDS), end
    # Whole intervals, as the first need not be cut from single flows.
    return max(start, end - ROLLED_SECONDS) // _ROUND_SECONDS * _ROUND_SECONDS, end


def _shown_holds(column: Column, part: str) -> str:
    """SQL of the condition that a value, as it is shown, holds a text; names of numbers apart."""
    match column.kind:
        case Kind.ADDRESS:
            shown = "replaceOne(toString(_value), '::ffff:', '')"
        case Kind.MAC:
            shown = "MACNumToString(_value)"
        case _:
            shown = "toString(_value)"
    return f"positionCaseInsensitiveUTF8({shown}, {part}) > 0"
