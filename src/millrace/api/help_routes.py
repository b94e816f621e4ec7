"""Endpoints of the documentation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response

from millrace.api.guard import identify
from millrace.api.help import IMAGE_TYPES, MAX_SEARCH, HelpEntry, HelpPage, Library
from millrace.api.problems import MISSING, WHO
from millrace.api.services import Services

_IMAGE = {**MISSING, 200: {"content": {kind: {} for kind in IMAGE_TYPES.values()}}}


def help_routes(services: Services, prefix: str) -> APIRouter:
    """Pages of the documentation, for the console.

    Parameters
    ----------
    services : Services
    prefix : str
        Of the addresses of the API, under which pages find their images.
    """
    router = APIRouter(prefix="/help", tags=["help"], responses=WHO, dependencies=[Depends(identify(services))])
    library = Library(f"{prefix}/help/images")

    @router.get("")
    def pages(
        search: Annotated[str, Query(max_length=MAX_SEARCH, description="Words that pages shall have.")] = "",
    ) -> list[HelpEntry]:
        """Pages of the documentation, in the order of reading; of a search, the best first."""
        return library.search(search)

    @router.get("/images/{name}", response_class=Response, responses=_IMAGE)
    def image(name: Annotated[str, Path(max_length=200, description="Of a file.")]) -> Response:
        """An image of the documentation."""
        content = library.image(name)
        if content is None:
            raise HTTPException(404, f"the documentation has no image {name[:64]!r}")
        return Response(content, media_type=IMAGE_TYPES[name.rpartition(".")[2]])

    @router.get("/{page:path}", responses=MISSING)
    def page(
        page: Annotated[str, Path(max_length=200, description="As the list has it.", examples=["index"])],
    ) -> HelpPage:
        """A page of the documentation as HTML: its links lead to pages of the console."""
        found = library.page(page)
        if found is None:
            raise HTTPException(404, f"the documentation has no page {page[:64]!r}")
        return found

    return router
