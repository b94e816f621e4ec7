"""What is saved, as requests and answers hold it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_JSON = 32_000
MAX_DEPTH = 24


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON that only the console understands
    """JSON that can be kept and given back: bounded, no NaN, no broken characters."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for item in level for inner in _parts(item)]
    if level:
        raise ValueError(f"must not be nested deeper than {MAX_DEPTH}")
    try:
        # Without escapes, because that is how an answer is written.
        length = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except ValueError as error:
        raise ValueError("must be JSON: no NaN, and no half of a character") from error
    if length > MAX_JSON:
        raise ValueError(f"must have at most {MAX_JSON} bytes, not {length}")
    return value


def _parts(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


Opaque = Annotated[Any, AfterValidator(_plain)]
"""JSON that only the console understands."""

Name = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(max_length=2000)]
Text = Annotated[str, Field(max_length=10_000)]

_SHARED = Field(default=False, description="Whether everybody sees it; needs the role editor.")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _View(BaseModel):
    """What every saved thing has; times in ISO 8601."""

    id: str
    owner: str
    own: bool = Field(description="Whether it is who asks who saved it.")
    created: str
    updated: str
    name: str
    description: str
    shared: bool


class FilterBody(_Body):
    """A filter to save; `@name` in other filters means it."""

    name: Name
    text: Text = Field(min_length=1, examples=["InIfBoundary = external"])
    description: Description = ""
    shared: bool = _SHARED


class FilterPatch(_Body):
    """What to change of a filter."""

    name: Name | None = None
    text: Text | None = None
    description: Description | None = None
    shared: bool | None = None


class SavedFilterView(_View):
    """A saved filter."""

    text: str


class ViewBody(_Body):
    """An exploration to save; `state` is JSON of the console."""

    name: Name
    state: Opaque
    description: Description = ""
    shared: bool = _SHARED


class ViewPatch(_Body):
    """What to change of a saved exploration."""

    name: Name | None = None
    state: Opaque = None
    description: Description | None = None
    shared: bool | None = None


class SavedViewView(_View):
    """A saved exploration."""

    state: Any


class Place(_Body):
    """Place of a widget in the grid of a dashboard: column, row, width and height in cells."""

    x: int = Field(ge=0, le=100)
    y: int = Field(ge=0, le=1000)
    w: int = Field(ge=1, le=100)
    h: int = Field(ge=1, le=100)


class Widget(_Body):
    """A widget of a dashboard; `exploration` is JSON of the console."""

    id: str = Field(default="", max_length=40)
    place: Place
    title: str = Field(default="", max_length=200)
    kind: str = Field(min_length=1, max_length=40, examples=["graph"])
    exploration: Opaque = None


Widgets = Annotated[list[Widget], Field(max_length=64)]


class DashboardBody(_Body):
    """A dashboard to save; `filter` holds for every widget."""

    name: Name
    description: Description = ""
    filter: Text = ""
    widgets: Widgets = Field(default_factory=list)
    shared: bool = _SHARED


class DashboardPatch(_Body):
    """What to change of a dashboard."""

    name: Name | None = None
    description: Description | None = None
    filter: Text | None = None
    widgets: Widgets | None = None
    shared: bool | None = None


class DashboardView(_View):
    """A dashboard."""

    filter: str
    widgets: list[Widget]


class LinkBody(_Body):
    """State of a page that a short link shall lead to."""

    state: str = Field(min_length=1, max_length=8192, examples=["/explore?v=1&dimensions=SrcAS"])


class LinkView(BaseModel):
    """A short link; the same state always has the same id."""

    id: str
    state: str
