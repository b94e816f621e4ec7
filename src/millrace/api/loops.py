"""Things of an event loop, which the next one must not take over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from anyio.lowlevel import EventLoopToken, current_token

Thing = TypeVar("Thing")


class PerLoop(Generic[Thing]):
    """One thing per event loop: a server that is begun anew begins with a new one.

    Whoever held a place, or waited for an answer, in a loop that has ended never leaves: what they hold goes with it.

    Parameters
    ----------
    make : callable
        Called in the loop, when the thing is first needed there.
    """

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make = make
        self._of: tuple[EventLoopToken, Thing] | None = None

    def get(self) -> Thing:
        """The thing of the loop that runs."""
        loop = current_token()
        if self._of is None or self._of[0] != loop:
            self._of = loop, self._make()
        return self._of[1]
