"""Settings of the state database."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from millrace.config import Section


class StateSettings(Section):
    """Database of users, sessions, tokens, saved filters, views and dashboards (not of flows)."""

    url: SecretStr | None = None
    """PostgreSQL database, `postgresql://user:password@host/name` (needs the extra `postgresql`), for several consoles
    on one state. Without it: the file `state.db` in the data folder (SQLite)."""

    connections: int = Field(8, ge=1, le=100)
    """Connections to the database at the same time; more wait."""

    busy_timeout_seconds: float = Field(10.0, gt=0, le=300)
    """How long to wait for a connection, or for another process that writes, before giving up."""

    max_users: int = Field(10_000, ge=1, le=1_000_000)
    """Users in all."""

    max_sessions_per_user: int = Field(20, ge=1, le=1000)
    """Logins of one user at the same time; the oldest ends when there are more."""

    max_tokens_per_user: int = Field(50, ge=1, le=10_000)
    """API tokens of one user."""

    max_saved_per_user: int = Field(500, ge=1, le=100_000)
    """Filters of one user; also views, and dashboards."""

    max_saved_characters_per_user: int = Field(4_000_000, ge=100_000, le=1_000_000_000)
    """Characters of all filters of one user; also of all views, and of all dashboards. Lists are read as a whole."""

    max_links: int = Field(50_000, ge=100, le=10_000_000)
    """Short links in all. When there are so many, those go that were not opened for half a year; nobody's newer ones go
    for those of somebody else."""

    max_links_per_user: int = Field(2000, ge=10, le=10_000_000)
    """Short links of one user; of these, those not opened for longest go when there are more."""

    @field_validator("url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        try:
            url = make_url(value.get_secret_value())
        except ArgumentError:
            # Its message would repeat the password.
            raise ValueError("is not a URL such as postgresql://user:password@host/name") from None
        if url.drivername not in ("postgresql", "postgresql+psycopg"):
            raise ValueError("must begin with postgresql:// (without a URL, SQLite in the data folder is used)")
        return value

    def postgresql(self) -> URL | None:
        """URL of PostgreSQL with the driver that is used; None for SQLite."""
        if self.url is None:
            return None
        return make_url(self.url.get_secret_value()).set(drivername="postgresql+psycopg")
