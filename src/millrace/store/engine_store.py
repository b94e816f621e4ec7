"""The store over an engine: what is the same for every ClickHouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import structlog

from millrace.batch import FlowBatch
from millrace.errors import MillraceError, StoreError, StoreFullError
from millrace.schema import COUNTER_COLUMNS, MAX_SAMPLING_RATE, Column, Schema
from millrace.store import ddl, dictionaries, faults, layouts, migrations, native
from millrace.store.audit import AuditLog
from millrace.store.cancel import Cancel
from millrace.store.closing import Closer
from millrace.store.config import StoreSettings
from millrace.store.damage import Damage
from millrace.store.deletion import Deleter
from millrace.store.disk import Room, Space
from millrace.store.doomed import Doomed, Forecast
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.faults import EngineError
from millrace.store.guard import Guard
from millrace.store.keeper import Keeper
from millrace.store.knowledge import Knowledge
from millrace.store.marked import MarkedHours
from millrace.store.pruning import Prunable, Pruner
from millrace.store.resolutions import COUNTER_TABLE, OPEN_TABLE
from millrace.store.results import Results
from millrace.store.roller import Roller
from millrace.store.status import table_statuses
from millrace.store.store import LATE_SECONDS, Maintenance, StoreStatus
from millrace.store.tokens import Tokens
from millrace.store.unseen import Unseen, find_unseen, rolled, with_unseen

log = structlog.get_logger(__name__)

_RETRY_S = 0.1
_CLOSE_S = 1.0
"""Of a round of maintenance, for closing hours: a pass that has begun is finished."""

_LOOK_S = 2.0
"""Of a round of maintenance, for looking through what was stored before the start."""
_ROOM_PER_BYTE = 4
"""Bytes of room made for a byte that is to be inserted, when the engine found the device full: also for merges."""

_COUNTERS = Schema(base=COUNTER_COLUMNS)


class EngineStore:
    """Flows in the tables of a ClickHouse, whichever it is: the `Store` over an `Engine`.

    Parameters
    ----------
    engine : Engine
    folder : Path
        Data folder of this process: its audit log is there, and errors name it.
    space : callable
        Asks how much room the device of the tables has.
    schema : Schema
    settings : StoreSettings
    """

    def __init__(
        self, engine: Engine, folder: Path, space: Callable[[], Space], schema: Schema, settings: StoreSettings
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._space = space
        self._schema = schema
        self._settings = settings
        self._tables = tuple(ddl.tables(schema, settings))
        self._audit = AuditLog(folder)
        self._damage = Damage(engine, self._audit)
        self._results = Results(engine, settings, self._damage)
        self._state = Facts(engine)
        self._closer = Closer(engine, self._state, settings)
        self._roller = Roller(engine, self._state, schema, settings, self._damage)
        self._knowledge = Knowledge(engine, self._state, self._tables)
        self._marked = MarkedHours(engine, self._damage)
        self._tokens = Tokens()
        self._room = Room(engine, folder, space, settings, self._audit)
        self._guard = Guard(engine, self._state, schema, self._tables, self._audit)
        self._pruner = Pruner(engine, self._state, self._tables, self._guard, self._audit)
        self._keeper = Keeper(
            engine, self._state, self._tables, self._audit, self._guard, self._room, self._roller, self._closer
        )
        self._maintaining = threading.Lock()
        self._past_guard = threading.Lock()
        self._past_changes = 0
        self._insert_errors: dict[str, str] = {}
        self._maintain_error = ""

    def start(self, *, on_purpose: bool = False) -> None:
        """Open the engine, migrate the tables, recover the rollups.

        Parameters
        ----------
        on_purpose : bool
            Open it for an act that drops on purpose: a shorter retention is not refused, and
            counts only once `prune` was called.

        Raises
        ------
        StoreLossError
            This configuration or version would lose what is stored; nothing was changed.
        StoreCorruptError, StoreError
            With what to do about it.
        """
        try:
            self._engine.start()
            self._prepare(on_purpose=on_purpose)
        except EngineError as error:
            self.stop()
            raise faults.of_start(error, self._folder) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close the engine; what was inserted stays."""
        self._engine.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def insert(self, flows: FlowBatch, *, token: str | None = None) -> None:
        """Store flows; returns when they are in ``flows`` (see `Store.insert`)."""
        if flows.rows:
            flows = _with_bounded_rates(_with_time(flows))
            self._marked.note(flows)
            self._insert(OPEN_TABLE, flows, self._schema, token)
            times = flows.columns["TimeReceived"]
            assert isinstance(times, np.ndarray)
            oldest_ms = int(times.min())
            self._roller.inserted(OPEN_TABLE, flows.rows, oldest_ms)
            self._keeper.note(oldest_ms)
            if oldest_ms < (time.time() - LATE_SECONDS) * 1000:
                self._change_past()

    def insert_counters(self, counters: FlowBatch) -> None:
        """Store interface counters (columns of `COUNTER_COLUMNS`)."""
        if counters.rows:
            self._insert(COUNTER_TABLE, counters, _COUNTERS, None)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        max_rows: int | None = None,
        max_seconds: float | None = None,
        max_memory_bytes: int | None = None,
        cancel: Cancel | None = None,
        typed: bool = True,
    ) -> pa.Table:
        """Answer a question (see `Store.query`).

        Times come as timestamps in UTC, enumerations and texts as strings,
        IPv6 addresses as 16 bytes.
        """
        return self._results.table(
            sql,
            parameters or {},
            max_rows=max_rows,
            max_seconds=max_seconds,
            max_memory_bytes=max_memory_bytes,
            cancel=cancel,
            typed=typed,
        )

    def execute_local(
        self,
        sql: str,
        format: str = "PrettyCompact",  # noqa: A002 - ClickHouse's word
        *,
        outside: bool = False,
        cancel: Cancel | None = None,
    ) -> bytes:
        """Answer a question of the local operator in one of ClickHouse's output formats; read only.

        If `outside`, it may read and write files and ask other hosts, as the user of this process.
        """
        return self._results.formatted(sql, format, outside=outside, cancel=cancel)

    def may_be_implausible(self, start_s: int, end_s: int) -> bool:
        """Whether flows of a range may be marked (see `Store.may_be_implausible`)."""
        return self._marked.may_be(start_s, end_s)

    def maintain(self, now_ms: int) -> Maintenance:
        """Roll up closed intervals, drop what expired, make room where that is wanted (see `Store.maintain`)."""
        return self._maintain(now_ms, hurry=False)

    def wait_until_rolled_up(
        self, now_ms: int | None = None, *, timeout_s: float = 60.0, unless: Callable[[], bool] = lambda: False
    ) -> None:
        """Maintain until every rollup is complete up to its last closed interval.

        Parameters
        ----------
        now_ms : int, optional
            Taken as the present; by default the clock's.
        timeout_s : float
        unless : callable
            Asked between statements; true: leave it at that.

        Raises
        ------
        StoreError
            If it takes longer, with the last error.
        """
        deadline = time.monotonic() + timeout_s
        while not unless():
            done = self._maintain(int(time.time() * 1000) if now_ms is None else now_ms, hurry=True)
            if self._roller.idle():
                return
            if time.monotonic() > deadline:
                raise StoreError(f"the rollups are not complete after {timeout_s} s: {done.errors}")
            if done.errors:
                time.sleep(_RETRY_S)

    def release_memory(self) -> None:
        """Give memory that the engine freed back to the system.

        Raises
        ------
        StoreError
            If the store is not started, or the engine cannot.
        """
        with faults.refusing("giving back memory"):
            self._engine.release_memory()

    @faults.refusing("telling what is stored")
    def status(self) -> StoreStatus:
        """Sizes, extents, free space, progress of the rollups (see `Store.status`)."""
        past_changes = self._past_changes  # first: what is stored meanwhile is not taken for known
        space = self._space()
        shown = [table for table in self._tables if table.name != ddl.STATE_TABLE]
        error = next(filter(None, list(self._insert_errors.values())), self._maintain_error)
        return StoreStatus(
            table_statuses(self._engine, shown, self._closer.count()),
            space.free_bytes,
            space.total_bytes,
            error,
            self._roller.closed_ms(),
            self._roller.waiting_rows(OPEN_TABLE),
            self._knowledge.gaps,
            self.warnings(),
            past_changes,
        )

    @faults.refusing("looking for what can be dropped")
    def prunable(self) -> Prunable:
        """Expired rows and columns that the configuration lacks; StoreError if the engine does not say them."""
        return self._pruner.look(time.time_ns() // 1_000_000)

    @faults.refusing("dropping on purpose; run it again")
    def prune(self, *, expired: bool = False, columns: Iterable[Unseen] = ()) -> None:
        """Drop expired rows, by the wall clock, and columns.

        Raises
        ------
        StoreError
            If the rollups cannot be completed first, or something cannot be dropped.
        """
        with self._maintaining:
            if expired:
                self._drain()
                self._pruner.drop_expired(time.time_ns() // 1_000_000)
                self._keeper.start()
            self._pruner.drop_unseen(columns)
            self._closer.start()
            self._roller.start(self._unseen())
            self._change_past()

    @faults.refusing("counting the flows to be deleted")
    def forecast_deletion(self, doomed: Doomed) -> Forecast:
        """Count what `delete` would remove, when all that is stored is rolled up.

        Raises
        ------
        StoreError
            If the rollups cannot be completed, or stored data cannot be read.
        """
        with self._maintaining:
            self._drain()
            return self._deleter().forecast(doomed)

    @faults.refusing("deleting flows")
    def delete(self, doomed: Doomed) -> Forecast:
        """Delete flows for good, from the rollups too; what was deleted.

        Every other flow goes on being counted once. If the process is killed meanwhile, the next
        start finishes it.

        Raises
        ------
        StoreError
            If the rollups cannot be completed or the act cannot be written down: nothing was deleted.
            If a step fails: the next start goes on.
        """
        with self._maintaining:
            self._drain()
            deleter = self._deleter()
            forecast = deleter.forecast(doomed)
            if forecast.flows or any(forecast.rolled.values()):
                deleter.begin(doomed, forecast)
                deleter.finish()
                self._roller.start(self._unseen())
                self._change_past()
            return forecast

    def _change_past(self) -> None:
        """Note that answers about the past are other ones from now on."""
        with self._past_guard:
            self._past_changes += 1

    def _drain(self) -> None:
        done = Maintenance()
        if not self._roller.drain(done):
            raise StoreError(f"nothing was deleted, for the rollups cannot be completed: {'; '.join(done.errors)}")

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at, as sentences; does not block."""
        return self._keeper.warnings

    def deleted_rows(self) -> dict[tuple[str, str], int]:
        """Rows deleted since the start, by act (``retention``, ``drop-oldest`` …) and table."""
        return dict(self._audit.rows)

    def _prepare(self, *, on_purpose: bool) -> None:
        migrations.migrate(self._engine, [ddl.state_table()])
        self._state.start()
        self._guard.refuse_newer(self._folder, allow=self._settings.allow_newer_store)
        now_ms = time.time_ns() // 1_000_000
        allow = on_purpose or self._settings.allow_shorter_retention
        self._guard.refuse_shorter(self._folder, now_ms, allow=allow)
        layouts.adopt(self._engine)
        self._knowledge.update()
        migrations.migrate(self._engine, layouts.with_before(self._engine, self._tables))
        if not on_purpose:
            self._guard.promise()
        dictionaries.install(self._engine, self._state)
        self._damage.report_unloaded(self._state)
        self._closer.start()
        self._finish_deletion()
        self._roller.start(self._unseen())
        if layouts.is_old(self._engine):
            self._set_apart()
        self._keeper.start()
        self._marked.start()

    def _set_apart(self) -> None:
        """Begin to bring the flows of an earlier version into the tables of this one: they are closed in time."""
        done = Maintenance()
        if not self._roller.drain(done):
            log.warning("flows of an earlier version stay as they are until the next start", errors=done.errors)
            return
        self._knowledge.count_anew()
        self._closer.expect_before()
        layouts.set_apart(self._engine)
        migrations.migrate(self._engine, self._tables)
        self._closer.start()
        self._roller.start(self._unseen())

    def _unseen(self) -> list[Column]:
        """Columns of the rollups that the schema lacks."""
        return rolled(find_unseen(self._engine, self._tables), self._guard.roles())

    def _deleter(self) -> Deleter:
        return Deleter(
            self._engine,
            self._state,
            with_unseen(self._schema, self._unseen()),
            self._audit,
            self._knowledge.gaps,
            self._closer,
        )

    def _finish_deletion(self) -> None:
        try:
            finished = self._deleter().finish()
        except StoreError as error:
            # Nothing else is done before it is finished: a damaged part must not keep the folder from opening.
            if error.__cause__ is not None:
                self._damage.note(error.__cause__)
            if not self._damage.set_aside():
                raise
            finished = self._deleter().finish()
        if finished:
            log.warning("a deletion that was begun before is finished", folder=str(self._folder))

    def _insert(self, table: str, flows: FlowBatch, schema: Schema, token: str | None) -> None:
        try:
            try:
                self._insert_once(table, flows, schema, token)
            except (StoreFullError, EngineError, OSError) as error:
                if not (faults.is_full(error) and self._make_room(flows.nbytes)):
                    raise
                self._insert_once(table, flows, schema, token)
        except (EngineError, OSError) as error:
            refused = faults.of_write(error, f"inserting {flows.rows} rows into {table}")
            self._insert_errors[table] = str(refused)
            raise refused from error
        except MillraceError as error:
            self._insert_errors[table] = str(error)
            raise
        self._insert_errors[table] = ""

    def _insert_once(self, table: str, flows: FlowBatch, schema: Schema, token: str | None) -> None:
        names = tuple(flows.columns)
        settings: dict[str, int | str] = {
            "max_threads": 1,
            "max_insert_threads": 1,
            "max_partitions_per_insert_block": 0,
        }
        its_token, left = self._tokens.rest(token, flows)
        if its_token is None:
            settings["insert_deduplicate"] = 0
        else:
            settings |= {"insert_deduplication_token": its_token, "deduplicate_insert_select": "force_enable"}
        block = native.encode(left, schema)
        self._room.require()
        try:
            self._engine.insert(table, names, native.structure(names, schema), block, settings)
        except faults.TornError as error:
            self._tokens.torn(token, error)
            raise
        except BaseException:
            self._tokens.failed(token)
            raise
        self._tokens.done(token)

    def _maintain(self, now_ms: int, *, hurry: bool) -> Maintenance:
        done = Maintenance()
        started = time.perf_counter()
        with self._maintaining:
            try:
                self._engine.check_writes()
                self._keeper.make_room(done)
                self._room.require()
                self._roller.step(now_ms, done, hurry=hurry)
                done.closed_rows = self._closer.step(now_ms, _CLOSE_S)
                if not self._tokens.may_come_again():
                    self._closer.drop_originals(self._roller.taken_blocks()[OPEN_TABLE])
            except (StoreError, EngineError) as error:
                done.errors.append(" ".join(str(error).split())[:600])
            done.errors += self._damage.set_aside()
            self._keeper.expire(now_ms, done)
            self._marked.look(_LOOK_S)
        done.seconds = time.perf_counter() - started
        self._maintain_error = done.errors[-1] if done.errors else ""
        return done

    def _make_room(self, wanted_bytes: int) -> bool:
        """Make room for a block if that is wanted; whether to try again."""
        if not self._room.makes_room:
            return False
        with self._maintaining:
            return self._keeper.make_room(Maintenance(), _ROOM_PER_BYTE * wanted_bytes)


def _with_bounded_rates(flows: FlowBatch) -> FlowBatch:
    """Sampling rates from 1 to `MAX_SAMPLING_RATE`, whatever source they come from: sums of questions rely on it."""
    rates = flows.columns.get("SamplingRate")
    if rates is None:
        return flows
    assert isinstance(rates, np.ndarray)
    if rates.min() >= 1 and rates.max() <= MAX_SAMPLING_RATE:
        return flows
    bounded = FlowBatch(flows.rows, dict(flows.columns), dict(flows.valid))
    bounded.put("SamplingRate", np.clip(rates, 1, MAX_SAMPLING_RATE), flows.valid.get("SamplingRate"))
    return bounded


def _with_time(flows: FlowBatch) -> FlowBatch:
    """Flows always have a time: without one they would land in 1970 and expire at once."""
    if "TimeReceived" in flows.columns:
        return flows
    stamped = FlowBatch(flows.rows, dict(flows.columns), dict(flows.valid))
    stamped.put("TimeReceived", np.full(flows.rows, int(time.time() * 1000), np.int64))
    return stamped
