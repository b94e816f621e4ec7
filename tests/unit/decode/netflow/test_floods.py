"""The script that measures floods, with bounds fifty times smaller: honest exporters lose nothing beside any flood."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


def script():
    spec = importlib.util.spec_from_file_location("measure_floods", ROOT / "scripts/measure_floods.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["measure_floods"] = module
    spec.loader.exec_module(module)
    return module


FLOODS = script()
LARGE = {"templates": 60e6, "field lists": 60e6, "options": 60e6}
"""Bits per second, before they are divided by fifty as well, of those whose datagrams are large."""


@pytest.mark.parametrize("flood", FLOODS.FLOODS)
def test_honest_exporters_lose_nothing(flood):
    honest = FLOODS.run(flood, LARGE.get(flood, 1e6), seconds=4, scale=50)
    assert {key: own.sent - own.decoded for key, own in honest.items()} == dict.fromkeys(honest, 0)
    assert honest[FLOODS.NEW].sent > 0
    assert honest[FLOODS.NEW].served_s == pytest.approx(1.0, abs=0.11)
