"""Facts that the store remembers: a small key-value table in the engine itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from millrace.store.ddl import STATE_TABLE, literal
from millrace.store.engine import Engine


class Facts:
    """Key-value facts, kept where the flows are kept and as durable as they.

    Every `put` adds a row; the one with the highest version counts.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._version = 0
        self._guard = threading.Lock()

    def start(self) -> None:
        """Find the highest version used so far, and drop rows that newer ones replace."""
        self._version = int(self._engine.rows(f"SELECT max(Version) FROM {STATE_TABLE}")[0][0])
        count = int(self._engine.rows(f"SELECT count() - uniqExact(Key) FROM {STATE_TABLE}")[0][0])
        if count > 10_000:
            newest = f"SELECT max(Version) FROM {STATE_TABLE} GROUP BY Key"
            self._engine.execute(f"DELETE FROM {STATE_TABLE} WHERE Version NOT IN ({newest})")

    def get(self, key: str) -> dict[str, Any]:
        """Value of a key; empty if it has none."""
        found = self._engine.rows(
            f"SELECT Value FROM {STATE_TABLE} WHERE Key = {literal(key)} ORDER BY Version DESC LIMIT 1"
        )
        value: dict[str, Any] = json.loads(found[0][0]) if found else {}
        return value

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Set the value of a key; durable when it returns."""
        self.put_all({key: value})

    def put_all(self, values: Mapping[str, dict[str, Any]]) -> None:
        """Set the values of some keys, of all or none; durable when it returns."""
        if not values:
            return
        with self._guard:
            self._version += 1
            version = self._version
        rows = (f"SELECT {literal(key)}, {literal(json.dumps(value))}, {version}" for key, value in values.items())
        self._engine.execute(f"INSERT INTO {STATE_TABLE} {' UNION ALL '.join(rows)}", {"insert_deduplicate": 0})
