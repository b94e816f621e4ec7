"""From received datagrams to stored flows: decode, enrich, hand on, count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from millrace.batch import DatagramBatch, FlowBatch
from millrace.decode import Counts, Decoder, ExporterStatus
from millrace.pipeline.branch import Branch
from millrace.pipeline.config import PipelineSettings
from millrace.pipeline.decoding import FAILED, Decoding, count_lost
from millrace.pipeline.frontier import Frontier
from millrace.pipeline.live import LiveHub
from millrace.pipeline.losses import Losses
from millrace.pipeline.queues import ByteQueue
from millrace.pipeline.rates import Rates
from millrace.pipeline.saved import MemoryState, SavedState
from millrace.pipeline.sink import FlowSink
from millrace.pipeline.sink_branch import SinkBranch
from millrace.pipeline.totals import Totals
from millrace.pipeline.writer import Writer
from millrace.schema import COUNTER_COLUMNS, Schema
from millrace.threads import Trouble, Watched

log = structlog.get_logger(__name__)

Enrich = Callable[[FlowBatch], FlowBatch]

_DECODED_AT_ONCE_BYTES = 4 * 2**20
"""A byte may be a flow of its own (a template of one field), and each takes a hundred bytes and more once decoded."""

_GRACE_S = 5.0
"""After the time for storing is over: for what is being decoded and stored to end."""

_COUNTERS_SHARE = 16
"""Of the buffer for flows, as much again for interface counters."""

_CROWDED = frozenset({"made-room", "exporter-limit", "template-limit", "options-limit"})
"""Reasons of what a bound of the decoder's memory cost."""

_NOT_HANDED_ON = "not-handed-on"
"""Reason of rows that were lost between the decoder and the writer, by a defect."""


@dataclass(frozen=True, slots=True)
class Unstored:
    """What was taken and is neither stored nor was it given up before the stop.

    Attributes
    ----------
    datagrams, flows, counters : int
        Given up by the stop.
    """

    datagrams: int = 0
    flows: int = 0
    counters: int = 0

    def __bool__(self) -> bool:
        return bool(self.datagrams or self.flows or self.counters)


