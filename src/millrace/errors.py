"""The exceptions Millrace raises.

::

    MillraceError
    ├── ConfigError        a configuration file or value is wrong
    ├── SchemaError        a column is unknown, defined twice or of a wrong type
    ├── ShapeError         arrays that belong together differ in length
    ├── SourceError        a capture file or socket cannot be read
    ├── StoreError         the store refuses or cannot take an operation
    │   ├── StoreLockedError   another process holds the data folder
    │   ├── StoreFullError     no room is left on the device
    │   └── StoreCorruptError  stored data cannot be read
    └── QueryError         a question cannot be answered as asked

Hostile or broken *packets* never raise: they are counted under a reason
(see `millrace.decode`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MillraceError(Exception):
    """Base of every error that Millrace raises on purpose."""


class ConfigError(MillraceError):
    """A configuration file or value is wrong; the message names file and key."""


class SchemaError(MillraceError):
    """A column is unknown, defined twice or used with a type it does not have."""


class ShapeError(MillraceError):
    """Arrays that must belong together differ in length."""


class SourceError(MillraceError):
    """A capture file, stream or socket cannot be opened or read."""


class StoreError(MillraceError):
    """The store refuses an operation; what was stored before is untouched."""


class StoreLockedError(StoreError):
    """Another process holds the data folder."""


class StoreFullError(StoreError):
    """No room is left on the device that holds the data folder."""


class StoreCorruptError(StoreError):
    """A stored part cannot be read."""


class QueryError(MillraceError):
    """A question names something unknown or exceeds a bound."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'X'?"`` for the nearest known word, or ``""``.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable of str
        What exists. Compared without regard to case.
    """
    by_folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f"; did you mean {by_folded[near[0]]!r}?" if near else ""
