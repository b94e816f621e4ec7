"""The branch to a sink: flows go to another place than the store as well, and how it fares concerns nobody else."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import structlog

from millrace.batch import FlowBatch
from millrace.errors import SinkError
from millrace.lang import Everything, Filter, mask
from millrace.pipeline.branch import Branch
from millrace.pipeline.losses import Losses
from millrace.pipeline.queues import ByteQueue
from millrace.schema import Schema
from millrace.sinks import Sink, WhenFull
from millrace.telemetry import Condition, worst
from millrace.threads import Trouble, Watched

log = structlog.get_logger(__name__)

_GATHER_S = 0.5
"""How long flows gather before they are written: a write costs much the same for one flow and for a thousand."""

_GROUP_ROWS = 65_536
_GROUP_SHARE = 4
"""What is written at once takes at most this part of the queue: joining makes a copy of it."""

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_HURRIED_PAUSE_S = 0.05
"""Between attempts with flows that a sink refuses for the moment; the last one is for the end."""

_GRACE_S = 1.0
"""After the time for writing is over: for what is being written to end."""


@dataclass(frozen=True, slots=True)
class Route:
    """Which flows a branch takes, and how it holds them.

    Parameters
    ----------
    filter : Filter
    when_full : WhenFull
    queue_bytes : int
        Bound of what waits or is being written, whole batches, also those of which the filter leaves nothing.
    wait_in_trouble : bool
        With `wait`: also while the sink refuses flows, so that none is lost. Else it is waited for only as long as it
        works.
    """

    filter: Filter = field(default_factory=Everything)
    when_full: WhenFull = "drop"
    queue_bytes: int = 128 << 20
    wait_in_trouble: bool = True


class SinkBranch(Branch):
    """Filters every batch, and writes it to a sink in a thread of its own; see `Branch`.

    Every flow that was taken ends as filtered out, as written, or as dropped
    under a reason.

    Parameters
    ----------
    sink_name : str
        In the configuration.
    sink : Sink
    schema : Schema
        Of the batches.
    route : Route

    Attributes
    ----------
    sink_name : str
    filtered : int
        Flows that the filter left out.
    written : int
        Flows that the sink took.
    dropped : Losses
        Flows given up, by reason.
    unfinished : int
        Flows that had been written and were lost afterwards: what they were in could not be finished.
    refusals : int
        Attempts that failed.
    trouble : Trouble
        Of writing.
    """

    def __init__(self, sink_name: str, sink: Sink, schema: Schema, route: Route) -> None:
        super().__init__(f"sink-{sink_name}", f"handing flows to the sink {sink_name!r}")
        self.sink_name = sink_name
        self._sink = sink
        self._schema = schema
        self._route = route
        self._queue: ByteQueue[FlowBatch] = ByteQueue(route.queue_bytes)
        self._group_bytes = route.queue_bytes // _GROUP_SHARE
        self._counting = threading.Lock()
        self._taken = self._refused = 0
        self._settled = 0
        """Flows that were taken from the queue, and what became of them is counted; only the thread changes it."""
        self._opened = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._give_up = threading.Event()
        self._deadline = float("inf")
        self.trouble = Trouble(f"writing to the sink {sink_name!r}")
        self._thread = Watched(f"millrace-{self.name}", self._run, self.trouble)
        self.filtered = 0
        self.written = 0
        self.dropped = Losses()
        self.unfinished = 0
        self.refusals = 0

    @property
    def taken(self) -> int:
        """Flows that came."""
        return self._taken

    @property
    def waiting_rows(self) -> int:
        """Flows that wait or are being written."""
        return self._taken - self._refused - self._settled

    @property
    def lost(self) -> int:
        """After a stop: flows that were given up, or of whose writing nobody knows what became."""
        return self.dropped.total() + self.unfinished + self.waiting_rows

    @property
    def waiting_bytes(self) -> int:
        """Bytes of batches that wait or are being written."""
        return self._queue.nbytes

    @property
    def threads(self) -> tuple[Watched, ...]:
        """The one that writes."""
        return (self._thread,)

    def start(self) -> None:
        """Start the thread, which opens the sink."""
        self._thread.start()

    def give(self, flows: FlowBatch, size: int) -> None:
        """See `Branch.give`; with `wait` this waits for room."""
        if not len(flows):
            return
        # Before they are there: they may be written before this thread goes on.
        with self._counting:
            self._taken += len(flows)
        waits = self._route.when_full == "wait"
        added = False
        try:
            added = self._queue.put(flows, size, self._waits_no_more) if waits else self._queue.offer(flows, size)
        finally:
            if not added:
                self.dropped.add("stopped" if self._stopping.is_set() else "queue-full", len(flows))
                with self._counting:
                    self._refused += len(flows)
        if self._queue.nbytes >= self._group_bytes:
            self._wake.set()

    def end_by(self, deadline: float) -> None:
        """From now on nobody waits for a sink that refuses flows; from that moment (monotonic seconds) on for none."""
        self._deadline = min(self._deadline, deadline)
        self._stopping.set()

    def finish(self) -> None:
        """No more flows come: write what waits, close the sink, and end."""
        self._queue.close()
        self._stopping.set()
        self._wake.set()

    def stop(self, timeout_s: float) -> bool:
        """Finish, trying for at most `timeout_s` seconds; whether all was written.

        What was not is counted and logged.
        """
        before = self.dropped.total() + self.unfinished
        self._deadline = min(self._deadline, time.monotonic() + timeout_s)
        self.finish()
        ended = self._thread.join(max(self._deadline - time.monotonic(), 0.0) + _GRACE_S)
        # Of a write that has not ended nobody knows what becomes.
        lost = self.lost - before
        if lost or not ended:
            log.error("a sink did not take everything", sink=self.sink_name, flows=lost, error=self.trouble.last_error)
        return ended and not lost

    def give_up(self) -> None:
        """No longer wait for the sink."""
        self._deadline = 0.0
        self._stopping.set()
        self._give_up.set()

    def condition(self) -> Condition:
        """What health says of it: degraded at worst, as the store has the flows."""
        conditions = [
            self.trouble.condition(
                "degraded", f"the sink {self.sink_name!r} takes no flows, {self.waiting_rows} wait for it"
            )
        ]
        if not self._thread.alive and not self._stopping.is_set():
            conditions.append(
                Condition("degraded", (f"the thread that writes to the sink {self.sink_name!r} does not run",))
            )
        if self.dropped.lately():
            slow = "queue-full" in self.dropped and not self.trouble.error
            advice = f"; it is too slow: have it write less (filter, columns of sinks.{self.sink_name})" if slow else ""
            conditions.append(
                Condition("degraded", (f"flows were lost to the sink {self.sink_name!r}: {self.dropped}{advice}",))
            )
        if self.unfinished:
            what = f"{self.unfinished} flows are in files of the sink {self.sink_name!r} that could not be finished"
            conditions.append(Condition(notes=(f"{what}; the log names them.",)))
        return worst(conditions)

    def _waits_no_more(self) -> bool:
        if self._give_up.is_set() or time.monotonic() >= self._deadline:
            return True
        patient = self._route.wait_in_trouble and not self._stopping.is_set()
        return bool(self.trouble.error) and not patient

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._queue.drained):
            self._wake.wait(_GATHER_S)
            self._wake.clear()
            self._tend()
            self._flush()
        self._close()

    def _flush(self) -> None:
        """Write what waits now; what comes meanwhile gathers for the next time."""
        left = len(self._queue)
        while left > 0:
            group = self._queue.take_some(_GROUP_ROWS, self._group_bytes, left)
            if not group:
                break
            left -= len(group)
            self._handle(group)
        # What was written last is no longer in memory.
        self._queue.take_some(0, 0, 0)

    def _handle(self, group: list[FlowBatch]) -> None:
        """Filter and write batches; every flow of them is settled then, whatever happens."""
        rows = sum(map(len, group))
        end = self._settled + rows
        try:
            if time.monotonic() >= self._deadline:
                self._drop(rows, "stopped")
                return
            chosen = [part for batch in group for part in self._chosen(batch)]
            if chosen:
                self._write(FlowBatch.concat(chosen, self._schema))
        except Exception as error:  # noqa: BLE001, RUF100 - a defect, whatever it is, costs these flows only
            self.trouble.note(error, flows=end - self._settled)
            self._drop(end - self._settled, "write-failed")
        finally:
            # Whatever ended this: nothing is lost without a count.
            self._drop(end - self._settled, "branch-failed")

    def _chosen(self, flows: FlowBatch) -> list[FlowBatch]:
        """The flows of a batch that the filter finds, if any."""
        if isinstance(self._route.filter, Everything):
            return [flows]
        try:
            found = np.flatnonzero(mask(self._route.filter, flows, self._schema))
            chosen = flows if len(found) == len(flows) else flows.take(found)
        except Exception as error:  # noqa: BLE001, RUF100 - a batch that is wrong in itself must not cost the others
            self.trouble.note(error, flows=len(flows))
            self._drop(len(flows), "write-failed")
            return []
        self.filtered += len(flows) - len(chosen)
        self._settled += len(flows) - len(chosen)
        return [chosen] if len(chosen) else []

    def _write(self, flows: FlowBatch) -> None:
        """Write until it succeeds, the sink refuses for good, or time is up: these flows are settled then."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                self._open()
                self._sink.write(flows)
            except SinkError as error:
                self._note(error, flows=len(flows))
                if not error.transient:
                    self._drop(len(flows), "sink-refused")
                    return
            else:
                self.written += len(flows)
                self._settled += len(flows)
                self.trouble.clear()
                return
            if time.monotonic() >= self._deadline:
                self._drop(len(flows), "stopped")
                return
            self._pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _open(self) -> None:
        if not self._opened:
            self._sink.open()
            self._opened = True

    def _tend(self) -> None:
        """Open the sink, at the beginning; let it do what time asks for."""
        try:
            opened = self._opened
            self._open()
            if self._sink.tend() or not opened:
                self.trouble.clear()
        except Exception as error:  # noqa: BLE001, RUF100 - it is tried again
            self._note(error)

    def _close(self) -> None:
        """Close the sink, trying until time is up."""
        while True:
            try:
                self._sink.close()
            except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, this is the end
                self._note(error)
                if isinstance(error, SinkError) and error.transient and time.monotonic() < self._deadline:
                    self._pause(_HURRIED_PAUSE_S)
                    continue
                self.unfinished += self._sink.unfinished
            return

    def _pause(self, seconds: float) -> None:
        """Wait; not long once the end is near."""
        if self._stopping.wait(seconds):
            self._give_up.wait(_HURRIED_PAUSE_S)

    def _note(self, error: Exception, **facts: object) -> None:
        self.refusals += 1
        self.unfinished += error.lost if isinstance(error, SinkError) else 0
        self.trouble.note(error, **facts)

    def _drop(self, rows: int, reason: str) -> None:
        self.dropped.add(reason, rows)
        self._settled += rows
