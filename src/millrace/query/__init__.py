"""Questions about stored flows: typed values in, SQL with bound parameters to the store, typed answers out."""

from millrace.query.conditions import AllOf, AnyOf, Comparison, Filter, Not
from millrace.query.coverage import StoreTables, complete_tables
from millrace.query.diagnosis import problems
from millrace.query.engine import QueryEngine
from millrace.query.questions import Question, SearchQuestion, SeriesQuestion, TopQuestion, Unit
from millrace.query.render import Json, json_columns, json_values
from millrace.query.results import Page, SeenExporter, SeenInterface, Series, SeriesRow, Source, Top, TopRow, moment_ms
from millrace.query.search import USUAL_COLUMNS
from millrace.query.source import QueryStore
from millrace.query.sql import known_column
from millrace.query.tables import RAW, Table
from millrace.query.values import operators_of

__all__ = [
    "RAW",
    "USUAL_COLUMNS",
    "AllOf",
    "AnyOf",
    "Comparison",
    "Filter",
    "Json",
    "Not",
    "Page",
    "QueryEngine",
    "QueryStore",
    "Question",
    "SearchQuestion",
    "SeenExporter",
    "SeenInterface",
    "Series",
    "SeriesQuestion",
    "SeriesRow",
    "Source",
    "StoreTables",
    "Table",
    "Top",
    "TopQuestion",
    "TopRow",
    "Unit",
    "complete_tables",
    "json_columns",
    "json_values",
    "known_column",
    "moment_ms",
    "operators_of",
    "problems",
]
