"""What the engine's errors mean to us.

Inside of the store a statement that fails raises `EngineError`. It does not
leave the store: at its doors (`EmbeddedStore`, `local_sql`) `of_write`,
`of_read` and `of_start` make of it what the rest of Millrace knows, a
`millrace.errors.StoreError` or, of a question, a `QueryError`.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
_STACK = re.compile(r",?\s*Stack trace \(when copying this message.*", re.DOTALL)

# Codes of ClickHouse's ErrorCodes.cpp.
_NOT_ENOUGH_SPACE = 243
_MEMORY_LIMIT = 241
_CANCELLED = 394
_TIMEOUT = 159
_TRANSIENT = frozenset(
    {
        _TIMEOUT,
        173,  # CANNOT_ALLOCATE_MEMORY
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        236,  # ABORTED
        _MEMORY_LIMIT,
        _NOT_ENOUGH_SPACE,
        252,  # TOO_MANY_PARTS
        439,  # CANNOT_SCHEDULE_TASK
        473,  # DEADLOCK_AVOIDED
    }
)
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


class EngineError(MillraceError):
    """The engine refused a statement, or it failed or was ended.

    Parameters
    ----------
    message : str
        What the engine said, as one line, without its stack.
    code : int
        ClickHouse's number of the error (241 of ``Code: 241. DB::Exception: …``); 0: it gave none.
    transient : bool
        Whether the same statement may succeed later although nobody mends it or what is stored: memory,
        room on the device, threads or time were short. Not if somebody ended it.

    Attributes
    ----------
    code : int
    transient : bool
    """

    def __init__(self, message: str, code: int = 0, *, transient: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.transient = transient

    @classmethod
    def of(cls, said: str) -> EngineError:
        """The error for a text of the engine: its code, and whether it passes, are read from it."""
        message = " ".join(_STACK.sub("", said).split())
        found = _CODE.search(message)
        code = int(found[1]) if found else 0
        return EngineError(message, code, transient=code in _TRANSIENT or _NO_SPACE_TEXT in message)


class TornError(EngineError):
    """The engine could not write what a statement inserted, and did not notice: it was taken out again.

    There is no code, since the engine did not say it, and it passes when the device has room.

    Attributes
    ----------
    table : str
    partitions : tuple of str
        Ids of the partitions whose rows are not stored; those of others are.
    """

    def __init__(self, table: str, partitions: tuple[str, ...]) -> None:
        super().__init__(
            f"rows of {table} could not be written whole (is the device full?); none of them are stored", transient=True
        )
        self.table = table
        self.partitions = partitions


def code_of(error: BaseException) -> int:
    """ClickHouse's code of an error of the engine; 0 if it has none, or it is not the engine's."""
    return error.code if isinstance(error, EngineError) else 0


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a statement reached its memory limit."""
    return code_of(error) == _MEMORY_LIMIT


def is_of_all(error: BaseException) -> bool:
    """Whether an error says that all statements together reached the memory limit."""
    return is_out_of_memory(error) and _OF_ALL in str(error)


def is_corruption(error: BaseException) -> bool:
    """Whether the engine says that stored data cannot be read; nobody else's error says so."""
    if not isinstance(error, EngineError):
        return False
    return error.code in _CORRUPT or (error.code not in _HINTS and _PART_TEXT in str(error))


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no room."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    if isinstance(error, EngineError):
        return isinstance(error, TornError) or error.code == _NOT_ENOUGH_SPACE or _NO_SPACE_TEXT in str(error)
    return isinstance(error, StoreFullError)


def of_start(error: EngineError, folder: Path) -> StoreError:
    """The store's error for one of the engine while a data folder is opened."""
    if is_full(error):
        return StoreFullError(f"the data folder {folder} cannot be opened: no room on its device; free some ({error})")
    if error.transient:
        return StoreError(f"the data folder {folder} cannot be opened just now, start again: {error}")
    return StoreCorruptError(f"the data folder {folder} cannot be opened: {error}")


def of_write(error: EngineError | OSError, doing: str) -> StoreError:
    """The store's error for one of the engine, or of the device, while writing."""
    text = _short(error)
    if is_full(error):
        return StoreFullError(f"no room on the device while {doing}; free some space, it resumes by itself ({text})")
    return StoreError(f"the engine refused while {doing}: {text}")


@contextmanager
def refusing(doing: str) -> Iterator[None]:
    """Around what the store does for others, or before a method of it: the engine's errors become the store's.

    Raises
    ------
    StoreError
        As `of_write` makes it.
    """
    try:
        yield
    except EngineError as error:
        raise of_write(error, doing) from error


def of_read(error: EngineError, *, outside: bool = False) -> MillraceError:
    """The error for one of the engine while reading; `outside`: of a statement that may read other files, too."""
    code, text = error.code, _short(error)
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
