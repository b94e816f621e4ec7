"""The embedded engine: chDB, a ClickHouse inside this process.

Measured with chDB 4.4 on two cores, and relied upon here:

* statements release the GIL, so that receive threads go on during an insert;
* a connection runs one statement at a time, several connections run side by
  side: hence a pool, and a connection of its own for each role;
* a statement is ended from another connection by ``KILL QUERY``; it raises,
  and its connection stays usable. It is found by the setting ``log_comment``:
  a comment in its text is lost when parameters are put in;
* the engine is one per process, with one path; it ends with its last
  connection;
* ``Connection.send_insert`` hides errors that appear when the part is
  committed (a full device): it reports rows that were never stored. Rows are
  therefore handed over as a Native block in an anonymous memory file, which
  ``INSERT … SELECT … FROM file()`` reads at the same speed and with errors;
* a write that fails because the device is full is not noticed at all: see
  `millrace.store.torn`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from millrace.errors import StoreError
from millrace.store import parameters as binding
from millrace.store.cancel import Cancel
from millrace.store.config import StoreSettings
from millrace.store.connection import Connection
from millrace.store.ddl import literal, setting_list
from millrace.store.faults import EngineError
from millrace.store.gate import Gate
from millrace.store.native import Buffer
from millrace.store.torn import TornParts

_MIB = 1024 * 1024

_GATE_POLL_S = 0.05
"""How soon a question that waits for a connection notices that it was cancelled."""

_STOP_S = 10.0
"""How long a stop waits for statements that run: a process that ends under them crashes."""

_KILL_AGAIN_S = 0.05
"""How soon a cancelled statement that goes on is looked for again: the engine may not have known it yet."""


class EmbeddedEngine:
    """Connections to the embedded engine of one folder.

    Parameters
    ----------
    folder : Path
        The engine's own folder.
    server : mapping
        Settings of the server (``mark_cache_size`` …).
    connections : int
        Reading connections that may be open at the same time.

    Attributes
    ----------
    torn : TornParts
        Looks for parts that could not be written whole.
    """

    def __init__(self, folder: Path, server: Mapping[str, int | str], connections: int) -> None:
        self._folder = folder
        self._server = dict(server)
        self._writers: list[Connection] = []
        self._readers: list[Connection] = []
        self._gate = threading.BoundedSemaphore(connections)
        self._tables = Gate()
        self.torn = TornParts(self._look, self._tables)
        self._looking = threading.Lock()
        self._looker: Connection | None = None
        self._guard = threading.Lock()
        self._given_back = threading.Condition(self._guard)
        self._leased = 0
        self._open = False

    def start(self) -> None:
        """Open the engine.

        Raises
        ------
        StoreError
            If the engine cannot be opened.
        """
        if "?" in str(self._folder):
            raise StoreError(f"the data folder {self._folder} has a '?' in its name, which the engine cannot open")
        self._open = True
        try:
            with self._writer() as connection:
                connection.execute("SELECT 1")
            self._looker = self._connect()
            self.torn.start()
        except EngineError as error:
            self._open = False
            if "already initialized with path" in str(error):
                raise StoreError(f"this process has another data folder open than {self._folder}; stop that") from error
            raise StoreError(f"the embedded engine cannot open {self._folder}: {error}") from error

    def stop(self) -> None:
        """End questions that run, wait for what is being written, close; with the last connection the engine ends."""
        with self._guard:
            was_open, self._open = self._open, False
            idle = self._writers + self._readers
            self._writers, self._readers = [], []
        if was_open:
            self._end_questions(idle)
        for connection in idle:
            connection.close()
        with self._looking:
            if self._looker is not None:
                self._looker.close()
            self._looker = None

    def _end_questions(self, idle: list[Connection]) -> None:
        """Wait for the statements that run, at most `_STOP_S`; those that only read are ended."""
        deadline = time.monotonic() + _STOP_S
        while self._leased and time.monotonic() < deadline:
            with contextlib.suppress(EngineError):
                if not idle:
                    idle.append(self._connect())
                idle[0].execute("KILL QUERY WHERE Settings['readonly'] IN ('1', '2') ASYNC")
            with self._guard:
                if self._leased:
                    self._given_back.wait(_KILL_AGAIN_S)

    def execute(
        self,
        sql: str,
        settings: Mapping[str, int | str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Run a statement that writes (see `Engine.execute`)."""
        statement = sql + (f" SETTINGS {setting_list(settings)}" if settings else "")
        with self._writer() as connection, self.torn.writing(sql):
            connection.execute(statement, parameters)

    def rows(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[list[str]]:
        """Run a small internal SELECT (see `Engine.rows`)."""
        with self._tables.passing():
            return self._rows(sql, parameters)

    def _rows(self, sql: str, parameters: Mapping[str, str] | None = None) -> list[list[str]]:
        with self._writer() as connection:
            return _texts(connection, sql, parameters)

    def release_memory(self) -> None:
        """Give back what the engine's allocator keeps of memory that was freed; EngineError if it cannot."""
        with self._writer() as connection:
            connection.execute("SYSTEM JEMALLOC PURGE")

    def check_writes(self) -> None:
        """Look for parts that were not written whole (see `Engine.check_writes`)."""
        self.torn.look()

    def _look(self, sql: str) -> list[list[str]]:
        """Run a statement of `torn`, also while a stop waits for the statement that is looked after."""
        with self._looking:
            if self._looker is None:
                raise StoreError("the store is not started")
            return _texts(self._looker, sql)

    def insert(
        self,
        table: str,
        names: Sequence[str],
        structure: str,
        block: Sequence[Buffer],
        settings: Mapping[str, int | str],
    ) -> None:
        """Insert one Native block (see `Engine.insert`)."""
        columns = ", ".join(f"`{name}`" for name in names)
        with _memory_file(block, self._folder) as path:
            sql = (
                f"INSERT INTO `{table}` ({columns}) SETTINGS {setting_list(settings)} "
                f"SELECT {columns} FROM file({literal(path)}, 'Native', {literal(structure)})"
            )
            with self._writer() as connection, self.torn.writing(sql):
                connection.execute(sql)

    def read(
        self,
        sql: str,
        output: str,
        parameters: Mapping[str, object],
        settings: Mapping[str, int | float | str],
        cancel: Cancel | None = None,
        *,
        sealed: bool = False,
    ) -> bytes:
        """Run a statement that may only read (see `Engine.read`).

        That it is sealed is a state which a connection does not leave: such a statement has one of its own.
        """
        bound = {name: binding.bind(value) for name, value in parameters.items()}
        reader = self._sealed_reader(cancel) if sealed else self._reader(cancel)
        with reader as connection, self._tables.passing(), self._cancellable(cancel) as mark:
            limits = ", ".join(
                f"{name} = {literal(value) if isinstance(value, str) else value}"
                # An old mark on this connection could be that of a statement which is being ended.
                for name, value in {**settings, "log_comment": mark, **({"readonly": 1} if sealed else {})}.items()
            )
            connection.execute(f"SET {limits}")
            return connection.read(sql, output, bound)

    @contextmanager
    def _cancellable(self, cancel: Cancel | None) -> Iterator[str]:
        """A mark by which the statement is found, and ended if `cancel` says so."""
        if cancel is None:
            yield ""
            return
        mark = secrets.token_hex(8)
        over = threading.Event()

        def stop() -> None:
            # Not in the thread that cancels: it may be an event loop.
            threading.Thread(target=self._kill, args=(mark, over), name="millrace-cancel", daemon=True).start()

        try:
            with cancel.stopping(stop):
                yield mark
        finally:
            over.set()

    def _kill(self, mark: str, over: threading.Event) -> None:
        """End the statement that carries `mark`; goes on until it is over."""
        while not over.is_set():
            try:
                self._rows(f"KILL QUERY WHERE Settings['log_comment'] = {literal(mark)} ASYNC")
            except (EngineError, StoreError):
                return
            over.wait(_KILL_AGAIN_S)

    def _connect(self) -> Connection:
        return Connection(self._folder, self._server)

    @contextmanager
    def _writer(self) -> Iterator[Connection]:
        with self._lease(self._writers, "") as connection:
            yield connection

    @contextmanager
    def _reader(self, cancel: Cancel | None) -> Iterator[Connection]:
        self._enter(cancel)
        try:
            with self._lease(self._readers, "SET readonly = 2") as connection:
                yield connection
        finally:
            self._gate.release()

    @contextmanager
    def _sealed_reader(self, cancel: Cancel | None) -> Iterator[Connection]:
        used: list[Connection] = []
        self._enter(cancel)
        try:
            with self._lease(used, "") as connection:
                yield connection
        finally:
            self._gate.release()
            for connection in used:
                connection.close()

    def _enter(self, cancel: Cancel | None) -> None:
        """Wait for a place among the readers."""
        if cancel is None:
            self._gate.acquire()
            return
        cancel.check()
        while not self._gate.acquire(timeout=_GATE_POLL_S):
            cancel.check()

    @contextmanager
    def _lease(self, idle: list[Connection], greeting: str) -> Iterator[Connection]:
        """An idle connection, or a new one; it goes back when the statement is over."""
        with self._guard:
            if not self._open:
                raise StoreError("the store is not started")
            self._leased += 1
            connection = idle.pop() if idle else None
        try:
            if connection is None:
                connection = self._connect()
                if greeting:
                    connection.execute(greeting)
            yield connection
        finally:
            self._give_back(idle, connection)

    def _give_back(self, idle: list[Connection], connection: Connection | None) -> None:
        with self._guard:
            kept = self._open
            if kept and connection is not None:
                idle.append(connection)
        try:
            if not kept and connection is not None:
                connection.close()
        finally:
            with self._guard:
                self._leased -= 1
                self._given_back.notify_all()


def _texts(connection: Connection, sql: str, parameters: Mapping[str, str] | None = None) -> list[list[str]]:
    raw = connection.read(sql, "TabSeparatedRaw", parameters)
    return [line.split("\t") for line in raw.decode("utf-8", "replace").splitlines()]


@contextmanager
def _memory_file(block: Sequence[Buffer], folder: Path) -> Iterator[str]:
    """Write buffers to a file in memory (where the system has none: in the folder); yields its path."""
    create = getattr(os, "memfd_create", None)
    if create is not None:
        with os.fdopen(create("millrace-insert"), "wb", buffering=0) as file:
            _write_all(file.fileno(), block)
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="insert-") as named:
            _write_all(named.fileno(), block)
            yield named.name


