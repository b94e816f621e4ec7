"""Commands around the running collector: serve, demo, top, sql."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from millrace.app.application import Application
from millrace.cli.configuration import ConfigFile, DataFolder, collector_settings, warn_of_readable_secrets
from millrace.cli.output import NOT_ALL_STORED, write_answer
from millrace.cli.places import show_places
from millrace.cli.signals import end_at_once, ignore_signals
from millrace.cli.top import Collector, show_top
from millrace.store import local_sql
from millrace.telemetry import setup_logging

STOPPED_BY_SIGNALS = frozenset({"serve", "demo"})
"""Commands that a signal ends in order, however early it comes."""


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (serve, demo, top, sql):
        app.command()(command)


def serve(config: ConfigFile = None, data: DataFolder = None) -> None:
    """Collect, store and answer, all in one process.

    Without a file: NetFlow, IPFIX and sFlow on UDP 2055, 4739 and 6343, data
    in ./data, HTTP on 127.0.0.1:8080. Ctrl-C or SIGTERM stores what is in
    flight and ends; if the store does not take it within
    `pipeline.stop_timeout_s`, or at a second Ctrl-C, it is given up: the log
    says how much, and the exit status is 3.
    """
    settings = collector_settings(config, data)
    setup_logging(settings.telemetry.log.level, settings.telemetry.log.format)
    warn_of_readable_secrets(config)
    application = Application(settings)
    _end(application.run(lambda: _started(application)))


def demo(
    data: Annotated[Path, typer.Option("--data", help="Folder of the demo's store.")] = Path("demo-data"),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="HTTP port; 0: any that is free.")] = 8080,
    rate: Annotated[
        int,
        typer.Option("--rate", min=1, max=100_000, help="Synthetic flows per second; above 23 the history has fewer."),
    ] = 20,
    duration: Annotated[float, typer.Option("--duration", min=0, help="Seconds to run; 0: until Ctrl-C.")] = 0.0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the console in a browser.")] = False,
) -> None:
    """Collect from synthetic routers, with two days of history, to look at.

    Needs no router, no configuration and no root; listens on loopback only.
    Ctrl-C and SIGTERM end it as they end `serve`.
    """
    setup_logging("warning", "auto")
    # Here: the collector of every day needs no synthetic traffic.
    from millrace.app.demo import run_demo

    _end(run_demo(data, http_port=port, rate=rate, duration_s=duration, open_browser=open_browser))


def _started(application: Application) -> None:
    show_places(application)
    # What is there by now lasts: looking through all of it again and again for garbage would stop every thread for a
    # tenth of a second, the more often the more exporters come and go.
    gc.collect()
    gc.freeze()


def _end(all_stored: bool) -> None:
    """End the program with a status that says whether all was stored, whatever signals still come."""
    ignore_signals()
    if not all_stored:
        raise typer.Exit(NOT_ALL_STORED)


def top(
    by: Annotated[list[str] | None, typer.Option("--by", help="Column to group by; repeatable.")] = None,
    url: Annotated[str, typer.Option("--url", help="Address of the collector.")] = "http://127.0.0.1:8080",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="Rows.")] = 20,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=1440, help="Time range.")] = 5,
    where: Annotated[str, typer.Option("--filter", "-w", help="Which flows, in the filter language.")] = "",
    token: Annotated[
        str, typer.Option("--token", envvar="MILLRACE_TOKEN", help="API token, where users must log in.")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Print one table and exit.")] = False,
) -> None:
    """Watch the top talkers in the terminal.

    millrace top --by SrcAddr --by DstPort --filter 'Proto = tcp AND NOT DstPort = 443'
    """
    question = {"dimensions": by or ["SrcAddr", "DstAddr"], "limit": limit, "last_seconds": minutes * 60}
    show_top(Collector(url, token), {**question, "filter": where}, once=once)


def sql(
    query: Annotated[str | None, typer.Argument(help="ClickHouse SQL; read from standard input if absent.")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    output: Annotated[str, typer.Option("--format", "-f", help="ClickHouse output format.")] = "PrettyCompact",
    outside: Annotated[
        bool,
        typer.Option(
            "--outside", help="Let it read and write files, ask other hosts, and change settings (SETTINGS …)."
        ),
    ] = False,
) -> None:
    """Run SQL on the store of this machine, also while `serve` runs; it reads the store, and nothing else.

    Files (INTO OUTFILE, `file()`), other hosts (`url()`, `s3()`, `remote()` …)
    and settings are refused unless --outside allows them; they are reached as
    the user who runs the collector.

    millrace sql "SELECT count() FROM flows"
    """
    settings = collector_settings(config, data)
    setup_logging("warning", settings.telemetry.log.format)
    folder = settings.data
    if query is None:
        query = sys.stdin.read()
    end_at_once()
    write_answer(local_sql(folder, query, output, outside=outside))
