"""Unreadable parts: found when something reads them, checked, and set aside.

The engine sets a part aside when it cannot load it. One whose files are there
but hold damaged values only shows when it is read, and would fail every rollup
and many questions. Such a part is detached: its files move to the folder
``detached`` of its table, the rest stays readable. Both are written down.
"""

from __future__ import annotations

import contextlib
import re
import threading

from millrace.store import faults
from millrace.store.audit import AuditLog, Deletion
from millrace.store.ddl import literal, quote
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.faults import EngineError
from millrace.store.parts import find_parts
from millrace.store.resolutions import shown_as

_WHERE = re.compile(r"reading from part \S*/([^/\s]+)/? in table \w+\.(\w+)")


class Damage:
    """Parts that are suspected to be damaged.

    Parameters
    ----------
    engine : Engine
    audit : AuditLog, optional
        Told of what is set aside.
    """

    def __init__(self, engine: Engine, audit: AuditLog | None = None) -> None:
        self._engine = engine
        self._audit = audit
        self._guard = threading.Lock()
        self._suspects: dict[tuple[str, str], None] = {}

    def note(self, error: BaseException) -> None:
        """Remember the part that an engine error names, if it says that it cannot be read."""
        if not faults.is_corruption(error):
            return
        with self._guard:
            for part, table in _WHERE.findall(str(error)):
                self._suspects[table, part] = None

    def set_aside(self) -> list[str]:
        """Check the suspects and detach the damaged ones; a sentence for each of these."""
        with self._guard:
            suspects, self._suspects = self._suspects, {}
        if suspects:
            # One that a full device tore is replaced by those that it was merged of; it is not there any more then.
            with contextlib.suppress(EngineError):
                self._engine.check_writes()
        return [
            f"part {part} of table {table} is damaged; it was set aside and its rows are missing"
            for table, part in suspects
            if self._detach_if_damaged(table, part)
        ]

    def report_unloaded(self, state: Facts) -> None:
        """Write down parts that the engine set aside when it opened, once."""
        rows = self._engine.rows(
            "SELECT table, name, bytes_on_disk FROM system.detached_parts "
            "WHERE database = currentDatabase() AND reason != ''"
        )
        known = state.get("detached")
        for table, part, size in rows:
            if f"{table}/{part}" not in known:
                self._record(table, f"part {part} could not be loaded; its files are in detached/", 0, int(size))
        found = {f"{table}/{part}": True for table, part, _ in rows}
        if found != known:
            state.put("detached", found)

    def _record(self, table: str, reason: str, rows: int, size: int, range_ms: tuple[int, int] | None = None) -> None:
        if self._audit is not None:
            self._audit.record(Deletion("set-aside", shown_as(table), reason, rows, size, *(range_ms or (None, None))))

    def _detach_if_damaged(self, table: str, part: str) -> bool:
        try:
            found = [known for known in find_parts(self._engine, [table]) if known.name == part]
            verdict = self._engine.rows(
                f"CHECK TABLE {quote(table)} PART {literal(part)} SETTINGS check_query_single_value_result = 1"
            )
            if verdict and verdict[0][0] == "1":
                return False
            self._engine.execute(f"ALTER TABLE {quote(table)} DETACH PART {literal(part)}")
        except EngineError:
            # Merged or dropped meanwhile: whoever reads the damaged one next names it again.
            return False
        for known in found:
            reason = f"part {part} is damaged; its files are in detached/"
            self._record(table, reason, known.rows, known.bytes, (known.oldest_ms, known.newest_ms))
        return True
