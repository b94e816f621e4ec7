"""A store that is emptied after each test, and an engine over it."""

import pytest

from millrace.query import QueryEngine

from .stored_flows import SCHEMA, TABLES, ChdbStore


@pytest.fixture(scope="module")
def module_store(tmp_path_factory):
    store = ChdbStore(tmp_path_factory.mktemp("chdb"))
    yield store
    store.close()


@pytest.fixture
def store(module_store):
    yield module_store
    module_store.clear()


@pytest.fixture
def engine(store):
    return QueryEngine(store, SCHEMA, lambda: TABLES)
