"""Stores for tests. The engine is one per process and takes 0.3 s to open: the tests of a module share one, emptied."""

import pytest

from millrace.store import COUNTER_TABLE, RESOLUTIONS, EmbeddedStore, StoreSettings
from millrace.store.boundary import Boundary
from millrace.store.resolutions import CLOSED_TABLE, OPEN_TABLE
from millrace.store.roller import Roller
from unit.store.made_flows import SCHEMA


class SharedStore:
    """A store that is open while nobody needs another one."""

    def __init__(self, folder):
        self._folder = folder
        self._store = None

    def get(self):
        if self._store is None:
            self._store = EmbeddedStore(self._folder, SCHEMA)
            self._store.start()
        for table in (OPEN_TABLE, CLOSED_TABLE, COUNTER_TABLE, *(resolution.table for resolution in RESOLUTIONS)):
            self._store._engine.execute(f"TRUNCATE TABLE {table}")
        self._store._state.put("closed", Boundary().stored)
        self._store._closer.start()
        self._store._roller = Roller(
            self._store._engine, self._store._state, SCHEMA, StoreSettings(), self._store._damage
        )
        self._store._roller.start()
        return self._store

    def close(self):
        if self._store is not None:
            self._store.stop()
            self._store = None


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory):
    shared = SharedStore(tmp_path_factory.mktemp("shared store"))
    yield shared
    shared.close()


@pytest.fixture
def store(shared_store):
    return shared_store.get()


@pytest.fixture
def folder(tmp_path, shared_store):
    """A data folder of its own; the shared store is closed."""
    shared_store.close()
    return tmp_path / "data"


@pytest.fixture
def open_store(folder):
    """Opens stores in `folder`, one at a time, and closes the last."""
    opened = []

    def open_one(schema=SCHEMA, **settings):
        if opened:
            opened.pop().stop()
        store = EmbeddedStore(folder, schema, StoreSettings(**settings))
        store.start()
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.stop()
