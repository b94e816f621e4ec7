"""On a batch a filter finds the rows that it says, one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.batch import Coded, FlowBatch
from millrace.lang import Comparison, mask
from unit.lang.by_row import finds
from unit.lang.strategies import FEW, FEW_TEXTS, PATTERNS, SCHEMA, batches, filters


@given(filters(FEW), batches())
@settings(max_examples=300, deadline=None)
def test_a_mask_agrees_with_the_meaning_of_each_row(tree, batch):
    found = mask(tree, batch, SCHEMA)
    assert found.dtype == bool
    assert found.tolist() == [finds(tree, batch, row) for row in range(batch.rows)]


@given(filters(FEW), batches(), st.lists(st.integers(0, 40), max_size=4))
@settings(max_examples=50, deadline=None)
def test_a_mask_of_some_rows_is_some_of_the_mask(tree, batch, rows):
    index = np.array([row for row in rows if row < batch.rows], int)
    assert mask(tree, batch.take(index), SCHEMA).tolist() == mask(tree, batch, SCHEMA)[index].tolist()


@given(PATTERNS, st.sampled_from(["like", "not-like", "ilike", "not-ilike"]))
@settings(max_examples=300, deadline=None)
def test_patterns_of_like_agree_with_the_meaning_of_each_character(pattern, operator):
    batch = FlowBatch(len(FEW_TEXTS))
    batch.put("InIfName", Coded(np.arange(len(FEW_TEXTS), dtype=np.int32), FEW_TEXTS))
    tree = Comparison(SCHEMA["InIfName"], operator, pattern)
    assert mask(tree, batch, SCHEMA).tolist() == [finds(tree, batch, row) for row in range(batch.rows)]
