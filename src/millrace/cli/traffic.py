"""The command that sends synthetic traffic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from millrace.cli.capture import parse_target

if TYPE_CHECKING:
    from millrace.generate import Progress as Sent

Mix = Literal["mix", "netflow-v5", "netflow-v9", "ipfix", "sflow-v5"]
"""That of `millrace.generate`, which only this command imports."""


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(generate)


def generate(
    to: Annotated[
        str | None, typer.Option("--to", help="HOST:PORT of the collector; the usual ports on this host if absent.")
    ] = None,
    protocol: Annotated[Mix, typer.Option("--protocol", help="Protocol of all exporters; mix: each its own.")] = "mix",
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=10_000_000, help="Mean flows per second.")] = 500.0,
    duration: Annotated[float, typer.Option("--duration", min=0, help="Seconds; 0: until Ctrl-C.")] = 0.0,
    count: Annotated[int, typer.Option("--count", min=0, help="Flows to send; 0: no bound.")] = 0,
    curve: Annotated[bool, typer.Option("--curve/--flat", help="Follow the time of day, or not.")] = True,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Equal seeds give equal traffic.")] = 0,
    write: Annotated[
        Path | None, typer.Option("--write", dir_okay=False, help="Write a capture file in place of sending.")
    ] = None,
) -> None:
    """Send the flows of synthetic routers: a day curve, a few heavy talkers, many light ones.

    millrace generate --to 127.0.0.1:2055 --rate 5000 --duration 60

    millrace generate --write example.pcap --count 5000
    """
    from millrace.generate import GenerateSettings, Generator, write_capture

    if write is not None:
        write_capture(write, flows=count or 5000, protocol=protocol, seed=seed)
        return
    host, port = parse_target(to) if to else ("127.0.0.1", None)
    settings = GenerateSettings(host=host, port=port, protocol=protocol, rate=rate, curve=curve, seed=seed)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task(f"flows to {host}", total=count or None)

        def show(sent: Sent) -> None:
            failed = f", {sent.failed} datagrams refused" if sent.failed else ""
            bar.update(task, completed=sent.flows, description=f"flows to {host} ({sent.datagrams} datagrams{failed})")

        Generator(settings).run(duration_s=duration or None, count=count or None, on_progress=show)
