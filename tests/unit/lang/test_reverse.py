"""The other direction."""

import pytest

from millrace.lang import columns_of, parse, reversed_column, reversed_filter
from millrace.schema import Column, Kind, Schema


@pytest.mark.parametrize(
    ("name", "partner"),
    [
        ("SrcAS", "DstAS"), ("DstAddr", "SrcAddr"), ("InIfName", "OutIfName"), ("OutIf", "InIf"),
        ("IngressVRFID", "EgressVRFID"), ("OuterSrcAddr", "OuterDstAddr"), ("SrcGeoCity", "DstGeoCity"),
        ("Proto", "Proto"), ("DstASPath", "DstASPath"), ("Dst1stAS", "Dst1stAS"), ("NextHop", "NextHop"),
    ],
)  # fmt: skip
def test_columns(schema, name, partner):
    assert reversed_column(schema[name], schema).name == partner


def test_partners_are_of_one_kind():
    schema = Schema([Column("SrcOwn", Kind.U8, "", "", ""), Column("DstOwn", Kind.TEXT, "", "", "")])
    assert reversed_column(schema["SrcOwn"], schema).name == "SrcOwn"


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
