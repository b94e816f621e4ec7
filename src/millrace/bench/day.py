"""A store with a day of many flows, to put questions to."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from millrace.bench.result import BenchError
from millrace.config import ExporterSettings, NetworkSettings, static_metadata, static_networks
from millrace.enrich import ASNames, Enricher
from millrace.generate import default_model, demo_as_names, demo_metadata, demo_networks, history
from millrace.schema import Schema
from millrace.store import RESOLUTIONS, EmbeddedStore, StoreSettings

DAY_S = 86_400
_ROLLUP_TIMEOUT_S = 1800
_QUIET_S = 6.0
"""The store waits a little for late flows before it adds them to a closed interval: so long without work is the end."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of flows, stored and rolled up.

    Attributes
    ----------
    folder : Path
        Data folder of the store; it is closed.
    flows : int
    stop_s : int
        Unix second, of a whole minute, at which the day ends.
    fill_seconds : float or None
        How long storing and rolling up took; None if the flows were there already.
    """

    folder: Path
    flows: int
    stop_s: int
    fill_seconds: float | None


@contextmanager
def stored_day(flows: int, folder: Path | None = None) -> Iterator[Day]:
    """Store a day of traffic until now.

    Parameters
    ----------
    flows : int
    folder : Path, optional
        Where to keep the store; one that is there already is used as it is. By default it is removed at the end.
    """
    if folder is not None:
        yield _day(folder, flows)
        return
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as temporary:
        yield _day(Path(temporary) / "data", flows)


@contextmanager
def opened(folder: Path) -> Iterator[EmbeddedStore]:
    """The store of a data folder, started, with its rollups in use."""
    store = EmbeddedStore(folder, Schema(), StoreSettings.model_validate({}))
    store.start()
    try:
        # How far the rollups reach is found out by maintenance.
        store.maintain(time.time_ns() // 1_000_000)
        yield store
    finally:
        store.stop()


def closed(folder: Path) -> None:
    """Let the store of a data folder pack the hours that are over, as it does in time, and drop the originals."""
    for _ in range(2):  # The originals go at once where the store is opened anew.
        with opened(folder) as store:
            while store.maintain(time.time_ns() // 1_000_000).closed_rows:
                pass


def _day(folder: Path, flows: int) -> Day:
    with opened(folder) as store:
        found = store.query("SELECT count() AS flows, toUnixTimestamp(max(TimeReceived)) AS last FROM flows")
        amount, last = int(found["flows"][0].as_py()), int(found["last"][0].as_py())
        if amount:
            return Day(folder, amount, last // 60 * 60 + 60, None)
        stop_s = int(time.time()) // 60 * 60
        return Day(folder, flows, stop_s, _fill(store, stop_s, flows))


def _fill(store: EmbeddedStore, stop_s: int, flows: int) -> float:
    """Store a day of traffic, rolled up; seconds it took."""
    model = default_model()
    exporters = {key: ExporterSettings.model_validate(values) for key, values in demo_metadata(model).items()}
    networks = {key: NetworkSettings.model_validate(values) for key, values in demo_networks(model).items()}
    fillers = (static_networks(networks).fill, ASNames(demo_as_names(model)).fill)
    enricher = Enricher(static_metadata(exporters), fillers=fillers)
    began = time.perf_counter()
    for batch in history(model, (stop_s - DAY_S) * 1000, stop_s * 1000, flows):
        store.insert(enricher.enrich(batch))
        store.maintain(time.time_ns() // 1_000_000)
    _roll_up(store, flows)
    return time.perf_counter() - began - _QUIET_S


def _roll_up(store: EmbeddedStore, flows: int) -> None:
    """Roll up until nothing is left, and check that no flow is missing from the minutes."""
    deadline, last_work = time.monotonic() + _ROLLUP_TIMEOUT_S, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - last_work < _QUIET_S:
        if store.maintain(time.time_ns() // 1_000_000).rolled_up_rows:
            last_work = time.monotonic()
        time.sleep(0.1)
    rolled = store.query(f"SELECT sum(Flows) AS flows FROM {RESOLUTIONS[0].table}")["flows"][0].as_py()  # noqa: S608
    if rolled != flows:
        raise BenchError(f"{rolled} of {flows} flows are in {RESOLUTIONS[0].table}")
