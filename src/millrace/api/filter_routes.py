"""Endpoints of the filter editor: is it right, what may come next, and what a click on a value adds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from fastapi.concurrency import run_in_threadpool

from millrace.api.askers import Asker, client_of
from millrace.api.examples import CHECK, COMBINE, COMPLETE
from millrace.api.filter_bodies import (
    CheckBody,
    CombineBody,
    CompleteBody,
    CompletionView,
    FilterCheck,
    FilterFault,
    FilterPart,
    FilterText,
    OptionView,
)
from millrace.api.guard import identify
from millrace.api.problems import RESPONSES, WHO
from millrace.api.services import Services
from millrace.api.suggestions import Suggestions
from millrace.lang import (
    Completion,
    Everything,
    FilterError,
    Or,
    columns_of,
    complete,
    conjunction,
    parse,
    text_of,
    tokens,
    zone,
)
from millrace.query import Clause, ColumnValue, ValuesQuestion, clauses_filter, missing
from millrace.schema import Column
from millrace.store import Cancel

MAX_OPTIONS = 50
MAX_RECENT = 25


def filter_routes(services: Services) -> APIRouter:
    """Endpoints for whoever writes filters."""
    router = APIRouter(prefix="/filter", tags=["filters"], responses={**WHO, 422: RESPONSES[422]})
    asks = Depends(identify(services))
    circumstances = services.circumstances
    suggestions = Suggestions()

    def saved(asker: Asker, text: str) -> Mapping[str, str]:
        return services.authenticator.saved(asker) if "@" in text else {}

    @router.post("/check")
    def check(body: Annotated[CheckBody, Body(openapi_examples=CHECK)], asker: Asker = asks) -> FilterCheck:
        """Whether a filter is right, where not, and the parts of its text for highlighting."""
        return _check(body.text, services, saved(asker, body.text), zone(body.timezone))

    @router.post("/complete")
    async def complete_filter(
        request: Request, body: Annotated[CompleteBody, Body(openapi_examples=COMPLETE)], asker: Asker = asks
    ) -> CompletionView:
        """What may come at a place of a filter.

        Values are those of recent flows, if the store tells them in time, and what is known by name.
        """

        def known() -> Completion:
            names = tuple(services.authenticator.saved(asker))
            return complete(body.text, body.cursor, services.schema, services.names, names)

        found = await run_in_threadpool(known)
        recent: list[ColumnValue] | None = []
        # Nobody looks for a flow of exactly so many bytes.
        if found.what == "value" and found.column is not None and found.column.rollup != "sum":
            question = ValuesQuestion(column=found.column.name, contains=found.prefix[:256], limit=MAX_RECENT)

            def ask(cancel: Cancel) -> list[ColumnValue]:
                return services.query.values(question, circumstances.asking(asker, "", cancel))

            recent = await suggestions.of(client_of(request, asker), ask)
        return _completion(found, recent)

    @router.post("/combine", responses={400: RESPONSES[400]})
    def combine(body: Annotated[CombineBody, Body(openapi_examples=COMBINE)], asker: Asker = asks) -> FilterText:
        """A filter with conditions for some values added, in canonical text.

        Where the filter has comments or names saved filters, its own text stays and the conditions follow.
        """
        clauses = [Clause(clause.column, clause.value, clause.exclude) for clause in body.clauses]
        known = saved(asker, body.text)
        timezone = zone(body.timezone)
        text = _combined(body.text, clauses, services, known, timezone)
        # A value of a flow may be none that the language takes: a country that there is not.
        parse(text, services.schema, services.names, known, timezone)
        return FilterText(text)

    return router


def _check(text: str, services: Services, saved: Mapping[str, str], timezone: tzinfo) -> FilterCheck:
    shown = [FilterPart(token.start, token.end, token.kind) for token in tokens(text)]
    try:
        found = parse(text, services.schema, services.names, saved, timezone)
    except FilterError as error:
        fault = FilterFault(str(error), error.start, error.end, list(error.expected), error.suggestion or None)
        return FilterCheck(ok=False, canonical="", error=fault, tokens=shown, columns=[], raw=False)
    columns = columns_of(found)
    return FilterCheck(
        ok=True,
        canonical=text_of(found),
        error=None,
        tokens=shown,
        columns=[column.name for column in columns],
        raw=any(_raw(column) for column in columns),
    )


def _raw(column: Column) -> bool:
    return column.rollup != "key"


def _completion(found: Completion, recent: list[ColumnValue] | None) -> CompletionView:
    """Recent values first: they are what there is. None: they are still to come."""
    options = {value.text: OptionView(value.text, value.label, "recent") for value in recent or ()}
    for option in found.options:
        options.setdefault(option.text, OptionView(option.text, option.label, option.detail))
    shown = list(options.values())[:MAX_OPTIONS]
    return CompletionView(found.start, found.end, found.what, shown, found.unfinished, recent is None)


def _combined(text: str, clauses: list[Clause], services: Services, saved: Mapping[str, str], timezone: tzinfo) -> str:
    before = parse(text, services.schema, services.names, saved, timezone)
    more = missing(before, clauses_filter(clauses, services.schema))
    if not any(token.kind in ("comment", "saved") for token in tokens(text)):
        return text_of(conjunction(before, more))
    kept = text.strip()
    if isinstance(more, Everything):
        return kept
    # Whatever the text ends with, a line break ends a comment.
    if isinstance(before, Everything):
        return f"{kept}\n{text_of(more)}"
    return f"({kept}\n) AND {text_of(more)}" if isinstance(before, Or) else f"{kept}\nAND {text_of(more)}"
