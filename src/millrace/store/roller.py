"""Keeps the rollups up to date, exactly once for every flow.

Before a statement runs, its plan is written down: which source blocks it
takes, and the last block of its target. Afterwards the flows it added are
counted against the flows it took, and the plan is marked done. After a crash
in between, the plan tells what to look at: if the numbers agree the statement
had finished, otherwise what it added is removed and it runs again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from millrace.errors import StoreError
from millrace.schema import Column, Schema
from millrace.store import faults, rollups
from millrace.store.config import StoreSettings
from millrace.store.damage import Damage
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.faults import EngineError
from millrace.store.resolutions import RESOLUTIONS, Resolution
from millrace.store.rollups import BlockRange
from millrace.store.store import Maintenance
from millrace.store.unseen import with_unseen

_QUIET_MS = 2_000
"""Without inserts for this long, nothing is gained by waiting for the end of an interval."""

_MIN_ROWS, _MAX_ROWS = 100_000, 20_000_000
_FIRST_RATIO = 0.25
"""Groups per source row assumed before the first statement has shown it."""


@dataclass(slots=True)
class Pending:
    """Source rows that a rollup has not taken yet."""

    rows: int = 0
    oldest_ms: float = math.inf

    def add(self, rows: int, oldest_ms: float) -> None:
        """Count more of them."""
        self.rows += rows
        self.oldest_ms = min(self.oldest_ms, oldest_ms)


@dataclass(frozen=True, slots=True)
class RollupPlan:
    """A statement that was begun.

    Parameters
    ----------
    blocks : BlockRange
        What it takes.
    target : int
        Last block of its target before it.
    rows, flows : int
        What these blocks held then (-1: not known): parts that are lost afterwards (damaged, set
        aside) do not make a finished statement look unfinished, and what it added is not removed.
    """

    blocks: BlockRange
    target: int
    rows: int
    flows: int

    @property
    def stored(self) -> dict[str, int]:
        """As the state keeps it."""
        return {"upto": self.blocks.upto, "target": self.target, "rows": self.rows, "flows": self.flows}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a plan."""

    complete: bool
    source_rows: int
    written: int
    oldest_ms: int


class Progress:
    """How far one rollup is.

    Attributes
    ----------
    done : int
        Source blocks up to here are in the rollup.
    closed_ms : int, optional
        Intervals that end here or earlier are in the rollup.
    ratio : float
        Groups per source row, as last seen.
    pending : Pending
        Source rows that are not in it.
    taking_ms : float
        Oldest of those that are being taken, Unix milliseconds.
    last_round : int
        Source rows that waited for the round in which the last intervals were closed.
    plan : RollupPlan, optional
        Begun and not yet known to be finished or undone.
    """

    def __init__(self, resolution: Resolution) -> None:
        self.resolution = resolution
        self.done = 0
        self.closed_ms: int | None = None
        self.ratio = _FIRST_RATIO
        self.pending = Pending()
        self.taking_ms = math.inf
        self.last_round = 0
        self.plan: RollupPlan | None = None
        self.last_insert_ms: float = -math.inf
        self.inserted = False

    @property
    def key(self) -> str:
        """Where the state keeps it."""
        return f"rollup:{self.resolution.name}"

    def close(self, closed_ms: int, last_round: int = 0) -> None:
        """Note that intervals up to here are in the rollup, and how many rows the round took that closed them."""
        if self.closed_ms is None or closed_ms > self.closed_ms:
            self.closed_ms, self.last_round = closed_ms, last_round


