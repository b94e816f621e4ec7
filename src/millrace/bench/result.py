"""What a benchmark measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from millrace.errors import MillraceError

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table.

    Parameters
    ----------
    name : str
        What was measured.
    value : float
        Median.
    unit : str
        ``flows/s``, ``s``, ``MB`` …
    target : float, optional
        What we want to reach.
    lower_is_better : bool
    note : str
        Shape of the load and what was checked.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    lower_is_better: bool = False
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without a target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.lower_is_better else self.value >= self.target


@dataclass(frozen=True, slots=True)
class Options:
    """How thoroughly to measure.

    Parameters
    ----------
    quick : bool
        Short runs and small data: to see that it works, not to publish.
    folder : Path, optional
        Where the store that questions are put to is kept; by default it is removed.
    """

    quick: bool = False
    folder: Path | None = None

    @property
    def rounds(self) -> int:
        """Rounds of which the median counts."""
        return 5 if self.quick else 25


def median_seconds(rounds: int, prepare: Callable[[], Callable[[], object]]) -> float:
    """Median duration of what `prepare` returns; preparing is not timed.

    Two rounds come first and do not count.
    """
    seconds = []
    for _ in range(rounds + 2):
        run = prepare()
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[2:])


class BenchError(MillraceError):
    """A benchmark found that it does not measure the truth: values differ, flows are missing."""
