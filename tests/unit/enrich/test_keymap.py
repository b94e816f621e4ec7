"""The hash table that is looked up by arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.enrich.keymap import ABSENT, KeyMap

KEYS = st.integers(0, 2**64 - 2)


@given(st.lists(KEYS, unique=True, max_size=200), st.lists(KEYS, max_size=50))
def test_finds_what_a_dict_finds(keys, others):
    expected = {key: position for position, key in enumerate(keys)}
    wanted = keys + others
    found = KeyMap(np.array(keys, np.uint64)).find(np.array(wanted, np.uint64))
    assert found.tolist() == [expected.get(key, ABSENT) for key in wanted]


@pytest.mark.parametrize("step", [1, 2**20, 2**40])
def test_regular_keys_are_found(step):
    keys = np.arange(20_000, dtype=np.uint64) * np.uint64(step)
    assert (KeyMap(keys).find(keys) == np.arange(20_000)).all()


def test_keys_that_all_collide_are_found():
    """Keys chosen so that one multiplier sends them to one place."""
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    keys = np.array([(i * inverse) % 2**64 for i in range(2000)], np.uint64)
    table = KeyMap(keys)
    assert (table.find(keys) == np.arange(2000)).all()
    assert table._probes < 100
