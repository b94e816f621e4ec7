"""Which tests run by default: all kinds of them, but of those that say the same of many values only some values.

`MILLRACE_LONG=1` (``make test-long``) runs every one.
"""

from __future__ import annotations

import gc
import os
from collections import defaultdict

import pytest

LONG = bool(os.environ.get("MILLRACE_LONG"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if LONG or any("[" in argument for argument in config.args):
        return
    left_out = {item for item in items if item.get_closest_marker("long")}
    variants: dict[tuple[str, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("variants"):
            variants[str(item.path), getattr(item, "originalname", item.name)].append(item)
    for same in variants.values():
        kept = same[0].get_closest_marker("variants").args[0]
        left_out |= set(same) - set(_spread(same, kept))
    if left_out:
        config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """All that pytest holds by now lives to the end: the search for garbage need not go through it again and again."""
    gc.collect()
    gc.freeze()


def _spread(same: list[pytest.Item], kept: int) -> list[pytest.Item]:
    """So many of them: the first, the last, and some between at equal distances."""
    if len(same) <= kept:
        return same
    return [same[round(index * (len(same) - 1) / max(kept - 1, 1))] for index in range(kept)]
