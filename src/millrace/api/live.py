"""The live stream of flows: server-sent events, a sample where flows are too many."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from anyio import to_thread

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64, AnyArray
from millrace.lang import Everything, Filter, mask
from millrace.pipeline import LiveHub, Subscription
from millrace.query import json_columns
from millrace.schema import Column, Schema

TICK_SECONDS = 0.5
"""How often a client gets an event; one without flows shows that the stream lives."""

_MOST_BATCHES = 64
"""Batches looked at per event; of more, the rest waits for the next (or is missed, and counted)."""

_SUMS = ("Packets", "Bytes")


@dataclass(frozen=True, slots=True)
class _Matched:
    """The flows of a batch that a client wants to see."""

    batch: FlowBatch
    index: I64

    def sums(self) -> AnyArray:
        """Packets and bytes, scaled by the sampling rate."""
        rate = np.maximum(self._numbers("SamplingRate"), 1.0)
        return np.array([float((self._numbers(name) * rate).sum()) for name in _SUMS])

    def _numbers(self, name: str) -> AnyArray:
        values = self.batch.columns.get(name)
        return values[self.index].astype(np.float64) if isinstance(values, np.ndarray) else np.zeros(len(self.index))


class LiveStream:
    """Events for one client.

    Each event is a JSON object: ``flows`` (at most the wanted number per
    second), ``seen`` (how many of the flows that the client wants passed since
    the last event), ``missed`` (of how many this client was too slow, since it
    came; where a filter applies, by the share of those that it wants) and
    ``rates`` since the last event: ``flows_per_second``,
    ``packets_per_second`` and ``bits_per_second``, of which the last two are
    scaled by the sampling rate.

    Parameters
    ----------
    subscription : Subscription
    schema : Schema
    columns : sequence of Column
        Columns to show.
    flows_per_second : int
    wanted : Filter
        Which flows, the asker's scope included.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        subscription: Subscription,
        schema: Schema,
        columns: Sequence[Column],
        flows_per_second: int,
        wanted: Filter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscription = subscription
        self._schema = schema
        self._columns = {column.name: column for column in columns}
        self._budget = max(1, round(flows_per_second * TICK_SECONDS))
        self._wanted = wanted or Everything()
        self._clock = clock
        self._last = clock()
        self._passed = self._matched = 0

    def event(self) -> str:
        """What passed since the last event."""
        found: list[_Matched] = []
        while len(found) < _MOST_BATCHES and (batch := self._subscription.take(0)) is not None:
            found.append(_Matched(batch, self._index(batch)))
            self._passed += len(batch)
            self._matched += len(found[-1].index)
        seen = sum(len(matched.index) for matched in found)
        body = {
            "flows": self._sample(found, seen),
            "seen": seen,
            "missed": self._missed(),
            "rates": self._rates(found, seen),
        }
        return f"event: flows\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"

    def _index(self, batch: FlowBatch) -> I64:
        if isinstance(self._wanted, Everything):
            return np.arange(len(batch))
        return np.flatnonzero(mask(self._wanted, batch, self._schema))

    def _missed(self) -> int:
        """Missed flows were not looked at: so many of them as of the others were wanted."""
        share = self._matched / self._passed if self._passed else 0.0
        return (
            self._subscription.missed
            if isinstance(self._wanted, Everything)
            else round(self._subscription.missed * share)
        )

    def _rates(self, found: Sequence[_Matched], seen: int) -> dict[str, float]:
        now = self._clock()
        # The first event comes at once: what passes in an instant is no rate.
        seconds, self._last = max(now - self._last, TICK_SECONDS / 2), now
        packets, octets = sum((matched.sums() for matched in found), np.zeros(len(_SUMS))).tolist()
        return {
            "flows_per_second": round(seen / seconds, 3),
            "packets_per_second": round(packets / seconds, 3),
            "bits_per_second": round(8 * octets / seconds, 3),
        }

    def _sample(self, found: Sequence[_Matched], seen: int) -> list[dict[str, object]]:
        """Evenly spaced flows of all, as many as the client wants at most."""
        places = np.linspace(0, seen - 1, min(seen, self._budget)).astype(np.int64)
        ends = np.cumsum([len(matched.index) for matched in found])
        parts = np.split(places, np.searchsorted(places, ends[:-1]))
        begins = (end - len(matched.index) for matched, end in zip(found, ends.tolist(), strict=True))
        return [
            row
            for matched, begin, part in zip(found, begins, parts, strict=False)
            for row in self._rows(matched.batch, matched.index[part - begin])
        ]

    def _rows(self, batch: FlowBatch, index: I64) -> list[dict[str, object]]:
        shown = FlowBatch(
            batch.rows,
            {name: values for name, values in batch.columns.items() if name in self._columns},
            {name: known for name, known in batch.valid.items() if name in self._columns},
        )
        present = {name: column for name, column in self._columns.items() if name in batch.columns}
        rows = json_columns(present, shown.take(index).to_arrow(self._schema, missing=False))
        # A column that a batch lacks is unknown, as it is in a row.
        return [{name: row.get(name) for name in self._columns} for row in rows]


async def stream(
    live: LiveHub,
    make: Callable[[Subscription], LiveStream],
    gone: Callable[[], Awaitable[bool]],
) -> AsyncIterator[str]:
    """Events until the client leaves or the server stops.

    Parameters
    ----------
    live : LiveHub
    make : callable
        Events of a subscription.
    gone : callable
        Whether to end.
    """
    with live.subscribe() as subscription:
        if subscription is None:
            yield "event: refused\ndata: {}\n\n"
            return
        events = make(subscription)
        while not await gone():
            # Rendering takes milliseconds of CPU: not on the event loop.
            yield await to_thread.run_sync(events.event)
            await asyncio.sleep(TICK_SECONDS)
