"""`millrace top`: a live table of top talkers."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from millrace.cli.output import shown_text
from millrace.errors import QueryError, SourceError

_REFRESH_S = 2.0
_TIMEOUT_S = 30.0


def show_top(url: str, dimensions: list[str], *, limit: int, minutes: int, once: bool) -> None:
    """Print the table once, or refresh it until Ctrl-C.

    Raises
    ------
    SourceError
        If the collector does not answer.
    QueryError
        If it refuses the question.
    """
    question = {"dimensions": dimensions, "limit": limit, "last_seconds": minutes * 60}
    if once:
        Console().print(_table(dimensions, _ask(url, question), minutes))
        return
    with Live(auto_refresh=False, screen=True) as live:
        try:
            while True:
                live.update(_table(dimensions, _ask(url, question), minutes), refresh=True)
                time.sleep(_REFRESH_S)
        except KeyboardInterrupt:
            return


def _ask(url: str, question: dict[str, object]) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise SourceError(f"{url!r} is not the address of a collector; it begins with http:// or https://")
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked
        f"{url.rstrip('/')}/api/v1/flows/top",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the scheme was checked
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        problem = json.loads(error.read() or b"{}")
        raise QueryError(str(problem.get("detail", error))) from error
    except OSError as error:
        raise SourceError(f"no collector answers at {url}: {error}; is 'millrace serve' running?") from error


def _table(dimensions: list[str], answer: dict[str, Any], minutes: int) -> Table:
    shown = Table(title=f"Top of the last {minutes} min, up to {answer['end'][:19].replace('T', ' ')} UTC", box=None)
    for name in dimensions:
        shown.add_column(name, overflow="fold")
    for name in ("bit/s", "packets", "flows", "share"):
        shown.add_column(name, justify="right")
    for row in answer["rows"]:
        shown.add_row(*(shown_text(str(value)) for value in row["dimensions"]), *_figures(row))
    return shown


def _figures(row: dict[str, Any]) -> list[str]:
    return [
        scaled(row["value"]),
        scaled(row["packets"]),
        str(row["flows"]),
        f"{100 * row['share']:.1f} %",
    ]


def scaled(number: float) -> str:
    """Number with a prefix of three digits or so: ``12.3 M``."""
    for prefix in ("", "k", "M", "G", "T"):
        if abs(number) < 1000 or prefix == "T":
            return f"{number:.1f} {prefix}".rstrip() if prefix else f"{number:.0f}"
        number /= 1000
    raise AssertionError
