"""What the engine's error texts mean to us."""

from __future__ import annotations

import errno
import re

from millrace.errors import (
    MillraceError,
    QueryCancelledError,
    QueryError,
    QueryTimeoutError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
)

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: (.*)", re.DOTALL)

# Codes of ClickHouse's ErrorCodes.cpp.
_NOT_ENOUGH_SPACE = 243
_MEMORY_LIMIT = 241
_CANCELLED = 394
_TIMEOUT = 159
_CORRUPT = frozenset(
    {
        32,  # ATTEMPT_TO_READ_AFTER_EOF
        33,  # CANNOT_READ_ALL_DATA
        40,  # CHECKSUM_DOESNT_MATCH
        107,  # FILE_DOESNT_EXIST
        117,  # INCORRECT_DATA
        226,  # NO_FILE_IN_DATA_PART
        227,  # UNEXPECTED_FILE_IN_DATA_PART
        228,  # BAD_SIZE_OF_FILE_IN_DATA_PART
        246,  # CORRUPTED_DATA
        271,  # CANNOT_DECOMPRESS
        354,  # ZSTD_DECODER_FAILED
        432,  # UNKNOWN_CODEC
        740,  # POTENTIALLY_BROKEN_DATA_PART
    }
)
_NO_SPACE_TEXT = "No space left on device"
_OF_ALL = "(total) memory limit"
_PART_TEXT = "reading from part"
_HINTS = {
    _TIMEOUT: "it took longer than it may; narrow the time range or use a coarser rollup",
    _MEMORY_LIMIT: "it needs more memory than it may; narrow the time range or group by fewer columns",
    396: "it gives more rows than it may; limit them",
    164: (
        "it would change something, a setting included, or reach beyond the store, and only reading is allowed here "
        "('millrace sql --outside' allows files, other hosts and settings)"
    ),
}


class TornError(RuntimeError):
    """The engine could not write what a statement inserted, and did not notice: it was taken out again.

    Attributes
    ----------
    table : str
    partitions : tuple of str
        Ids of the partitions whose rows are not stored; those of others are.
    """

    def __init__(self, table: str, partitions: tuple[str, ...]) -> None:
        super().__init__(f"rows of {table} could not be written whole (is the device full?); none of them are stored")
        self.table = table
        self.partitions = partitions


def code_of(error: BaseException) -> int:
    """ClickHouse error code of an engine exception; 0 if it names none."""
    found = _CODE.search(str(error))
    return int(found[1]) if found else 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an engine exception says that a statement reached its memory limit."""
    return code_of(error) == _MEMORY_LIMIT


def is_of_all(error: BaseException) -> bool:
    """Whether an engine exception says that all statements together reached the memory limit."""
    return is_out_of_memory(error) and _OF_ALL in str(error)


def is_corruption(error: BaseException) -> bool:
    """Whether an engine exception says that stored data cannot be read."""
    code = code_of(error)
    return code in _CORRUPT or (code not in _HINTS and _PART_TEXT in str(error))


def is_full(error: BaseException) -> bool:
    """Whether an exception says that there is no room."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    return (
        isinstance(error, StoreFullError | TornError)
        or code_of(error) == _NOT_ENOUGH_SPACE
        or _NO_SPACE_TEXT in str(error)
    )


def of_write(error: BaseException, doing: str) -> StoreError:
    """The store error for an engine exception while writing."""
    text = _short(error)
    if is_full(error):
        return StoreFullError(f"no room on the device while {doing}; free some space, it resumes by itself ({text})")
    return StoreError(f"the engine refused while {doing}: {text}")


def of_read(error: BaseException, *, outside: bool = False) -> MillraceError:
    """The error for an engine exception while reading; `outside`: of a statement that may read other files, too."""
    code, text = code_of(error), _short(error)
    if is_corruption(error) and (_PART_TEXT in str(error) or not outside):
        return StoreCorruptError(f"stored data cannot be read: {text}")
    if is_full(error):
        return StoreFullError(f"no room on the device for what the question sets aside; free some space ({text})")
    if code == _CANCELLED:
        return QueryCancelledError(f"the question was cancelled ({text})")
    if is_of_all(error):
        return StoreError(f"questions and inserts need all memory that there is for them just now; ask again ({text})")
    hint = _HINTS.get(code)
    said = f"the query was stopped: {hint} ({text})" if hint else text
    return QueryTimeoutError(said) if code == _TIMEOUT else QueryError(said)


def _short(error: BaseException) -> str:
    found = _CODE.search(str(error))
    text = found[2] if found else str(error)
    return " ".join(text.split())[:600]
