"""Capture files into the store, through the same stages as datagrams from the network."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.batch import DatagramBatch
from millrace.errors import SourceError
from millrace.pipeline import Pipeline
from millrace.receive import read_capture

_SINKS_TURN_S = 0.05
_MS_PER_DAY = 86_400_000
_NS_PER_DAY = _MS_PER_DAY * 1_000_000

AHEAD_NS = _NS_PER_DAY
"""Clocks and time zones are wrong by less; what is said to have been received later was not."""

MOST_DAYS = 400
"""Different days of one file: each has partitions of its own in the store, a dozen files and more."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of capture files.

    Attributes
    ----------
    datagrams : int
        Read from the files.
    flows : int
        Stored.
    not_decoded : int
        Datagrams, sets, records and samples that did not become flows.
    expired : bool
        Whether some are older than what the store keeps: they will be dropped soon.
    lost : int
        Flows and datagrams that the store did not take in the end.
    implausible_times : int
        Datagrams whose time of capture cannot be: they count as received now.
    too_many_days : int
        Datagrams that were left out, as their file had `MOST_DAYS` other days already.
    written : dict of int
        Flows that went to each sink, by its name.
    unwritten : dict of int
        Flows that a sink did not take in the end; only sinks that lost some.
    """

    datagrams: int
    flows: int
    not_decoded: int
    expired: bool
    lost: int = 0
    implausible_times: int = 0
    too_many_days: int = 0
    written: dict[str, int] = field(default_factory=dict)
    unwritten: dict[str, int] = field(default_factory=dict)


def load_captures(
    settings: Settings,
    files: Iterable[Path],
    *,
    end_now: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Loaded:
    """Decode, enrich and store capture files.

    Templates are those of the files: the collector's are not used, and it
    learns none.

    Parameters
    ----------
    settings : Settings
        Of the collector whose data folder is filled; it must not run.
    files : iterable of Path
        Templates of an earlier file serve the later ones.
    end_now : bool
        Move the times of reception so that the last datagram of each file is received now.
    on_progress : callable
        Called with the number of datagrams read.

    Raises
    ------
    SourceError
        If a file cannot be read; what came before it is stored.
    StoreLockedError
        If a collector runs on the data folder.
    """
    application = Application(_offline(settings), keep_state=False)
    application.start()
    datagrams, oldest_ns, dates = 0, time.time_ns(), Dates()
    try:
        for path in files:
            dates.begin_file()
            shift_ns = time.time_ns() - _last_ns(path) if end_now else 0
            for batch in read_capture(path):
                moved = replace(batch, time_ns=batch.time_ns + shift_ns) if shift_ns else batch
                dated = dates.check(moved, time.time_ns())
                if len(dated):
                    oldest_ns = min(oldest_ns, int(dated.time_ns.min()))
                    application.pipeline.put(dated)
                datagrams += len(batch)
                on_progress(datagrams)
        _wait_for_sinks(application.pipeline)
    finally:
        application.stop()
    writer, sinks = application.pipeline.writer, application.pipeline.sinks
    kept_ms = settings.store.retention_raw_days * _MS_PER_DAY
    return Loaded(
        datagrams,
        writer.stored,
        sum(application.pipeline.counts.drops.values()),
        oldest_ns // 1_000_000 < time.time_ns() // 1_000_000 - kept_ms,
        writer.dropped.total() + writer.waiting_rows + application.unstored.datagrams,
        dates.implausible,
        dates.left_out,
        {sink.sink_name: sink.written - sink.unfinished for sink in sinks},
        {sink.sink_name: sink.lost for sink in sinks if sink.lost},
    )


class Dates:
    """Keeps a file from spreading flows over more days than there can be.

    A time of capture in the future is as unknown as a flow's start that cannot
    be: another takes its place, here that of loading, and it is counted.

    Attributes
    ----------
    implausible : int
        Datagrams with a time that cannot be.
    left_out : int
        Datagrams of too many days.
    """

    def __init__(self) -> None:
        self._days: set[int] = set()
        self.implausible = 0
        self.left_out = 0

    def begin_file(self) -> None:
        """Another file: its days count anew."""
        self._days = set()

    def check(self, batch: DatagramBatch, now_ns: int) -> DatagramBatch:
        """The datagrams to store, with times that can be."""
        time_ns = batch.time_ns
        wrong = (time_ns > now_ns + AHEAD_NS) | (time_ns < 0)
        if wrong.any():
            self.implausible += int(wrong.sum())
            batch = replace(batch, time_ns=np.where(wrong, now_ns, time_ns))
        days, index = np.unique(batch.time_ns // _NS_PER_DAY, return_inverse=True)
        new = [day for day in days.tolist() if day not in self._days]
        self._days.update(new[: MOST_DAYS - len(self._days)])
        taken = np.array([day in self._days for day in days.tolist()], np.bool_)[index.reshape(-1)]
        if taken.all():
            return batch
        self.left_out += int((~taken).sum())
        return batch.part(taken)


def _wait_for_sinks(pipeline: Pipeline) -> None:
    """Wait until everything is decoded, and written by sinks that work.

    A stop has a bounded time, in which a slow sink would hold up what is still to be decoded for the store.
    """
    while pipeline.sinks and pipeline.alive and not pipeline.writer.last_error:
        if not pipeline.waiting_bytes and not any(b.waiting_rows and not b.trouble.error for b in pipeline.sinks):
            return
        time.sleep(_SINKS_TURN_S)


def _offline(settings: Settings) -> Settings:
    """The same without listening to anything, and with time for every template: nobody waits meanwhile."""
    receive = settings.receive.model_copy(update={"listeners": ()})
    api = settings.api.model_copy(update={"enabled": False})
    decode = settings.decode.model_copy(update={"layout_share": math.inf})
    return settings.model_copy(update={"receive": receive, "api": api, "decode": decode})


def _last_ns(path: Path) -> int:
    """When the last datagram of a file was captured."""
    times = [int(batch.time_ns.max()) for batch in read_capture(path) if len(batch)]
    if not times:
        raise SourceError(f"{path}: there is no UDP datagram in it")
    return max(times)
