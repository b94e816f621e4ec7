"""Time zones by their names, and what their clocks show."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from millrace.errors import QueryError


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Time zone of an IANA name (``Europe/Berlin``).

    Raises
    ------
    QueryError
        If there is no zone of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Names that are no files, or folders of zones ("Europe"), end in other errors.
        raise QueryError(f"unknown time zone {name[:64]!r}; give an IANA name such as 'Europe/Berlin'") from None


def unix_seconds(when: datetime, timezone: tzinfo) -> float:
    """The moment of a time that somebody wrote.

    Of a time that the clock shows twice it is the first; one that the clock skips is the moment at which
    it does: what is later by the clock is later, what is earlier is earlier.

    Parameters
    ----------
    when : datetime
        With an offset, or by the clock of the zone.
    timezone : tzinfo

    Raises
    ------
    OverflowError, ValueError
        If it is beyond all years.
    """
    if when.tzinfo is not None:
        return when.timestamp()
    first, other = (when.replace(tzinfo=timezone, fold=fold).timestamp() for fold in (0, 1))
    if other >= first:
        return first
    before, after = math.floor(other), math.ceil(first)
    offset = datetime.fromtimestamp(before, timezone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, timezone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return float(after)
