"""Conditions: what is refused, and why."""

import pytest
from pydantic import TypeAdapter, ValidationError

from millrace.errors import QueryError
from millrace.query import Filter
from millrace.query.sql import Parameters
from millrace.query.where import where
from millrace.schema import Schema

ADAPTER = TypeAdapter(Filter)
LEAF = {"column": "SrcAS", "value": 1}


def sql(condition):
    parameters = Parameters()
    return where(ADAPTER.validate_python(condition), Schema(), parameters), parameters.values


def test_tree_becomes_sql_with_values_bound():
    text, values = sql({"and": [LEAF, {"or": [{"column": "Proto", "value": "udp"}, {"not": LEAF}]}]})
    assert text == "(`SrcAS` = {p0:UInt32}) AND ((`Proto` = {p1:UInt8}) OR (NOT (`SrcAS` = {p2:UInt32})))"
    assert values == {"p0": 1, "p1": 17, "p2": 1}


def nested(levels):
    condition = LEAF
    for _ in range(levels):
        condition = {"not": condition}
    return condition


def test_depth_is_bounded():
    sql(nested(8))
    for levels in (9, 5000):
        with pytest.raises(ValidationError, match="8 levels deep"):
            ADAPTER.validate_python(nested(levels))


@pytest.mark.parametrize("condition", [{"or": [{"and": [LEAF] * 50}] * 5}, {"and": [LEAF] * 1000}])
def test_size_is_bounded(condition):
    with pytest.raises(ValidationError, match="100"):
        ADAPTER.validate_python(condition)


@pytest.mark.parametrize(
    "condition",
    [
        {"column": "SrcAS"},
        {"column": "SrcAS", "value": 1, "sql": "1"},
        {"column": "SrcAS", "value": None},
        {"column": "SrcAS", "value": 1.5},
        {"column": "SrcAS", "value": True},
        {"column": "SrcAS", "operator": "in", "value": []},
        {"column": "SrcAS", "operator": "in", "value": [1] * 1001},
        {"column": "ExporterName", "value": "x" * 257},
        {"and": []},
        {"and": [LEAF], "or": [LEAF]},
        {"not": [LEAF]},
        [],
        "SrcAS = 1",
        None,
        7,
    ],
)
def test_malformed_conditions_are_refused(condition):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(condition)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"column": "SrcAs", "value": 1}, r"unknown column 'SrcAs'; did you mean 'SrcAS'\?"),
        ({"column": "SrcAS", "value": 2**32}, "not between 0 and 4294967295"),
        ({"column": "SrcAS", "value": -1}, "not between"),
        ({"column": "SrcAS", "operator": "<<", "value": "10.0.0.0/8"}, "does not apply"),
        ({"column": "SrcAS", "operator": "in", "value": 1}, "takes a list"),
        ({"column": "SrcAS", "value": [1]}, "use 'in'"),
        ({"column": "SrcAddr", "value": "10.0.0.256"}, "not an address"),
        ({"column": "SrcAddr", "value": 1}, "not an address"),
        ({"column": "SrcAddr", "value": "fe80::1%eth0"}, "not an address"),
        ({"column": "SrcAddr", "operator": "<<", "value": "10.0.0.1/8"}, "has host bits set"),
        ({"column": "SrcMAC", "value": "00:11"}, "not a MAC"),
        ({"column": "FlowDirection", "value": "ingres"}, "did you mean 'ingress'"),
        ({"column": "FlowDirection", "value": 1}, "known: undefined, ingress, egress"),
        ({"column": "Proto", "value": "tpc"}, "did you mean 'tcp'"),
        ({"column": "Proto", "value": 256}, "between 0 and 255"),
        ({"column": "DstCommunities", "operator": "contains", "value": "70000:1"}, "not a number"),
        ({"column": "DstCommunities", "value": 1}, "does not apply"),
        ({"column": "ExporterName", "value": 1}, "text is expected"),
        ({"column": "TimeFlowStart", "value": "yesterday"}, "not a time"),
    ],
)
def test_wrong_values_are_refused_with_what_is_right(condition, said):
    with pytest.raises(QueryError, match=said):
        sql(condition)
