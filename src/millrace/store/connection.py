"""A connection to chDB, and its errors as ours.

The one place where statements are given to chDB, and the only one that knows
its names. Whatever chDB has to say comes as `RuntimeError`, to which also
belong errors that are none of the engine's: they are told apart here, and
nowhere else in the store does `RuntimeError` mean the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote as url_quote

from millrace.store.faults import EngineError


class Connection:
    """A connection to the engine of a folder; runs one statement at a time.

    Parameters
    ----------
    folder : Path
        The engine's own folder.
    server : mapping
        Settings of the server (``mark_cache_size`` …); those of the first connection count.

    Raises
    ------
    EngineError
        If the engine cannot be opened.
    """

    def __init__(self, folder: Path, server: Mapping[str, int | str]) -> None:
        # Half a gigabyte of library: loaded when a store starts, not on import.
        from chdb.state.sqlitelike import Connection as ChdbConnection

        arguments = "&".join(f"{name}={url_quote(str(value))}" for name, value in server.items())
        with _translated():
            self._connection: Any = ChdbConnection(f"{folder}?{arguments}")

    def execute(self, sql: str, parameters: Mapping[str, str] | None = None) -> None:
        """Run a statement whose result nobody wants, with bound values.

        Raises
        ------
        EngineError
            If the engine refuses it, or it fails or is ended.
        """
        with _translated():
            self._connection.query(sql, "Null", **_bound(parameters))

    def read(self, sql: str, output: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Run a statement with bound values; its result in a ClickHouse format.

        Raises
        ------
        EngineError
            If the engine refuses it, or it fails or is ended.
        """
        try:
            with _translated():
                raw: bytes = self._connection.query(sql, output, **_bound(parameters)).bytes()
        except EngineError:
            # chDB puts what the failed statement had written already before the result of the next one.
            with suppress(EngineError):
                self.execute("SELECT 1")
            raise
        return raw

    def close(self) -> None:
        """Give the connection up; with the last one the engine ends. Never fails."""
        self._connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Around a call of chDB: what the engine says becomes `EngineError`, everything else stays what it is."""
    try:
        yield
    except RuntimeError as error:
        # chDB takes every RuntimeError for the engine's, too, and names the one that it was made of as its cause.
        first = error.__cause__ if isinstance(error.__cause__, RuntimeError) else error
        if isinstance(first, RecursionError | NotImplementedError):
            raise first from None
        raise EngineError.of(str(error)) from error


def _bound(parameters: Mapping[str, str] | None) -> dict[str, Any]:
    return {"params": dict(parameters)} if parameters else {}
