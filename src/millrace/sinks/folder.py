"""Names of files: unfinished ones, finished ones, and those that a crash left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import structlog

from millrace.files import create_private, make_private_folder

log = structlog.get_logger(__name__)

UNFINISHED = ".partial"
"""End of the name of a file that is being written."""

INCOMPLETE = ".incomplete"
"""End of the name of a file that was never finished."""


class SinkFolder:
    """The files of one sink: ``<name>-<UTC time>-<number>.<format>``.

    A file has its name only when it is whole; until then it is called
    ``….partial`` and locked, so that nobody takes it for one that a crash left.
    No file is ever replaced.

    Parameters
    ----------
    path : Path
        Made when it is needed. May be shared with other sinks.
    name : str
        Of the sink.
    suffix : str
        Of the format: ``jsonl``.
    """

    def __init__(self, path: Path, name: str, suffix: str) -> None:
        self.path = path
        self._name = name
        self._suffix = suffix
        self._number = 0

    def prepare(self) -> None:
        """Make the folder, and set aside what an earlier process left unfinished.

        Raises
        ------
        OSError
            If there can be no such folder.
        """
        make_private_folder(self.path)
        stem = rf"{re.escape(self._name)}-\d{{8}}T\d{{6}}Z-\d{{6,}}\.[a-z]+"
        left = re.compile(stem + re.escape(UNFINISHED))
        for path in sorted(self.path.iterdir()):
            if left.fullmatch(path.name) and not _in_use(path):
                self.set_aside(path)

    def create(self) -> tuple[int, Path]:
        """Begin a file; its descriptor, for writing, and its path.

        Raises
        ------
        OSError
            When the device refuses.
        """
        make_private_folder(self.path)
        time = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        while True:
            self._number += 1
            final = self.path / f"{self._name}-{time}-{self._number:06d}.{self._suffix}"
            partial = final.with_name(final.name + UNFINISHED)
            try:
                fd = create_private(partial)
            except FileExistsError:
                continue
            # Some file systems have no locks.
            with contextlib.suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Only now: another process that writes here may have finished one of that name before.
            if final.exists() or final.with_name(final.name + INCOMPLETE).exists():
                os.close(fd)
                partial.unlink()
                continue
            return fd, partial

    def publish(self, partial: Path) -> Path:
        """Give a file that is whole its name; the path that it has then.

        Raises
        ------
        OSError
            When the device refuses.
        """
        final = _free(partial.with_name(partial.name.removesuffix(UNFINISHED)))
        partial.rename(final)
        # The device may do so later; the file itself is safe in any case.
        with contextlib.suppress(OSError):
            _sync_folder(self.path)
        return final

    def set_aside(self, partial: Path) -> None:
        """Keep a file that will never be whole under a name that says so; an empty one is removed. Never raises."""
        aside = _free(partial.with_name(partial.name.removesuffix(UNFINISHED) + INCOMPLETE))
        try:
            if not partial.stat().st_size:
                partial.unlink()
                return
            partial.rename(aside)
        except OSError as error:
            log.warning("a file that was not finished cannot be set aside", file=str(partial), error=str(error))
            return
        log.warning("a file was not finished; what is in it is kept aside", file=str(aside))


def _free(path: Path) -> Path:
    """The path, or the first like it that nothing has (somebody put a file there)."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _in_use(path: Path) -> bool:
    """Whether a process that runs holds the lock of a file."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
