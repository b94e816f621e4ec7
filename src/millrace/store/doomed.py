"""What is to be deleted on purpose, and what that would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from millrace.schema import Schema

FOREVER_MS = (2**32 - 1) * 1000
"""Unix milliseconds that no flow reaches."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """Flows that are to be deleted.

    Parameters
    ----------
    text : str
        The filter, as it was written; for the audit log.
    condition : str
        The same as SQL on a row; its values are parameters.
    parameters : mapping
        Values by name: numbers, texts, and lists of them.
    columns : tuple of str
        Columns that the condition reads.
    start_ms, end_ms : int
        Range of ``TimeReceived``, Unix milliseconds, the end excluded.
    """

    text: str
    condition: str = "true"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    start_ms: int = 0
    end_ms: int = FOREVER_MS

    def reads_keys(self, schema: Schema) -> bool:
        """Whether rollups know all that the condition reads."""
        return all(name in schema and schema[name].rollup == "key" for name in self.columns)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a deletion would do.

    Attributes
    ----------
    flows : int
        Single flows that match.
    oldest_ms, newest_ms : int, optional
        Their range of time; None if there are none.
    rolled : dict
        Flows that would no longer be counted in each rollup, by table. Where only keys are read also
        such as are no longer there as single flows.
    notes : tuple of str
        What cannot be corrected, as sentences.
    """

    flows: int
    oldest_ms: int | None
    newest_ms: int | None
    rolled: dict[str, int]
    notes: tuple[str, ...]
