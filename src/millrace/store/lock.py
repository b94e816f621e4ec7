"""One process per data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from millrace.errors import StoreLockedError
from millrace.files import LOCK_FILE


class FolderLock:
    """An advisory lock on a data folder, held until `release` or the end of the process.

    The engine has a lock of its own, but its message names neither the folder
    nor who holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises
        ------
        StoreLockedError
            If another process (or another store of this one) holds it.
        """
        fd = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise StoreLockedError(
                f"the data folder {self._folder} is in use by process {holder}; "
                "stop that process or choose another folder"
            ) from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Give the lock back; the file stays, its lock is what counts."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
