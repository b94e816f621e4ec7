"""What a sink is."""

from __future__ import annotations

from typing import Protocol

from millrace.batch import FlowBatch


class Sink(Protocol):
    """Destination of flows beside the store.

    Everything is called from one thread, may block, and raises SinkError. An
    error that is *transient* may be over later: then the same call is made
    again, `write` with the same batch, and nothing else meanwhile but `close`
    (of what was being written, a part may then be there). After any other
    error of `write` its batch counts as lost, and the next one is tried.
    """

    @property
    def unfinished(self) -> int:
        """Flows that were taken and that a reader cannot see yet (of a file that is not finished, say)."""
        ...

    def open(self) -> None:
        """Get ready; called before everything else, until it succeeds."""
        ...

    def write(self, flows: FlowBatch) -> None:
        """Take a batch, which is not changed and may be shared with others."""
        ...

    def tend(self) -> bool:
        """Do what time asks for, such as ending an old file; called every second or so. Whether there was anything."""
        ...

    def close(self) -> None:
        """Make what was taken visible to readers, and end; nothing happens if it never opened."""
        ...
