"""Who asks a question, and when."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from millrace.lang import Everything, Filter
from millrace.store import Cancel


@dataclass(frozen=True, slots=True)
class Asking:
    """The circumstances of a question.

    Parameters
    ----------
    now : float
        Unix seconds.
    scope : Filter
        What the asker may see: part of the condition of every statement.
    saved : mapping
        Texts of the asker's saved filters by name, for ``@name`` in a filter.
    cancel : Cancel, optional
        Ends the statement that runs when the asker has left.
    asked : float
        The moment of asking, monotonic seconds. An answer to the same statement that was begun later
        is as fresh as one of its own.
    """

    now: float
    scope: Filter = field(default_factory=Everything)
    saved: Mapping[str, str] = field(default_factory=dict)
    cancel: Cancel | None = None
    asked: float = field(default_factory=time.monotonic)
