"""What allocators keep is given back when the process comes close to its bound."""

import sys

import pytest

from millrace.app.memory import MemoryKeeper
from millrace.app.process import resident_bytes
from millrace.store import EmbeddedStore
from unit.store.made_flows import SCHEMA

MIB = 1 << 20


class World:
    """A process whose memory and clock are set by hand."""

    def __init__(self):
        self.now, self.bytes, self.released, self.trimmed = 100.0, 0, 0, 0
        self.keeper = MemoryKeeper(1000, self._release, lambda: self.bytes, self._trim, lambda: self.now)

    def _release(self):
        self.released += 1

    def _trim(self):
        self.trimmed += 1

    def look(self, *, bytes_=0, later=0.0):
        self.bytes, self.now = bytes_, self.now + later
        self.keeper.look()
        return self.released, self.trimmed


def test_nothing_is_given_back_while_there_is_room():
    world = World()
    assert [world.look(bytes_=bytes_, later=20) for bytes_ in (0, 100, 690)] == [(0, 0)] * 3


def test_close_to_the_bound_it_is_given_back_but_not_all_the_time():
    world = World()
    assert world.look(bytes_=700) == (1, 1)
    assert world.look(bytes_=900, later=0.2) == (1, 1)
    assert world.look(bytes_=900, later=1) == (2, 1)
    assert world.look(bytes_=100, later=10) == (2, 1)
    assert world.look(bytes_=700, later=0.2) == (3, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc to see it in")
def test_what_a_large_question_took_goes_back_to_the_system(tmp_path):
    with EmbeddedStore(tmp_path / "data", SCHEMA) as store:
        store.query("SELECT max(n) FROM (SELECT number AS x, count() AS n FROM numbers(3000000) GROUP BY x)")
        before = resident_bytes()
        MemoryKeeper(1, store.release_memory).look()
        assert resident_bytes() < before - 50 * MIB
