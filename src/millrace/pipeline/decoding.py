"""The decoder behind its lock: what it was told is saved, and an error in it costs the datagram that caused it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from millrace.batch import DatagramBatch, FlowBatch
from millrace.batch.arrays import Bool
from millrace.decode import Counts, Decoded, Decoder, ExporterStatus, join_snapshot
from millrace.pipeline.saved import SavedState
from millrace.threads import Trouble

FAILED = "decoder-failed"
"""Reason of datagrams at which the decoder failed."""

RENEWED = "decoder-renewed"
"""Reason of data sets that waited for their template in a decoder that failed."""

_UNKNOWN = "unknown"

_MOST_CULPRITS = 16
"""Datagrams of a batch that may fail; with more of them the whole batch is given up."""

_SEARCH_PAUSE = 10
"""Pause after a search for culprits, in times of what it took: whoever knows a datagram at which the decoder
fails must not be able to keep it searching."""

_SAVE_PAUSE = 20
"""Pause after saving state, in times of the processor time that saving took: a flood of templates makes the
state large and changes it all the time, and saving must not hold up decoding for more than a few percent of it."""


_SLOWEST_OF_S = 60.0
"""How long the slowest batch is remembered, at least; twice that at most."""


class Slowest:
    """The longest of the times that were noted lately."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._now = self._before = 0.0

    def note(self, seconds: float) -> None:
        """Something took so long."""
        self._turn()
        self._now = max(self._now, seconds)

    @property
    def seconds(self) -> float:
        """The longest of the last minute or two; 0: there was none."""
        self._turn()
        return max(self._now, self._before)

    def _turn(self) -> None:
        passed = time.monotonic() - self._began
        if passed >= _SLOWEST_OF_S:
            self._before, self._now = (self._now if passed < 2 * _SLOWEST_OF_S else 0.0), 0.0
            self._began = time.monotonic()


_LEAST_PAUSE_S = 0.0005
"""Between two parts of what the decoder tells: who wants to decode comes first then."""

Part = TypeVar("Part")


