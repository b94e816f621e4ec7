"""A stretch of past traffic, to be stored directly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64
from millrace.generate.curve import HOUR_MS, intensity
from millrace.generate.model import Model
from millrace.generate.traffic import Traffic

BATCH_ROWS = 200_000


def history(
    model: Model, start_ms: int, stop_ms: int, flows: int, *, sampling_factor: int = 1, first: int = 0, seed: int = 0
) -> Iterator[FlowBatch]:
    """Flows of a stretch of time, in order of time, with every column that a decoder would fill.

    Parameters
    ----------
    model : Model
    start_ms, stop_ms : int
        Unix milliseconds.
    flows : int
        About how many in all.
    sampling_factor : int
        What sampling rates are multiplied by, so that fewer flows show the same traffic.
    first : int
        Flows that were drawn of the stretches before (see `Traffic.draw`).
    seed : int
        Equal arguments give equal flows.

    Yields
    ------
    FlowBatch
        At most `BATCH_ROWS` flows.
    """
    traffic = Traffic(model)
    rng = np.random.default_rng(seed)
    edges = _edges(start_ms, stop_ms)
    weights = hourly_weights(model, edges)
    counts = np.diff(np.round(np.append(0, np.cumsum(weights) / weights.sum()) * flows)).astype(np.int64)
    drawn = first
    for start, stop, rows in zip(edges[:-1], edges[1:], counts, strict=True):
        parts = -(-int(rows) // BATCH_ROWS)
        inner = np.linspace(start, stop, parts + 1).astype(np.int64)
        share = np.diff(np.linspace(0, rows, parts + 1).astype(np.int64))
        for begin, end, amount in zip(inner[:-1], inner[1:], share, strict=True):
            yield traffic.draw(rng, int(begin), int(end), int(amount), sampling_factor=sampling_factor, first=drawn)
            drawn += int(amount)


def _edges(start_ms: int, stop_ms: int) -> I64:
    return np.append(np.arange(start_ms, stop_ms, HOUR_MS, dtype=np.int64), stop_ms)


class Past:
    """What a model's exporters would have reported before they send live.

    Flows are as many as they send live, so that nothing shows where the past ends; where those would be too many, they
    are fewer and their sampling rates higher.

    Parameters
    ----------
    model : Model
    live_rate : float
        Mean flows per second that the exporters send live.
    start_ms, stop_ms : int
        The stretch of time that the number of flows is chosen for, Unix milliseconds.
    most_flows : int
        Flows of that stretch, at most, when they are as many as sent live.
    fewer_flows : int
        Flows of that stretch otherwise, about.
    """

    def __init__(
        self, model: Model, live_rate: float, start_ms: int, stop_ms: int, *, most_flows: int, fewer_flows: int
    ) -> None:
        self._model = model
        self._live_rate = live_rate
        expected = self._expected(start_ms, stop_ms)
        self._drawn = 0
        self.factor = 1 if expected <= most_flows else round(expected / fewer_flows)

    def _expected(self, start_ms: int, stop_ms: int) -> float:
        return self._live_rate * float(hourly_weights(self._model, _edges(start_ms, stop_ms)).sum()) / 1000

    def flows(self, start_ms: int, stop_ms: int) -> int:
        """How many flows there are in a stretch of time."""
        return round(self._expected(start_ms, stop_ms) / self.factor)

    def batches(self, start_ms: int, stop_ms: int) -> Iterator[FlowBatch]:
        """The flows of a stretch of time (see `history`)."""
        flows, first = self.flows(start_ms, stop_ms), self._drawn
        self._drawn += flows
        if flows:
            yield from history(
                self._model, start_ms, stop_ms, flows, sampling_factor=self.factor, first=first, seed=start_ms
            )


def hourly_weights(model: Model, edges: I64) -> I64:
    """Traffic between edges (Unix milliseconds, shape (n + 1,)): mean intensity times milliseconds, shape (n,)."""
    weights = [
        intensity(model, np.linspace(first, last, 121).astype(np.int64)[:-1]).total.mean() * (last - first)
        for first, last in itertools.pairwise(edges)
    ]
    return np.array(weights)
