"""Tables of the state database, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, MetaData, String, Table, Text, UniqueConstraint

METADATA = MetaData()


def _user_key(*, primary: bool = False) -> Column[str]:
    return Column(
        "user", String(100), ForeignKey("users.name", ondelete="CASCADE"), primary_key=primary, nullable=False
    )


META = Table("meta", METADATA, Column("key", String(50), primary_key=True), Column("value", Text, nullable=False))

USERS = Table(
    "users",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("full_name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("scope_filter", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("source", String(20), nullable=False),
    Column("password_hash", Text),
    Column("created", Double, nullable=False),
    Column("last_login", Double, nullable=False),
)

# Who a login provider says somebody is: its `sub`, which unlike a name never moves to somebody else.
IDENTITIES = Table(
    "identities",
    METADATA,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    _user_key(),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("hash", String(64), primary_key=True),
    _user_key(),
    Column("created", Double, nullable=False),
    Column("seen", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Index("sessions_user", "user"),
)

# No reference to `users`: whoever a proxy names may have tokens too.
TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String(20), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("owner", String(100), nullable=False),
    Column("name", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("scope_filter", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("last_used", Double, nullable=False),
    Column("mode", String(20), nullable=False),
    Column("manages", Boolean, nullable=False),
    Column("follows_login", Boolean, nullable=False),
    Column("owner_seen", Double, nullable=False),
    UniqueConstraint("owner", "name"),
)


def _saved(name: str, *body: Column[str]) -> Table:
    shared: Column[bool] = Column("shared", Boolean, nullable=False)
    title: Column[str] = Column("name", String(100), nullable=False)
    return Table(
        name,
        METADATA,
        Column("id", String(20), primary_key=True),
        Column("owner", String(100), nullable=False),
        title,
        Column("description", Text, nullable=False),
        shared,
        Column("created", Double, nullable=False),
        Column("updated", Double, nullable=False),
        *body,
        UniqueConstraint("owner", "name"),
        # `@name` of a shared thing must mean one thing.
        Index(f"{name}_shared", title, unique=True, sqlite_where=shared, postgresql_where=shared),
    )


FILTERS = _saved("filters", Column("text", Text, nullable=False))
VIEWS = _saved("views", Column("state", Text, nullable=False))
DASHBOARDS = _saved("dashboards", Column("layout", Text, nullable=False), Column("filter", Text, nullable=False))

LINKS = Table(
    "links",
    METADATA,
    Column("id", String(64), primary_key=True),
    # Who made it; the same state has the same id, whoever makes it, and lasts as long as any of them keeps it.
    Column("owner", String(100), primary_key=True),
    Column("state", Text, nullable=False),
    Column("used", Double, nullable=False),
    Index("links_used", "used"),
    Index("links_owner", "owner", "used"),
)
