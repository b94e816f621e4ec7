"""Questions about stored flows: typed values in, SQL with bound parameters to the store, typed answers out."""

from millrace.query.asking import Asking
from millrace.query.cache import AnswerCache
from millrace.query.clauses import MAX_CLAUSES, Clause, clauses_filter, missing
from millrace.query.coverage import StoreTables, complete_tables
from millrace.query.diagnosis import RECENT_SECONDS, ExporterProblem, lost_share, problems, unnamed_interfaces
from millrace.query.engine import QueryEngine
from millrace.query.export import Export
from millrace.query.questions import (
    MAX_FILTER,
    ExportQuestion,
    HeatmapQuestion,
    Interval,
    LimitBy,
    Period,
    Question,
    SankeyQuestion,
    SearchQuestion,
    SeriesQuestion,
    TimeZone,
    TopQuestion,
    Unit,
    ValuesQuestion,
)
from millrace.query.record import Record
from millrace.query.render import Json, json_columns, json_values
from millrace.query.results import (
    ColumnValue,
    Heatmap,
    HeatmapAxis,
    Page,
    Previous,
    Sankey,
    SankeyLink,
    SankeyNode,
    SeenExporter,
    SeenInterface,
    Series,
    SeriesRow,
    Source,
    Top,
    TopRow,
    moment_ms,
)
from millrace.query.search import USUAL_COLUMNS
from millrace.query.source import QueryStore
from millrace.query.sql import known_column
from millrace.query.tables import RAW, Table

__all__ = [
    "MAX_CLAUSES",
    "MAX_FILTER",
    "RAW",
    "RECENT_SECONDS",
    "USUAL_COLUMNS",
    "AnswerCache",
    "Asking",
    "Clause",
    "ColumnValue",
    "Export",
    "ExportQuestion",
    "ExporterProblem",
    "Heatmap",
    "HeatmapAxis",
    "HeatmapQuestion",
    "Interval",
    "Json",
    "LimitBy",
    "Page",
    "Period",
    "Previous",
    "QueryEngine",
    "QueryStore",
    "Question",
    "Record",
    "Sankey",
    "SankeyLink",
    "SankeyNode",
    "SankeyQuestion",
    "SearchQuestion",
    "SeenExporter",
    "SeenInterface",
    "Series",
    "SeriesQuestion",
    "SeriesRow",
    "Source",
    "StoreTables",
    "Table",
    "TimeZone",
    "Top",
    "TopQuestion",
    "TopRow",
    "Unit",
    "ValuesQuestion",
    "clauses_filter",
    "complete_tables",
    "json_columns",
    "json_values",
    "known_column",
    "lost_share",
    "missing",
    "moment_ms",
    "problems",
    "unnamed_interfaces",
]
