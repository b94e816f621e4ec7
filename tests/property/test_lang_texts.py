"""Every tree has a text, and every text that is a filter has a canonical one."""

import pytest
from hypothesis import given, settings

from millrace.lang import FilterError, columns_of, parse, reversed_filter, text_of
from unit.lang.strategies import SAVED, SCHEMA, filters, texts
from unit.lang.texts import FILTERS


@given(filters())
@settings(max_examples=250, deadline=None)
def test_the_text_of_a_tree_is_parsed_to_the_same_tree(tree):
    assert parse(text_of(tree), SCHEMA) == tree


@given(filters())
@settings(max_examples=100, deadline=None)
def test_a_filter_reversed_twice_is_itself(tree):
    there = reversed_filter(tree, SCHEMA)
    assert reversed_filter(there, SCHEMA) == tree
    assert len(columns_of(there)) == len(columns_of(tree))


@given(texts())
@settings(max_examples=250, deadline=None)
def test_a_text_that_parses_has_a_canonical_text(text):
    try:
        tree = parse(text, SCHEMA, saved=SAVED)
    except FilterError:
        return
    canonical = text_of(tree)
    assert parse(canonical, SCHEMA) == tree
    assert text_of(parse(canonical, SCHEMA)) == canonical


@pytest.mark.parametrize("text", FILTERS)
def test_the_canonical_text_of_an_example_is_parsed_to_the_same_tree(text):
    tree = parse(text, SCHEMA)
    assert parse(text_of(tree), SCHEMA) == tree
