"""Who asks: what questions, and the state of the collector, need to know of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from fastapi import HTTPException, Request

from millrace.access.throttle import neighbourhood
from millrace.errors import MillraceError
from millrace.lang import Everything, Filter, Names, parse
from millrace.query.asking import Asking
from millrace.schema import Schema
from millrace.store import Cancel

_SCOPES = 64
"""Limits of users that are kept as trees, each of up to a tenth of a megabyte."""


IDENTITY = "millrace_identity"
"""Where the scope of a request has who sends it, as far as that was looked up."""


class Asker(Protocol):
    """Somebody who was recognised."""

    @property
    def name(self) -> str:
        """User's name."""

    @property
    def scope_filter(self) -> str:
        """Text of the filter that limits what the asker may see; empty: no limit."""

    @property
    def via(self) -> str:
        """How it was recognised; ``open``: everybody is the same."""


class Authenticator(Protocol):
    """Recognises who asks."""

    def identity(self, request: Request) -> Asker:
        """Who sends a request; raises HTTPException 401 or 403 if nobody who may."""

    def recognised(self, request: Request) -> Asker | None:
        """Who sends a request that needs no identity; None: a stranger. May take a while."""

    def recognised_at_sight(self, request: Request) -> bool:
        """Whether `recognised` has nothing to look up, so that it takes no time."""

    def saved(self, asker: Asker) -> Mapping[str, str]:
        """Texts of the asker's saved filters by name."""

    def still(self, request: Request, asker: Asker) -> bool:
        """Whether a request sent in the same words now would come from the same asker; may take a while."""


@dataclass(frozen=True, slots=True)
class Anybody:
    """The asker where nobody is asked who they are."""

    name: str = ""
    scope_filter: str = ""
    via: str = "open"


class OpenToAll:
    """Everybody may see everything, and has saved nothing."""

    def identity(self, request: Request) -> Asker:  # noqa: ARG002 - nobody is asked
        """Anybody."""
        return Anybody()

    def recognised(self, request: Request) -> Asker | None:  # noqa: ARG002 - nobody is asked
        """Anybody."""
        return Anybody()

    def recognised_at_sight(self, request: Request) -> bool:  # noqa: ARG002 - nobody is asked
        """Always."""
        return True

    def saved(self, asker: Asker) -> Mapping[str, str]:  # noqa: ARG002 - nobody has any
        """Nothing."""
        return {}

    def still(self, request: Request, asker: Asker) -> bool:  # noqa: ARG002 - nobody is asked
        """Always."""
        return True


class Circumstances:
    """Makes what the query engine must know of an asker.

    Parameters
    ----------
    schema : Schema
    names : Names
        That filters may use.
    authenticator : Authenticator
    now : callable
        Unix seconds.
    """

    def __init__(self, schema: Schema, names: Names, authenticator: Authenticator, now: Callable[[], float]) -> None:
        self._authenticator = authenticator
        self._now = now
        self._scope = lru_cache(maxsize=_SCOPES)(lambda text: _scope(text, schema, names))

    def moment(self) -> tuple[float, float]:
        """The present, in Unix seconds and in monotonic seconds."""
        return self._now(), time.monotonic()

    def asking(
        self, asker: Asker, text: str, cancel: Cancel | None = None, moment: tuple[float, float] | None = None
    ) -> Asking:
        """Circumstances of a question.

        Parameters
        ----------
        asker : Asker
        text : str
            Its filter: saved filters are looked up only if it names some.
        cancel : Cancel, optional
        moment : tuple of float, optional
            When it was asked, as `moment` said then; now if absent.

        Raises
        ------
        HTTPException
            403 if the asker's own limit cannot be read: nothing is shown then.
        """
        limit = asker.scope_filter
        scope: Filter = self._scope(limit) if limit else Everything()
        saved = self._authenticator.saved(asker) if "@" in text else {}
        now, asked = moment or self.moment()
        return Asking(now, scope, saved, cancel, asked)


def _scope(text: str, schema: Schema, names: Names) -> Filter:
    try:
        scope = parse(text, schema, names)
    except MillraceError as error:
        detail = f"the filter that limits what you may see cannot be read, ask an administrator: {error}"
        raise HTTPException(403, detail) from error
    if isinstance(scope, Everything):
        raise HTTPException(403, "the filter that limits what you may see says nothing, ask an administrator")
    return scope


def client_of(request: Request, asker: Asker) -> str:
    """Whose places in the queue a request takes: the user's, or the address's."""
    return client_named(asker, request.client.host if request.client is not None else "")


def client_named(asker: Asker, address: str) -> str:
    """Name of a client: the user, or where everybody is the same the address (of IPv6: one network of 64 bits)."""
    return f"user {asker.name}" if asker.via != "open" else f"address {neighbourhood(address)}"
