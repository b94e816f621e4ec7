"""The thread that hands decoded rows to the sink, by time and by size."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import structlog

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64
from millrace.errors import SchemaError, ShapeError, StoreError, StoreFullError
from millrace.pipeline.branch import Branch
from millrace.pipeline.config import PipelineSettings
from millrace.pipeline.losses import Losses
from millrace.pipeline.queues import ByteQueue
from millrace.schema import Schema
from millrace.sinks import WhenFull
from millrace.telemetry import Condition, worst
from millrace.threads import Trouble, Watched

log = structlog.get_logger(__name__)

Insert = Callable[[FlowBatch, str], None]
"""Stores rows under a token; see `FlowSink`."""

_MAX_REFUSALS = 60
"""Attempts with rows that the store refuses for another reason than a full disk."""

_MAX_DEFECTS = 5
"""Attempts with rows at which the sink fails in a way that it does not foresee."""

_MAX_HALVINGS = 100
"""Times that rows are divided to find those that are wrong in themselves: enough for five among a million."""

_GROUP_SHARE = 4
"""A group that is stored takes at most this part of the buffer, and so do the copies that this makes:
beside the group the joined rows, then beside the joined rows what the store takes."""

_JOINING_SHARE = 8
"""Batches are gathered up to an eighth less: joined, columns that shared an array no longer do."""


class Writer(Branch):
    """The branch to the store: gathers batches and inserts them. Take, save state, insert.

    Every row that was put ends as stored or as lost under a reason.

    Parameters
    ----------
    name : str
    rows : str
        What the rows are: ``flows``.
    insert : callable
        As `FlowSink.insert`; called again with the same rows and token when it
        raises.
    schema : Schema
        Of the rows.
    settings : PipelineSettings
    buffer_bytes : int
        Bound of all that the writer holds: rows that wait, rows that are being
        stored, and the copies that this makes.
    before_insert : callable
        Called in the writer's thread after rows were taken and before they are
        inserted (saves decoder state, so that stored flows never are ahead of it).
    when_full : WhenFull
        What becomes of rows for which there is no room: whoever gives them waits, which is the pipeline's
        back-pressure, or they are lost and counted.

    Attributes
    ----------
    stored : int
        Rows that the sink accepted.
    dropped : Losses
        Rows given up, by reason.
    refusals : int
        Attempts that failed.
    trouble : Trouble
        Of storing.
    """

    def __init__(
        self,
        name: str,
        rows: str,
        insert: Insert,
        schema: Schema,
        settings: PipelineSettings,
        buffer_bytes: int,
        before_insert: Callable[[], None] = lambda: None,
        when_full: WhenFull = "wait",
    ) -> None:
        super().__init__(name, f"storing {rows}")
        self._rows = rows
        self._insert = insert
        self._schema = schema
        self._settings = settings
        self._before_insert = before_insert
        self._when_full = when_full
        self._group_bytes = buffer_bytes // _GROUP_SHARE
        self._gathered_bytes = self._group_bytes * (_JOINING_SHARE - 1) // _JOINING_SHARE
        self._queue: ByteQueue[FlowBatch] = ByteQueue(buffer_bytes - self._group_bytes)
        self._counting = threading.Lock()
        self._rows_in = 0
        self._rows_out = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._give_up = threading.Event()
        self._deadline = float("inf")
        self.trouble = Trouble(self.what)
        self._thread = Watched(f"millrace-{name}", self._run, self.trouble)
        self.stored = 0
        self.dropped = Losses()
        self.refusals = 0
        self.last_insert_s = 0.0

    @property
    def waiting_bytes(self) -> int:
        """Bytes of rows that wait or are being stored."""
        return self._queue.nbytes

    @property
    def waiting_rows(self) -> int:
        """Rows that wait or are being stored."""
        return self._rows_in - self._rows_out

    @property
    def last_error(self) -> str:
        """Why the sink takes nothing now; empty if it does."""
        return self.trouble.error

    @property
    def taken_rows(self) -> int:
        """Decoded flows that were given to it."""
        return self._rows_in

    @property
    def finished_rows(self) -> int:
        """Those of them that are stored or given up: the first ones that came."""
        return self._rows_out

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.alive

    @property
    def threads(self) -> tuple[Watched, ...]:
        """The one that stores."""
        return (self._thread,)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def give(self, flows: FlowBatch, size: int) -> None:
        """See `Branch.give`."""
        if not len(flows):
            return
        # Before they are there: they may be stored before this thread goes on.
        with self._counting:
            self._rows_in += len(flows)
        waits = self._when_full == "wait"
        added = False
        try:
            added = self._queue.put(flows, size) if waits else self._queue.offer(flows, size)
        finally:
            if not added:
                with self._counting:
                    self._rows_in -= len(flows)
        if not added:
            ended = waits or self._stopping.is_set()
            self.dropped.add("stopped" if ended else "waiting-full", len(flows))
        elif self.waiting_rows >= self._settings.flush_rows or self._queue.nbytes >= self._gathered_bytes:
            self._wake.set()

    def end_by(self, deadline: float) -> None:
        """From that moment (monotonic seconds) on, rows that the store refuses are given up."""
        self._deadline = deadline

    def finish(self) -> None:
        """See `Branch.finish`."""
        self._queue.close()
        self._stopping.set()
        self._wake.set()

    def stop(self, timeout_s: float) -> bool:
        """Store what waits, trying for at most `timeout_s` seconds, and end; whether the thread has ended.

        Rows that are neither stored nor counted as lost then are those of `waiting_rows`.
        """
        self._deadline = min(self._deadline, time.monotonic() + timeout_s)
        self.finish()
        return self._thread.join(timeout_s + self._settings.retry_interval_s)

    def give_up(self) -> None:
        """Try what waits once more, and no longer wait for the store."""
        self._deadline = 0.0
        self._give_up.set()

    def condition(self) -> Condition:
        """What health says of it: what is not stored is lost."""
        rows = self._rows
        conditions = [self.trouble.condition("failed", f"{rows} wait, the store refuses them")]
        if not self.alive:
            conditions.append(Condition("failed", (f"the thread that stores {rows} does not run",)))
        if self.dropped.lately():
            conditions.append(Condition("degraded", (f"{rows} were given up: {self.dropped}",)))
        return worst(conditions)

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._queue.drained):
            self._wake.wait(self._settings.flush_interval_s)
            self._wake.clear()
            self._flush()

    def _flush(self) -> None:
        """Store what waits now; what comes meanwhile gathers for the next time."""
        left = len(self._queue)
        while left > 0:
            group = self._queue.take_some(self._settings.flush_rows, self._gathered_bytes, left)
            if not group:
                break
            left -= len(group)
            self._store(group)
        # What was stored last is no longer in memory.
        self._queue.take_some(0, 0, 0)

    def _store(self, group: list[FlowBatch]) -> None:
        left = sum(map(len, group))
        try:
            self._prepare()
            for part in self._parts(group):
                self._attempt(part)
                left -= len(part)
                self._rows_out += len(part)
        finally:
            # Whatever ended this: nothing is lost without a count.
            self._rows_out += left
            self.dropped.add("writer-failed", left)

    def _prepare(self) -> None:
        try:
            self._before_insert()
        except Exception as error:  # noqa: BLE001, RUF100 - rows must not be lost for it
            self.trouble.note(error, step="before storing")

    def _parts(self, group: list[FlowBatch]) -> Iterator[FlowBatch]:
        """The rows of a group joined; apart where that fails. Empties the group, whose place in memory they take."""
        try:
            joined = [FlowBatch.concat(group, self._schema)]
        except Exception as error:  # noqa: BLE001, RUF100 - one batch must not cost the others
            self.trouble.note(error, step="joining")
            joined = list(group)
        group.clear()
        while joined:
            yield from self._slices(joined.pop(0))

    def _slices(self, rows: FlowBatch) -> Iterator[FlowBatch]:
        """A single batch may be larger than a group: then parts of it, small enough to be copied twice."""
        if rows.nbytes <= self._group_bytes and len(rows) <= self._settings.flush_rows:
            yield rows
            return
        parts = max(-(-2 * rows.nbytes // self._group_bytes), -(-len(rows) // self._settings.flush_rows))
        for which in np.array_split(np.arange(len(rows)), parts):
            if len(which):
                yield rows.take(which)

    def _attempt(self, rows: FlowBatch) -> None:
        """Insert rows; of those that are wrong in themselves, the others without them. What is lost is counted."""
        if self._insert_until(rows):
            return
        waiting, halvings, wrong = [np.arange(len(rows))], _MAX_HALVINGS, 0
        while waiting:
            which = waiting.pop()
            if len(which) > 1 and halvings > 0:
                halvings -= 1
                halves = np.array_split(which, 2)
                waiting += [half for half in halves[::-1] if not self._insert_some(rows, half)]
            else:
                wrong += len(which)
        self._drop(wrong, "insert-failed")

    def _insert_some(self, rows: FlowBatch, which: I64) -> bool:
        try:
            some = rows.take(which)
        except Exception as error:  # noqa: BLE001, RUF100 - what is wrong in them may show here already
            self._note(error, rows)
            return False
        return self._insert_until(some)

    def _insert_until(self, rows: FlowBatch) -> bool:
        """Insert until it succeeds, the sink refuses for good, or time is up: these rows are settled then.

        False if they are wrong in themselves: they never reached the store, and would not the next time.
        """
        token = uuid.uuid4().hex
        refused = defects = 0
        while True:
            began = time.monotonic()
            try:
                self._insert(rows, token)
            except (ShapeError, SchemaError) as error:
                self._note(error, rows)
                return False
            except StoreError as error:
                refused += 0 if isinstance(error, StoreFullError) else 1
                self._note(error, rows)
                reason = "store-refused"
            except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, these rows are stored or counted
                defects += 1
                self._note(error, rows)
                reason = "insert-failed"
            else:
                self.stored += len(rows)
                self.last_insert_s = time.monotonic() - began
                self.trouble.clear()
                return True
            over = time.monotonic() + self._settings.retry_interval_s > self._deadline
            if over or refused >= _MAX_REFUSALS or defects >= _MAX_DEFECTS:
                self._drop(len(rows), reason)
                return True
            self._give_up.wait(self._settings.retry_interval_s)

    def _drop(self, rows: int, reason: str) -> None:
        self.dropped.add(reason, rows)
        log.error("given up", what=self._rows, rows=rows, reason=reason, error=self.trouble.last_error)

    def _note(self, error: Exception, rows: FlowBatch) -> None:
        self.refusals += 1
        self.trouble.note(error, rows=len(rows))
