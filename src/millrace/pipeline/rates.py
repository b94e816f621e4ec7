"""Recent rates per exporter."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from millrace.batch import Coded, FlowBatch
from millrace.batch.arrays import AnyArray

WINDOW_S = 10
"""Rates are averages over so many whole seconds."""

_MAX_EXPORTERS = 4096
"""Exporters of one second that have a rate, beside reserved ones; a flood of forged ones must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Average over the last `WINDOW_S` seconds, scaled by the sampling rate (flows are not)."""

    flows: float = 0.0
    packets: float = 0.0
    bits: float = 0.0


class Rates:
    """Sums per exporter and second; time comes as an argument.

    Parameters
    ----------
    reserved : callable
        Whether an exporter has a rate however many there are; bounds their number itself.
    """

    def __init__(self, reserved: Callable[[bytes], bool] = lambda _: False) -> None:
        self._reserved = reserved
        self._seconds: deque[tuple[int, dict[bytes, AnyArray]]] = deque(maxlen=WINDOW_S + 1)

    def add(self, flows: FlowBatch, now_ns: int) -> None:
        """Add the flows of a batch to the current second."""
        exporter = flows.columns.get("ExporterAddress")
        if not isinstance(exporter, Coded) or not len(flows):
            return
        second = now_ns // 1_000_000_000
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, defaultdict(lambda: np.zeros(3))))
        sums = self._seconds[-1][1]
        size = len(exporter.values)
        rate = np.maximum(_numbers(flows, "SamplingRate"), 1)
        count = np.bincount(exporter.codes, minlength=size)
        packets = np.bincount(exporter.codes, _numbers(flows, "Packets") * rate, size)
        octets = np.bincount(exporter.codes, _numbers(flows, "Bytes") * rate, size)
        codes: AnyArray = np.flatnonzero(count)
        for code in codes:
            address = bytes(exporter.values[code])
            if address in sums or len(sums) < _MAX_EXPORTERS or self._reserved(address):
                sums[address] += (count[code], packets[code], octets[code])

    def of(self, exporter: bytes, now_ns: int) -> Rate:
        """Rate of one exporter."""
        return self.all(now_ns).get(exporter, Rate())

    def all(self, now_ns: int) -> dict[bytes, Rate]:
        """Rate of every exporter that sent flows in the window."""
        second = now_ns // 1_000_000_000
        total: dict[bytes, AnyArray] = defaultdict(lambda: np.zeros(3))
        for when, sums in tuple(self._seconds):
            if second - WINDOW_S <= when < second:
                for exporter, values in tuple(sums.items()):
                    total[exporter] += values
        return {exporter: Rate(v[0] / WINDOW_S, v[1] / WINDOW_S, 8 * v[2] / WINDOW_S) for exporter, v in total.items()}


def _numbers(flows: FlowBatch, name: str) -> AnyArray:
    values = flows.columns.get(name)
    return values.astype(np.float64) if isinstance(values, np.ndarray) else np.zeros(len(flows))
