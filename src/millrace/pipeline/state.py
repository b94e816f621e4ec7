"""Decoder state on disk: templates and sampling rates survive a restart."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


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
        """The saved state; None if there is none or it cannot be read (it is then relearned)."""
        try:
            state = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file. Raises OSError when the device refuses."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(state, file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
