"""From received datagrams to stored flows: decode, enrich, hand on, count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from millrace.batch import DatagramBatch, FlowBatch
from millrace.decode import Decoder, ExporterStatus
from millrace.pipeline.config import PipelineSettings
from millrace.pipeline.live import LiveHub
from millrace.pipeline.queues import ByteQueue
from millrace.pipeline.rates import Rates
from millrace.pipeline.sink import FlowSink
from millrace.pipeline.state import StateFile
from millrace.pipeline.totals import Totals
from millrace.pipeline.writer import Writer
from millrace.schema import Schema

log = structlog.get_logger(__name__)

Enrich = Callable[[FlowBatch], FlowBatch]

_STOP_TIMEOUT_S = 20.0

_SAVE_PAUSE = 20
"""Pause after saving state, in times of what saving took: a flood of templates makes the state large
and changes it all the time, and saving must not hold up decoding for more than a few percent of it."""


class Pipeline:
    """One decoding thread and one writing thread, with bounded queues before each.

    ::

        offer ──► datagram queue ──► decode, enrich ──► flow buffer ──► writer ──► sink
                  (full: refused)                       (full: decoding waits)

    Parameters
    ----------
    schema : Schema
    decoder : Decoder
        Used by one thread at a time; the pipeline holds its lock.
    enrich : callable
        FlowBatch to FlowBatch.
    sink : FlowSink
    settings : PipelineSettings
    state : StateFile, optional
        Where templates and sampling rates survive.

    Attributes
    ----------
    counts : Totals
        All that the decoder counted since the start.
    live : LiveHub
    sink : FlowSink
    """

    def __init__(
        self,
        schema: Schema,
        decoder: Decoder,
        enrich: Enrich,
        sink: FlowSink,
        settings: PipelineSettings,
        state: StateFile | None = None,
    ) -> None:
        self._decoder = decoder
        self._decoder_lock = threading.Lock()
        self._enrich = enrich
        self.sink = sink
        self._state = state
        self._state_dirty = False
        self._save_due = 0.0
        self._datagrams: ByteQueue[DatagramBatch] = ByteQueue(settings.datagram_queue_bytes)
        self._thread = threading.Thread(target=self._run, name="millrace-decoder", daemon=True)
        self.counts = Totals(settings.counted_exporters)
        self.rates = Rates()
        self.live = LiveHub()
        self.writer = Writer(sink, schema, settings, self._save_state)
        self.decode_errors = 0
        self.refused_datagrams = 0

    def start(self) -> None:
        """Restore the decoder's state and start the threads."""
        saved = self._state.load() if self._state else None
        if saved:
            self._decoder.restore(saved)
        self._thread.start()
        self.writer.start()

    def offer(self, batch: DatagramBatch) -> bool:
        """Take a batch from a receiver without waiting; False (and counted) when the queue is full."""
        taken = self._datagrams.offer(batch)
        if not taken:
            self.refused_datagrams += len(batch)
        return taken

    def put(self, batch: DatagramBatch) -> bool:
        """Take a batch from a source that can wait (a file); False when the pipeline stops."""
        return self._datagrams.put(batch)

    def stop(self) -> None:
        """Decode and store what was taken, then end the threads."""
        self._datagrams.close()
        if self._thread.is_alive():
            self._thread.join(_STOP_TIMEOUT_S)
        self.writer.stop(_STOP_TIMEOUT_S)
        self._save_due = 0.0
        self._save_state()

    @property
    def alive(self) -> bool:
        """Whether both threads run."""
        return self._thread.is_alive() and self.writer.alive

    @property
    def waiting_bytes(self) -> int:
        """Bytes of datagrams that wait to be decoded."""
        return self._datagrams.nbytes

    def exporters(self) -> list[ExporterStatus]:
        """State of every exporter seen."""
        with self._decoder_lock:
            return self._decoder.exporters()

    def interface_names(self) -> dict[tuple[bytes, int], tuple[str, str]]:
        """Names and descriptions of interfaces that exporters announced."""
        with self._decoder_lock:
            return self._decoder.interface_names()

    def _run(self) -> None:
        while not self._datagrams.drained:
            batch = self._datagrams.take(timeout_s=1.0)
            if batch is None:
                continue
            try:
                self._handle(batch)
            except Exception:  # the thread must outlive a defect; the batch is counted as lost
                self.decode_errors += len(batch)
                log.exception("decoding failed", datagrams=len(batch))

    def _handle(self, batch: DatagramBatch) -> None:
        with self._decoder_lock:
            decoded = self._decoder.decode(batch)
            self.counts.add(decoded.counts)
        self._state_dirty |= decoded.state_changed
        flows = self._enrich(decoded.flows)
        self.rates.add(flows, time.time_ns())
        self.live.publish(flows)
        self.writer.put(flows)
        self.writer.put_counters(decoded.counters)

    def _save_state(self) -> None:
        if self._state is None or not self._state_dirty or time.monotonic() < self._save_due:
            return
        began = time.monotonic()
        with self._decoder_lock:
            self._state_dirty = False
            snapshot = self._decoder.snapshot()
        try:
            self._state.save(snapshot)
        except OSError as error:
            self._state_dirty = True
            log.warning("cannot save templates and sampling rates", error=str(error))
        self._save_due = time.monotonic() + _SAVE_PAUSE * (time.monotonic() - began)
