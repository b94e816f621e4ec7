"""The table that grows by what is put into it: finds what a dictionary would, and sorts no more than it must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.decode.netflow import runs
from millrace.decode.netflow.runs import ABSENT, SortedRuns

KEYS = st.integers(-(1 << 62), (1 << 62)) | st.integers(0, 30)
PUTS = st.lists(st.dictionaries(KEYS, st.integers(-1, 1 << 62), max_size=40), max_size=30)


def array(values):
    return np.array(list(values), np.int64)


@pytest.fixture(params=[0, 8, 2048])
def _merging(request, monkeypatch):
    """Runs from the very first key on, after a few, and as it is."""
    monkeypatch.setattr(runs, "_SHORTEST", request.param)


@pytest.mark.usefixtures("_merging")
@given(puts=PUTS)
def test_what_was_put_last_is_found(puts):
    table, known = SortedRuns(), {}
    for changes in puts:
        table.put(array(changes.keys()), array(changes.values()))
        known.update(changes)
        asked = [*known, 7, -9]
        assert table.find(array(asked)).tolist() == [known.get(key, ABSENT) for key in asked]


def test_a_key_is_merged_a_few_times_and_not_with_each_that_comes(monkeypatch):
    merged, real = [], runs._merged
    monkeypatch.setattr(runs, "_SHORTEST", 16)
    monkeypatch.setattr(runs, "_merged", lambda older, newer: merged.append(len(older[0])) or real(older, newer))
    table = SortedRuns()
    for key in np.random.default_rng(1).permutation(20_000):
        table.put(array([key]), array([1]))
    assert len(table) == 20_000
    assert sum(merged) < 20_000 * 40


def test_what_is_removed_leaves_no_memory_behind():
    table = SortedRuns()
    for first in range(0, 400_000, 1000):
        keys = np.arange(first, first + 1000)
        table.put(keys, keys)
        table.put(keys, np.full(1000, ABSENT))
    assert len(table) < 20_000
    assert (table.find(np.arange(0, 400_000, 7)) == ABSENT).all()
