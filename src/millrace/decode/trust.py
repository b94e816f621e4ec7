"""What the configuration vouches for: whose place is kept, and from which ports an exporter may announce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of an exporter before it sends anything.

    Parameters
    ----------
    configured : bool
        It is named in the configuration: it makes room for nobody who is not.
    ports : frozenset of int
        Its UDP ports from which templates and options are accepted. Empty: all.
    """

    configured: bool = False
    ports: frozenset[int] = frozenset()


STRANGER = Trust()
"""An exporter of which nothing is known."""

TrustOf: TypeAlias = Callable[[bytes], Trust]
"""Trust by address (sixteen bytes); a pure function that is asked once per exporter."""


def no_trust(address: bytes) -> Trust:  # noqa: ARG001 -- the default of `TrustOf`
    """Nothing is known of anybody."""
    return STRANGER
