"""The database: connections, transactions, and its errors as ours."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, select
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from millrace.errors import ConfigError, ConflictError, StateError
from millrace.files import STATE_DATABASE, private_folder
from millrace.state.config import StateSettings
from millrace.state.migrations import migrate

log = structlog.get_logger(__name__)

_WRITES = "millrace_writes"
_LONGEST_REASON = 300
_WAL_TRIES = 100
_WAL_PAUSE_S = 0.02


class _UnreachableError(StateError):
    """The server refuses connections, or is not there."""


class Database:
    """SQLite file or PostgreSQL; usable from several threads, beside other processes.

    Parameters
    ----------
    settings : StateSettings
    folder : Path
        Where the SQLite file lies.
    """

    def __init__(self, settings: StateSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._prepared = False

    def start(self) -> None:
        """Connect, and bring the tables to the present version.

        A server that does not answer yet is no error: flows are collected
        without it, and whoever asks next tries again.

        Raises
        ------
        ConfigError
            If the driver of PostgreSQL is missing.
        StateError
            If the file cannot be used, or a newer Millrace made the database.
        """
        url = self._settings.postgresql()
        try:
            self._engine = self._sqlite() if url is None else self._postgresql(url)
            self._prepare()
        except BaseException as error:
            if url is not None and isinstance(error, _UnreachableError):
                log.error("the state database does not answer yet; nobody can log in", error=str(error))
                return
            self.stop()
            raise

    def stop(self) -> None:
        """Close every connection."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = None
        self._prepared = False

    def ping(self) -> None:
        """Ask the database something.

        Raises
        ------
        StateError
            If it does not answer.
        """
        with self.read() as connection:
            connection.execute(select(1))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one state of the database.

        Raises
        ------
        StateError
            If the database does not answer.
        """
        self._prepare()
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that changes; undone if the block raises.

        Raises
        ------
        ConflictError
            If a name is taken (another process may have been faster).
        StateError
            If the database does not answer.
        """
        self._prepare()
        with self._transaction(writes=True) as connection:
            yield connection

    def _prepare(self) -> None:
        """Bring the tables to the present version, once."""
        if self._prepared:
            return
        with self._lock:
            if not self._prepared:
                with self._transaction(writes=True) as connection:
                    migrate(connection)
                self._prepared = True

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        if self._engine is None:
            raise StateError("the state database is closed")
        try:
            with self._engine.connect().execution_options(**{_WRITES: writes}) as connection, connection.begin():
                yield connection
        except IntegrityError as error:
            raise ConflictError("something else has this name already") from error
        except SQLAlchemyError as error:
            kind = _UnreachableError if isinstance(error, OperationalError) else StateError
            # Never `str(error)`: it repeats the statement, and some drivers the address with its password.
            reason = str(getattr(error, "orig", None) or type(error).__name__).strip()[:_LONGEST_REASON]
            raise kind(f"the state database does not answer: {self._without_password(reason)}") from None

    def _sqlite(self) -> Engine:
        path = self._folder / STATE_DATABASE
        try:
            private_folder(self._folder)
            # SQLite gives its journals the mode of the file.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise StateError(f"cannot open {path}: {error.strerror or error}") from error
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            pool_size=self._settings.connections,
            max_overflow=0,
            pool_timeout=self._settings.busy_timeout_seconds,
            connect_args={"timeout": self._settings.busy_timeout_seconds},
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgresql(self, url: URL) -> Engine:
        if importlib.util.find_spec("psycopg") is None:
            raise ConfigError("state.url: PostgreSQL needs a driver; install it: pip install 'millrace[postgresql]'")
        return create_engine(
            url,
            pool_size=self._settings.connections,
            max_overflow=0,
            pool_timeout=self._settings.busy_timeout_seconds,
            pool_pre_ping=True,
            connect_args={"connect_timeout": max(2, round(self._settings.busy_timeout_seconds))},
            hide_parameters=True,
        )

    def _without_password(self, reason: str) -> str:
        url = self._settings.postgresql()
        password = url.password if url is not None else None
        return reason.replace(password, "***") if password else reason


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:  # noqa: ANN401 - the pool's own record
    # Without this, Python's driver begins transactions by itself, and only before the first change.
    connection.isolation_level = None
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Keep changes in a write-ahead log; SQLite does not wait for another process that sets the same just now."""
    for _ in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            time.sleep(_WAL_PAUSE_S)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes could fail at once instead of waiting.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
