"""Runs the application in a thread."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import stat
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import structlog
import uvicorn
from fastapi import FastAPI

from millrace.api.config import ApiSettings
from millrace.api.connections import BoundedProtocol, Connections, connections_of, shed_unread
from millrace.errors import SourceError
from millrace.telemetry import Condition, worst
from millrace.threads import Trouble, Watched

log = structlog.get_logger(__name__)

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_BACKLOG = 1024
_OTHER_DESCRIPTORS = 1024
_KEEP_ALIVE_SECONDS = 5
"""How long a client may wait before it sends the next request."""

_TICKS = 10
"""Of uvicorn's main loop, in a second."""


class ApiServer:
    """HTTP server of one application; the constructor opens nothing.

    A server that ends without being asked to is begun anew on the same socket: whoever connects
    meanwhile waits.

    Parameters
    ----------
    app : FastAPI
    settings : ApiSettings

    Attributes
    ----------
    trouble : Trouble
        Of answering.
    """

    def __init__(self, app: FastAPI, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: Watched | None = None
        self._places: Connections | None = None
        self._stopping = False
        self.trouble = Trouble("answering over HTTP")

    def start(self) -> None:
        """Listen, and answer from a thread; returns when it does.

        Raises
        ------
        SourceError
            If the address cannot be listened on.
        """
        _allow_descriptors(self._settings.max_connections)
        self._socket = _listen(self._settings)
        self._app.state.stopping = False
        self._stopping = False
        self._thread = Watched("millrace-api", self._serve, self.trouble)
        failures = self.trouble.failures
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while self._server is None or not self._server.started:
            if self.trouble.failures > failures or time.monotonic() > deadline:
                self.stop()
                raise SourceError("the HTTP server did not start; the log says why")
            time.sleep(0.01)

    def stop(self) -> None:
        """End streams, finish what is being answered, and close."""
        self._app.state.stopping = self._stopping = True
        if self._server is not None:
            self._server.should_exit = True
        # Before the server has ended: nobody is to wait in the queue of a port that is not served any more.
        if self._socket is not None:
            self._socket.close()
            if self._settings.socket is not None:
                self._settings.socket.unlink(missing_ok=True)
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        self._socket = self._server = self._thread = None

    @property
    def restarts(self) -> int:
        """How often the server was begun anew since it was started."""
        return 0 if self._thread is None else self._thread.restarts

    def condition(self) -> Condition:
        """What health says of it."""
        if self._thread is not None and not self._thread.alive and not self._stopping:
            return Condition("failed", ("the thread that answers over HTTP does not run",))
        condition = self.trouble.condition("degraded", "nobody is answered over HTTP")
        if self._places is None or not self._places.crowded:
            return condition
        most = self._settings.max_connections
        what = f"{self._places.refused} connections to the console made room for others (api.max_connections: {most})"
        return worst((condition, Condition("degraded", (what,))))

    def _serve(self) -> None:
        """Answer until `stop`."""
        listening = self._socket
        if self._stopping or listening is None:
            return
        self._places = connections_of(self._settings)
        server = _Server(self._configuration(self._places), self.trouble.clear)
        self._server = server
        # The server closes what it is given.
        with listening.dup() as given:
            if not self._stopping:
                server.run(sockets=[given])
        if not self._stopping:
            raise RuntimeError("the HTTP server ended by itself")

    def _configuration(self, places: Connections) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            http=partial(BoundedProtocol, places, self._settings),  # type: ignore[arg-type]  # it is called, no more
            ws="none",
            access_log=False,
            log_config=None,  # its messages go where all others go
            proxy_headers=False,  # the setting access.trusted_proxies says whose are believed
            log_level="error",  # garbage from the network is not worth a line each
            lifespan="off",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=2,
        )

    @property
    def url(self) -> str:
        """Where it answers; only while it runs. ``unix:`` and a path for a socket."""
        assert self._socket is not None
        if self._settings.socket is not None:
            return f"unix:{self._settings.socket.resolve()}"
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Says when it answers, and looks after its connections."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start()

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS == 0:
            now = time.monotonic()
            connections = [known for known in self.server_state.connections if isinstance(known, BoundedProtocol)]
            for connection in connections:
                connection.look(now)
            closed = shed_unread(connections)
            if closed:
                log.warning("closed connections whose clients do not read their answers", connections=closed)
        return await super().on_tick(counter)


def _allow_descriptors(connections: int) -> None:
    """Raise the soft limit of open files, of which every connection is one; the store needs many, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OTHER_DESCRIPTORS + connections
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _listen(settings: ApiSettings) -> socket.socket:
    if settings.socket is not None:
        return _listen_locally(settings.socket, int(settings.socket_mode, 8))
    return _listen_on(settings.host, settings.port)


def _listen_locally(path: Path, mode: int) -> socket.socket:
    """Listen on a Unix socket; the file that a dead process left is replaced."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        try:
            _remove_left(path)
            listening.bind(os.fsencode(path))
            # Nobody may connect between bind and chmod, since nobody listens yet.
            path.chmod(mode)
            listening.listen(_BACKLOG)
        except OSError as error:
            raise SourceError(f"api.socket: cannot listen on {path}: {error.strerror or error}") from error
        return listening.dup()


def _remove_left(path: Path) -> None:
    """Remove a socket on which nobody answers.

    Raises
    ------
    SourceError
        If somebody does, or if it is no socket.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SourceError(f"api.socket: {path} is there and is no socket; choose another path")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(os.fsencode(path))
            except ConnectionRefusedError:
                path.unlink()
                return
        raise SourceError(f"api.socket: another program answers on {path}; stop that, or choose another path")


def _listen_on(host: str, port: int) -> socket.socket:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, proto)
    except OSError as error:
        raise SourceError(f"api.host: cannot listen on {host}: {error.strerror or error}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        reason = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            reason = "another program listens there; stop that, or choose another port"
        raise SourceError(f"api.port: cannot listen on {host} port {port}: {reason}") from error
    sock.set_inheritable(True)
    return sock
