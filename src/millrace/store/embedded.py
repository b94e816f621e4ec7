"""The store in a folder: ClickHouse inside this process."""

from __future__ import annotations

from pathlib import Path

from millrace.errors import StoreError
from millrace.files import ENGINE_FOLDER, private_folder
from millrace.schema import Schema
from millrace.store.config import StoreSettings
from millrace.store.disk import measure
from millrace.store.embedded_engine import EmbeddedEngine, server_settings
from millrace.store.engine_store import EngineStore
from millrace.store.folder import refuse_foreign
from millrace.store.lock import FolderLock
from millrace.store.sql_server import SqlServer


class EmbeddedStore(EngineStore):
    """Flows in a data folder, no server needed.

    One folder per process: the engine is a singleton.

    Parameters
    ----------
    folder : Path
        Made if it is missing. Holds ``clickhouse/``, a lock file and, while
        started, the socket of ``millrace sql``.
    schema : Schema
    settings : StoreSettings

    Attributes
    ----------
    sql : SqlServer
        Answers ``millrace sql`` while started.
    """

    def __init__(self, folder: Path, schema: Schema, settings: StoreSettings | None = None) -> None:
        folder, settings = Path(folder), settings or StoreSettings()
        engine = EmbeddedEngine(folder / ENGINE_FOLDER, server_settings(settings), settings.query_connections)
        super().__init__(engine, folder, lambda: measure(folder), schema, settings)
        self._lock = FolderLock(folder)
        self.sql = SqlServer(folder, self.execute_local)

    def start(self, *, on_purpose: bool = False) -> None:
        """Lock the folder, and see `EngineStore.start`.

        Raises
        ------
        StoreLockedError
            Another process holds the folder.
        StoreLossError
            This configuration or version would lose what is stored; nothing was changed.
        StoreCorruptError, StoreError
            With what to do about it; also where the folder seems to be another program's.
        """
        try:
            refuse_foreign(self._folder)
            private_folder(self._folder)
            self._lock.acquire()
        except OSError as error:
            raise StoreError(f"the data folder {self._folder} cannot be used: {error}") from error
        super().start(on_purpose=on_purpose)
        try:
            self.sql.start()
        except OSError as error:
            self.stop()
            raise StoreError(f"the socket of 'millrace sql' cannot be made in {self._folder}: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close everything; what was inserted stays."""
        self.sql.stop()
        super().stop()
        self._lock.release()
