"""The exceptions Millrace raises.

::

    MillraceError
    ├── ConfigError        a configuration file or value is wrong
    ├── SchemaError        a column is unknown, defined twice or of a wrong type
    ├── ShapeError         arrays that belong together differ in length
    ├── SourceError        a capture file or socket cannot be read
    ├── StoreError         the store refuses or cannot take an operation
    │   ├── StoreLockedError   another process holds the data folder
    │   ├── StoreFullError     no room is left on the device, or within its bound
    │   ├── StoreCorruptError  stored data cannot be read
    │   └── StoreLossError     starting so would lose stored data
    ├── SinkError          a sink beside the store does not take flows
    ├── QueryError         a question cannot be answered as asked
    │   ├── QueryCancelledError    whoever asked no longer waits
    │   └── QueryTimeoutError      the statement took longer than it may
    ├── StateError         users, sessions and saved things cannot be read or written
    │   ├── InvalidError       a value is malformed or too long
    │   ├── MissingError       what was named does not exist
    │   └── ConflictError      a name is taken, a bound reached, or nobody would administer
    └── AccessError        who asks is unknown, or may not
        ├── LoginError         no identity, or a wrong one
        ├── ThrottledError     too many attempts; says when to try again
        └── DeniedError        known, but not allowed

Errors of the engine under the store are `millrace.store.faults.EngineError`: the
store makes a `StoreError` or a `QueryError` of each, and lets none of them out.

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
    """No room is left on the device that holds the data folder, or within ``store.max_bytes``."""


class StoreCorruptError(StoreError):
    """A stored part cannot be read."""


class StoreLossError(StoreError):
    """Starting with this configuration, or this version, would lose stored data; says which, and how to allow it."""


class SinkError(MillraceError):
    """A sink beside the store does not take flows; the store is not concerned.

    Parameters
    ----------
    message : str
    transient : bool
        Whether the same flows may be taken later (there is no room, say); else they are lost to this sink.
    lost : int
        Flows that the sink had taken before and lost with this.

    Attributes
    ----------
    transient, lost
        As given.
    """

    def __init__(self, message: str, *, transient: bool, lost: int = 0) -> None:
        super().__init__(message)
        self.transient = transient
        self.lost = lost


class QueryError(MillraceError):
    """A question names something unknown or exceeds a bound."""


class QueryCancelledError(QueryError):
    """Whoever asked no longer waits for the answer; the statement was ended."""


class QueryTimeoutError(QueryError):
    """The statement took longer than it may, and was ended; on a calmer machine the same question may be answered."""


class StateError(MillraceError):
    """The state database refuses an operation or does not answer; nothing was changed."""


class InvalidError(StateError):
    """A value is malformed, too long or too large; the message names it and its bound."""


class MissingError(StateError):
    """What was named does not exist, or not for who asks."""


class ConflictError(StateError):
    """The change would break a rule: a name is taken, a bound reached, or nobody would administer."""


class AccessError(MillraceError):
    """Who asks is unknown, or may not do what was asked."""


class LoginError(AccessError):
    """No identity was presented, or one that is not valid (any more)."""


class ThrottledError(AccessError):
    """Too many attempts.

    Attributes
    ----------
    retry_seconds : float
        When the next attempt is looked at.
    """

    def __init__(self, message: str, retry_seconds: float) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class DeniedError(AccessError):
    """Who asks is known, but not allowed."""


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
