"""Flows spread over the time that they took, in place of the moment at which they were received."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.query.source import SECOND, SUMS, bounds, require_segments, restricted
from millrace.query.sql import Parameters, identifier
from millrace.query.tables import ReadPlan, Segment

SHARE = "_share"
"""Column of both relations: the part of a flow that a row stands for, above 0 and at most 1."""

FLOW_TIMES = ("TimeFlowStart", "TimeFlowEnd")

REACH_SECONDS = 35 * 60
"""How long a flow may take, and how far its times may lie from its reception.

Exporters report a flow that goes on after an active timeout, 30 minutes at
most by their defaults; five more are left for the export and the clocks.
"""


class SpreadFlows:
    """SQL of the flows of a plan, each cut to the range and spread evenly between its first and last packet.

    A flow lies in the milliseconds from `TimeFlowStart` up to `TimeFlowEnd`,
    at least one. It lies in the millisecond it was received where its times
    cannot be right: unknown (1970), reversed, longer than `REACH_SECONDS`, or
    farther than that from its reception on either side. So a flow that
    overlaps the range was received at most `REACH_SECONDS` outside of it, and
    over all ranges each flow is counted once.

    Parameters
    ----------
    plan : ReadPlan
    selects : sequence of str
        SQL of further columns.
    names : sequence of str
        Quoted names of these.
    condition : str
        SQL of the condition on a flow; empty: all.
    parameters : Parameters
        Takes the values.

    Attributes
    ----------
    whole_sql : str
        A row per flow: the columns, the sums, ``Flows`` and `SHARE` of the range.

    Raises
    ------
    QueryError
        If nothing is stored of that time.
    """

    def __init__(
        self,
        plan: ReadPlan,
        selects: Sequence[str],
        names: Sequence[str],
        condition: str,
        parameters: Parameters,
    ) -> None:
        require_segments(plan)
        (segment,) = plan.segments  # the flows themselves: no rollup has FLOW_TIMES
        self._parameters = parameters
        self._names = ", ".join(dict.fromkeys([*names, *SUMS]))
        self._flows = self._cut(segment, ", ".join(dict.fromkeys([*selects, *SUMS])), condition)
        self.whole_sql = f"SELECT {self._names}, Flows, (_until - _from) / _length AS {SHARE} FROM ({self._flows})"  # noqa: S608 - names of ours, quoted; values are bound

    def buckets_sql(self, step: int) -> str:
        """SQL with a row per flow and bucket of `step` seconds that it overlaps: as `whole_sql`, and `SECOND`."""
        seconds = self._parameters.add("Int64", step)
        width = self._parameters.add("Int64", step * 1000)
        overlap = f"least(_until, (_number + 1) * {width}) - greatest(_from, _number * {width})"
        return (
            f"SELECT _number * {seconds} AS {SECOND}, {self._names}, Flows, ({overlap}) / _length AS {SHARE} "  # noqa: S608 - names of ours, quoted; values are bound
            f"FROM ({self._flows}) "
            f"ARRAY JOIN range(intDiv(_from, {width}), intDiv(_until - 1, {width}) + 1) AS _number"
        )

    def _cut(self, segment: Segment, selected: str, condition: str) -> str:
        """SQL of the flows: their part of the range (`_from`, `_until`) and their whole `_length`, milliseconds."""
        start = self._parameters.add("Int64", segment.start * 1000)
        end = self._parameters.add("Int64", segment.end * 1000)
        reach = self._parameters.add("Int64", REACH_SECONDS * 1000)
        read = Segment(segment.table, max(segment.start - REACH_SECONDS, 0), segment.end + REACH_SECONDS)
        return (
            f"SELECT {selected}, toUInt64(1) AS Flows, toUnixTimestamp64Milli(TimeReceived) AS _received, "  # noqa: S608 - names of ours, quoted; values are bound
            "toUnixTimestamp64Milli(TimeFlowStart) AS _first, "
            "toUnixTimestamp64Milli(TimeFlowEnd) AS _last, "
            f"(_first >= _received - {reach} AND _last >= _first "
            f"AND _last <= least(_first, _received) + {reach}) AS _known, "
            "if(_known, _first, _received) AS _begin, if(_known, greatest(_last - _first, 1), 1) AS _length, "
            f"greatest(_begin, {start}) AS _from, least(_begin + _length, {end}) AS _until "
            f"FROM {identifier(segment.table.name)} "
            f"WHERE {bounds(read, self._parameters)}{restricted(condition)} AND _from < _until"
        )
