"""What times of records are relative to."""

from __future__ import annotations

from typing import Protocol

from millrace.batch.arrays import I64, U32


class Clock(Protocol):
    """What uptimes and deltas of records are relative to, per record."""

    @property
    def export_ms(self) -> I64:
        """Unix ms of the header."""
        ...

    @property
    def uptime(self) -> U32:
        """Uptime of the header in ms (NetFlow v9)."""
        ...

    @property
    def boot_ms(self) -> I64:
        """When the exporter started (systemInitTimeMilliseconds), from options; -1: unknown."""
        ...
