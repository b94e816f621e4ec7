"""Endpoints of what users save: filters, views, dashboards, short links."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from millrace.access import Access, Identity
from millrace.api.access_problems import CHANGE, KNOWN
from millrace.api.gate import Gate
from millrace.api.problems import MISSING
from millrace.api.saved_bodies import (
    DashboardBody,
    DashboardPatch,
    DashboardView,
    FilterBody,
    FilterPatch,
    LinkBody,
    LinkView,
    SavedFilterView,
    SavedViewView,
    ViewBody,
    ViewPatch,
)
from millrace.errors import DeniedError, InvalidError
from millrace.query import moment_ms
from millrace.state import C, DashboardContent, FilterContent, Saved, SavedStore, ViewContent

V = TypeVar("V", bound=BaseModel)

Id = Annotated[str, Path(alias="id", max_length=64)]


class Shelf(Generic[C]):
    """Saved things of one kind, and who may do what with them.

    One's own are one's own; shared ones are seen by everybody and changed by
    editors; those that others keep for themselves do not exist for anybody else.

    Parameters
    ----------
    access : Access
    store : SavedStore
    check : callable
        Given who asks and what shall be saved, raises if it is wrong.
    """

    def __init__(self, access: Access, store: SavedStore[C], check: Callable[[Identity, C], None]) -> None:
        self._access = access
        self._store: SavedStore[C] = store
        self._check: Callable[[Identity, C], None] = check

    def visible(self, identity: Identity) -> list[Saved[C]]:
        """One's own, then what others share."""
        return self._store.visible(identity.name)

    def add(self, identity: Identity, content: C) -> Saved[C]:
        """Save something new."""
        if content.shared:
            _need_sharing(identity)
        self._check(identity, content)
        return self._store.add(identity.name, content, self._access.clock())

    def change(self, identity: Identity, saved_id: str, changes: dict[str, Any]) -> Saved[C]:
        """Change what is saved."""

        def judge(saved: Saved[C]) -> C:
            self._allow(identity, saved)
            content = replace(saved.content, **changes)
            if content.shared:
                _need_sharing(identity)
            return content

        # Checking reads other filters: it must not happen while a change holds the database.
        found = self._find(identity, saved_id)
        if found is not None:
            self._check(identity, judge(found))
        return self._store.change(saved_id, judge, self._access.clock())

    def remove(self, identity: Identity, saved_id: str) -> None:
        """Remove something saved."""
        self._store.remove(saved_id, lambda saved: self._allow(identity, saved))

    def _find(self, identity: Identity, saved_id: str) -> Saved[C] | None:
        return next((saved for saved in self.visible(identity) if saved.id == saved_id), None)

    def _allow(self, identity: Identity, saved: Saved[C]) -> None:
        if saved.owner != identity.name and not saved.content.shared:
            raise self._store.missing(saved.id)
        if saved.content.shared:
            _need_sharing(identity)


@dataclass(frozen=True, slots=True)
class _Shelves:
    filters: Shelf[FilterContent]
    views: Shelf[ViewContent]
    dashboards: Shelf[DashboardContent]


def saved_routes(gate: Gate) -> APIRouter:
    """Endpoints of filters, views, dashboards and links."""
    shelves = _shelves(gate)
    router = APIRouter(responses=KNOWN)
    router.include_router(_filter_routes(gate, shelves.filters))
    router.include_router(_view_routes(gate, shelves.views))
    router.include_router(_dashboard_routes(gate, shelves.dashboards))
    router.include_router(_link_routes(gate))
    return router


def _filter_routes(gate: Gate, shelf: Shelf[FilterContent]) -> APIRouter:
    router = APIRouter(prefix="/filters", tags=["filters"])
    viewer = Depends(gate.require("viewer"))

    def view(identity: Identity, saved: Saved[FilterContent]) -> SavedFilterView:
        return SavedFilterView(**_common(identity, saved), text=saved.content.text)

    @router.get("")
    def list_filters(identity: Identity = viewer) -> list[SavedFilterView]:
        """One's own filters, then what others share; of two with one name the first is meant by `@name`."""
        return [view(identity, saved) for saved in shelf.visible(identity)]

    @router.post("", status_code=201, responses=CHANGE)
    def add_filter(body: FilterBody, identity: Identity = viewer) -> SavedFilterView:
        """Save a filter."""
        return view(identity, shelf.add(identity, FilterContent(**body.model_dump())))

    @router.patch("/{id}", responses={**CHANGE, **MISSING})
    def change_filter(saved_id: Id, body: FilterPatch, identity: Identity = viewer) -> SavedFilterView:
        """Change a filter."""
        return view(identity, shelf.change(identity, saved_id, _given(body)))

    @router.delete("/{id}", status_code=204, responses={**CHANGE, **MISSING})
    def remove_filter(saved_id: Id, identity: Identity = viewer) -> None:
        """Remove a filter."""
        shelf.remove(identity, saved_id)

    return router


