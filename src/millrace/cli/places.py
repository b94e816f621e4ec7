"""Where a collector that was started in a terminal answers, listens and stores."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from millrace.access.proxy import TrustedProxies
from millrace.api.config import is_loopback
from millrace.app.application import Application
from millrace.app.settings import Settings


def show_places(application: Application, console: Console | None = None) -> None:
    """Print the places on a terminal; elsewhere the log has them.

    Parameters
    ----------
    application : Application
        Started.
    console : Console, optional
        Standard error, where the log goes, if absent.
    """
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        return
    places = Table.grid(padding=(0, 2))
    places.add_row("Console", console_place(application.url))
    if application.url:
        places.add_row("for", who_may(application.settings))
    places.add_row("Flows to", listening_places(application.receiver.addresses))
    places.add_row("Stored in", _stored(application))
    console.print(places)
    console.print("Ctrl-C stores what is in flight and ends.", style="dim")


def console_place(url: str) -> str:
    """Address of the console as a browser on this machine needs it."""
    if not url:
        return "off (api.enabled)"
    if url.startswith("unix:"):
        return f"socket {url.removeprefix('unix:')}"
    place = urlsplit(url)
    if not ip_address(place.hostname or "").is_unspecified:
        return f"[bold underline]{url}/[/]"
    return f"[bold underline]http://localhost:{place.port}/[/] and every address of {socket.gethostname()}"


def who_may(settings: Settings) -> str:
    """Who reaches the console, and as what."""
    api, access = settings.api, settings.access
    if api.socket is not None:
        owner = pwd.getpwuid(os.geteuid()).pw_name
        reach = f"user {owner}" if api.socket_mode == "0600" else f"user {owner} and group of {api.socket}"
    elif is_loopback(api.host):
        reach = "every user of this machine"
    else:
        reach = "everybody in the network"
    match access.mode:
        case "open":
            return f"{reach}, as administrator (access.mode: open; see 'Log in' in the documentation)"
        case "login":
            return f"{reach} who logs in (access.mode: login)"
        case "proxy":
            proxies = ", ".join(access.trusted_proxies)
            vouched = f"whom a proxy at {proxies} vouches for (access.mode: proxy)"
            believed = TrustedProxies(access)
            if not believed.anybody_here and not believed.anybody:
                return vouched
            liar = reach if api.socket is not None or believed.anybody else "every user of this machine"
            return f"{vouched}; {liar} can pose as the proxy, and so as anybody (see access.proxy.secret)"


def listening_places(addresses: Iterable[tuple[str, int]]) -> str:
    """Ports that are open to all, then single addresses: ``UDP 2055, 4739, 127.0.0.1:6343``."""
    shown = [
        str(port) if ip_address(address.partition("%")[0]).is_unspecified else _joined(address, port)
        for address, port in addresses
    ]
    return f"UDP {', '.join(dict.fromkeys(shown))} (NetFlow, IPFIX and sFlow on each)" if shown else "nowhere"


def _joined(address: str, port: int) -> str:
    return f"\\[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _stored(application: Application) -> str:
    if application.settings.sink == "null":
        return "nothing is stored (sink: null)"
    return str(application.settings.data.resolve())
