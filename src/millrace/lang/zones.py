"""Time zones by their names."""

from __future__ import annotations

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
