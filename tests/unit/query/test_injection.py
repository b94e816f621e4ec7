"""What a user writes never leaves its parameter."""

from contextlib import suppress

import pytest
from pydantic import ValidationError

from millrace.errors import QueryError
from millrace.lang import Comparison, FilterError, Membership, text_of
from millrace.lang.literals import quoted
from millrace.query import Asking, HeatmapQuestion, QueryEngine, SankeyQuestion, SeriesQuestion, TopQuestion
from millrace.schema import Column, Kind, Schema

from .stored_flows import BASE, SCHEMA, TABLES, flow

NOW = BASE + 7200.0

ASKING = Asking(NOW)

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

    def question(condition):
        return TopQuestion(dimensions=["SrcPort"], filter=condition, last_seconds=9000)

    column = SCHEMA["ApplicationName"]
    for condition in (Comparison(column, "=", text), Membership(column, (text, text + "x"))):
        answer = engine.top(question(text_of(condition)), ASKING)
        assert [row.dimensions for row in answer.rows] == [[1]]
        found = store.query(answer.sql[0], {})
        # The total comes first.
        assert found.column("SrcPort").to_pylist() == [0, 1], "as text it means something else"
    store.asked.clear()
    engine.top(question(text_of(Membership(column, (text, text + "y")))), ASKING)
    asked = [sql for sql, _ in store.asked]
    engine.top(question(text_of(Membership(column, ("harmless", "x")))), ASKING)
    assert [sql for sql, _ in store.asked] == asked * 2, "the statement depends on the value"


@pytest.mark.parametrize("text", CORPUS)
@pytest.mark.parametrize("column", ["SrcAddr", "SrcAS", "Proto", "FlowDirection", "SrcMAC", "TimeFlowStart", "Bytes"])
def test_values_of_other_kinds_are_refused(engine, store, column, text):
    with pytest.raises(FilterError):
        engine.top(TopQuestion(dimensions=["SrcAS"], filter=f"{column} = {quoted(text)}"), ASKING)
    assert store.asked == []


@pytest.mark.parametrize("text", CORPUS)
def test_names_of_columns_are_refused(engine, store, text):
    questions = [
        lambda: engine.top(TopQuestion(dimensions=[text]), ASKING),
        lambda: engine.series(SeriesQuestion(dimensions=["SrcAS", text]), ASKING),
        lambda: engine.sankey(SankeyQuestion(dimensions=[text, "SrcAS"]), ASKING),
        lambda: engine.heatmap(HeatmapQuestion(down=["SrcAS"], across=[text]), ASKING),
    ]
    for ask in questions:
        with pytest.raises(QueryError, match="unknown column"):
            ask()
    assert store.asked == []


@pytest.mark.parametrize("text", CORPUS)
def test_units_and_figures_are_a_closed_list(text):
    with pytest.raises(ValidationError):
        TopQuestion(dimensions=["SrcAS"], unit=text)
    with pytest.raises(ValidationError):
        SeriesQuestion(limit_by=text)
    with pytest.raises(ValidationError):
        SeriesQuestion(previous=text)


@pytest.mark.parametrize("text", CORPUS)
def test_texts_that_are_no_filter_are_refused_or_harmless(engine, store, text):
    """Wherever it stands in a filter."""
    for condition in (text, f"SrcAS = {text}", f"SrcAddr << {text}", f"{text} = 1", f"SrcAS IN (1, {text})"):
        with suppress(FilterError):
            engine.top(TopQuestion(dimensions=["SrcAS"], filter=condition), ASKING)
    statements = {sql for sql, _ in store.asked}
    assert not any(text in sql for sql in statements if len(text) > 1)


def test_name_of_a_user_column_cannot_leave_its_quotes(store):
    """Users name columns of their own; a name must stay a name."""
    name = "a` FROM system.users --\\"
    schema = Schema([Column(name, Kind.U32, "", "", "User")])
    engine = QueryEngine(store, schema, lambda: TABLES)
    with pytest.raises(Exception, match="UNKNOWN_IDENTIFIER"):
        engine.top(TopQuestion(dimensions=[name]), ASKING)
