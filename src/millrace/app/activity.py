"""What the program does beside collecting, for whoever looks at it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class _Doing:
    """A task that somebody who waits should know of.

    Parameters
    ----------
    text : str
        A sentence without a full stop.
    share : float or None
        How much of it is done, from 0 to 1; None where that is not known.
    """

    text: str
    share: float | None


class Activity:
    """At most one task at a time; written by one thread, read by any."""

    def __init__(self) -> None:
        self._doing: _Doing | None = None

    @contextmanager
    def doing(self, text: str) -> Iterator[None]:
        """Say so for the length of a ``with`` block."""
        self._doing = _Doing(text, None)
        try:
            yield
        finally:
            self._doing = None

    def advance(self, share: float) -> None:
        """Say how much is done, from 0 to 1."""
        if self._doing is not None:
            self._doing = _Doing(self._doing.text, min(max(share, 0.0), 1.0))

    def told(self) -> dict[str, Any] | None:
        """The task as JSON can say it: ``text`` and ``share``; None when there is none."""
        doing = self._doing
        return None if doing is None else asdict(doing)
