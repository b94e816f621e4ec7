"""Free space of the device that holds the data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from millrace.errors import StoreFullError


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a device: in all, and free for us."""

    total_bytes: int
    free_bytes: int


def measure(folder: Path) -> Space:
    """Ask the file system that holds a folder."""
    answer = os.statvfs(folder)
    return Space(answer.f_blocks * answer.f_frsize, answer.f_bavail * answer.f_frsize)


def require_room(folder: Path, min_free_bytes: int) -> None:
    """Refuse to write before the device is really full.

    Raises
    ------
    StoreFullError
        If less than `min_free_bytes` is free.
    """
    free = measure(folder).free_bytes
    if free < min_free_bytes:
        raise StoreFullError(
            f"only {free // 2**20} MiB free on the device of {folder}, at least {min_free_bytes // 2**20} MiB are kept "
            "(store.min_free_bytes); free some space or shorten a retention: storing resumes by itself"
        )
