"""How many values each oracle must have been compared in.

The numbers stand in `compared.json`. After a change that is meant, rewrite
them with ``MILLRACE_UPDATE_PINS=1 pytest tests/differential`` and review the
difference: a number that falls means that something is no longer compared.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from differential.compare import Tally
from differential.known_differences import unexplained

FILE = Path(__file__).with_name("compared.json")


def check(oracle: str, decode: str, tally: Tally) -> None:
    """Fail unless enough was compared and only what is known differs."""
    if os.environ.get("MILLRACE_UPDATE_PINS"):
        _update(oracle, decode, tally.compared)
    pinned = _read()[oracle][decode]
    assert tally.compared >= pinned, f"{tally.compared} values were compared; it used to be {pinned}"
    problem = unexplained(oracle, decode, tally)
    assert not problem, problem


def _read() -> dict[str, dict[str, int]]:
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def _update(oracle: str, decode: str, compared: int) -> None:
    pins = _read()
    pins.setdefault(oracle, {})[decode] = compared
    FILE.write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n")
