"""Unreadable parts: found when something reads them, checked, and set aside.

The engine sets a part aside when it cannot load it. One whose files are there
but hold damaged values only shows when it is read, and would fail every rollup
and many questions. Such a part is detached: its files move to the folder
``detached`` of its table, the rest stays readable.
"""

from __future__ import annotations

import re
import threading

from millrace.store import faults
from millrace.store.ddl import literal, quote
from millrace.store.engine import Engine

_WHERE = re.compile(r"reading from part \S*/([^/\s]+)/? in table \w+\.(\w+)")


class Damage:
    """Parts that are suspected to be damaged.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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
        return [
            f"part {part} of table {table} is damaged; it was set aside and its rows are missing"
            for table, part in suspects
            if self._detach_if_damaged(table, part)
        ]

    def _detach_if_damaged(self, table: str, part: str) -> bool:
        try:
            verdict = self._engine.rows(
                f"CHECK TABLE {quote(table)} PART {literal(part)} SETTINGS check_query_single_value_result = 1"
            )
            if verdict and verdict[0][0] == "1":
                return False
            self._engine.execute(f"ALTER TABLE {quote(table)} DETACH PART {literal(part)}")
        except RuntimeError:
            # Merged or dropped meanwhile: whoever reads the damaged one next names it again.
            return False
        return True
