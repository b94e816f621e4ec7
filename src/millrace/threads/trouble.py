"""The last error of something that goes on after errors, and whether it is over."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import structlog

from millrace.errors import MillraceError
from millrace.telemetry import Condition, Status

log = structlog.get_logger(__name__)

_LOG_AGAIN_S = 1.0
"""Different errors in turn are logged at most this often; all are counted."""


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
        self._logged = float("-inf")

    def note(self, error: BaseException | str, **facts: object) -> None:
        """Something went wrong; logged with `facts` unless it is what went wrong before.

        Defects (exceptions other than our own) are logged with where they happened.
        """
        text = error_text(error)
        new = text != self.error
        self.failures += 1
        self.error = self.last_error = text
        self.last_error_at = datetime.now(UTC)
        if not new or time.monotonic() - self._logged < _LOG_AGAIN_S:
            return
        self._logged = time.monotonic()
        defect = isinstance(error, BaseException) and not isinstance(error, MillraceError | OSError)
        log.error(f"{self.what} failed", error=text, exc_info=error if defect else None, **facts)

    def clear(self) -> None:
        """It went well."""
        if self.error:
            self.error = ""
            self._logged = float("-inf")
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
