"""What is asked and answered about filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from millrace.lang import TokenKind
from millrace.lang.completion import What
from millrace.query import MAX_CLAUSES, MAX_FILTER, TimeZone

Text = Annotated[str, Field(max_length=MAX_FILTER, examples=["InIfBoundary = external AND Proto = tcp"])]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    text: Text
    """Filter, in the filter language; may be empty."""

    timezone: TimeZone = "UTC"
    """Time zone of times that name no offset, by its IANA name."""


class CheckBody(_Body):
    """A filter to check."""


class CompleteBody(_Body):
    """A filter that is being written."""

    cursor: int = Field(ge=0, le=MAX_FILTER)
    """Where the next character goes: so many code points are before it."""


class ClauseBody(BaseModel):
    """A value that was clicked."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    column: str = Field(min_length=1, max_length=256)
    """Column."""

    value: (
        Annotated[str, Field(max_length=10_000)]
        | int
        | float
        | Annotated[list[Annotated[str, Field(max_length=64)] | int], Field(max_length=1000)]
        | None
    )
    """Value as an answer has it: also a prefix of addresses, a list, or null for unknown."""

    exclude: bool = False
    """Whether flows shall not have it."""


class CombineBody(_Body):
    """A filter, and values to add to it."""

    clauses: list[ClauseBody] = Field(max_length=MAX_CLAUSES)
    """Values; of several of one column flows shall have any."""


@dataclass(frozen=True, slots=True)
class FilterPart:
    """A part of a text.

    Attributes
    ----------
    start, end : int
        Code points from the beginning.
    kind : str
        What it is: a keyword, an operator, the name of a column, a saved filter, a comment, an error, …
    """

    start: int
    end: int
    kind: TokenKind


@dataclass(frozen=True, slots=True)
class FilterFault:
    """What is wrong with a filter, and where, in code points from its beginning."""

    message: str
    start: int
    end: int
    expected: list[str]
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class FilterCheck:
    """What is to be said of a filter.

    Attributes
    ----------
    canonical : str
        The same on one line, as it would be written without doubt; empty if it is wrong.
    columns : list of str
        Those that it names.
    raw : bool
        Whether it needs single flows: rollups cannot answer.
    """

    ok: bool
    canonical: str
    error: FilterFault | None
    tokens: list[FilterPart]
    columns: list[str]
    raw: bool


@dataclass(frozen=True, slots=True)
class OptionView:
    """What may come: its text, and for people a label and where it is from."""

    text: str
    label: str
    detail: str


@dataclass(frozen=True, slots=True)
class CompletionView:
    """What may come at a place of a text.

    Attributes
    ----------
    start, end : int
        Code points that an option replaces.
    what : str
        What may come there.
    unfinished : bool
        Whether something stands there that means nothing by itself: an editor may put the first option in its place
        unasked. What is complete it leaves alone.
    late : bool
        Whether the store has not told the values of recent flows in time: asked again in a moment, they are there.
    """

    start: int
    end: int
    what: What
    options: list[OptionView]
    unfinished: bool
    late: bool


@dataclass(frozen=True, slots=True)
class FilterText:
    """A filter."""

    text: str
