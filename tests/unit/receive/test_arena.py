import sys

import numpy as np
import pytest

from millrace.batch import ARENA_PADDING
from millrace.receive.arena import SlotArena


def _fill(arena, lengths):
    for slot, length in enumerate(lengths):
        arena.rows[slot, :length] = slot % 250 + 1


@pytest.mark.parametrize("lengths", [[5, 5, 5], [1, 4000, 0, 3], [0, 0], [7]])
@pytest.mark.parametrize("chosen", [None, [0]])
def test_copies_hold_each_datagram_and_padding_of_zeros(lengths, chosen):
    arena = SlotArena(8, 4096)
    _fill(arena, lengths)
    index = None if chosen is None else np.array(chosen)
    copy, start = arena.copy(np.array(lengths), index)
    arena.rows[:] = 0xFF
    for slot, begin in zip(chosen or range(len(lengths)), start, strict=True):
        assert copy[begin : begin + lengths[slot]].tolist() == [slot + 1] * lengths[slot]
    assert not copy[-ARENA_PADDING:].any()


def test_slots_are_an_odd_number_of_cache_lines_apart():
    for slot_bytes in (512, 1500, 9000, 65535):
        arena = SlotArena(2, slot_bytes)
        assert arena.stride > slot_bytes
        assert arena.stride // 64 % 2 == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when memory was given back: it reads as zeros")
def test_memory_that_long_datagrams_touched_is_given_back():
    arena = SlotArena(1024, 65535)
    _fill(arena, [60000] * 400)
    arena.release(np.full(400, 60000))
    assert arena.rows[0, 0] == 1
    arena.release(np.full(400, 60000))
    assert arena.rows[0, 0] == 0
