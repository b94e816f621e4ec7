"""Where the flows are: the newest as they came, the older ones sorted and packed.

What arrives goes to the table of open hours, in the order of time, which costs
nothing. When an hour is over its flows are copied to the table of closed hours,
in an order that compresses three times as well and keeps together what is asked
for together (see `millrace.store.closing`). The view ``flows`` shows every flow
once, at every moment: a `Boundary` says which rows of each table count, and it
is changed as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from millrace.store.ddl import STATE_TABLE, literal, quote
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.parts import Part
from millrace.store.resolutions import BEFORE_TABLE, CLOSED_TABLE, OPEN_TABLE, RAW_TABLE
from millrace.store.rollups import newer_than

BOUNDARY_KEY = "closed"

ALL = 1 << 62
"""After every insert."""

NEVER_MS = 10_413_705_600_000
"""After every flow: the last day that the engine knows, 2299-12-31."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """What the table of closed hours holds.

    Attributes
    ----------
    until_ms : int
        Unix milliseconds. Flows received before are in the table of closed hours …
    block : int
        … if the table of open hours got them up to this insert; those that it got later came late,
        and are read there.
    closing : int
        Up to this insert the table of closed hours counts: what is being copied comes later. `ALL`: no copying.
    before_ms : int
        Flows received from this moment on are still read from the table that an earlier version made,
        the ones before are closed. `NEVER_MS`: there is no such table, or all of it is.
    """

    until_ms: int = 0
    block: int = 0
    closing: int = ALL
    before_ms: int = NEVER_MS

    @property
    def stored(self) -> dict[str, Any]:
        """As the state keeps it."""
        return asdict(self)

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Boundary:
        """What `stored` gave; nothing is closed where there is nothing."""
        return cls(**stored)

    @property
    def late(self) -> str:
        """Condition for flows of the open table that came when their time was closed."""
        return f"TimeReceived < {moment(self.until_ms)} AND {newer_than(self.block)}"


def is_copied(part: Part, boundary: Boundary) -> bool:
    """Whether all flows of a part are read from the table of closed hours, where their copies are."""
    last_ms = part.newest_ms + 999  # Times of parts are known to the second.
    if part.table == BEFORE_TABLE:
        return last_ms < boundary.before_ms
    return part.table == OPEN_TABLE and last_ms < boundary.until_ms and part.last_block <= boundary.block


def shown_parts(parts: Iterable[Part], state: Facts) -> list[Part]:
    """Parts without those of which copies are read."""
    boundary = Boundary.restored(state.get(BOUNDARY_KEY))
    return [part for part in parts if not is_copied(part, boundary)]


def install_view(engine: Engine, columns: Iterable[str], *, before: bool) -> None:
    """Make the view of every flow, unless it is there; to be run while nobody asks.

    It looks the boundary up with every question, once, so that it shows what counts at that moment.

    Parameters
    ----------
    engine : Engine
    columns : iterable of str
    before : bool
        Whether there is a table of an earlier version.
    """
    selected = every_flow(columns, before=before)
    digest = hashlib.sha256(selected.encode()).hexdigest()[:16]
    there = engine.rows(
        f"SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = {literal(RAW_TABLE)}"
    )
    if there != [[digest]]:
        engine.execute(f"CREATE OR REPLACE VIEW {quote(RAW_TABLE)} AS {selected} COMMENT {literal(digest)}")


def every_flow(columns: Iterable[str], *, before: bool, upto: int | None = None) -> str:
    """SELECT of every flow once.

    Parameters
    ----------
    columns : iterable of str
    before : bool
        Whether there is a table of an earlier version.
    upto : int, optional
        Leave out what the table of open hours got after this insert.
    """
    listed = ", ".join(map(quote, columns))
    known = "" if upto is None else f" AND _block_number <= {upto}"
    until, block, closing, before_ms = (_current(name) for name in ("until_ms", "block", "closing", "before_ms"))
    chosen = [
        (OPEN_TABLE, f"TimeReceived >= {_moment(until)}{known}"),
        (OPEN_TABLE, f"TimeReceived < {_moment(until)} AND {newer_than(block)}{known}"),
        # The engine finds the first part true when nothing is being copied, and does not read the second.
        (CLOSED_TABLE, f"{closing} = {ALL} OR _block_number <= {closing}"),
    ]
    if before:
        chosen.append((BEFORE_TABLE, f"TimeReceived >= {_moment(before_ms)}"))
    return " UNION ALL ".join(f"SELECT {listed} FROM {quote(table)} WHERE {condition}" for table, condition in chosen)


def moment(time_ms: int) -> str:
    """A moment of the type of ``TimeReceived``."""
    return _moment(str(max(time_ms, 0)))


def _moment(time_ms: str) -> str:
    return f"fromUnixTimestamp64Milli({time_ms}, 'UTC')"


def _current(name: str) -> str:
    """Expression for what the boundary says at the moment: a constant in each statement."""
    value = f"JSONExtract(argMax(Value, Version), {literal(name)}, 'Int64')"
    return f"(SELECT {value} FROM {STATE_TABLE} WHERE Key = {literal(BOUNDARY_KEY)})"
