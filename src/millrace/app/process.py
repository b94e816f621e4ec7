"""What this process asks of what is under it: the interpreter, malloc and Arrow."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

import pyarrow as pa

_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGEST_KEPT_BYTES = 32 << 20
"""glibc takes no higher threshold."""

_KEPT_BYTES = 256 << 20


_TURN_S = 0.0005


def take_short_turns() -> None:
    """Have threads that wait for the interpreter's lock get it soon.

    NumPy lets go of the lock for a moment in every large operation. Whoever
    works in Python meanwhile, at the metrics or an answer, keeps it for a whole
    turn, by default 5 ms, many times per batch: decoding got a sixth of what it
    does alone beside one such thread, and a twentieth beside three. With turns
    of half a millisecond it gets its share, two fifths and a quarter.
    """
    sys.setswitchinterval(_TURN_S)


def keep_freed_memory() -> bool:
    """Tell malloc to keep what arrays free, for the next batch.

    Every batch allocates and frees some hundred arrays of 0.1 to 10 MB. By
    default glibc takes each from the kernel and gives it back, and the kernel
    zeroes every page anew: half of the time of decoding. Kept memory is
    bounded by the largest batch in flight.

    Returns
    -------
    bool
        False where malloc is not glibc's; nothing is changed then.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # One arena: threads otherwise keep what others freed to themselves.
    accepted = [
        mallopt(_M_ARENA_MAX, 1),
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES),
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES),
        mallopt(_M_TOP_PAD, _LARGEST_KEPT_BYTES),
    ]
    return all(accepted)


def give_back_freed_memory() -> None:
    """Have malloc give what it keeps back to the kernel; nothing happens where it is not glibc's."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """Memory that this process takes; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * mmap.PAGESIZE


class _WithoutPandas(MetaPathFinder):
    """While it is asked, there is no pandas."""

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is left out")


def leave_pandas_out() -> None:
    """Have Arrow not load pandas, which is installed beside chDB and of which nothing here is used.

    Arrow looks for pandas once, when it makes its first array of a list, to know pandas' columns when it sees them:
    a quarter of a second of each start, and 40 MB. Told that there is none it goes on without; who imports pandas
    later, or asks a table for it (`pyarrow.Table.to_pandas`), gets it.
    """
    if "pandas" in sys.modules:
        return
    without = _WithoutPandas()
    sys.meta_path.insert(0, without)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(without)
