"""``millrace sql`` while another process holds the folder: a Unix socket in it.

Only the user who runs the collector may connect (mode 0600, no network). A
request is a length (8 bytes, network order) and JSON ``{"sql", "format",
"outside"}``; an answer is a status byte (0 result, 1 error), a length and the bytes.
Whoever closes the connection before has the statement ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from millrace.errors import MillraceError
from millrace.files import SOCKET_FILE
from millrace.store.cancel import Cancel
from millrace.telemetry import Condition
from millrace.threads import Trouble, Watched

_MAX_REQUEST_BYTES = 1 << 20
_MAX_CLIENTS = 4
_IDLE_S = 10.0
_ERROR_PAUSE_S = 0.5
LENGTH = struct.Struct("!Q")
ANSWER = struct.Struct("!BQ")
# Longest path of a Unix socket on Linux, its final zero byte included.
_MAX_PATH_BYTES = 108


class Execute(Protocol):
    """Answers a statement."""

    def __call__(
        self,
        sql: str,
        format: str,  # noqa: A002 - ClickHouse's word
        *,
        outside: bool,
        cancel: Cancel,
    ) -> bytes:
        """The answer in an output format; `outside`: it may read and write beyond the store."""


class SqlServer:
    """Answers statements of local operators.

    Parameters
    ----------
    folder : Path
        Where the socket appears.
    execute : callable
        SQL and output format to bytes; reads.

    Attributes
    ----------
    trouble : Trouble
        Of taking connections.
    """

    def __init__(self, folder: Path, execute: Execute) -> None:
        self._folder = folder
        self._execute = execute
        self._socket: socket.socket | None = None
        self._thread: Watched | None = None
        self._stopping = threading.Event()
        self.trouble = Trouble("answering 'millrace sql'")
        self._slots = threading.BoundedSemaphore(_MAX_CLIENTS)

    def start(self) -> None:
        """Listen. A socket file left by a dead process is replaced: the folder lock is ours."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / SOCKET_FILE).unlink()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Nobody may connect between bind and chmod, since nobody listens yet.
        with short_path(self._folder) as path:
            self._socket.bind(path)
        (self._folder / SOCKET_FILE).chmod(0o600)
        self._socket.listen(_MAX_CLIENTS)
        self._stopping.clear()
        self._thread = Watched("millrace-sql", self._accept, self.trouble)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._socket is None:
            return
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._socket = None
        if self._thread is not None:
            self._thread.join(_IDLE_S)
        with contextlib.suppress(FileNotFoundError):
            (self._folder / SOCKET_FILE).unlink()

    @property
    def restarts(self) -> int:
        """How often the thread was begun anew since it was started."""
        return 0 if self._thread is None else self._thread.restarts

    def condition(self) -> Condition:
        """What health says of it."""
        if self._thread is not None and not self._thread.alive and not self._stopping.is_set():
            return Condition("degraded", ("the thread that answers 'millrace sql' does not run",))
        return self.trouble.condition("degraded", "'millrace sql' is not answered")

    def _accept(self) -> None:
        listener = self._socket
        while listener is not None and not self._stopping.is_set():
            try:
                if self.trouble.error:
                    # What was wrong, no descriptor left most likely, is seen to be over without a client.
                    listener.dup().close()
                    self.trouble.clear()
                client, _ = listener.accept()
            except OSError as error:
                if not self._stopping.is_set():
                    self.trouble.note(error)
                    self._stopping.wait(_ERROR_PAUSE_S)
                continue
            try:
                threading.Thread(target=self._serve, args=(client,), name="millrace-sql-client", daemon=True).start()
            except RuntimeError as error:
                client.close()
                self.trouble.note(error)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(_IDLE_S)
            with self._slots:
                status, body = self._answer(client)
            client.sendall(ANSWER.pack(status, len(body)))
            client.sendall(body)

    def _answer(self, client: socket.socket) -> tuple[int, bytes]:
        try:
            (length,) = LENGTH.unpack(receive(client, LENGTH.size))
            if length > _MAX_REQUEST_BYTES:
                return 1, b"the statement is too long"
            request = json.loads(receive(client, length))
            outside = request.get("outside") is True
            with _cancelled_without(client) as cancel:
                return 0, self._execute(str(request["sql"]), str(request["format"]), outside=outside, cancel=cancel)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return 1, f"malformed request: {error}".encode()
        except MillraceError as error:
            return 1, str(error).encode()


@contextmanager
def _cancelled_without(client: socket.socket) -> Iterator[Cancel]:
    """What ends a statement whose asker has gone: it would hold a connection of the engine until it is through."""
    cancel, over = Cancel(), threading.Event()
    gone = select.poll()
    gone.register(client, select.POLLIN | select.POLLRDHUP)

    def watch() -> None:
        gone.poll()
        if not over.is_set():
            cancel.cancel()

    watcher = threading.Thread(target=watch, name="millrace-sql-watch", daemon=True)
    watcher.start()
    try:
        yield cancel
    finally:
        over.set()
        with contextlib.suppress(OSError):
            # Has the poll return; what is asked was read.
            client.shutdown(socket.SHUT_RD)
        watcher.join()


def receive(connection: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes; ConnectionError if the other side closes before."""
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise ConnectionError("the other side closed the connection")
        parts += part
    return bytes(parts)


@contextmanager
def short_path(folder: Path) -> Iterator[str]:
    """Path of the socket; through a descriptor of the folder where the name is too long."""
    path = str(folder / SOCKET_FILE)
    if len(os.fsencode(path)) < _MAX_PATH_BYTES:
        yield path
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}/{SOCKET_FILE}"
    finally:
        os.close(fd)
