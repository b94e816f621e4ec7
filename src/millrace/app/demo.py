"""`millrace demo`: serve, synthetic routers, and two days of history."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from millrace.app.application import Application
from millrace.app.settings import Settings
from millrace.errors import SourceError
from millrace.generate import (
    GenerateSettings,
    Generator,
    Model,
    Past,
    default_model,
    demo_as_names,
    demo_metadata,
    demo_networks,
)
from millrace.threads import Trouble, Watched

HISTORY_MS = 48 * 3600 * 1000
MOST_HISTORY_FLOWS = 4_000_000
"""Flows of the history, at most: as many as are sent live, up to about 23 a second."""

FEWER_HISTORY_FLOWS = 1_500_000
"""Flows of the history where more are sent live; their sampling rates make up for it."""

_CAUGHT_UP_MS = 1_000
"""Shorter gaps between the history and the live flows are not seen."""

_TURN_S = 0.25
"""How soon a signal is noticed."""

_TELL_EVERY_S = 5.0


def run_demo(data: Path, *, http_port: int, rate: float, duration_s: float, open_browser: bool = False) -> bool:
    """Run until SIGINT or SIGTERM, or for `duration_s` seconds if not 0; whether all was stored.

    Parameters
    ----------
    data : Path
        Folder of the demo's store; history is made when it holds none.
    http_port : int
        Of the console; 0: any that is free.
    rate : float
        Synthetic flows per second.
    duration_s : float
    open_browser : bool
        Show the console in the user's browser.

    Raises
    ------
    SourceError
        If another program listens on the port; nothing was started then.
    """
    console = Console()
    model = default_model().at_rate(rate)
    udp_port = _free_port(socket.SOCK_DGRAM)
    application = Application(_settings(data, model, udp_port, _free_http_port(http_port)))
    settings = GenerateSettings(host="127.0.0.1", port=udp_port, rate=rate)
    stop = threading.Event()

    def send() -> None:
        Generator(settings, model).run(stop=stop)

    def show() -> None:
        starting.stop()
        _announce(application, console, udp_port)
        now_ms = time.time_ns() // 1_000_000
        past = Past(
            model, rate, now_ms - HISTORY_MS, now_ms, most_flows=MOST_HISTORY_FLOWS, fewer_flows=FEWER_HISTORY_FLOWS
        )
        _catch_up(application, past, _fill_history(application, past, console))
        if open_browser and not application.ending:
            webbrowser.open(application.url)
        Watched("millrace-generate", send, Trouble("sending the demo's flows")).start()
        try:
            _watch(application, console, duration_s)
        finally:
            stop.set()
        console.print("Stopping …")

    starting = console.status("Starting the embedded store …")
    starting.start()
    try:
        return application.run(show)
    finally:
        starting.stop()


def _settings(data: Path, model: Model, udp_port: int, http_port: int) -> Settings:
    return Settings.model_validate(
        {
            "data": data,
            "receive": {"listeners": [f"127.0.0.1:{udp_port}"]},
            "api": {"port": http_port},
            "exporters": demo_metadata(model),
            "networks": demo_networks(model),
            "as_names": demo_as_names(model),
        }
    )


def _fill_history(application: Application, past: Past, console: Console) -> int:
    """Store made-up flows of two days, or of the time since the demo last ran; the time up to which there are flows."""
    now_ms = time.time_ns() // 1_000_000
    newest = "SELECT toUnixTimestamp(max(TimeReceived)) AS newest FROM flows"
    start_ms = max(now_ms - HISTORY_MS, 1000 * int(application.store.query(newest)["newest"][0].as_py()))
    if start_ms >= now_ms:
        return start_ms
    activity, made, total = application.activity, 0, past.flows(start_ms, now_ms)
    with (
        activity.doing("The demo makes two days of history"),
        Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console) as bar,
    ):
        task = bar.add_task("Making two days of history", total=total)
        for batch in past.batches(start_ms, now_ms):
            if application.ending:
                return now_ms
            application.store.insert(application.enrich(batch))
            made += len(batch)
            activity.advance(made / max(total, 1))
            bar.advance(task, len(batch))
    with activity.doing("The demo sums up its history"), console.status("Rolling it up …"):
        application.store.wait_until_rolled_up(unless=lambda: application.ending)
    return now_ms


def _catch_up(application: Application, past: Past, start_ms: int) -> None:
    """Store the flows of the time that storing the history took, so that the live ones follow without a gap."""
    while (now_ms := time.time_ns() // 1_000_000) - start_ms > _CAUGHT_UP_MS:
        for batch in past.batches(start_ms, now_ms):
            if application.ending:
                return
            application.store.insert(application.enrich(batch))
        start_ms = now_ms


def _announce(application: Application, console: Console, udp_port: int) -> None:
    console.print(
        f"Millrace listens on [bold]127.0.0.1:{udp_port}[/] (UDP). "
        f"Open [bold underline]{application.url}[/] in a browser, or run: [bold]millrace top --url {application.url}[/]"
    )
    console.print("Every user of this machine may use it, as administrator. Ctrl-C ends it.")


def _watch(application: Application, console: Console, duration_s: float) -> None:
    """Print what is stored every few seconds, until the application is to end or the time is over."""
    began = time.monotonic()
    told_s = 0.0
    while not application.ending:
        time.sleep(min(_TURN_S, duration_s or _TURN_S))
        seconds = time.monotonic() - began
        over = bool(duration_s) and seconds >= duration_s
        if over or seconds - told_s >= _TELL_EVERY_S:
            told_s = seconds
            stored = application.pipeline.writer.stored
            console.print(f"{stored:>10} live flows stored ({stored / seconds:.0f}/s)", highlight=False)
        if over:
            application.end()


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _free_http_port(wanted: int) -> int:
    """The port, or a free one for 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise SourceError(
                f"cannot listen on 127.0.0.1 port {wanted}: {error.strerror}. Another program may listen there, also "
                "another demo; choose a port with --port, or --port 0 for any that is free"
            ) from error
        return int(probe.getsockname()[1])