def _view_routes(gate: Gate, shelf: Shelf[ViewContent]) -> APIRouter:
    router = APIRouter(prefix="/views", tags=["views"])
    viewer = Depends(gate.require("viewer"))

    def view(identity: Identity, saved: Saved[ViewContent]) -> SavedViewView:
        return SavedViewView(**_common(identity, saved), state=json.loads(saved.content.state))

    @router.get("")
    def list_views(identity: Identity = viewer) -> list[SavedViewView]:
        """One's own explorations, then what others share."""
        return [view(identity, saved) for saved in shelf.visible(identity)]

    @router.post("", status_code=201, responses=CHANGE)
    def add_view(body: ViewBody, identity: Identity = viewer) -> SavedViewView:
        """Save an exploration."""
        content = ViewContent(body.name, _text(body.state), body.description, body.shared)
        return view(identity, shelf.add(identity, content))

    @router.patch("/{id}", responses={**CHANGE, **MISSING})
    def change_view(saved_id: Id, body: ViewPatch, identity: Identity = viewer) -> SavedViewView:
        """Change a saved exploration."""
        return view(identity, shelf.change(identity, saved_id, _given(body, state="state")))

    @router.delete("/{id}", status_code=204, responses={**CHANGE, **MISSING})
    def remove_view(saved_id: Id, identity: Identity = viewer) -> None:
        """Remove a saved exploration."""
        shelf.remove(identity, saved_id)

    return router


def _dashboard_routes(gate: Gate, shelf: Shelf[DashboardContent]) -> APIRouter:
    router = APIRouter(prefix="/dashboards", tags=["dashboards"])
    viewer = Depends(gate.require("viewer"))

    def view(identity: Identity, saved: Saved[DashboardContent]) -> DashboardView:
        widgets = json.loads(saved.content.layout)
        return DashboardView(**_common(identity, saved), filter=saved.content.filter, widgets=widgets)

    @router.get("")
    def list_dashboards(identity: Identity = viewer) -> list[DashboardView]:
        """One's own dashboards, then what others share."""
        return [view(identity, saved) for saved in shelf.visible(identity)]

    @router.post("", status_code=201, responses=CHANGE)
    def add_dashboard(body: DashboardBody, identity: Identity = viewer) -> DashboardView:
        """Save a dashboard."""
        layout = _text(body.model_dump()["widgets"])
        content = DashboardContent(body.name, layout, body.filter, body.description, body.shared)
        return view(identity, shelf.add(identity, content))

    @router.patch("/{id}", responses={**CHANGE, **MISSING})
    def change_dashboard(saved_id: Id, body: DashboardPatch, identity: Identity = viewer) -> DashboardView:
        """Change a dashboard."""
        return view(identity, shelf.change(identity, saved_id, _given(body, widgets="layout")))

    @router.delete("/{id}", status_code=204, responses={**CHANGE, **MISSING})
    def remove_dashboard(saved_id: Id, identity: Identity = viewer) -> None:
        """Remove a dashboard."""
        shelf.remove(identity, saved_id)

    return router


def _link_routes(gate: Gate) -> APIRouter:
    access = gate.access
    router = APIRouter(prefix="/links", tags=["links"])
    viewer = Depends(gate.require("viewer"))

    @router.post("", responses=CHANGE)
    def make_link(body: LinkBody, identity: Identity = viewer) -> LinkView:
        """A short link to a state; the same state always has the same. Of too many of yours, old ones go."""
        return LinkView(id=access.state.links.add(identity.name, body.state, access.clock()), state=body.state)

    @router.get("/{id}", dependencies=[viewer], responses=MISSING)
    def link(link_id: Id) -> LinkView:
        """Where a short link leads."""
        return LinkView(id=link_id, state=access.state.links.find(link_id, access.clock()))

    return router


def _shelves(gate: Gate) -> _Shelves:
    access = gate.access

    def check_filter(identity: Identity, content: FilterContent) -> None:
        if not content.text.strip():
            raise InvalidError("the filter's text is empty")
        # Its own name means the new text: a filter that names itself is found out.
        access.check_filter(content.text, {**gate.saved(identity), content.name: content.text})

    def check_dashboard(identity: Identity, content: DashboardContent) -> None:
        if content.filter.strip():
            access.check_filter(content.filter, gate.saved(identity))

    return _Shelves(
        Shelf(access, access.state.filters, check_filter),
        Shelf(access, access.state.views, lambda _identity, _content: None),
        Shelf(access, access.state.dashboards, check_dashboard),
    )


def _need_sharing(identity: Identity) -> None:
    identity.need("editor")
    if identity.limited:
        raise DeniedError("who may see a part of the flows only cannot change what everybody sees")


def _common(identity: Identity, saved: Saved[Any]) -> dict[str, Any]:
    return {
        "id": saved.id,
        "owner": saved.owner,
        "own": saved.owner == identity.name,
        "created": moment_ms(round(saved.created * 1000)),
        "updated": moment_ms(round(saved.updated * 1000)),
        "name": saved.content.name,
        "description": saved.content.description,
        "shared": saved.content.shared,
    }


def _given(patch: BaseModel, **as_json: str) -> dict[str, Any]:
    """What a patch holds; parts that are kept as JSON by the field that keeps them."""
    given = {name: value for name, value in patch.model_dump(exclude_unset=True).items() if value is not None}
    return {as_json.get(name, name): _text(value) if name in as_json else value for name, value in given.items()}


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)