class Decoding:
    """Decodes batches one after the other, and never fails.

    An exception leaves a decoder half changed: sets that wait would wait
    twice, templates would hold from wrong places. So it is given up, and a new
    one begins with what was saved, as after a restart. It then decodes the
    batch without the datagrams at which it fails; those are found by decoding
    beginnings of the batch, each by a decoder of its own.

    Parameters
    ----------
    make : callable
        A decoder that knows nothing.
    state : SavedState
        Where what exporters announce survives.
    patience_s : float
        How long `save` may wait.

    Attributes
    ----------
    trouble : Trouble
        Of decoding.
    saving : Trouble
        Of saving state.
    slowest : Slowest
        Time that batches took, waiting for whoever asked something included.
    """

    def __init__(self, make: Callable[[], Decoder], state: SavedState, patience_s: float = 0.0) -> None:
        self._make = make
        self._patience_s = patience_s
        self._state = state
        self._decoder = make()
        self._lock = threading.Lock()
        self._halfway = False
        """Whether the decoder was left in the middle of a batch."""
        self._dirty = False
        self._save_due = 0.0
        self._search_due = 0.0
        self._waiting: Counter[tuple[bytes, str]] = Counter()
        self.trouble = Trouble("decoding")
        self.saving = Trouble("saving templates and sampling rates")
        self.slowest = Slowest()

    def restore(self) -> None:
        """Begin with what was saved."""
        self._decoder = self._renewed(self._state.load())

    def exporters(self) -> list[ExporterStatus]:
        """State of every exporter seen; decoding goes on meanwhile."""
        return self._in_parts(lambda decoder: decoder.exporter_parts())

    def interface_names(self) -> dict[tuple[bytes, int], tuple[str, str]]:
        """Names and descriptions of interfaces that exporters announced."""
        return dict(self._in_parts(lambda decoder: decoder.interface_parts()))

    def _in_parts(self, read: Callable[[Decoder], Iterator[list[Part]]]) -> list[Part]:
        """What a decoder tells in parts, each under the lock; as much time as they take is left to decoding between."""
        decoder: Decoder | None = None
        while True:
            with self._lock:
                began = time.monotonic()
                if decoder is not self._decoder:
                    # Also one that was given up meanwhile: what it said does not hold any more.
                    decoder, found = self._decoder, list[Part]()
                    parts = read(decoder)
                part = next(parts, None)
                took_s = time.monotonic() - began
            if part is None:
                return found
            found += part
            time.sleep(max(took_s, _LEAST_PAUSE_S))

    def decode(self, batch: DatagramBatch) -> Decoded:
        """Decode a batch; datagrams at which the decoder fails are counted per sender under `FAILED`."""
        began = time.monotonic()
        with self._lock:
            if self._halfway:
                self._decoder = self._renewed(self._state.load())
            self._halfway = True
            try:
                decoded = self._decoder.decode(batch)
            except Exception as error:  # noqa: BLE001, RUF100 - a defect, whatever it is
                self.trouble.note(error, datagrams=len(batch))
                decoded = self._decode_without_culprits(batch)
                self._waiting.clear()
            else:
                self.trouble.clear()
            self._halfway = False
            self._note_waiting(decoded.counts)
            if decoded.state_changed:
                self._dirty = True
        self.slowest.note(time.monotonic() - began)
        return decoded

    def save(self) -> None:
        """Save what the decoder was told, if that changed; failing is told, not raised.

        Waits until it is time for that; not where this takes longer than `patience_s`.
        """
        early_s = self._save_due - time.monotonic()
        if not self._dirty or early_s > self._patience_s:
            return
        time.sleep(max(early_s, 0.0))
        # Processor time: waiting for the disk holds up nobody.
        began = time.thread_time()
        try:
            # What changes from now on may be left out.
            self._dirty = False
            self._state.save(join_snapshot(self._in_parts(lambda decoder: decoder.snapshot_parts())))
        except Exception as error:  # noqa: BLE001, RUF100 - flows must not be lost for it
            self._dirty = True
            self.saving.note(error)
        else:
            self.saving.clear()
        self._save_due = time.monotonic() + _SAVE_PAUSE * (time.thread_time() - began)

    def save_now(self) -> None:
        """As `save`, without waiting for its time (at the end)."""
        self._save_due = 0.0
        self.save()

    def _decode_without_culprits(self, batch: DatagramBatch) -> Decoded:
        counts = Counts()
        for (exporter, protocol), sets in self._waiting.items():
            counts.drop(exporter, protocol, "set", RENEWED, sets)
        began = time.monotonic()
        base = self._state.load()
        sound = np.ones(len(batch), np.bool_)
        searches = _MOST_CULPRITS if began >= self._search_due else 0
        found: Decoded | None = None
        # The first time it may succeed as it is: no memory before, say.
        while found is None:
            self._decoder = self._renewed(base)
            try:
                found = self._decoder.decode(batch.part(sound))
            except Exception:  # noqa: BLE001, RUF100 - it was told; now for the culprit
                if not searches or not sound.any():
                    sound[:] = False
                    self._decoder = self._renewed(base)
                    break
                searches -= 1
                sound[self._culprit(batch, sound, base)] = False
        self._search_due = time.monotonic() + _SEARCH_PAUSE * (time.monotonic() - began)
        count_lost(batch.part(~sound), FAILED, counts)
        if found is None:
            return Decoded(FlowBatch(0), FlowBatch(0), counts)
        counts.add(found.counts)
        for rows in (found.flows, found.counters):
            if rows.datagram is not None:
                rows.datagram = np.flatnonzero(sound).astype(np.int32)[rows.datagram]
        return replace(found, counts=counts)

    def _culprit(self, batch: DatagramBatch, sound: Bool, base: dict[str, Any] | None) -> int:
        """The first datagram with which the beginning of the batch fails (one of the sound ones)."""
        rows = np.flatnonzero(sound)
        passes, fails = 0, len(rows)
        while fails - passes > 1:
            middle = (passes + fails) // 2
            try:
                self._renewed(base).decode(batch.part(rows[:middle]))
                passes = middle
            except Exception:  # noqa: BLE001, RUF100 - this is what it looks for
                fails = middle
        return int(rows[fails - 1])

    def _renewed(self, base: dict[str, Any] | None) -> Decoder:
        """A new decoder that knows what was saved."""
        decoder = self._make()
        try:
            if base and not decoder.restore(base):
                self._state.set_aside("it is of another version of millrace")
        except Exception as error:  # noqa: BLE001, RUF100 - exporters tell it again
            self.saving.note(error)
            self._state.set_aside(f"it cannot be taken over: {error}")
            return self._make()
        return decoder

    def _note_waiting(self, counts: Counts) -> None:
        """Keep count of the sets that wait in the decoder, which a decoder that failed cannot tell."""
        for key, amount in counts.waiting.items():
            self._waiting[key] += amount
            if not self._waiting[key]:
                del self._waiting[key]


def count_lost(batch: DatagramBatch, reason: str, counts: Counts) -> None:
    """Count datagrams that are given up undecoded, per sender, with an example of each."""
    if not len(batch):
        return
    senders, first, amount = np.unique(batch.source, axis=0, return_index=True, return_counts=True)
    for sender, at, number in zip(senders, first.tolist(), amount.tolist(), strict=True):
        payload = batch.payload(at)
        detail = f"{len(payload)} bytes that begin with {payload[:16].hex(' ') or 'nothing'}"
        counts.event(sender.tobytes(), _UNKNOWN, "datagrams", number)
        counts.drop(sender.tobytes(), _UNKNOWN, "datagram", reason, number, detail)
