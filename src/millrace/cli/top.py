"""`millrace top`: a live table of top talkers."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from millrace.cli.output import shown_text
from millrace.errors import QueryError, SourceError

_REFRESH_S = 2.0
_TIMEOUT_S = 30.0


class Collector:
    """A collector that is asked over HTTP.

    Parameters
    ----------
    url : str
    token : str
        API token; empty: none is sent.

    Raises
    ------
    SourceError
        If the address is none.
    """

    def __init__(self, url: str, token: str = "") -> None:
        if not url.startswith(("http://", "https://")):
            raise SourceError(f"{url!r} is not the address of a collector; it begins with http:// or https://")
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def top(self, question: Mapping[str, object]) -> dict[str, Any]:
        """The answer to a question.

        Raises
        ------
        SourceError
            If the collector does not answer.
        QueryError
            If it refuses the question.
        """
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self._url}/api/v1/flows/top", data=json.dumps(question).encode(), headers=self._headers
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the scheme was checked
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise QueryError(_reason(error)) from error
        except OSError as error:
            raise SourceError(f"no collector answers at {self._url}: {error}; is 'millrace serve' running?") from error


def show_top(collector: Collector, question: Mapping[str, object], *, once: bool) -> None:
    """Print the table once, or refresh it until Ctrl-C; raises as `Collector.top`."""
    if once:
        Console().print(_table(collector.top(question)))
        return
    with Live(auto_refresh=False, screen=True) as live:
        try:
            while True:
                live.update(_table(collector.top(question)), refresh=True)
                time.sleep(_REFRESH_S)
        except KeyboardInterrupt:
            return


def _reason(error: urllib.error.HTTPError) -> str:
    """What a problem document says; the status line if it is none (a proxy's page)."""
    try:
        problem = json.loads(error.read())
        return str(problem["detail"])
    except (ValueError, TypeError, KeyError):
        return str(error)


def _table(answer: dict[str, Any]) -> Table:
    start, end = (moment[:19].replace("T", " ") for moment in (answer["start"], answer["end"]))
    shown = Table(title=f"Top from {start} to {end} UTC", box=None)
    for name in answer["dimensions"]:
        shown.add_column(name, overflow="fold")
    for name in ("bit/s", "packets", "flows", "share"):
        shown.add_column(name, justify="right")
    for row in answer["rows"]:
        shown.add_row(*(shown_text(label) for label in row["labels"]), *_figures(row))
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