class Pipeline:
    """A decoding thread and two writing threads, with bounded queues before each.

    ::

        offer ──► datagram queue ──► decode, enrich ─┬► flow buffer ──► writer ──► sink
                  (full: refused)                    │  (full: decoding waits)
                                                     ├► counters ─────► writer ──► sink
                                                     │  (full: lost, counted)
                                                     └► live streams, sinks: branches with queues of their own

    Everything that goes wrong costs as little as possible: a datagram at which
    the decoder fails costs itself; flows that cannot be enriched are stored
    without; a rate that fails costs no flow, nor does any other branch than the store's.

    Parameters
    ----------
    schema : Schema
    make_decoder : callable
        A decoder that knows nothing. Used by one thread at a time.
    enrich : callable
        FlowBatch to FlowBatch.
    sink : FlowSink
    settings : PipelineSettings
    state : SavedState, optional
        Where templates and sampling rates survive; in memory if absent.
    reserved : callable
        Whether an exporter (sixteen bytes) has counts of its own however many there are.
    sinks : sequence of SinkBranch

    Attributes
    ----------
    counts : Totals
        All that the decoder counted since the start.
    sink : FlowSink
    writer : Writer
        The store's branch.
    live : LiveHub
        The branch of live streams.
    sinks : tuple of SinkBranch
    counters : Writer
        Of interface counters.
    decoding : Decoding
    thread : Watched
        Decodes.
    asides : tuple of Trouble
        Of enrichment, counts, rates, live streams and handing over to sinks, for which no flow is lost.
    refused : Losses
        Datagrams that found no room.
    crowded : Losses
        What bounds of the decoder's memory cost, of sets, templates and records.
    unenriched : int
        Flows that were stored without what look-ups tell, as those failed.
    """

    def __init__(
        self,
        schema: Schema,
        make_decoder: Callable[[], Decoder],
        enrich: Enrich,
        sink: FlowSink,
        settings: PipelineSettings,
        state: SavedState | None = None,
        reserved: Callable[[bytes], bool] = lambda _: False,
        sinks: Sequence[SinkBranch] = (),
    ) -> None:
        self.decoding = Decoding(make_decoder, state or MemoryState(), settings.flush_interval_s)
        self._enrich = enrich
        self.sink = sink
        self._stop_timeout_s = settings.stop_timeout_s
        self._datagrams: ByteQueue[DatagramBatch] = ByteQueue(settings.datagram_queue_bytes)
        self._give_up = threading.Event()
        self.thread = Watched("millrace-decoder", self._run, self.decoding.trouble)
        self._enriching = Trouble("enriching flows")
        self._marking = Trouble("counting implausible flows")
        self._rating = Trouble("computing rates")
        self._frontier = Frontier()
        self.reserved = reserved
        self.counts = Totals(settings.counted_exporters, reserved)
        self.rates = Rates(reserved)
        self.live = LiveHub()
        buffer_bytes = settings.flow_buffer_bytes
        self.writer = Writer(
            "writer", "flows",
            lambda rows, token: sink.insert(rows, token=token),
            schema, settings, buffer_bytes, self.decoding.save,
        )  # fmt: skip
        self.counters = Writer(
            "counters", "interface counters",
            lambda rows, _: sink.insert_counters(rows),
            Schema(base=COUNTER_COLUMNS), settings, buffer_bytes // _COUNTERS_SHARE, when_full="drop",
        )  # fmt: skip
        self.sinks = tuple(sinks)
        self._others = {branch: Trouble(branch.what) for branch in (self.live, *self.sinks)}
        self.asides = (self._enriching, self._marking, self._rating, *self._others.values())
        self.refused = Losses()
        self.crowded = Losses()
        self.unenriched = 0

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All ways of flows, and the one of interface counters."""
        return self.writer, self.counters, self.live, *self.sinks

    @property
    def supervised(self) -> dict[str, Watched]:
        """Every thread by its name in metrics."""
        return {"decoder": self.thread, **{branch.name: one for branch in self.branches for one in branch.threads}}

    @property
    def refused_datagrams(self) -> int:
        """Datagrams that found no room."""
        return self.refused.total()

    @property
    def failed_datagrams(self) -> int:
        """Datagrams at which the decoder failed."""
        return sum(amount for (_, _, _, reason), amount in list(self.counts.drops.items()) if reason == FAILED)

    def start(self) -> None:
        """Restore the decoder's state and start the threads."""
        self.decoding.restore()
        self.thread.start()
        for branch in self.branches:
            branch.start()

    def offer(self, batch: DatagramBatch) -> bool:
        """Take a batch from a receiver without waiting; False (and counted) when the queue is full."""
        self._frontier.enter(batch, time.time() * 1000)
        taken = self._datagrams.offer(batch)
        if not taken:
            self._frontier.leave(batch)
            self.refused.add("queue-full", len(batch))
        return taken

    def put(self, batch: DatagramBatch) -> bool:
        """Take a batch from a source that can wait (a file); False when the pipeline stops."""
        self._frontier.enter(batch, time.time() * 1000)
        taken = self._datagrams.put(batch)
        if not taken:
            self._frontier.leave(batch)
        return taken

    def stop(self) -> Unstored:
        """Decode and store what was taken, then end the threads.

        What cannot be stored within `PipelineSettings.stop_timeout_s` is given
        up: counted under a reason, logged, and returned. What other branches
        cannot write within it is counted and logged by them.
        """
        before = self._lost()
        deadline = time.monotonic() + self._stop_timeout_s
        for writer in (self.writer, self.counters):
            writer.end_by(deadline)
        for branch in self._others:
            # A store that refuses takes all of the time; what waits for it comes to other branches only then.
            branch.end_by(deadline + _GRACE_S)
        self._datagrams.close()
        if not self.thread.join(deadline - time.monotonic()):
            self._give_up.set()
        for writer in (self.writer, self.counters):
            writer.stop(max(deadline - time.monotonic(), 0.0) + _GRACE_S)
        self.thread.join(_GRACE_S)
        for branch in self._others:
            branch.finish()
        for branch in self._others:
            branch.stop(max(deadline + _GRACE_S - time.monotonic(), 0.0))
        self._count_stopped(self._datagrams.drain())
        self.decoding.save_now()
        return self._unstored(before)

    def give_up_waiting(self) -> None:
        """Have a stop that waits for the store wait no longer."""
        self._give_up.set()
        for branch in self.branches:
            branch.give_up()

    def _lost(self) -> tuple[int, int, int]:
        datagrams = sum(n for (_, _, _, reason), n in list(self.counts.drops.items()) if reason == "stopped")
        return datagrams, self.writer.dropped.total(), self.counters.dropped.total()

    def _unstored(self, before: tuple[int, int, int]) -> Unstored:
        datagrams, flows, counters = (now - then for now, then in zip(self._lost(), before, strict=True))
        # Of an insert that has not ended nobody knows what becomes.
        unstored = Unstored(datagrams, flows + self.writer.waiting_rows, counters + self.counters.waiting_rows)
        if unstored:
            log.error(
                "given up at the end",
                datagrams=unstored.datagrams,
                flows=unstored.flows,
                counters=unstored.counters,
                error=self.writer.last_error or self.counters.last_error,
            )
        return unstored

    @property
    def alive(self) -> bool:
        """Whether all threads on the way to the store run."""
        return all(thread.alive for thread in (self.thread, *self.writer.threads, *self.counters.threads))

    @property
    def waiting_bytes(self) -> int:
        """Bytes of datagrams that wait to be decoded, or are being decoded."""
        return self._datagrams.nbytes

    def stored_until(self) -> int | None:
        """Unix second before which everything that was received is stored; None: all of it is."""
        oldest_ms = self._frontier.oldest_ms(self.writer.finished_rows)
        return None if oldest_ms is None else int(oldest_ms // 1000)

    def exporters(self) -> list[ExporterStatus]:
        """State of every exporter seen."""
        return self.decoding.exporters()

    def interface_names(self) -> dict[tuple[bytes, int], tuple[str, str]]:
        """Names and descriptions of interfaces that exporters announced."""
        return self.decoding.interface_names()

    def _run(self) -> None:
        while not self._datagrams.drained:
            batch = self._datagrams.take(timeout_s=1.0)
            if batch is not None:
                try:
                    self._handle(batch)
                finally:
                    self._frontier.decoded(batch, self.writer.taken_rows)
            # The queue counts it until the next is taken: it must not live longer.
            del batch

    def _handle(self, batch: DatagramBatch) -> None:
        parts = batch.split(_DECODED_AT_ONCE_BYTES)
        for part in parts:
            if self._give_up.is_set():
                self._count_stopped([part])
                continue
            try:
                self._handle_part(part)
            except BaseException:
                self._count_lost(parts, FAILED)
                raise

    def _handle_part(self, batch: DatagramBatch) -> None:
        try:
            decoded = self.decoding.decode(batch)
        except BaseException:
            self._count_lost([batch], FAILED)
            raise
        flows, counters = decoded.flows, decoded.counters
        try:
            self.counts.add(decoded.counts)
            for (*_, reason), amount in decoded.counts.drops.items():
                if reason in _CROWDED:
                    self.crowded.add(reason, amount)
            flows = self._enriched(flows)
            self._tell(flows)
            size = flows.nbytes
            self.writer.give(flows, size)
        except BaseException:
            self.writer.dropped.add(_NOT_HANDED_ON, len(flows))
            self.counters.dropped.add(_NOT_HANDED_ON, len(counters))
            raise
        self.counters.give(counters, counters.nbytes)
        for branch, trouble in self._others.items():
            _try(trouble, branch.give, flows, size)

    def _enriched(self, flows: FlowBatch) -> FlowBatch:
        try:
            enriched = self._enrich(flows)
        except Exception as error:  # noqa: BLE001, RUF100 - what is missing never costs a flow
            self._enriching.note(error, flows=len(flows))
            self.unenriched += len(flows)
            return flows
        self._enriching.clear()
        return enriched

    def _tell(self, flows: FlowBatch) -> None:
        """Tell counts and rates of flows on their way."""
        now_ns = time.time_ns()
        _try(self._marking, self.counts.add_marked, flows, now_ns)
        _try(self._rating, self.rates.add, flows, now_ns)

    def _count_stopped(self, batches: Iterable[DatagramBatch]) -> None:
        self._count_lost(batches, "stopped")

    def _count_lost(self, batches: Iterable[DatagramBatch], reason: str) -> None:
        counts = Counts()
        for batch in batches:
            count_lost(batch, reason, counts)
        self.counts.add(counts)


def _try(trouble: Trouble, tell: Callable[[FlowBatch, int], None], flows: FlowBatch, about: int) -> None:
    """Tell something of flows that are, or will be, in the store: no flow is lost if it fails."""
    try:
        tell(flows, about)
    except Exception as error:  # noqa: BLE001, RUF100 - whatever it is
        trouble.note(error, flows=len(flows))
    else:
        trouble.clear()
