"""What a user writes never leaves its parameter."""

import pytest
from pydantic import ValidationError

from millrace.errors import QueryError
from millrace.query import QueryEngine, SearchQuestion, SeriesQuestion, TopQuestion
from millrace.schema import Column, Kind, Schema

from .stored_flows import BASE, TABLES, flow

NOW = BASE + 7200.0

CORPUS = [
    "' OR 1=1 --",
    "'; DROP TABLE flows; --",
    "x' UNION ALL SELECT * FROM system.users --",
    "\\' OR 1=1 --",
    "\\",
    "a\\'b",
    "{p0:UInt32}",
    "{p1:Identifier}",
    "`flows`",
    "') FORMAT JSON",
    "/* */ \n; SELECT 1",
    "\t\n\r",
    "é\u202e💧",
    "%' OR '%",
    "\\N",
    "NULL",
    "SETTINGS max_execution_time = 0",
    "{{p0:String}}",
    "$1 ? :x %(p0)s",
]


@pytest.mark.parametrize("text", CORPUS)
def test_text_values_travel_as_parameters_and_match_exactly(store, engine, text):
    store.insert([flow(0, ApplicationName=text, SrcPort=1), flow(0, ApplicationName="other", SrcPort=2)])
    for condition in ({"column": "ApplicationName", "value": text},
                      {"column": "ApplicationName", "operator": "in", "value": [text, text + "x"]}):  # fmt: skip
        question = SearchQuestion(columns=["SrcPort"], filter=condition, last_seconds=9000)
        page = engine.search(question, NOW)
        assert [row["SrcPort"] for row in page.flows] == [1]
    plain = SearchQuestion(columns=["SrcPort"], filter={**condition, "value": ["harmless", "x"]}, last_seconds=9000)
    expected = len(store.asked)
    engine.search(plain, NOW)
    assert store.asked[expected][0] == store.asked[expected - 2][0], "the statement depends on the value"


@pytest.mark.parametrize("text", CORPUS)
@pytest.mark.parametrize("column", ["SrcAddr", "SrcAS", "Proto", "FlowDirection", "SrcMAC", "TimeFlowStart", "Bytes"])
def test_values_of_other_kinds_are_refused(engine, store, column, text):
    with pytest.raises(QueryError):
        engine.top(TopQuestion(dimensions=["SrcAS"], filter={"column": column, "value": text}), NOW)
    assert store.asked == []


@pytest.mark.parametrize("text", CORPUS)
def test_names_of_columns_are_refused(engine, store, text):
    questions = [
        lambda: engine.top(TopQuestion(dimensions=[text]), NOW),
        lambda: engine.series(SeriesQuestion(dimensions=["SrcAS", text]), NOW),
        lambda: engine.search(SearchQuestion(columns=[text]), NOW),
        lambda: engine.search(SearchQuestion(filter={"column": text, "value": 1}), NOW),
    ]
    for ask in questions:
        with pytest.raises(QueryError, match="unknown column"):
            ask()
    assert store.asked == []


@pytest.mark.parametrize("text", CORPUS)
def test_operators_and_units_are_a_closed_list(text):
    with pytest.raises(ValidationError):
        TopQuestion(dimensions=["SrcAS"], unit=text)
    with pytest.raises(ValidationError):
        TopQuestion(dimensions=["SrcAS"], filter={"column": "SrcAS", "operator": text, "value": 1})


def test_prefixes_that_are_none_are_refused(engine):
    for text in (*CORPUS, "10.0.0.1/8", "10.0.0.0/33", "::/129"):
        with pytest.raises(QueryError):
            engine.top(
                TopQuestion(dimensions=["SrcAS"], filter={"column": "SrcAddr", "operator": "<<", "value": text}), NOW
            )


def test_name_of_a_user_column_cannot_leave_its_quotes(store):
    """Users name columns of their own; a name must stay a name."""
    name = "a` FROM system.users --\\"
    schema = Schema([Column(name, Kind.U32, "", "", "User")])
    engine = QueryEngine(store, schema, lambda: TABLES)
    with pytest.raises(Exception, match="UNKNOWN_IDENTIFIER"):
        engine.top(TopQuestion(dimensions=[name]), NOW)
