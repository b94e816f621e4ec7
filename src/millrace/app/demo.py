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
    default_model,
    demo_as_names,
    demo_metadata,
    demo_networks,
    history,
)

HISTORY_MS = 48 * 3600 * 1000
HISTORY_FLOWS = 1_500_000


def run_demo(data: Path, *, http_port: int, rate: float, duration_s: float, open_browser: bool = False) -> None:
    """Run until Ctrl-C, or for `duration_s` seconds if not 0.

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
    model = default_model()
    udp_port = _free_port(socket.SOCK_DGRAM)
    application = Application(_settings(data, model, udp_port, _free_http_port(http_port)))
    stop = threading.Event()
    with console.status("Starting the embedded store …"):
        application.start()
    try:
        _announce(application, console, udp_port)
        _fill_history(application, model, rate, console)
        if open_browser:
            webbrowser.open(application.url)
        settings = GenerateSettings(host="127.0.0.1", port=udp_port, rate=rate)
        sender = threading.Thread(
            target=Generator(settings, model).run, kwargs={"stop": stop}, name="millrace-generate", daemon=True
        )
        sender.start()
        _watch(application, console, duration_s)
    except KeyboardInterrupt:
        console.print("Stopping …")
    finally:
        stop.set()
        application.stop()


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


def _fill_history(application: Application, model: Model, rate: float, console: Console) -> None:
    """Store two days of made-up flows, unless the folder has some already."""
    if application.store.query("SELECT count() > 0 AS filled FROM flows")["filled"][0].as_py():
        return
    now_ms = time.time_ns() // 1_000_000
    activity, made = application.activity, 0
    with (
        activity.doing("The demo makes two days of history"),
        Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console) as bar,
    ):
        task = bar.add_task("Making two days of history", total=HISTORY_FLOWS)
        for batch in history(model, now_ms - HISTORY_MS, now_ms, HISTORY_FLOWS, live_rate=rate):
            application.store.insert(application.enrich(batch))
            made += len(batch)
            activity.advance(made / HISTORY_FLOWS)
            bar.advance(task, len(batch))
    with activity.doing("The demo sums up its history"), console.status("Rolling it up …"):
        application.store.wait_until_rolled_up()


def _announce(application: Application, console: Console, udp_port: int) -> None:
    console.print(
        f"Millrace listens on [bold]127.0.0.1:{udp_port}[/] (UDP). "
        f"Open [bold underline]{application.url}[/] in a browser, or run: [bold]millrace top --url {application.url}[/]"
    )
    console.print("Ctrl-C ends it.")


def _watch(application: Application, console: Console, duration_s: float) -> None:
    """Print what is stored every few seconds."""
    began = time.monotonic()
    while not duration_s or time.monotonic() - began < duration_s:
        time.sleep(min(5.0, duration_s or 5.0))
        writer = application.pipeline.writer
        seconds = time.monotonic() - began
        console.print(f"{writer.stored:>10} live flows stored ({writer.stored / seconds:.0f}/s)", highlight=False)


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
