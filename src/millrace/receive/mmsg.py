"""The system calls that move many datagrams at once, and their structures as NumPy types.

Layout of ``struct mmsghdr`` where pointers have 8 bytes (Linux, `recvmmsg(2)`)::

    0        8         16    24      32       40          48     56   60   64
    +--------+----+----+-----+-------+--------+-----------+------+----+----+
    | name   |len | –  | iov |iovlen |control |controllen |flags |len | –  |
    +--------+----+----+-----+-------+--------+-----------+------+----+----+
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

MESSAGE = np.dtype({
    "names": ["name", "name_length", "iov", "iov_count", "control", "control_length", "flags", "length"],
    "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
    "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
    "itemsize": 64,
})  # fmt: skip
"""``struct mmsghdr``."""

IOVEC = np.dtype([("base", "u8"), ("length", "u8")])
"""``struct iovec``."""

MSG_TRUNC = 0x20
MSG_DONTWAIT = 0x40

Call = Callable[[int, int, int, int], int]
"""``(file descriptor, address of the first message, number of messages, flags) -> messages moved``."""


def _bind(name: str, *extra: Any) -> Call | None:  # noqa: ANN401 - ctypes argument types
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    if function is None:
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, *extra]
    tail = (None,) * len(extra)

    def call(descriptor: int, messages: int, count: int, flags: int) -> int:
        moved: int = function(descriptor, messages, count, flags, *tail)
        if moved < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return moved

    return call


recvmmsg: Call | None = _bind("recvmmsg", ctypes.c_void_p)
"""Receive up to `count` datagrams; None where the system lacks it. Releases the GIL; raises OSError."""

sendmmsg: Call | None = _bind("sendmmsg")
"""Send up to `count` datagrams; None where the system lacks it. Releases the GIL; raises OSError."""


def address_of(array: NDArray[Any]) -> int:
    """Memory address of an array's first byte."""
    return int(array.ctypes.data)
