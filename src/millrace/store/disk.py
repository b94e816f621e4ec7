"""Room for the store: on the device, and within its own bound; and what gives way where there is none."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from millrace.errors import StoreFullError
from millrace.store.audit import AuditLog
from millrace.store.config import StoreSettings
from millrace.store.engine import Engine
from millrace.store.parts import Part, drop_parts, find_parts
from millrace.store.resolutions import COUNTER_TABLE, RAW_TABLE, RESOLUTIONS
from millrace.store.retention import taken

_TABLES = (RAW_TABLE, COUNTER_TABLE, *(resolution.table for resolution in RESOLUTIONS))
"""In the order in which they give way: what is coarse is small and lasts."""

_RECENT_MS = 3_600_000
"""What came in the last hour goes last, whatever the table."""

_RESERVE = 16 * 2**20
"""What is kept free at least where the oldest gives way: dropping a part needs a mebibyte itself."""

_SPARE = 32
"""This part of a bound is freed beyond what is needed, so that not every insert has to make room."""


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a device: in all, and free for us."""

    total_bytes: int
    free_bytes: int


def measure(folder: Path) -> Space:
    """Ask the file system that holds a folder."""
    answer = os.statvfs(folder)
    return Space(answer.f_blocks * answer.f_frsize, answer.f_bavail * answer.f_frsize)


class Room:
    """Whether there is room, and how it is made.

    Parameters
    ----------
    engine : Engine
    folder : Path
        Data folder; errors name it.
    space : callable
        Asks how much room the device of the tables has.
    settings : StoreSettings
    audit : AuditLog
    """

    def __init__(
        self, engine: Engine, folder: Path, space: Callable[[], Space], settings: StoreSettings, audit: AuditLog
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._space = space
        self._settings = settings
        self._audit = audit
        self._guard = threading.Lock()

    @property
    def makes_room(self) -> bool:
        """Whether the oldest gives way."""
        return self._settings.when_full == "drop-oldest"

    @property
    def _least_free(self) -> int:
        return max(self._settings.min_free_bytes, _RESERVE if self.makes_room else 0)

    def needed(self, at_least: int = 0) -> bool:
        """Whether there is no room, or at least so many bytes are to be freed."""
        return at_least > 0 or self._missing()[0] > 0

    def require(self) -> None:
        """Refuse to write before the device is really full, or beyond the store's bound.

        Raises
        ------
        StoreFullError
            With what to do about it.
        """
        settings = self._settings
        free = self._space().free_bytes
        if free < self._least_free:
            raise StoreFullError(
                f"only {free // 2**20} MiB free on the device of {self._folder}, at least "
                f"{self._least_free // 2**20} MiB are kept (store.min_free_bytes); {self._advice('some space')}"
            )
        used = self._used()
        if used > settings.max_bytes:
            raise StoreFullError(
                f"the tables of {self._folder} take {used // 2**20} MiB, more than the {settings.max_bytes // 2**20} "
                f"MiB they may (store.max_bytes); {self._advice('some space or raise the bound')}"
            )

    def make(self, last_blocks: Mapping[str, int], at_least: int = 0) -> int:
        """Drop the oldest parts until there is room; how many were dropped.

        Flows go first, then interface counters, then rollups, the finest first; of all of them what
        is older than an hour before the rest. What a rollup has not taken yet stays.

        Parameters
        ----------
        last_blocks : mapping
            By table, the last block that its rollup has taken.
        at_least : int
            Bytes to free whatever is measured: the engine found the device full.

        Raises
        ------
        EngineError
            If a part cannot be dropped (it was merged meanwhile: try again).
        """
        with self._guard:
            return self._make(last_blocks, at_least)

    def _make(self, last_blocks: Mapping[str, int], at_least: int) -> int:
        wanted, reason = self._missing()
        if wanted <= 0 and at_least > 0:
            wanted, reason = at_least, "the device was full"
        if wanted <= 0:
            return 0
        oldest = self._oldest(last_blocks, wanted)
        drop_parts(self._engine, self._audit, oldest, "drop-oldest", f"{reason}; store.when_full is drop-oldest")
        return len(oldest)

    def _missing(self) -> tuple[int, str]:
        """Bytes to be freed, and why."""
        settings = self._settings
        free = self._space().free_bytes
        if free < self._least_free:
            why = f"{free // 2**20} MiB were free on the device (store.min_free_bytes)"
            return self._least_free * (_SPARE + 1) // _SPARE - free, why
        used = self._used()
        if used > settings.max_bytes:
            why = f"the tables took {used // 2**20} MiB (store.max_bytes)"
            return used - settings.max_bytes * (_SPARE - 1) // _SPARE, why
        return 0, ""

    def _used(self) -> int:
        """Bytes of the tables; 0 where no bound asks for it."""
        if not self._settings.max_bytes:
            return 0
        return int(self._engine.rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE active")[0][0])

    def _oldest(self, last_blocks: Mapping[str, int], wanted: int) -> list[Part]:
        parts = taken(find_parts(self._engine, _TABLES), last_blocks)
        # Rows of a time to come (a wrong clock, a forged capture) do not make all others old.
        newest_ms = min(max((part.newest_ms for part in parts), default=0), time.time_ns() // 1_000_000)
        in_order: Sequence[Part] = sorted(
            parts,
            key=lambda part: (part.newest_ms > newest_ms - _RECENT_MS, _TABLES.index(part.shown), part.newest_ms),
        )
        found: list[Part] = []
        for part in in_order:
            if wanted <= 0:
                break
            found.append(part)
            wanted -= part.bytes
        return found

    def _advice(self, what: str) -> str:
        if self.makes_room:
            return "nothing that is rolled up is left to be dropped; free some space: storing resumes by itself"
        return (
            f"free {what}, shorten a retention, or let the oldest flows go (store.when_full: drop-oldest): "
            "storing resumes by itself"
        )
