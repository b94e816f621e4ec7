"""Endpoints of what graphs show: series, top, Sankey, heatmap, and the table under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import TypeAdapter

from millrace.api.answering import Questions
from millrace.api.askers import Asker
from millrace.api.downloads import disposition, media_type, media_types
from millrace.api.examples import HEATMAP, SANKEY, SEEN, SERIES, TOP
from millrace.api.guard import identify
from millrace.api.problems import RESPONSES
from millrace.api.services import Services
from millrace.api.tables import series_records, series_table
from millrace.formats import FileFormat, write_table
from millrace.query import (
    Heatmap,
    HeatmapQuestion,
    Question,
    Sankey,
    SankeyQuestion,
    SeenExporter,
    Series,
    SeriesQuestion,
    Top,
    TopQuestion,
)

TableFormat = Literal["json", FileFormat]

_SERIES = TypeAdapter(Series)
_TOP = TypeAdapter(Top)
_SANKEY = TypeAdapter(Sankey)
_HEATMAP = TypeAdapter(Heatmap)
_SEEN = TypeAdapter(list[SeenExporter])
_RECORDS = TypeAdapter(list[dict[str, Any]])

_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows, as asked for.",
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types()},
        },
    }
}


def graph_routes(services: Services, questions: Questions) -> APIRouter:
    """Endpoints that ask the store for what graphs show."""
    router = APIRouter(tags=["flows"], responses=RESPONSES)
    asks = Depends(identify(services))
    engine = services.query

    @router.post("/flows/series", response_model=Series)
    async def series(
        request: Request, question: Annotated[SeriesQuestion, Body(openapi_examples=SERIES)], asker: Asker = asks
    ) -> Response:
        """Flows per time: one series per combination of dimensions, the rest as "other"."""
        return await questions.answer(
            request, asker, question.filter, _SERIES, lambda asking: engine.series(question, asking)
        )

    @router.post("/flows/top", response_model=Top)
    async def top(
        request: Request, question: Annotated[TopQuestion, Body(openapi_examples=TOP)], asker: Asker = asks
    ) -> Response:
        """Combinations of dimensions with the largest average."""
        return await questions.answer(
            request, asker, question.filter, _TOP, lambda asking: engine.top(question, asking)
        )

    @router.post("/flows/sankey", response_model=Sankey)
    async def sankey(
        request: Request, question: Annotated[SankeyQuestion, Body(openapi_examples=SANKEY)], asker: Asker = asks
    ) -> Response:
        """What flows from each value of a column to each value of the next."""
        return await questions.answer(
            request, asker, question.filter, _SANKEY, lambda asking: engine.sankey(question, asking)
        )

    @router.post("/flows/heatmap", response_model=Heatmap)
    async def heatmap(
        request: Request, question: Annotated[HeatmapQuestion, Body(openapi_examples=HEATMAP)], asker: Asker = asks
    ) -> Response:
        """A field of values: combinations of dimensions against time, or against other combinations."""
        return await questions.answer(
            request, asker, question.filter, _HEATMAP, lambda asking: engine.heatmap(question, asking)
        )

    @router.post("/flows/table", response_class=Response, responses=_FILES)
    async def table(
        request: Request,
        question: Annotated[SeriesQuestion, Body(openapi_examples=SERIES)],
        file_format: Annotated[TableFormat, Query(alias="format", description="Format of the answer.")] = "json",
        asker: Asker = asks,
    ) -> Response:
        """The series of a graph with their figures, to keep.

        Columns: each dimension and its label, `Other`, `Reverse`, `Unit`, `Average`, `Minimum`, `Maximum`, `Last`,
        `Percentile95`, `Total`, `FiguresSeconds` (minimum, maximum and percentile are of averages over so long).
        """
        render = _rendering(file_format)
        return await questions.run(
            request, asker, question.filter, lambda asking: render(engine.series(question, asking))
        )

    @router.post("/flows/exporters", response_model=list[SeenExporter])
    async def seen(
        request: Request, question: Annotated[Question, Body(openapi_examples=SEEN)], asker: Asker = asks
    ) -> Response:
        """Exporters and interfaces of which flows are stored."""
        return await questions.answer(
            request, asker, question.filter, _SEEN, lambda asking: engine.seen(question, asking)
        )

    return router


def _rendering(file_format: TableFormat) -> Callable[[Series], Response]:
    """How a series becomes a response of that format; called in the thread that asked."""

    def render(series: Series) -> Response:
        table = series_table(series)
        if file_format == "json":
            return Response(_RECORDS.dump_json(series_records(table)), media_type="application/json")
        headers = {"Content-Disposition": disposition("graph", series.start, series.end, file_format)}
        return Response(write_table(table, file_format), media_type=media_type(file_format), headers=headers)

    return render
