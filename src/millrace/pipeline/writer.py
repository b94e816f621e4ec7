"""The thread that hands decoded flows to the sink, by time and by size."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from millrace.batch import FlowBatch
from millrace.errors import StoreError, StoreFullError
from millrace.pipeline.config import PipelineSettings
from millrace.pipeline.queues import ByteQueue
from millrace.pipeline.sink import FlowSink
from millrace.schema import COUNTER_COLUMNS, Schema

log = structlog.get_logger(__name__)

_MAX_REFUSALS = 60
"""Attempts with a batch that the store refuses for another reason than a full disk."""


class Writer:
    """Gathers batches and inserts them.

    Parameters
    ----------
    sink : FlowSink
    schema : Schema
    settings : PipelineSettings
    before_insert : callable
        Called in the writer's thread at every flush, before the insert (saves
        decoder state, so that stored flows never are ahead of it).

    Attributes
    ----------
    stored : int
        Flows that the sink accepted.
    dropped : Counter of str
        Flows given up, by reason.
    refusals : int
        Attempts that failed.
    """

    def __init__(
        self, sink: FlowSink, schema: Schema, settings: PipelineSettings, before_insert: Callable[[], None]
    ) -> None:
        self._sink = sink
        self._schema = schema
        self._counter_schema = Schema(base=COUNTER_COLUMNS)
        self._settings = settings
        self._before_insert = before_insert
        self._flows: ByteQueue[FlowBatch] = ByteQueue(settings.flow_buffer_bytes)
        self._counters: ByteQueue[FlowBatch] = ByteQueue(settings.flow_buffer_bytes // 8)
        self._rows_in = 0
        self._rows_out = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._run, name="millrace-writer", daemon=True)
        self.stored = 0
        self.dropped: Counter[str] = Counter()
        self.refusals = 0
        self.last_error = ""
        self.last_insert_s = 0.0

    @property
    def waiting_bytes(self) -> int:
        """Bytes of decoded flows that wait."""
        return self._flows.nbytes

    @property
    def waiting_rows(self) -> int:
        """Decoded flows that wait or are being stored."""
        return self._rows_in - self._rows_out

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, flows: FlowBatch) -> None:
        """Add flows; waits for room, which is the pipeline's back-pressure."""
        if not len(flows):
            return
        if not self._flows.put(flows):
            self.dropped["stopped"] += len(flows)
            return
        self._rows_in += len(flows)
        if self.waiting_rows >= self._settings.flush_rows:
            self._wake.set()

    def put_counters(self, counters: FlowBatch) -> None:
        """Add interface counters; they never hold up flows."""
        if len(counters) and not self._counters.offer(counters):
            self.dropped["counters-waiting-full"] += len(counters)

    def stop(self, timeout_s: float) -> None:
        """Store what waits, for at most `timeout_s` seconds, and end."""
        self._deadline = time.monotonic() + timeout_s
        self._flows.close()
        self._counters.close()
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 5)

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._flows.drained):
            self._wake.wait(self._settings.flush_interval_s)
            self._wake.clear()
            try:
                self._flush()
            except Exception as error:  # the thread must outlive a defect; what it lost is counted
                log.exception("flush failed", error=str(error))
                self.last_error = str(error)

    def _flush(self) -> None:
        self._before_insert()
        counters = self._counters.take_all()
        if counters:
            joined = FlowBatch.concat(counters, self._counter_schema)
            self._attempt("counters", len(joined), lambda: self._sink.insert_counters(joined))
        for group in self._groups(self._flows.take_all()):
            rows = sum(len(batch) for batch in group)
            try:
                self._insert(group, rows)
            finally:
                self._rows_out += rows

    def _groups(self, batches: Sequence[FlowBatch]) -> list[list[FlowBatch]]:
        """Split into groups of about `flush_rows` rows."""
        groups: list[list[FlowBatch]] = []
        rows = 0
        for batch in batches:
            if not groups or rows + len(batch) > self._settings.flush_rows:
                groups.append([])
                rows = 0
            groups[-1].append(batch)
            rows += len(batch)
        return groups

    def _insert(self, group: Sequence[FlowBatch], rows: int) -> None:
        joined = FlowBatch.concat(group, self._schema)
        token = uuid.uuid4().hex
        began = time.monotonic()
        if self._attempt("flows", rows, lambda: self._sink.insert(joined, token=token)):
            self.stored += rows
            self.last_insert_s = time.monotonic() - began

    def _attempt(self, what: str, rows: int, insert: Callable[[], None]) -> bool:
        """Insert until it succeeds, the store refuses for good, or time is up; False if the rows are lost."""
        refused = 0
        while True:
            try:
                insert()
            except StoreError as error:
                self.refusals += 1
                refused += 0 if isinstance(error, StoreFullError) else 1
                if str(error) != self.last_error:
                    log.error("the store refuses", what=what, rows=rows, error=str(error))
                self.last_error = str(error)
            else:
                if self.last_error:
                    log.info("the store accepts again", what=what, rows=rows)
                self.last_error = ""
                return True
            if refused >= _MAX_REFUSALS or time.monotonic() + self._settings.retry_interval_s > self._deadline:
                self.dropped["store-refused"] += rows
                log.error("given up", what=what, rows=rows, error=self.last_error)
                return False
            self._stopping.wait(self._settings.retry_interval_s)