class Roller:
    """Computes the rollups.

    Parameters
    ----------
    engine, state, schema, settings
    damage : Damage
        Is told of parts that cannot be read.
    """

    def __init__(self, engine: Engine, state: Facts, schema: Schema, settings: StoreSettings, damage: Damage) -> None:
        self._engine = engine
        self._damage = damage
        self._state = state
        self._configured = self._schema = schema
        self._settings = settings
        self._guard = threading.Lock()
        self._progress = {resolution.table: Progress(resolution) for resolution in RESOLUTIONS}
        self._by_source = {progress.resolution.source: progress for progress in self._progress.values()}

    def start(self, unseen: Iterable[Column] = ()) -> None:
        """Read how far each rollup is and finish or undo what a crash left.

        Parameters
        ----------
        unseen : iterable of Column
            Columns that the tables have and the schema lacks; rollups keep them.
        """
        self._schema = with_unseen(self._configured, unseen)
        for progress in self._progress.values():
            progress.pending = Pending()
            stored = self._state.get(progress.key)
            progress.done = int(stored.get("done", 0))
            plan = stored.get("plan")
            if plan is not None:
                blocks = BlockRange(progress.done, int(plan["upto"]))
                progress.plan = RollupPlan(
                    blocks, int(plan["target"]), int(plan.get("rows", 0)), int(plan.get("flows", -1))
                )
                self._try_to_settle(progress, progress.plan)
            self._lower(progress, self._last_block(progress.resolution.source))
            rows, oldest_ms = self._engine.rows(rollups.pending_statement(progress.resolution.source, progress.done))[0]
            if int(rows):
                progress.pending.add(int(rows), int(oldest_ms))

    def _lower(self, progress: Progress, last_block: int) -> None:
        """Lower a watermark to the last block that is there: numbers start again after it.

        To be written down before the first insert: its blocks would be taken for done at the next start.
        """
        plan = progress.plan
        if last_block >= (progress.done if plan is None else plan.blocks.upto):
            return
        progress.done = min(progress.done, last_block)
        if plan is not None:
            progress.plan = plan = replace(plan, blocks=BlockRange(progress.done, last_block))
        self._state.put(progress.key, {"done": progress.done} | ({"plan": plan.stored} if plan else {}))

    def inserted(self, table: str, rows: int, oldest_ms: float) -> None:
        """Note rows that were inserted into a source table."""
        progress = self._by_source.get(table)
        if progress is not None:
            with self._guard:
                progress.pending.add(rows, oldest_ms)
                progress.inserted = True

    def closed_ms(self) -> dict[str, int | None]:
        """Up to where each rollup is complete, by resolution.

        Not beyond the oldest row that waits for it or for a finer one: rows come late where the
        store refused for a while, and where the clock was set back.
        """
        found: dict[str, int | None] = {}
        oldest_ms = math.inf
        with self._guard:
            for progress in self._progress.values():
                oldest_ms = min(oldest_ms, progress.pending.oldest_ms, progress.taking_ms)
                closed_ms = progress.closed_ms
                if closed_ms is not None and oldest_ms < closed_ms:
                    closed_ms = progress.resolution.floor_ms(int(oldest_ms))
                found[progress.resolution.name] = closed_ms
        return found

    def waiting_rows(self, source: str) -> int:
        """Rows of a source table that wait for its rollup, or did when its last round began, if those were more."""
        progress = self._by_source[source]
        with self._guard:
            return max(progress.pending.rows, progress.last_round)

    def taken_blocks(self) -> dict[str, int]:
        """By source table, the last block that its rollup has taken."""
        return {progress.resolution.source: progress.done for progress in self._progress.values()}

    def step(self, now_ms: int, done: Maintenance, *, hurry: bool = False) -> None:
        """Run what is due, one statement per resolution at most.

        Parameters
        ----------
        now_ms : int
            Unix milliseconds.
        done : Maintenance
            Written to.
        hurry : bool
            Do not wait for more rows of a closed interval.
        """
        until_ms = now_ms - int(self._settings.rollup_grace_seconds * 1000)
        for progress in self._progress.values():
            closed_ms = progress.resolution.floor_ms(until_ms)
            if self._due(progress, closed_ms, now_ms, hurry=hurry):
                self._run(progress, closed_ms, done)
            with self._guard:
                if progress.pending.oldest_ms >= closed_ms:
                    progress.close(closed_ms)
            if progress.closed_ms is None:
                return
            # A clock that was set back closes nothing again before its time.
            until_ms = min(until_ms, progress.closed_ms)

    def drain(self, done: Maintenance) -> bool:
        """Take everything that is stored, of open intervals too; False if something failed.

        For acts that need every stored flow in the rollups. Flows of an open interval that come
        later are added as late ones are.
        """
        for progress in self._progress.values():
            while True:
                before = progress.done
                waiting = self._engine.rows(rollups.pending_statement(progress.resolution.source, before))[0]
                if not int(waiting[0]) and progress.plan is None:
                    break
                errors = len(done.errors)
                self._run(progress, progress.closed_ms or 0, done)
                if len(done.errors) > errors or progress.done == before:
                    return False
        return True

    def idle(self) -> bool:
        """Whether every rollup is complete up to its last closed interval."""
        with self._guard:
            return all(
                progress.closed_ms is not None and progress.pending.oldest_ms >= progress.closed_ms
                for progress in self._progress.values()
            )

    def _due(self, progress: Progress, closed_ms: int, now_ms: int, *, hurry: bool) -> bool:
        with self._guard:
            if progress.inserted:
                progress.inserted, progress.last_insert_ms = False, now_ms
            if progress.pending.rows >= self._max_rows(progress):
                return True
            if progress.pending.oldest_ms >= closed_ms:
                return False
            quiet = now_ms - progress.last_insert_ms >= _QUIET_MS
            return hurry or quiet or closed_ms != progress.closed_ms

    def _max_rows(self, progress: Progress) -> int:
        return int(min(_MAX_ROWS, max(_MIN_ROWS, self._settings.rollup_max_groups / progress.ratio)))

    def _try_to_settle(self, progress: Progress, plan: RollupPlan) -> None:
        """Settle on start; where data cannot be read the next round tries again, the folder opens."""
        try:
            self._settle(progress, plan)
        except EngineError as error:
            self._damage.note(error)

    def _run(self, progress: Progress, closed_ms: int, done: Maintenance) -> None:
        """Take the pending blocks, or as many of them as one statement may."""
        resolution = progress.resolution
        with self._guard:
            taken, progress.pending = progress.pending, Pending()
            progress.taking_ms = taken.oldest_ms
        try:
            if progress.plan is not None:
                self._settle(progress, progress.plan)
            rows = self._engine.rows(rollups.parts_statement(resolution.source, progress.done))
            parts = [(int(first), int(last), int(count)) for first, last, count in rows]
            blocks = BlockRange(progress.done, rollups.choose_upto(parts, progress.done, self._max_rows(progress)))
            source_rows = written = 0
            if blocks.upto > blocks.after:
                source_rows, written = self._take(progress, blocks)
        except (EngineError, StoreError) as error:
            self._damage.note(error)
            if faults.is_out_of_memory(error):
                progress.ratio *= 2
            self._wait_again(progress, taken)
            done.errors.append(f"rollup {resolution.name}: {' '.join(str(error).split())[:400]}")
            return
        except BaseException:
            # A defect: no rows may pass for rolled up because of it.
            self._wait_again(progress, taken)
            raise
        left = any(last > blocks.upto for _, last, _ in parts)
        if left:
            with self._guard:
                progress.pending.add(max(1, taken.rows - source_rows), taken.oldest_ms)
        name = resolution.name
        done.rolled_up_rows[name] = done.rolled_up_rows.get(name, 0) + source_rows
        done.written_rows[name] = done.written_rows.get(name, 0) + written
        with self._guard:
            progress.taking_ms = math.inf
            if not left:
                progress.close(closed_ms, taken.rows)

    def _wait_again(self, progress: Progress, taken: Pending) -> None:
        """Rows that were to be taken wait as before."""
        with self._guard:
            progress.pending.add(taken.rows, taken.oldest_ms)
            progress.taking_ms = math.inf

    def _take(self, progress: Progress, blocks: BlockRange) -> tuple[int, int]:
        """Add a range of source blocks to the rollup; source rows taken and rows written."""
        resolution = progress.resolution
        rows, flows, _ = self._summary(resolution.source, blocks.where)
        plan = RollupPlan(blocks, self._last_block(resolution.table), rows, flows)
        self._state.put(progress.key, {"done": progress.done, "plan": plan.stored})
        progress.plan = plan
        try:
            self._engine.execute(rollups.rollup_statement(self._schema, resolution, blocks), self._statement_settings())
        except EngineError:
            self._settle(progress, plan)
            raise
        settled = self._settle(progress, plan)
        if not settled.complete:
            raise StoreError(f"the totals of blocks {blocks.after} to {blocks.upto} did not agree; they are redone")
        return settled.source_rows, settled.written

    def _settle(self, progress: Progress, plan: RollupPlan) -> Settled:
        """Mark a planned range done if all of it arrived, else remove what arrived."""
        resolution = progress.resolution
        written, arrived, oldest_ms = self._summary(resolution.table, rollups.newer_than(plan.target))
        source_rows, complete = plan.rows, arrived == plan.flows
        if not complete:
            source_rows, left, _ = self._summary(resolution.source, plan.blocks.where)
            # Of a source that lost rows meanwhile, more arrived than could be taken again.
            complete = arrived == left or (left < arrived and not 0 <= plan.flows < arrived)
        settled = Settled(complete, source_rows, written, oldest_ms)
        if settled.complete:
            progress.done = plan.blocks.upto
            if written:
                progress.ratio = written / max(source_rows, 1)
                self.inserted(resolution.table, written, oldest_ms)
        elif written:
            self._engine.execute(rollups.undo_statement(resolution, plan.target))
        self._state.put(progress.key, {"done": progress.done})
        progress.plan = None
        return settled

    def _statement_settings(self) -> dict[str, int | str]:
        return {
            "max_threads": self._settings.rollup_threads,
            "max_insert_threads": 1,
            "insert_deduplicate": 0,
            "max_partitions_per_insert_block": 0,
            "max_memory_usage": self._settings.query_memory_bytes,
            "max_bytes_before_external_group_by": self._settings.query_memory_bytes // 3,
            "min_insert_block_size_rows": 262_144,
            "min_insert_block_size_bytes": 0,
            # Both sides of the join see the same parts, so that a position means one row.
            "enable_shared_storage_snapshot_in_query": 1,
        }

    def _summary(self, table: str, condition: str) -> tuple[int, int, int]:
        row = self._engine.rows(rollups.summary_statement(table, condition))[0]
        return int(row[0]), int(row[1]), int(row[2])

    def _last_block(self, table: str) -> int:
        return int(self._engine.rows(rollups.last_block_statement(table))[0][0])
