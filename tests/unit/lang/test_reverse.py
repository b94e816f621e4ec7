"""The other direction."""

import pytest

from millrace.lang import columns_of, parse, reversed_filter


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("SrcAS = 1 AND NOT (DstPort IN (80-90) OR Proto = 6)", "DstAS = 1 AND NOT (SrcPort IN (80-90) OR Proto = 6)"),
        ("SrcAS = DstAS", "DstAS = SrcAS"),
        ("TimeFlowEnd > TimeFlowStart + 1s", "TimeFlowEnd > TimeFlowStart + 1s"),
        ("InIfBoundary = external", "OutIfBoundary = external"),
        ("", ""),
    ],
)
def test_filters(schema, text, back):
    assert reversed_filter(parse(text, schema), schema) == parse(back, schema)
    assert reversed_filter(parse(back, schema), schema) == parse(text, schema)


def test_columns_of_a_filter_are_distinct_and_in_order(schema):
    tree = parse("DstAS = SrcAS OR NOT (DstAS = 1 AND Proto IN (1, 6))", schema)
    assert [column.name for column in columns_of(tree)] == ["DstAS", "SrcAS", "Proto"]
