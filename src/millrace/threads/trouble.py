"""The last error of something that goes on after errors, and whether it is over."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog

from millrace.errors import MillraceError
from millrace.telemetry import Condition, Status

log = structlog.get_logger(__name__)

_LOG_AGAIN_S = 1.0
_AT_ONCE = 4.0
"""Errors in turn, different ones or with successes between, are logged this often, and a few at once; all are counted.
Whoever can cause one with a datagram must not fill the log."""


class Trouble:
    """Remembers what went wrong until `clear` says that it went well again.

    Written by one thread, read by any.

    Parameters
    ----------
    what : str
        What is done, for the log: "decoding", "storing flows".

    Attributes
    ----------
    error : str
        What is wrong now; empty when the last attempt went well.
    last_error : str
        The last error, also when it is over; empty if there was none.
    last_error_at : datetime, optional
        When it happened, UTC.
    failures : int
        Errors since the start.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.error = ""
        self.last_error = ""
        self.last_error_at: datetime | None = None
        self.failures = 0
        self._spare, self._noted = _AT_ONCE, time.monotonic()
        self._told = ""
        """The error that was logged, while it lasts."""

    def note(self, error: BaseException | str, **facts: object) -> None:
        """Something went wrong; logged with `facts` unless it is what went wrong before.

        Defects (exceptions other than our own) are logged with where they happened.
        """
        text = error_text(error)
        self.failures += 1
        self.error = self.last_error = text
        self.last_error_at = datetime.now(UTC)
        before, self._noted = self._noted, time.monotonic()
        self._spare = min(_AT_ONCE, self._spare + (self._noted - before) / _LOG_AGAIN_S)
        if text == self._told or self._spare < 1:
            return
        self._told, self._spare = text, self._spare - 1
        defect = isinstance(error, BaseException) and not isinstance(error, MillraceError | OSError)
        log.error(f"{self.what} failed", error=text, exc_info=error if defect else None, **facts)

    def clear(self) -> None:
        """It went well."""
        if self.error:
            self.error = ""
            if self._told:
                self._told = ""
                log.info(f"{self.what} works again", failures=self.failures)

    def condition(self, status: Status, sentence: str) -> Condition:
        """Condition of the component: `status` while something is wrong, with `sentence` before the error."""
        if self.error:
            return Condition(status, (f"{sentence}: {self.error}",), self.last_error, self.last_error_at)
        return Condition(last_error=self.last_error, last_error_at=self.last_error_at)


def error_text(error: BaseException | str) -> str:
    """What an error says; of defects also their kind."""
    if isinstance(error, str | MillraceError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
