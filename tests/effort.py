"""What a piece of code costs: the processor time of its own thread.

Neither threads that other tests left working nor Python's search for garbage count, which goes through all that the
test run holds.
"""

from __future__ import annotations

import gc
from time import thread_time
from typing import Self


class Effort:
    """``with Effort() as spent: …``, then `spent.seconds`."""

    seconds = 0.0

    def __enter__(self) -> Self:
        self._collects = gc.isenabled()
        gc.disable()
        self._began = thread_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = thread_time() - self._began
        if self._collects:
            gc.enable()
