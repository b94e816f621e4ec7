"""``millrace sql``: ask a data folder, whoever holds it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from millrace.errors import QueryError, StoreError, StoreLockedError
from millrace.files import ENGINE_FOLDER, SOCKET_FILE, private_folder
from millrace.store.config import StoreSettings
from millrace.store.embedded_engine import EmbeddedEngine, server_settings
from millrace.store.folder import require_folder
from millrace.store.lock import FolderLock
from millrace.store.results import Results
from millrace.store.sql_server import ANSWER, LENGTH, receive, short_path


def local_sql(
    folder: Path,
    sql: str,
    format: str = "PrettyCompact",  # noqa: A002 - ClickHouse's word
    *,
    outside: bool = False,
) -> bytes:
    """Answer a statement about a data folder; read only.

    If nobody has the folder it is opened, as it is, for the time of the
    statement, else the holder is asked over its socket.

    Parameters
    ----------
    folder : Path
    sql : str
    format : str
        One of ClickHouse's output formats.
    outside : bool
        Whether the statement may read and write files and ask other hosts (as the user whose process holds the
        folder), and change settings of its own.

    Raises
    ------
    QueryError
        The statement is wrong or would change something.
    StoreError
        There is no such data folder, or its holder does not answer.
    """
    require_folder(folder)
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except StoreLockedError:
        return ask(folder, sql, format, outside=outside)
    private_folder(folder)
    settings = StoreSettings()
    engine = EmbeddedEngine(folder / ENGINE_FOLDER, server_settings(settings), 1)
    try:
        engine.start()
        return Results(engine, settings).formatted(sql, format, outside=outside)
    finally:
        engine.stop()
        lock.release()


def ask(folder: Path, sql: str, output: str, *, outside: bool = False) -> bytes:
    """Send a statement to the process that holds the folder.

    Raises
    ------
    QueryError
        What the other side said.
    StoreError
        If nobody answers on the socket.
    """
    request = json.dumps({"sql": sql, "format": output, "outside": outside}).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            with short_path(folder) as path:
                connection.connect(path)
            connection.sendall(LENGTH.pack(len(request)) + request)
            status, length = ANSWER.unpack(receive(connection, ANSWER.size))
            body = receive(connection, length)
        except OSError as error:
            raise StoreError(f"the process that holds {folder} does not answer on {SOCKET_FILE}: {error}") from error
    if status:
        raise QueryError(body.decode("utf-8", "replace"))
    return body
