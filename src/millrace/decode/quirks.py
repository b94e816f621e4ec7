"""What single exporters do otherwise than the standards say: configured, as nothing on the wire shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Quirks:
    """How an exporter departs from the standards.

    Parameters
    ----------
    swapped_sampling_rates : bool
        It sends the numbers of sampling rates with their least significant byte first.
    reverse_in_23_24 : bool
        Elements 23 and 24 (OUT_BYTES, OUT_PKTS) of its NetFlow v9 records
        count the packets of the other direction, not the same packets as they leave.
    """

    swapped_sampling_rates: bool = False
    reverse_in_23_24: bool = False


NO_QUIRKS = Quirks()
"""An exporter that keeps to the standards."""

QuirksOf: TypeAlias = Callable[[bytes], Quirks]
"""Quirks by address (sixteen bytes); a pure function that is asked once per exporter."""


def no_quirks(address: bytes) -> Quirks:  # noqa: ARG001 -- the default of `QuirksOf`
    """Every exporter keeps to the standards."""
    return NO_QUIRKS
