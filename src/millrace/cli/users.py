"""Commands on users and API tokens; they work on the state database, also while `serve` runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from millrace.access import Access, filter_check
from millrace.cli.configuration import ConfigFile, DataFolder, collector_settings
from millrace.cli.output import shown_text
from millrace.lang import DEFAULT_NAMES
from millrace.state import NewUser, Role, State, UserChange, user_name
from millrace.telemetry import setup_logging

users = typer.Typer(help="Add, change and remove users.", no_args_is_help=True)
tokens = typer.Typer(help="Make and revoke API tokens.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the user.")]
RoleOption = Annotated[Role, typer.Option("--role", help="What the user may: ask, share, administer.")]
FilterOption = Annotated[
    str | None, typer.Option("--filter", help="Limit what the user sees, such as 'InIfProvider = \"a\"'; '': no limit.")
]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@users.command(name="add")
def add_user(
    name: Name,
    role: RoleOption = "viewer",
    limit: FilterOption = None,
    full_name: Annotated[str, typer.Option("--full-name", help="Full name.")] = "",
    email: Annotated[str, typer.Option("--email", help="E-mail address.")] = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Only a login provider or a proxy vouches for the user.")
    ] = False,
    password_stdin: FromStdin = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Add a user; asks for the password."""
    password = None if no_password else _password(password_stdin)
    with _access(config, data) as access:
        user = access.users.add(NewUser(name, role, full_name, email, limit or ""), password)
    typer.echo(f"added {user.name} ({user.role})")


@users.command(name="list")
def list_users(config: ConfigFile = None, data: DataFolder = None) -> None:
    """List users."""
    with _access(config, data) as access:
        rows = [
            (user.name, user.role, user.scope_filter, user.full_name, _state(user.enabled), _moment(user.last_login))
            for user in access.users.all()
        ]
    _print(("name", "role", "filter", "full name", "may log in", "last login"), rows)


@users.command(name="password")
def set_password(
    name: Name, password_stdin: FromStdin = False, config: ConfigFile = None, data: DataFolder = None
) -> None:
    """Give a user another password; ends the user's sessions."""
    with _access(config, data) as access:
        access.of_user(name)
        access.users.change(name, UserChange(), _password(password_stdin))
    typer.echo(f"changed the password of {name}")


@users.command(name="role")
def set_role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="What the user may: ask, share, administer.")],
    limit: FilterOption = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Give a user another role, and with --filter another limit; counts at once."""
    with _access(config, data) as access:
        user = access.users.change(name, UserChange(role=role, scope_filter=limit))
    limited = f", sees {user.scope_filter}" if user.scope_filter else ""
    typer.echo(f"{user.name} is {user.role}{limited}")


@users.command(name="disable")
def disable_user(name: Name, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Let a user in no more, by session, token or a proxy's word, but keep what is theirs; counts at once."""
    _enable(name, config, data, enabled=False)


@users.command(name="enable")
def enable_user(name: Name, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Let a user in again."""
    _enable(name, config, data, enabled=True)


def _enable(name: str, config: Path | None, data: Path | None, *, enabled: bool) -> None:
    with _access(config, data) as access:
        user = access.users.change(name, UserChange(enabled=enabled))
    typer.echo(f"{user.name} {'may' if enabled else 'may not'} log in")


@users.command(name="remove")
def remove_user(name: Name, config: ConfigFile = None, data: DataFolder = None) -> None:
    """Remove a user, with sessions, tokens and what is not shared."""
    with _access(config, data) as access:
        access.users.remove(name)
    typer.echo(f"removed {name}")


@tokens.command(name="create")
def create_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    user: Annotated[str, typer.Option("--user", help="User whose it is.")],
    role: RoleOption = "viewer",
    days: Annotated[
        float | None, typer.Option("--days", min=0.001, help="Days until it ends; access.token_default_days if absent.")
    ] = None,
    manages: Annotated[
        bool, typer.Option("--manages", help="It may manage users and tokens, too; only with the role admin.")
    ] = False,
    unattended: Annotated[
        bool, typer.Option("--unattended", help="It works although its user never logs in (access.token_login_days).")
    ] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Make an API token and print it; it is not shown again."""
    with _access(config, data) as access:
        owner = access.of_user(user)
        made = access.tokens.create(owner, name, role, days, manages=manages, follows_login=not unattended)
    typer.echo(made.text)


@tokens.command(name="list")
def list_tokens(
    user: Annotated[str | None, typer.Option("--user", help="Only tokens of this user.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """List API tokens, and why those that are not valid are refused."""
    with _access(config, data) as access:
        found = access.state.tokens.all(None if user is None else user_name(user))
        rows = [
            (
                token.id,
                token.owner,
                token.name,
                token.role,
                _state(token.manages),
                _moment(access.tokens.ends(token)),
                _moment(access.tokens.login_by(token), "need not"),
                _moment(token.last_used),
                refused,
            )
            for token, refused in zip(found, access.tokens.refusals(found), strict=True)
        ]
    _print(("id", "user", "name", "role", "manages", "ends", "log-in by", "last used", "refused, as it"), rows)


@tokens.command(name="revoke")
def revoke_token(
    token_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Id of the token, as `token list` shows it.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="Every token of this user instead.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Every token of everybody instead.")] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Revoke an API token, or all of a user, or all; counts at once."""
    if sum((token_id is not None, user is not None, everybody)) != 1:
        raise typer.BadParameter("give the id of a token, or --user, or --all")
    with _access(config, data) as access:
        if token_id is None:
            count = access.state.tokens.revoke_all(None if user is None else user_name(user))
        else:
            access.state.tokens.revoke(token_id)
    typer.echo(f"revoked {token_id}" if token_id is not None else f"revoked {count} tokens")


@contextmanager
def _access(config: Path | None, data: Path | None) -> Iterator[Access]:
    settings = collector_settings(config, data)
    setup_logging("warning", settings.telemetry.log.format)
    state = State(settings.state, settings.data)
    state.start()
    try:
        names = DEFAULT_NAMES.with_autonomous_systems(settings.as_names)
        yield Access(settings.access, state, filter_check(settings.columns.schema_of(), names))
    finally:
        state.stop()


def _password(from_stdin: bool) -> str:
    # Never an argument: other users of the machine see those.
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _print(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(box=None)
    for title in titles:
        # An id is copied: it stays in one piece on narrow terminals.
        table.add_column(title, overflow="fold", no_wrap=title == "id")
    for row in rows:
        table.add_row(*map(shown_text, row))
    Console().print(table)


def _state(enabled: bool) -> str:
    return "yes" if enabled else "no"


def _moment(seconds: float, none: str = "never") -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M") if seconds else none
