"""Endpoints of single flows: search, one with all of its columns, export; and the values of a column."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from millrace.api.answering import Questions
from millrace.api.askers import Asker, client_of
from millrace.api.config import ApiSettings
from millrace.api.downloads import disposition, media_type, media_types
from millrace.api.examples import EXPORT, SEARCH, VALUES
from millrace.api.guard import identify
from millrace.api.places import PlacedResponse, Turnstile
from millrace.api.problems import MISSING, RESPONSES
from millrace.api.services import Services
from millrace.api.streams import ExportStream
from millrace.formats import FileFormat
from millrace.query import ColumnValue, ExportQuestion, Page, Record, SearchQuestion, ValuesQuestion

_PAGE = TypeAdapter(Page)

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The flows, the latest first. What goes wrong on the way breaks the connection.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media_types()},
    }
}


def search_routes(services: Services, questions: Questions, settings: ApiSettings) -> APIRouter:
    """Endpoints that ask the store for single flows."""
    places = Turnstile(settings.max_exports, "files are made")
    router = APIRouter(tags=["flows"], responses=RESPONSES)
    asks = Depends(identify(services))
    engine = services.query

    @router.post("/flows/search", response_model=Page)
    async def search(
        request: Request, question: Annotated[SearchQuestion, Body(openapi_examples=SEARCH)], asker: Asker = asks
    ) -> Response:
        """Flows as they were stored, the latest first, page by page.

        A page that has fewer flows than asked for, or none, but a cursor is what was found in ten seconds: go on from
        the cursor.
        """
        return await questions.answer(
            request, asker, question.filter, _PAGE, lambda asking: engine.search(question, asking)
        )

    @router.get("/flows/record/{id}", responses=MISSING)
    async def record(
        request: Request,
        flow_id: Annotated[str, Path(alias="id", max_length=64, description="Of a flow, as a page gave it.")],
        asker: Asker = asks,
    ) -> Record:
        """One flow with all of its columns."""
        found = await questions.run(request, asker, "", lambda asking: engine.record(flow_id, asking))
        if found is None:
            raise HTTPException(404, "no such flow is stored (any more), or you may not see it")
        return found

    @router.post("/flows/values")
    async def values(
        request: Request, question: Annotated[ValuesQuestion, Body(openapi_examples=VALUES)], asker: Asker = asks
    ) -> list[ColumnValue]:
        """Values that a column has had lately, the most frequent first; up to a minute old.

        Without a range: those of the last hour, or of the last five minutes for columns that rollups lack.
        """
        return await questions.run(request, asker, question.filter, lambda asking: engine.values(question, asking))

    @router.post("/flows/export", response_class=StreamingResponse, responses=_FILE)
    async def export(
        request: Request,
        question: Annotated[ExportQuestion, Body(openapi_examples=EXPORT)],
        file_format: Annotated[FileFormat, Query(alias="format", description="Format of the file.")] = "csv",
        asker: Asker = asks,
    ) -> StreamingResponse:
        """Flows as they were stored, the latest first, as a file.

        CSV and JSON lines show values as a search does; Parquet and Arrow have numbers, lists and times (UTC) as such,
        and addresses as text. In CSV, a text that begins like a formula (`=`, `+`, `-`, `@`) has an apostrophe in
        front, unknown values and empty texts are empty, and lists are joined by blanks.
        """
        place = places.enter(client_of(request, asker))
        try:
            stream = ExportStream(questions, services.authenticator, request, asker, question.filter, file_format)
            head = await stream.begin(lambda asking: engine.export(question, asking))
        except BaseException:
            place.leave()
            raise
        headers = {"Content-Disposition": disposition("flows", head.start, head.end, file_format)}
        return PlacedResponse(place, stream.parts(), media_type(file_format), headers)

    return router
