"""Which flows a question is about: a range of time, a filter, and what the asker may see."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from millrace.lang import Filter, Names, columns_of, conjunction, parse, reversed_filter, zone
from millrace.query.asking import Asking
from millrace.query.questions import Grouped, Question
from millrace.query.sql import Parameters
from millrace.query.units import Measure
from millrace.query.where import where
from millrace.schema import IMPLAUSIBLE, Column, Schema
from millrace.store.store import LATE_SECONDS

PLAUSIBLE = f"Implausible = '{IMPLAUSIBLE[0]}'"
"""SQL that keeps flows whose figures can be right."""

_GRAINS = (1, 2, 5, 10, 15, 30, 60)
_POINTS = 200
_GRAINS_PER_RANGE = 20 * _POINTS

_LONG_SECONDS = 900
_CUT_PART = 10
"""What is not rolled up may be left out of a long range if it is this part at most."""

_PAST_SECONDS = 60.0
"""How long answers about the past are kept, unless flows come late (`Table.past_changes`)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Flows that a question is about.

    Parameters
    ----------
    start, end : int
        Range, Unix seconds, end excluded.
    now : int
        Present, Unix seconds; nothing lies after it.
    filter : Filter
        What the asker wants.
    scope : Filter
        What the asker may see.
    asked : tuple of int
        Start and end of the range that was asked for.
    zone : tzinfo
        Of the calendar.
    first : int
        Unix second before which there are no data.
    leave_out_implausible : bool
        Leave out flows that are marked. Those stored before there were marks stay: nobody is kept from seeing them.
    """

    start: int
    end: int
    now: int
    filter: Filter
    scope: Filter
    asked: tuple[int, int]
    zone: tzinfo = UTC
    first: int = 0
    leave_out_implausible: bool = False

    def covered(self, start: int, end: int) -> tuple[int, int]:
        """Part of a range for which there are data, Unix seconds; empty at its end if there are none."""
        return min(max(start, self.first), end), end

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns that decide whether a flow belongs to it."""
        return columns_of(conjunction(self.scope, self.filter))

    @property
    def fresh_seconds(self) -> float:
        """How long an answer may be kept: a quarter of an interval of a graph while flows come in, up to 10 s."""
        if self.end <= self.now - LATE_SECONDS:
            return _PAST_SECONDS
        return min(max((self.end - self.start) / _POINTS / 4, 1.0), 10.0)

    def condition(self, parameters: Parameters, measure: Measure | None = None) -> str:
        """SQL of the condition on a flow, range apart; empty if there is none.

        Parameters
        ----------
        parameters : Parameters
            Takes the values.
        measure : Measure, optional
            Leaves out flows that cannot be measured in it.
        """
        both = conjunction(self.scope, self.filter)
        parts = [where(both, parameters)] if columns_of(both) else []
        if self.leave_out_implausible:
            parts.append(PLAUSIBLE)
        if measure and measure.condition:
            parts.append(measure.condition)
        return " AND ".join(f"({part})" for part in parts)

    def opposite(self, schema: Schema) -> Selection:
        """The flows of the opposite direction; the scope is about flows as they are, and stays."""
        return replace(self, filter=reversed_filter(self.filter, schema))


def select(
    question: Question,
    asking: Asking,
    schema: Schema,
    names: Names,
    *,
    steady: bool = True,
    settled: int | None = None,
    arrived: int | None = None,
    first: int = 0,
) -> Selection:
    """Flows of a question.

    Parameters
    ----------
    question : Question
    asking : Asking
    schema : Schema
    names : Names
        Names that the filter may use.
    steady : bool
        Take the present as it was at the last full moment of a clock that
        ticks 4000 times per range, each second at most and each minute at
        least: ranges that end now are then asked for in the same words for
        that long, and answered from the cache.
    settled : int, optional
        Unix second at which ranges of a quarter of an hour and more end, if that moves them by
        a small part of their length only.
    arrived : int, optional
        Unix second before which every flow that was received is stored: ranges end there.
    first : int
        Unix second before which there are no data.

    Raises
    ------
    QueryError
        If the range is empty, or the filter is wrong.
    """
    where_asked = zone(question.timezone)
    wanted = parse(question.filter, schema, names, asking.saved, where_asked)
    now = asking.now
    asked = start, end = question.span(now)
    grain = 1
    if steady:
        grain = max(seconds for seconds in _GRAINS if seconds <= max((end - start) // _GRAINS_PER_RANGE, 1))
        now = now if grain == 1 else now // grain * grain
        asked = start, end = question.span(now)
    if arrived is not None and arrived < now and (question.start is None or start < arrived):
        now = float(max(arrived // grain * grain, 1 if question.start is None else start + 1))
    if steady and settled is not None and end - start >= _LONG_SECONDS and settled >= end - (end - start) // _CUT_PART:
        now = min(now, settled)
    start, end = question.span(now)
    leave_out = isinstance(question, Grouped) and question.leave_out_implausible
    return Selection(start, end, math.ceil(now), wanted, asking.scope, asked, where_asked, first, leave_out)
