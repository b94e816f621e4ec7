"""What cursors read is the same whether it was copied ahead or is gathered."""

from __future__ import annotations

import numpy as np
import pytest

from millrace.decode.packet.cursor import Cursor, look_ahead

_WORD = np.dtype([("word", ">u4")])
_ARENA = np.arange(200, dtype=np.uint8)
_AT = np.array([3, 40, 150])


def _words(cursor: Cursor) -> list[int]:
    words: list[int] = cursor.read(_WORD)["word"].tolist()
    return words


@pytest.mark.parametrize("step", [0, 1, 12, 13, 28, 46])
def test_reads_the_same_within_and_after_what_was_copied(step: int) -> None:
    cursor = look_ahead(_ARENA, _AT, 16).move(step)
    assert _words(cursor) == _words(Cursor(_ARENA, _AT + step))
    assert cursor.at.tolist() == (_AT + step).tolist()
    assert cursor.away == step


def test_reads_nothing_before_what_was_copied() -> None:
    cursor = look_ahead(_ARENA, _AT, 16).move(8).move(-10)
    assert _words(cursor) == _words(Cursor(_ARENA, _AT - 2))


def test_offsets_that_move_apart_are_gathered() -> None:
    step = np.array([0, 4, 9])
    cursor = look_ahead(_ARENA, _AT, 16).move(step)
    assert cursor.away is None
    assert _words(cursor.move(2)) == _words(Cursor(_ARENA, _AT + step + 2))


def test_copies_no_further_than_the_arena_goes() -> None:
    cursor = look_ahead(_ARENA, np.array([3, 190]), 64)
    assert _words(cursor.move(6)) == _words(Cursor(_ARENA, np.array([9, 196])))


def test_some_of_the_offsets() -> None:
    cursor = look_ahead(_ARENA, _AT, 16).move(4)
    assert cursor.take(np.array([2, 0])).at.tolist() == [154, 7]
    assert cursor.only(np.array([True, False, True])).at.tolist() == [7, 0, 154]
    assert cursor.only(np.ones(3, np.bool_)) is cursor


def test_a_single_row_is_copied_on_its_own_so_that_a_column_of_it_may_be_written_to() -> None:
    cursor = look_ahead(_ARENA, np.array([3]), 16)
    cursor.read(_WORD)["word"][:] = 0
    assert _words(cursor) == [0x03040506]
