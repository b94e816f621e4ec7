"""Decoder state between runs: templates and sampling rates survive a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import structlog

from millrace.files import replace_private

log = structlog.get_logger(__name__)

_UNUSED = ".unused"

LARGEST_BYTES = 256 << 20
"""A larger file is not of our making: snapshots are smaller by far. Reading takes several times as much memory."""

_PIECE = 1000
"""Entries that are written at once."""


class SavedState(Protocol):
    """Where what the decoder was told is kept: for the next start, and for when it must begin anew."""

    def load(self) -> dict[str, Any] | None:
        """What was saved last; None if there is nothing."""
        ...

    def save(self, state: dict[str, Any]) -> None:
        """Replace it; OSError when it cannot be kept."""
        ...

    def set_aside(self, reason: str) -> None:
        """What was loaded is of no use: leave it where it is replaced by nothing that is saved."""
        ...


class MemoryState:
    """Keeps it for as long as the process runs: files have state of their own, which no collector may inherit."""

    def __init__(self) -> None:
        self._state: dict[str, Any] | None = None

    def load(self) -> dict[str, Any] | None:
        """See `SavedState.load`."""
        return self._state

    def save(self, state: dict[str, Any]) -> None:
        """See `SavedState.save`."""
        self._state = state

    def set_aside(self, reason: str) -> None:  # noqa: ARG002 - the protocol's shape
        """See `SavedState.set_aside`."""
        self._state = None


class StateFile:
    """A JSON file that is replaced as a whole, so that a crash leaves the old or the new one.

    Parameters
    ----------
    path : Path
        Its folder is made when needed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Any] | None:
        """The saved state; None if there is none or it cannot be read (it is then set aside and relearned)."""
        try:
            size = self._path.stat().st_size
            if size > LARGEST_BYTES:
                self.set_aside(f"it has {size} bytes, more than {LARGEST_BYTES}")
                return None
            state = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            self.set_aside(f"it cannot be read: {str(error) or type(error).__name__}")
            return None
        if isinstance(state, dict):
            return state
        self.set_aside("it is no JSON object")
        return None

    def set_aside(self, reason: str) -> None:
        """Rename the file to ``….unused`` (in place of an earlier one), so that the next save does not replace it."""
        aside = self._path.with_name(self._path.name + _UNUSED)
        try:
            self._path.replace(aside)
        except OSError as error:
            reason = f"{reason}; it cannot be set aside either: {error}"
        log.warning(
            "saved templates and sampling rates are not used; exporters tell them again",
            file=str(self._path), reason=reason, kept_as=str(aside),
        )  # fmt: skip

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file. Raises OSError when the device refuses."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_private(self._path, _json(state))


def _json(state: dict[str, Any]) -> Iterator[str]:
    """JSON in pieces: each is made at once, which is fast, yet holds up other threads for a moment only."""
    yield "{"
    for number, (name, value) in enumerate(state.items()):
        yield f"{',' if number else ''}{json.dumps(name)}:"
        if not isinstance(value, list):
            yield json.dumps(value, separators=(",", ":"))
            continue
        yield "["
        for first in range(0, len(value), _PIECE):
            part = json.dumps(value[first : first + _PIECE], separators=(",", ":"))
            yield f"{',' if first else ''}{part[1:-1]}"
        yield "]"
    yield "}"
