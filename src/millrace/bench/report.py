"""Show results as a table in the terminal and as Markdown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from millrace.bench.result import Result

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"
_PLAIN_WIDTH = 170
"""Columns of the table when it does not go to a terminal."""

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def format_value(value: float, unit: str) -> str:
    """A figure with three digits and its unit: ``8.12 M flows/s``, ``0.43 s``."""
    if unit.endswith("/s"):
        for factor, prefix in _PREFIXES:
            if value >= factor:
                return f"{value / factor:.3g} {prefix} {unit}"
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def show_progress(result: Result) -> None:
    """Say a result on standard error as it comes."""
    Console(stderr=True).print(f"{result.name}: {format_value(result.value, result.unit)}", highlight=False)


def print_table(results: Sequence[Result], machine: dict[str, str]) -> None:
    """Print results and the machine."""
    table = Table(title="Millrace benchmark", caption="; ".join(f"{key}: {value}" for key, value in machine.items()))
    for heading, justify in (
        ("what", "left"),
        ("measured", "right"),
        ("target", "right"),
        ("", "left"),
        ("how", "left"),
    ):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for result in results:
        table.add_row(result.name, format_value(result.value, result.unit), _target(result), _mark(result), result.note)
    Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH).print(table)


def markdown(results: Sequence[Result], machine: dict[str, str], day: date) -> str:
    """The same as Markdown."""
    lines = [f"Measured on {day.isoformat()}.", ""]
    lines += [f"- {key}: {value}" for key, value in machine.items()]
    lines += ["", "| what | measured | target | reached | how |", "|---|---:|---:|---|---|"]
    lines += [f"| {r.name} | {format_value(r.value, r.unit)} | {_target(r)} | {_mark(r)} | {r.note} |" for r in results]
    return "\n".join(lines) + "\n"


def write_markdown(path: Path, text: str) -> None:
    """Put `text` between the markers of the file at `path`; append markers if it has none."""
    old = path.read_text() if path.exists() else "# Performance\n"
    if BEGIN in old and END in old:
        head, _, rest = old.partition(BEGIN)
        tail = rest.partition(END)[2]
    else:
        head, tail = old.rstrip("\n") + "\n\n", "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}{BEGIN}\n{text}{END}{tail}")


def _target(result: Result) -> str:
    if result.target is None:
        return "–"
    return f"{'≤' if result.lower_is_better else '≥'} {format_value(result.target, result.unit)}"


def _mark(result: Result) -> str:
    return {True: "yes", False: "no", None: ""}[result.reached]
