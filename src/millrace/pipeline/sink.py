"""Where flows go at the end of the pipeline."""

from __future__ import annotations

from typing import Protocol

from millrace.batch import FlowBatch


class FlowSink(Protocol):
    """Destination of flows.

    `insert` and `insert_counters` are each called from one thread, may block,
    and return when the rows are safe. They raise StoreError when they are not;
    the pipeline then calls again, `insert` with the same batch and token.
    ShapeError and SchemaError say that rows are wrong in themselves and that
    nothing of them was stored: the pipeline stores the others without them.
    """

    def insert(self, flows: FlowBatch, *, token: str | None = None) -> None:
        """Store a batch; a token that was accepted before is not stored twice."""
        ...

    def insert_counters(self, counters: FlowBatch) -> None:
        """Store interface counters."""
        ...


class NullSink:
    """Counts flows and forgets them (to measure reception and decoding)."""

    def __init__(self) -> None:
        self.flows = 0

    def insert(self, flows: FlowBatch, *, token: str | None = None) -> None:  # noqa: ARG002 - the protocol's shape
        """Count the rows."""
        self.flows += len(flows)

    def insert_counters(self, counters: FlowBatch) -> None:
        """Do nothing."""
