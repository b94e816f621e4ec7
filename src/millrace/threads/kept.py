"""Answers that are kept for a moment, since many want to know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def kept(ask: Callable[[], Answer], age_s: float) -> Callable[[], Answer]:
    """Ask at most once per `age_s` seconds, however many want to know at the same time; they wait for one answer."""
    last: list[tuple[float, Answer]] = []
    asking = threading.Lock()

    def answer() -> Answer:
        with asking:
            if not last or time.monotonic() - last[0][0] > age_s:
                found = ask()
                # From now: of an answer that takes longer than it is kept, each who waits would ask anew.
                last[:] = [(time.monotonic(), found)]
            return last[0][1]

    return answer
