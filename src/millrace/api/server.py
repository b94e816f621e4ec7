"""Runs the application in a thread."""

from __future__ import annotations

import errno
import resource
import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from millrace.api.config import ApiSettings
from millrace.errors import SourceError

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_BACKLOG = 1024
_OTHER_DESCRIPTORS = 1024


class ApiServer:
    """HTTP server of one application; the constructor opens nothing.

    Parameters
    ----------
    app : FastAPI
    settings : ApiSettings
    """

    def __init__(self, app: FastAPI, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen, and answer from a thread; returns when it does.

        Raises
        ------
        SourceError
            If the address cannot be listened on.
        """
        _allow_descriptors(self._settings.max_connections)
        self._socket = _listen(self._settings.host, self._settings.port)
        self._app.state.stopping = False
        config = uvicorn.Config(
            self._app,
            access_log=False,
            log_config=None,  # its messages go where all others go
            proxy_headers=False,  # the setting access.trusted_proxies says whose are believed
            log_level="error",  # garbage from the network is not worth a line each
            lifespan="off",
            server_header=False,
            limit_concurrency=self._settings.max_connections,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="millrace-api", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise SourceError("the HTTP server did not start; the log says why")
            time.sleep(0.01)

    def stop(self) -> None:
        """End streams, finish what is being answered, and close."""
        self._app.state.stopping = True
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        if self._socket is not None:
            self._socket.close()
        self._socket = self._server = self._thread = None

    @property
    def url(self) -> str:
        """Where it answers; only while it runs."""
        assert self._socket is not None
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _allow_descriptors(connections: int) -> None:
    """Raise the soft limit of open files, of which every connection is one; the store needs many, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OTHER_DESCRIPTORS + connections
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _listen(host: str, port: int) -> socket.socket:
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
