"""Numbers with units: sizes and durations."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from millrace.schema import Column, Kind

_SIZE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)([kmgtp]i?)?(b|bps)?", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,3})?)(ms|s|m|h|d|w)", re.IGNORECASE | re.ASCII)
_POWERS = "kmgtp"

DURATION_UNITS_MS: Final = {
    "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1,
}  # fmt: skip
"""Units of durations, the largest first."""


def size(text: str, column: Column) -> int:
    """Number with an optional unit: ``10k`` is 10 000, ``2Ki`` is 2048.

    Bytes may be marked (``10kB``), speeds too (``10Gbps``). A speed with a unit is in bit/s; columns of 32 bits hold
    Mbit/s, and a number without a unit is what the column holds.

    Raises
    ------
    ValueError
        With what a size should be, if the text is none.
    """
    found = _SIZE.fullmatch(text)
    if not found or not _mark_fits(found[3], column):
        raise ValueError("a number such as 1500, 10k, 1.5M or 2Gi")
    number = Fraction(found[1]) * _factor(found[2] or "")
    if column.display == "bits" and column.kind is Kind.U32 and (found[2] or found[3]):
        number /= 10**6
    if number.denominator != 1:
        raise ValueError("a whole number")
    return number.numerator


def _mark_fits(mark: str | None, column: Column) -> bool:
    if mark is None:
        return True
    return column.display == ("bits" if mark.casefold() == "bps" else "bytes")


def _factor(unit: str) -> int:
    if not unit:
        return 1
    base = 1024 if len(unit) == 2 else 1000
    return int(base ** (_POWERS.index(unit[0].casefold()) + 1))


def duration_ms(text: str) -> int | None:
    """Milliseconds of a duration such as ``90s``, ``5m``, ``1.5h``, ``1d``; None if it is none."""
    found = _DURATION.fullmatch(text)
    if not found:
        return None
    ms = Fraction(found[1]) * DURATION_UNITS_MS[found[2].casefold()]
    return ms.numerator if ms.denominator == 1 else None


def duration_text(ms: int) -> str:
    """Duration of a number of milliseconds, in the largest unit that divides it."""
    unit, factor = next((unit, factor) for unit, factor in DURATION_UNITS_MS.items() if ms % factor == 0)
    return f"{ms // factor}{unit}"
