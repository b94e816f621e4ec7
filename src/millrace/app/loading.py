"""Capture files into the store, through the same stages as datagrams from the network."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.errors import SourceError
from millrace.receive import read_capture

_MS_PER_DAY = 86_400_000


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
    """

    datagrams: int
    flows: int
    not_decoded: int
    expired: bool
    lost: int = 0


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
    datagrams, oldest_ns = 0, time.time_ns()
    try:
        for path in files:
            shift_ns = time.time_ns() - _last_ns(path) if end_now else 0
            for batch in read_capture(path):
                moved = replace(batch, time_ns=batch.time_ns + shift_ns) if shift_ns else batch
                oldest_ns = min(oldest_ns, int(moved.time_ns.min()))
                application.pipeline.put(moved)
                datagrams += len(batch)
                on_progress(datagrams)
    finally:
        application.stop()
    writer = application.pipeline.writer
    kept_ms = settings.store.retention_raw_days * _MS_PER_DAY
    return Loaded(
        datagrams,
        writer.stored,
        sum(application.pipeline.counts.drops.values()),
        oldest_ns // 1_000_000 < time.time_ns() // 1_000_000 - kept_ms,
        writer.dropped.total() + writer.waiting_rows + application.unstored.datagrams,
    )


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
