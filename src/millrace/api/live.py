"""The live stream of flows: server-sent events, a sample where flows are too many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
from anyio import to_thread

from millrace.batch import FlowBatch
from millrace.pipeline import LiveHub, Subscription
from millrace.query import json_columns
from millrace.schema import Column, Schema

TICK_SECONDS = 0.5
"""How often a client gets an event; one without flows shows that the stream lives."""

_MOST_BATCHES = 64
"""Batches looked at per event; of more, the rest waits for the next (or is missed, and counted)."""


class LiveStream:
    """Events for one client.

    Each event is a JSON object: ``flows`` (at most the wanted number per
    second), ``seen`` (how many flows passed since the last event) and
    ``missed`` (flows that this client was too slow for, since it came).

    Parameters
    ----------
    subscription : Subscription
    schema : Schema
    columns : sequence of Column
        Columns to show.
    flows_per_second : int
    """

    def __init__(
        self, subscription: Subscription, schema: Schema, columns: Sequence[Column], flows_per_second: int
    ) -> None:
        self._subscription = subscription
        self._schema = schema
        self._columns = {column.name: column for column in columns}
        self._budget = max(1, round(flows_per_second * TICK_SECONDS))

    def event(self) -> str:
        """What passed since the last event."""
        batches: list[FlowBatch] = []
        while len(batches) < _MOST_BATCHES and (batch := self._subscription.take(0)) is not None:
            batches.append(batch)
        seen = sum(len(batch) for batch in batches)
        flows = [row for batch in batches for row in self._rows(batch, seen)]
        body = {"flows": flows, "seen": seen, "missed": self._subscription.missed}
        return f"event: flows\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"

    def _rows(self, batch: FlowBatch, seen: int) -> list[dict[str, object]]:
        """Evenly spaced flows of a batch: its share of the budget."""
        take = min(len(batch), -(-self._budget * len(batch) // seen)) if seen > self._budget else len(batch)
        index = np.linspace(0, len(batch) - 1, take).astype(np.int64) if take else np.zeros(0, np.int64)
        wanted = FlowBatch(
            batch.rows,
            {name: values for name, values in batch.columns.items() if name in self._columns},
            {name: mask for name, mask in batch.valid.items() if name in self._columns},
        )
        known = {name: column for name, column in self._columns.items() if name in batch.columns}
        rows = json_columns(known, wanted.take(index).to_arrow(self._schema, missing=False))
        # A column that a batch lacks is unknown, as it is in a row.
        return [{name: row.get(name) for name in self._columns} for row in rows]


async def stream(
    live: LiveHub,
    place: AbstractContextManager[None],
    make: Callable[[Subscription], LiveStream],
    gone: Callable[[], Awaitable[bool]],
) -> AsyncIterator[str]:
    """Events until the client leaves or the server stops.

    Parameters
    ----------
    live : LiveHub
    place : context manager
        The client's place, already held; given back at the end.
    make : callable
        Events of a subscription.
    gone : callable
        Whether to end.
    """
    with place, live.subscribe() as subscription:
        if subscription is None:
            yield "event: refused\ndata: {}\n\n"
            return
        events = make(subscription)
        while not await gone():
            # Rendering takes milliseconds of CPU: not on the event loop.
            yield await to_thread.run_sync(events.event)
            await asyncio.sleep(TICK_SECONDS)
