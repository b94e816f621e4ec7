"""The check of filters before they are kept."""

from __future__ import annotations

from collections.abc import Mapping

from millrace.access.users import CheckFilter
from millrace.errors import QueryError
from millrace.lang import DEFAULT_NAMES, Everything, Names, parse
from millrace.schema import Schema


def filter_check(schema: Schema, names: Names = DEFAULT_NAMES) -> CheckFilter:
    """A check that a text is a filter, and one that says something.

    Parameters
    ----------
    schema : Schema
    names : Names
        As those of questions, so that what is kept can be asked.

    Returns
    -------
    callable
        Of a text and the saved filters that it may name; raises QueryError.
    """

    def check(text: str, saved: Mapping[str, str]) -> None:
        if isinstance(parse(text, schema, names, saved), Everything):
            raise QueryError("the filter says nothing: it would match every flow")

    return check
