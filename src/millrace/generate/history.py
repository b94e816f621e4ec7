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
    model: Model, start_ms: int, stop_ms: int, flows: int, *, live_rate: float | None = None, seed: int = 0
) -> Iterator[FlowBatch]:
    """Flows of a stretch of time, in order of time, with every column that a decoder would fill.

    Parameters
    ----------
    model : Model
    start_ms, stop_ms : int
        Unix milliseconds.
    flows : int
        About how many in all.
    live_rate : float, optional
        Flows per second that the model's exporters send live. Sampling rates
        are multiplied so that past and present show the same traffic.
    seed : int
        Equal arguments give equal flows.

    Yields
    ------
    FlowBatch
        At most `BATCH_ROWS` flows.
    """
    traffic = Traffic(model)
    rng = np.random.default_rng(seed)
    edges = np.append(np.arange(start_ms, stop_ms, HOUR_MS, dtype=np.int64), stop_ms)
    weights = hourly_weights(model, edges)
    factor = 1
    if live_rate is not None and flows:
        expected = live_rate * float(weights.sum()) / 1000
        factor = max(1, round(expected / flows))
    counts = np.diff(np.round(np.append(0, np.cumsum(weights) / weights.sum()) * flows)).astype(np.int64)
    for first, last, rows in zip(edges[:-1], edges[1:], counts, strict=True):
        parts = -(-int(rows) // BATCH_ROWS)
        inner = np.linspace(first, last, parts + 1).astype(np.int64)
        share = np.diff(np.linspace(0, rows, parts + 1).astype(np.int64))
        for begin, end, amount in zip(inner[:-1], inner[1:], share, strict=True):
            yield traffic.draw(rng, int(begin), int(end), int(amount), sampling_factor=factor)


def hourly_weights(model: Model, edges: I64) -> I64:
    """Traffic between edges (Unix milliseconds, shape (n + 1,)): mean intensity times milliseconds, shape (n,)."""
    weights = [
        intensity(model, np.linspace(first, last, 121).astype(np.int64)[:-1]).total.mean() * (last - first)
        for first, last in itertools.pairwise(edges)
    ]
    return np.array(weights)
