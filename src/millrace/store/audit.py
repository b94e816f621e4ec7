"""What was deleted from a data folder: a file that only grows, a line of JSON for each act.

Not a table of the engine: it outlives damage there, and is read while another process holds the folder.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import structlog

from millrace.errors import StoreError
from millrace.files import AUDIT_FILE

log = structlog.get_logger(__name__)

Act = Literal["retention", "drop-oldest", "prune", "drop-column", "delete-begun", "delete", "set-aside", "keep"]
"""``set-aside`` moves a damaged part out of its table; ``keep`` changes for how long rows are kept."""

_EVENTS: dict[Act, str] = {
    "keep": "rows are kept for fewer days from now on",
    "delete-begun": "a deletion begins",
    "set-aside": "a damaged part was set aside",
}


@dataclass(frozen=True, slots=True)
class Deletion:
    """An act that deletes, or decides what will be deleted.

    Parameters
    ----------
    act : str
    table : str
    reason : str
        A sentence.
    rows, bytes : int
        How much; bytes of the device, 0 where they are not known.
    oldest_ms, newest_ms : int, optional
        Range of ``TimeReceived`` of these rows, Unix milliseconds.
    filter : str
        In the filter language, for ``delete``.
    id : str
        Ties the lines of one act together.
    """

    act: Act
    table: str
    reason: str
    rows: int = 0
    bytes: int = 0
    oldest_ms: int | None = None
    newest_ms: int | None = None
    filter: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit log.

    Attributes
    ----------
    time_ms : int
        When, Unix milliseconds.
    who : str
        User of the operating system.
    deletion : Deletion
    """

    time_ms: int
    who: str
    deletion: Deletion


class AuditLog:
    """The audit log of a data folder.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    rows : Counter
        Rows deleted since the start, by act and table.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / AUDIT_FILE
        self.rows: Counter[tuple[str, str]] = Counter()

    def require(self, deletion: Deletion) -> None:
        """Add a line before the act; what cannot be written down is not done.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        try:
            self._append(deletion)
        except OSError as error:
            raise StoreError(f"nothing was deleted, for {self._path} cannot be written: {error}") from error

    def record(self, deletion: Deletion) -> None:
        """Add a line after the act. Where that fails (a full device) the program's log has it."""
        try:
            self._append(deletion)
        except OSError as error:
            log.error("the audit log cannot be written", file=str(self._path), error=str(error), **asdict(deletion))

    def entries(self) -> Iterator[Entry]:
        """All lines, the oldest first; a line that a crash cut short is left out."""
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        for line in text.splitlines():
            entry = _read(line)
            if entry is not None:
                yield entry

    def _append(self, deletion: Deletion) -> None:
        if deletion.act not in ("keep", "delete-begun"):
            self.rows[deletion.act, deletion.table] += deletion.rows
        routine = deletion.act == "retention"
        (log.info if routine else log.warning)(_EVENTS.get(deletion.act, "stored data deleted"), **_shown(deletion))
        entry = {"time_ms": time.time_ns() // 1_000_000, "who": _who(), **asdict(deletion)}
        # A line of its own, whatever a crash left of the one before.
        line = ("\n" if self._cut() else "") + json.dumps(entry, ensure_ascii=False) + "\n"
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, line.encode())
            os.fsync(fd)
        finally:
            os.close(fd)

    def _cut(self) -> bool:
        """Whether the last line has no end."""
        try:
            with self._path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
        except OSError:
            return False


def day(time_ms: int | None) -> str:
    """Date and minute of a time, in UTC."""
    if time_ms is None:
        return "?"
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"


def _shown(deletion: Deletion) -> dict[str, Any]:
    shown = {name: value for name, value in asdict(deletion).items() if value not in ("", None)}
    for name in ("oldest_ms", "newest_ms"):
        if name in shown:
            shown[name.removesuffix("_ms")] = day(shown.pop(name))
    return shown


def _read(line: str) -> Entry | None:
    try:
        fields = json.loads(line)
        return Entry(int(fields.pop("time_ms")), str(fields.pop("who")), Deletion(**fields))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _who() -> str:
    """By the user id of the process, not by what its environment says; that is believed where root runs it."""
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"uid {uid}"
    behind = os.environ.get("SUDO_USER", "") if uid == 0 else ""
    return f"{behind} (sudo, {user})" if behind and behind != user else user
