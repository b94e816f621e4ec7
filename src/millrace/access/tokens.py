"""API tokens: made once, shown once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from millrace.access.identity import ROLES, Identity
from millrace.access.secrets import digest, new_secret, new_token_id, token_text
from millrace.errors import DeniedError, InvalidError
from millrace.state import Role, Token
from millrace.state.tokens import TokenStore

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was made.

    Attributes
    ----------
    text : str
        The token itself, for its user; only its hash is kept.
    """

    token: Token
    text: str

    def __repr__(self) -> str:
        return f"NewToken({self.token!r})"


class Tokens:
    """Makes, lists and revokes tokens.

    Parameters
    ----------
    store : TokenStore
    max_days : int
        Longest life; 0: no bound.
    clock : callable
        Unix seconds.
    """

    def __init__(self, store: TokenStore, max_days: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._max_days = max_days
        self._clock = clock

    def create(self, identity: Identity, name: str, role: Role, days: float | None) -> NewToken:
        """Make a token for who asks.

        Parameters
        ----------
        identity : Identity
        name : str
            One per owner.
        role : str
            At most the role of who asks.
        days : float or None
            Until it expires; None: never, or as late as may be.

        Raises
        ------
        DeniedError
            If the role is higher than one's own, or who asks is a token: then it would outlive its expiry.
        ConflictError
            If the name is taken.
        InvalidError
            If name or days are out of bounds.
        """
        if identity.via == "token":
            raise DeniedError("a token cannot make tokens; log in")
        if not identity.at_least(role):
            raise DeniedError(f"a token cannot have a higher role ({role}) than its user ({identity.role})")
        now = self._clock()
        life = self._life(days)
        secret = new_secret()
        token = Token(
            id=new_token_id(),
            owner=identity.name,
            name=name.strip(),
            role=role,
            scope_filter=identity.scope_filter,
            created=now,
            expires=now + life * _DAY_SECONDS if life else 0.0,
            last_used=0.0,
        )
        return NewToken(self._store.add(token, digest(secret)), token_text(token.id, secret))

    def visible(self, identity: Identity) -> list[Token]:
        """One's own tokens; an administrator's are everybody's."""
        return self._store.all(None if identity.role == ROLES[-1] else identity.name)

    def revoke(self, identity: Identity, token_id: str) -> None:
        """Revoke one's own token; an administrator any.

        Raises
        ------
        MissingError
            If there is none, or it is somebody else's.
        """
        self._store.revoke(token_id, None if identity.role == ROLES[-1] else identity.name)

    def _life(self, days: float | None) -> float:
        """Days; 0: for ever."""
        if days is None:
            return float(self._max_days)
        if not 0 < days <= (self._max_days or 36_500):
            raise InvalidError(f"a token lives at most {self._max_days or 36_500} days (setting access.token_max_days)")
        return days
