"""Health: what each component says of itself, and the worst of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

Status = Literal["ok", "degraded", "failed"]
"""``degraded``: it works, somebody should look; ``failed``: data is or will be lost."""

_ORDER: tuple[Status, ...] = ("ok", "degraded", "failed")


@dataclass(frozen=True, slots=True)
class Condition:
    """What a component says of itself.

    Parameters
    ----------
    status : Status
    reasons : tuple of str
        Sentences; empty if ok.
    last_error : str
        The last error, also when it is over; empty if there was none.
    last_error_at : datetime, optional
        When that happened.
    notes : tuple of str
        Sentences that somebody may want to know though nothing is wrong; no reason for an alarm.
    """

    status: Status = "ok"
    reasons: tuple[str, ...] = ()
    last_error: str = ""
    last_error_at: datetime | None = None
    notes: tuple[str, ...] = ()


Check: TypeAlias = "Callable[[], Condition]"
"""Asked at each report, from any thread; must not block."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Condition of everything.

    Attributes
    ----------
    status : Status
        The worst of all components.
    components : dict of str to Condition
    """

    status: Status
    components: dict[str, Condition]


def worst(conditions: Iterable[Condition]) -> Condition:
    """Conditions of the parts of a component as one: the worst status, every reason and note, the latest error."""
    parts = list(conditions)
    statuses: list[Status] = [part.status for part in parts]
    status = max(statuses, key=_ORDER.index, default=_ORDER[0])
    reasons = tuple(reason for part in parts for reason in part.reasons)
    last = max(
        (part for part in parts if part.last_error_at is not None),
        key=lambda part: part.last_error_at or datetime.min.replace(tzinfo=UTC),
        default=Condition(),
    )
    notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
    return Condition(status, reasons, last.last_error, last.last_error_at, notes)


class Health:
    """Registry of checks. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checks: dict[str, Check] = {}

    def register(self, component: str, check: Check) -> None:
        """Ask `check` for the condition of a component; replaces an earlier one of that name."""
        with self._lock:
            self._checks[component] = check

    def unregister(self, component: str) -> None:
        """Forget a component that was stopped."""
        with self._lock:
            self._checks.pop(component, None)

    def report(self) -> HealthReport:
        """Ask every component."""
        with self._lock:
            checks = dict(self._checks)
        components = {name: _ask(check) for name, check in checks.items()}
        worst = max((_ORDER.index(condition.status) for condition in components.values()), default=0)
        return HealthReport(_ORDER[worst], components)


def _ask(check: Check) -> Condition:
    try:
        return check()
    except Exception as error:  # a check that fails is an answer
        return Condition("failed", (f"cannot be checked: {type(error).__name__}: {error}",))
