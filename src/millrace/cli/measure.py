"""The benchmark command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(bench)


def bench(
    only: Annotated[list[str] | None, typer.Option("--only", help="Part of a benchmark's name; repeatable.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds and shorter loads.")] = False,
    write: Annotated[
        Path | None, typer.Option("--write", dir_okay=False, help="Markdown page whose table of figures to replace.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", file_okay=False, help="Folder to put questions to; filled if it is empty, and kept."),
    ] = None,
) -> None:
    """Measure speed and size, and print the table of figures."""
    # Here: every command imports this module, and none but this one needs benchmarks.
    from millrace.bench import run

    run(only=tuple(only or ()), quick=quick, write=write, folder=store)
