"""The commands of `millrace`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from millrace import __version__
from millrace.app.process import keep_freed_memory, leave_pandas_out, take_short_turns
from millrace.cli import capture, collect, configuration, measure, storage, traffic, users
from millrace.cli.signals import deliver_signals
from millrace.errors import MillraceError
from millrace.files import private_umask

app = typer.Typer(
    name="millrace",
    help=(
        "Collect NetFlow, IPFIX and sFlow; store every flow as columns; ask anything.\n\n"
        "Exit status: 0 if all went well; 1 after an error that a sentence tells, such as a start that is refused "
        "since it would lose something (nothing was changed then); 2 after a wrong option; 3 if something that was "
        "received could not be stored."
    ),
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"millrace {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Collect NetFlow, IPFIX and sFlow; store every flow as columns; ask anything."""
    # Also files of flows that a command is asked to write: they tell who talks to whom.
    private_umask()
    if context.invoked_subcommand not in collect.STOPPED_BY_SIGNALS:
        deliver_signals()


collect.register(app)
capture.register(app)
traffic.register(app)
measure.register(app)
app.add_typer(configuration.app, name="config")
app.add_typer(storage.app, name="store")
app.add_typer(users.users, name="user")
app.add_typer(users.tokens, name="token")


def main() -> None:
    """Run the command line; user errors end with a sentence and exit code 1 or 2."""
    take_short_turns()
    keep_freed_memory()
    leave_pandas_out()
    try:
        app()
    except MillraceError as error:
        Console(stderr=True).print(f"[bold red]millrace:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, say) has seen enough.
        sys.stderr.close()
        sys.exit(0)
