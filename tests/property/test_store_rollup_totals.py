"""Whatever is inserted, in whatever order, restarts or not: the rollups have the totals of the flows."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millrace.store import EmbeddedStore
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys

STEP = st.one_of(
    st.tuples(
        st.just("insert"),
        st.integers(0, 300),
        st.integers(0, 30 * HOUR_MS),
        st.sampled_from([1, 1_000, 59_999, 5 * HOUR_MS]),
    ),
    st.tuples(st.just("maintain"), st.integers(-2 * HOUR_MS, 2 * HOUR_MS)),
    st.tuples(st.just("merge")),
    st.tuples(st.just("restart")),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("property") / "data"


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=10))
def test_totals_agree_after_any_history(folder, steps):
    """Examples share the folder: each continues where the last one stopped."""
    store = EmbeddedStore(folder, SCHEMA)
    store.start()
    try:
        for number, step in enumerate(steps):
            match step:
                case ("insert", rows, age_ms, span_ms):
                    store.insert(few_keys(rows, NOW_MS - age_ms, span_ms, seed=number))
                case ("maintain", offset_ms):
                    assert not store.maintain(NOW_MS + offset_ms).errors
                case ("merge",):
                    for table in ("flows_open", "flows_closed"):
                        store._engine.execute(f"OPTIMIZE TABLE {table} FINAL")
                case ("restart",):
                    store.stop()
                    store.start()
        store.wait_until_rolled_up(NOW_MS + 8 * HOUR_MS)
        assert_rollups_agree(store)
    finally:
        store.stop()
