"""Commands on the store: what could be dropped, deleting on purpose, and what was deleted."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from millrace.app.storekeeping import doomed_flows, opened_store
from millrace.cli.configuration import ConfigFile, DataFolder, collector_settings
from millrace.cli.output import shown_text
from millrace.store import AuditLog, Entry, Forecast, Prunable, named
from millrace.telemetry import setup_logging

app = typer.Typer(
    help="Look after the data folder: drop what expired, delete flows on purpose, see what was deleted.",
    no_args_is_help=True,
)

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


@app.command()
def prune(
    expired: Annotated[
        bool, typer.Option("--expired", help="Delete rows older than the retention of this configuration.")
    ] = False,
    columns: Annotated[
        bool, typer.Option("--columns", help="Drop stored columns that this configuration does not have.")
    ] = False,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="Drop this one of them; repeatable.", metavar="NAME")
    ] = None,
    yes: Yes = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Show what is stored beyond the configuration; with an option, delete it.

    A start with a shorter retention is refused, and a column that leaves the
    configuration stays in the store: a forgotten configuration file looks the
    same. This command says that it is meant. It asks before it deletes, and
    what it deleted is in `millrace store audit`. No collector may run on the
    data folder meanwhile.

        millrace store prune -c millrace.yaml

        millrace store prune -c millrace.yaml --expired
    """
    settings = collector_settings(config, data)
    setup_logging("error", settings.telemetry.log.format)
    with opened_store(settings) as store:
        found = store.prunable()
        _show_prunable(found)
        chosen = named(found.unseen, column or []) if columns or column else []
        drop_rows = bool(expired and (found.expired or found.shortened))
        if drop_rows and not _sure(yes, "Delete the expired rows, and keep rows for this long from now on?"):
            drop_rows = False
        if chosen and not _sure(yes, f"Drop {len(chosen)} columns with all their values?"):
            chosen = []
        if drop_rows or chosen:
            store.prune(expired=drop_rows, columns=chosen)
            typer.echo("done")
        elif not (expired or columns or column):
            typer.echo("nothing was deleted; --expired and --columns do that")
        else:
            typer.echo("nothing was deleted")


@app.command()
def delete(
    which: Annotated[
        str, typer.Option("--filter", "-w", help="Which flows, in the filter language; all of the range if absent.")
    ] = "",
    start: Annotated[
        str, typer.Option("--from", help="Only flows received at this time or later, such as 2026-01-31T12:00 (UTC).")
    ] = "",
    end: Annotated[str, typer.Option("--to", help="Only flows received before this time.")] = "",
    yes: Yes = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Delete flows for good: those of a host, say, or a bogus record.

    Says first how many flows match, and asks. They also go from the rollups;
    what cannot be corrected there is said. Who deleted what is in `millrace
    store audit`. If it is interrupted, the next start finishes it. No
    collector may run on the data folder meanwhile.

        millrace store delete --filter 'SrcAddr = 198.51.100.7 OR DstAddr = 198.51.100.7'

        millrace store delete --filter 'Bytes > 1000000000000' --from 2026-01-31 --to 2026-02-01
    """
    settings = collector_settings(config, data)
    setup_logging("error", settings.telemetry.log.format)
    doomed = doomed_flows(settings, which, start, end)
    with opened_store(settings) as store:
        found = store.forecast_deletion(doomed)
        _show_forecast(found)
        if not (found.flows or any(found.rolled.values())):
            typer.echo("nothing was deleted")
            return
        if not _sure(yes, "Delete them for good?"):
            typer.echo("nothing was deleted")
            return
        done = store.delete(doomed)
        typer.echo(f"deleted {done.flows} flows")


@app.command()
def audit(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
) -> None:
    """Show what was deleted from the store, when, by whom and why; also while a collector runs."""
    entries = AuditLog(collector_settings(config, data).data).entries()
    if as_json:
        for entry in entries:
            typer.echo(json.dumps({"time_ms": entry.time_ms, "who": entry.who, **asdict(entry.deletion)}))
        return
    table = Table(box=None)
    for title in ("time (UTC)", "who", "act", "table", "rows", "MiB", "from", "to", "why"):
        table.add_column(title, overflow="fold")
    for entry in entries:
        table.add_row(*map(shown_text, _cells(entry)))
    Console().print(table)


def _cells(entry: Entry) -> tuple[str, ...]:
    deletion = entry.deletion
    return (
        _moment(entry.time_ms),
        entry.who,
        deletion.act,
        deletion.table,
        str(deletion.rows),
        f"{deletion.bytes / 2**20:.1f}" if deletion.bytes else "",
        _moment(deletion.oldest_ms),
        _moment(deletion.newest_ms),
        deletion.reason,
    )


def _show_prunable(found: Prunable) -> None:
    for table, extent in found.expired.items():
        typer.echo(f"expired in {table}: {extent}")
    for shortening in found.shortened:
        typer.echo(f"shorter retention: {shortening}")
    for column in found.unseen:
        size = f", {column.bytes / 2**20:.1f} MiB" if column.bytes else ""
        typer.echo(f"not in the configuration: column {column.name} of {column.table} ({column.type}{size})")
    if not (found.expired or found.shortened or found.unseen):
        typer.echo("nothing is stored beyond the configuration")


def _show_forecast(found: Forecast) -> None:
    span = f", received from {_moment(found.oldest_ms)} to {_moment(found.newest_ms)} UTC" if found.flows else ""
    typer.echo(f"{found.flows} flows match{span}")
    for table, flows in found.rolled.items():
        typer.echo(f"  {table} will count {flows} flows fewer")
    for note in found.notes:
        typer.echo(f"  {note}")


def _sure(yes: bool, question: str) -> bool:
    return yes or typer.confirm(question, default=False, err=True)


def _moment(time_ms: int | None) -> str:
    if time_ms is None:
        return ""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
