"""What was given up, by reason, and whether that was lately."""

from __future__ import annotations

import threading
import time
from collections import Counter

LATELY_S = 600.0
"""A loss makes the collector degraded for so long; its count stays."""


class Losses(Counter[str]):
    """Amounts by reason; of one unit (flows, datagrams). Safe to use from several threads.

    Attributes
    ----------
    latest : float
        Monotonic seconds of the last loss; minus infinity if there was none.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self.latest = float("-inf")

    def add(self, reason: str, amount: int) -> None:
        """Count a loss."""
        if amount:
            with self._lock:
                self[reason] += amount
                self.latest = time.monotonic()

    def lately(self) -> bool:
        """Whether something was lost in the last `LATELY_S` seconds."""
        return time.monotonic() - self.latest < LATELY_S

    def __str__(self) -> str:
        """``12 store-refused, 3 stopped``."""
        return ", ".join(f"{amount} {reason}" for reason, amount in list(self.items()))
