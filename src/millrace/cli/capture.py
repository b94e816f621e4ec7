"""Commands on capture files: decode and replay."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from millrace.app.loading import MOST_DAYS, load_captures
from millrace.app.reading import read_batches
from millrace.batch import DatagramBatch, address_text
from millrace.cli.configuration import ConfigFile, DataFolder, collector_settings
from millrace.cli.output import NOT_ALL_STORED, FlowOutput, Format, harmless_lines, shown_text
from millrace.decode import Counts
from millrace.decode.raw import RawDecoder
from millrace.receive import Sender, read_capture, replay
from millrace.schema import Schema
from millrace.telemetry import setup_logging

Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True, dir_okay=False, readable=True,
        help="pcap, pcapng, raw UDP payloads, IPFIX message streams or hex dumps; also gzip'ed.",
    ),
]  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(decode)
    app.command()(load)
    app.command(name="replay")(replay_files)


def decode(
    files: Files,
    kind: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.TABLE,
    raw: Annotated[
        bool, typer.Option("--raw", help="JSON of every header, template, option and field, by its IANA name.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="File to write; standard output if absent.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not summarise on standard error.")] = False,
) -> None:
    """Decode capture files to flows.

    Templates of an earlier file serve the later ones.

        millrace decode router.pcap

        millrace decode templates.pcap data.pcap --format parquet -o flows.parquet
    """
    if kind in (Format.PARQUET, Format.ARROW) and output is None and sys.stdout.isatty():
        raise typer.BadParameter(f"{kind} is binary; give a file with --output", param_hint="--format")
    if raw:
        _write_raw(files, output)
        return
    schema = Schema()
    counts = Counts()
    flows = 0
    with FlowOutput(kind, schema, output) as sink:
        for batch in read_batches(files, schema, counts):
            flows += len(batch)
            if len(batch):
                sink.write(batch)
    if not quiet:
        _summarise(flows, counts)


def _write_raw(files: list[Path], output: Path | None) -> None:
    decoder = RawDecoder()
    shown = output is None and sys.stdout.isatty()
    with output.open("w", encoding="utf-8") if output else nullcontext(sys.stdout) as file:
        for batch in _batches(files):
            for datagram in decoder.decode(batch):
                line = json.dumps(datagram, ensure_ascii=False) + "\n"
                file.write(harmless_lines(line) if shown else line)


def _summarise(flows: int, counts: Counts) -> None:
    console = Console(stderr=True, highlight=False)
    events: dict[str, int] = {}
    for (_, protocol, event), amount in counts.events.items():
        if event == "datagrams":
            events[protocol] = events.get(protocol, 0) + amount
    seen = ", ".join(f"{amount} {protocol}" for protocol, amount in sorted(events.items())) or "no"
    console.print(f"{flows} flows from {seen} datagrams")
    for (exporter, protocol, unit, reason), amount in sorted(counts.drops.items()):
        console.print(f"[yellow]not decoded:[/] {amount} {unit}s, {reason} ({protocol} from {address_text(exporter)})")
    for issue in counts.issues[:10]:
        console.print(shown_text(f"  {address_text(issue.exporter)}: {issue.detail}"), style="dim")


def load(
    files: Files,
    config: ConfigFile = None,
    data: DataFolder = None,
    end_now: Annotated[
        bool, typer.Option("--end-now", help="Move times so that the last datagram of each file is received now.")
    ] = False,
) -> None:
    """Store the flows of capture files, as if they had come from the network.

    No collector may run on the data folder meanwhile (send with `replay` then).
    Flows keep their time of capture; those older than the retention are dropped. A time more than a day ahead of now
    cannot be: such datagrams count as received now. Sinks of the configuration get the flows too.

        millrace load router.pcap --end-now
    """
    settings = collector_settings(config, data)
    setup_logging("warning", settings.telemetry.log.format)
    console = Console(stderr=True, highlight=False)
    columns = SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("datagrams", total=None)
        loaded = load_captures(settings, files, end_now=end_now, on_progress=lambda n: bar.update(task, completed=n))
    console.print(f"{loaded.flows} flows of {loaded.datagrams} datagrams stored in {settings.data}")
    for sink, flows in loaded.written.items():
        console.print(f"{flows} of them written to the sink {sink}")
    if loaded.not_decoded:
        console.print(f"[yellow]{loaded.not_decoded} things were not decoded;[/] 'millrace decode' tells which and why")
    if loaded.implausible_times:
        console.print(
            f"[yellow]{loaded.implausible_times} datagrams have a time of capture that cannot be[/] (more than a day "
            "ahead of now): they count as received now"
        )
    if loaded.too_many_days:
        console.print(
            f"[yellow]{loaded.too_many_days} datagrams were left out:[/] a file may be about {MOST_DAYS} days"
        )
    if loaded.expired:
        console.print("[yellow]some flows are older than the store keeps them;[/] use --end-now to keep them a while")
    if loaded.lost:
        console.print(f"[red]{loaded.lost} flows or datagrams were given up:[/] the store did not take them")
    for sink, flows in loaded.unwritten.items():
        console.print(f"[red]{flows} flows were not written to the sink {sink}:[/] the log says why")
    if loaded.lost or loaded.unwritten:
        raise typer.Exit(NOT_ALL_STORED)


def replay_files(
    files: Files,
    to: Annotated[str, typer.Option("--to", help="HOST:PORT of the collector.")] = "127.0.0.1:2055",
    rate: Annotated[
        float | None, typer.Option("--rate", min=0.1, help="Datagrams per second; the original timing if absent.")
    ] = None,
    speed: Annotated[float, typer.Option("--speed", min=0.001, help="Factor on the original timing.")] = 1.0,
) -> None:
    """Send the datagrams of capture files to a collector.

    millrace replay router.pcap --to 127.0.0.1:2055 --rate 1000
    """
    host, port = parse_target(to)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task(f"datagrams to {to}", total=None)
        with Sender(host, port) as sender:
            replay(_batches(files), sender, rate=rate, speed=speed, on_progress=lambda n: bar.update(task, completed=n))


def parse_target(text: str) -> tuple[str, int]:
    """Split ``HOST:PORT`` or ``[V6]:PORT``."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise typer.BadParameter(f"{text!r} is not HOST:PORT", param_hint="--to")
    return host.strip("[]"), int(port)


def _batches(files: list[Path]) -> Iterator[DatagramBatch]:
    for path in files:
        yield from read_capture(path)
