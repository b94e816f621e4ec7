"""Columns of the other direction."""

import pytest

from millrace.schema import Column, Kind, Schema


@pytest.mark.parametrize(
    ("name", "partner"),
    [
        ("SrcAS", "DstAS"), ("DstAddr", "SrcAddr"), ("InIfName", "OutIfName"), ("OutIf", "InIf"),
        ("IngressVRFID", "EgressVRFID"), ("OuterSrcAddr", "OuterDstAddr"), ("SrcGeoCity", "DstGeoCity"),
        ("Proto", "Proto"), ("DstASPath", "DstASPath"), ("Dst1stAS", "Dst1stAS"), ("NextHop", "NextHop"),
    ],
)  # fmt: skip
def test_a_column_and_that_of_the_other_direction(name, partner):
    schema = Schema()
    assert schema.opposite(schema[name]).name == partner


def test_partners_are_of_one_kind():
    schema = Schema([Column("SrcOwn", Kind.U8, "", "", ""), Column("DstOwn", Kind.TEXT, "", "", "")])
    assert schema.opposite(schema["SrcOwn"]).name == "SrcOwn"
