"""Filters as SQL: every value has a place of its own."""

import pytest

from millrace.errors import QueryError
from millrace.lang import Comparison, parse
from millrace.query.sql import Parameters, written_out
from millrace.query.where import bind, where
from millrace.schema import Schema

SCHEMA = Schema()


def sql(text):
    parameters = Parameters()
    return where(parse(text, SCHEMA), parameters), parameters.values


def test_tree_becomes_sql_with_values_bound():
    text, values = sql("SrcAS = 1 AND (Proto = udp OR NOT SrcAS = 2)")
    assert text == "(`SrcAS` = {p0:UInt32}) AND ((`Proto` = {p1:UInt8}) OR (NOT (`SrcAS` = {p2:UInt32})))"
    assert values == {"p0": 1, "p1": 17, "p2": 2}


def test_nothing_asked_for_is_true():
    assert sql("") == ("true", {})


def test_list_of_values_ranges_and_subnets():
    text, values = sql("DstPort NOT IN (80, 443, 8000-8100)")
    assert text == "NOT (`DstPort` IN {p0:Array(UInt16)} OR `DstPort` BETWEEN {p1:UInt16} AND {p2:UInt16})"
    assert list(values.values()) == [(80, 443), 8000, 8100]
    text, values = sql("SrcAddr IN (192.0.2.0/24)")
    assert text == "(`SrcAddr` BETWEEN toIPv6({p0:String}) AND toIPv6({p1:String}))"


def test_length_of_the_statement_does_not_depend_on_the_number_of_values():
    """The engine takes statements of a bounded length, and a filter stands in them several times."""
    texts = {
        sql(f"SrcAS IN ({', '.join(f'{10 * n}, {10 * n + 3}-{10 * n + 5}' for n in range(count))})")[0]
        for count in (17, 400)
    }
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("column", "value"), [("SrcAS", "1"), ("SrcAddr", b"short"), ("ExporterName", 1), ("TimeReceived", "now")]
)
def test_value_of_another_kind_is_refused(column, value):
    """The parser lets none pass; a tree that is made by a program may hold one."""
    with pytest.raises(QueryError, match=column):
        bind(SCHEMA[column], value, Parameters())
    with pytest.raises(QueryError):
        where(Comparison(SCHEMA[column], "=", value), Parameters())


def test_values_are_written_out_as_literals():
    parameters = Parameters()
    places = [
        parameters.add(*value)
        for value in (("UInt8", 6), ("Int64", 5), ("String", "it's \\ {p0:UInt8}\n"), ("Array(String)", ("a'", "b")))
    ]
    text = f"SELECT `{{p0:UInt8}}`, {', '.join(places)}"
    assert (
        written_out(text, parameters.values)
        == r"SELECT `{p0:UInt8}`, 6, toInt64(5), 'it\'s \\ {p0:UInt8}\n', ['a\'', 'b']"
    )


def test_only_values_that_a_statement_names_are_sent():
    parameters = Parameters()
    parameters.add("UInt8", 1)
    assert parameters.used(f"SELECT {parameters.add('UInt8', 2)}, `{{p0:UInt8}}`") == {"p1": 2}
