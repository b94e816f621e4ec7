"""What a download is called: media types and file names."""

from __future__ import annotations

import re

from millrace.formats import FileFormat

_MEDIA_TYPES: dict[FileFormat, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}


def media_type(file_format: FileFormat) -> str:
    """Media type of a format, for the header of a response."""
    return _MEDIA_TYPES[file_format]


def media_types() -> list[str]:
    """Media types of all formats, without parameters."""
    return [kind.partition(";")[0] for kind in _MEDIA_TYPES.values()]


def disposition(stem: str, start: str, end: str, file_format: FileFormat) -> str:
    """``Content-Disposition`` of a download that is named after its range.

    Parameters
    ----------
    stem : str
        What is in it (``flows``).
    start, end : str
        ISO 8601.
    """
    first, last = (re.sub(r"[^0-9TZ]", "", re.sub(r"\.[0-9]+", "", moment)) for moment in (start, end))
    return f'attachment; filename="millrace-{stem}-{first}-{last}.{file_format}"'
