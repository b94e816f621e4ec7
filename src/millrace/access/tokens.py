"""API tokens: made once, shown once; valid until they end, their mode does, or their owner is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from millrace.access.config import AccessSettings
from millrace.access.identity import ROLES, Identity
from millrace.access.secrets import digest, new_secret, new_token_id, token_text
from millrace.errors import DeniedError, InvalidError
from millrace.state import Role, State, Token, User

_DAY_SECONDS = 86_400
_MOST_DAYS = 36_500


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
    """Makes, lists, judges and revokes tokens.

    Parameters
    ----------
    state : State
    settings : AccessSettings
    clock : callable
        Unix seconds.
    """

    def __init__(self, state: State, settings: AccessSettings, clock: Callable[[], float]) -> None:
        self._store = state.tokens
        self._users = state.users
        self._settings = settings
        self._clock = clock

    def create(
        self,
        identity: Identity,
        name: str,
        role: Role,
        days: float | None,
        *,
        manages: bool = False,
        follows_login: bool = True,
    ) -> NewToken:
        """Make a token for who asks; callers have had the password confirmed.

        Parameters
        ----------
        identity : Identity
        name : str
            One per owner.
        role : str
            At most the role of who asks.
        days : float or None
            Until it expires; None: as the configuration says.
        manages : bool
            Whether it may manage users and tokens.
        follows_login : bool
            Whether it is refused when its owner does not log in any more.

        Raises
        ------
        DeniedError
            If the role is higher than one's own, or who asks is a token: then it would outlive its expiry.
        ConflictError
            If the name is taken.
        InvalidError
            If name or days are out of bounds, or it shall manage without being an administrator's.
        """
        if identity.via == "token":
            raise DeniedError("a token cannot make tokens; log in")
        if not identity.at_least(role):
            raise DeniedError(f"a token cannot have a higher role ({role}) than its user ({identity.role})")
        if manages and role != ROLES[-1]:
            raise InvalidError(f"only a token with the role {ROLES[-1]} can manage users and tokens")
        now = self._clock()
        secret = new_secret()
        token = Token(
            id=new_token_id(),
            owner=identity.name,
            name=name.strip(),
            role=role,
            scope_filter=identity.scope_filter,
            created=now,
            expires=now + self._life(days) * _DAY_SECONDS,
            last_used=0.0,
            mode=self._settings.mode,
            manages=manages,
            follows_login=follows_login,
            owner_seen=now,
        )
        return NewToken(self._store.add(token, digest(secret)), token_text(token.id, secret))

    def ends(self, token: Token) -> float:
        """When a token ends, in Unix seconds, by what was said when it was made and by the configuration; 0: never."""
        most = token.created + self._settings.token_max_days * _DAY_SECONDS if self._settings.token_max_days else 0.0
        return min(token.expires, most) if token.expires and most else token.expires or most

    def login_by(self, token: Token) -> float:
        """Until when its owner must have logged in again, in Unix seconds; 0: need not."""
        days = self._settings.token_login_days if token.follows_login and self._settings.mode != "open" else 0
        return token.owner_seen + days * _DAY_SECONDS if days else 0.0

    def refusal(self, token: Token, owner: User | None) -> str:
        """Why a token is not valid, as the end of a sentence that begins with it; empty if it is.

        Parameters
        ----------
        token : Token
        owner : User or None
            As the table of users has its owner now.
        """
        now, ends, settings = self._clock(), self.ends(token), self._settings
        if ends and ends <= now:
            return "has expired"
        if token.mode != settings.mode:
            return f"was made in the mode {token.mode}, but this is the mode {settings.mode}; make another one"
        # Only where everybody must be a known user, an unknown one is gone.
        if (owner is None and settings.mode == "login") or (owner is not None and not owner.enabled):
            return f"is of {token.owner!r}, who may not log in (any more)"
        by = self.login_by(token)
        if by and by <= now:
            return f"is of {token.owner!r}, who has not logged in for {settings.token_login_days} days"
        return ""

    def refusals(self, tokens: Sequence[Token]) -> list[str]:
        """Why each token is not valid; empty where it is."""
        names = {token.owner for token in tokens}
        users = self._users.all() if len(names) > 1 else [self._users.find(name) for name in names]
        owners = {user.name: user for user in users if user is not None}
        return [self.refusal(token, owners.get(token.owner)) for token in tokens]

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
        """Days until a token expires."""
        most = self._settings.token_max_days or _MOST_DAYS
        if days is None:
            return min(self._settings.token_default_days, most)
        if not 0 < days <= most:
            raise InvalidError(f"a token lives at most {most} days (setting access.token_max_days)")
        return days