def _write_all(fd: int, block: Sequence[Buffer]) -> None:
    for buffer in block:
        view = memoryview(buffer)
        while view:
            view = view[os.write(fd, view) :]


_LOOK_FOR_WORK = {
    "background_processing_pool_thread_sleep_seconds_if_nothing_to_do": "0.02",
    "background_processing_pool_task_sleep_seconds_when_no_work_random_part": "0.02",
}
"""How soon a table is looked at again for which there was no thread, and how much later at random; ten per cent more
each time. Left alone the engine waits up to a second longer: so does a deletion, for each of the parts it rewrites."""


def server_settings(settings: StoreSettings) -> dict[str, int | str]:
    """Keep the engine small: its defaults take half of the machine's memory for caches."""
    return {
        "max_server_memory_usage": settings.engine_bytes,
        "merges_mutations_memory_usage_soft_limit": settings.engine_bytes // 2,
        "background_pool_size": settings.merge_threads,
        "background_merges_mutations_concurrency_ratio": 1,
        **_LOOK_FOR_WORK,
        "background_schedule_pool_size": 2,
        "mark_cache_size": 64 * _MIB,
        "index_mark_cache_size": 16 * _MIB,
        "primary_index_cache_size": 64 * _MIB,
        "query_condition_cache_size": 16 * _MIB,
        "compiled_expression_cache_size": 16 * _MIB,
        "mmap_cache_size": 64,
        "session_timezone": "UTC",
    }
