"""One job, done every so often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from millrace.telemetry import Condition, Status
from millrace.threads.trouble import Trouble
from millrace.threads.watched import Watched

Job = Callable[[], "str | None"]
"""Does it once. Raises when it failed; returns a sentence when it was done but something in it went wrong."""

_LONGEST_PAUSE_S = 60.0


class Ticker:
    """Does a job at the start and then every period, in a thread of its own.

    A job that raises is tried again after the period, then after pauses that
    double up to a minute (or the period, if that is longer), until it succeeds.

    Parameters
    ----------
    name : str
        Short: ``maintenance``. Names thread, metric and health.
    what : str
        What is done, for the log and for people: "rolling up and dropping old flows".
    job : Job
    period_s : float
    status : Status
        Condition while it fails.

    Attributes
    ----------
    runs : int
        How often it was done.
    last_seconds : float
        How long it took last.
    """

    def __init__(self, name: str, what: str, job: Job, period_s: float, status: Status = "degraded") -> None:
        self.name = name
        self.trouble = Trouble(what)
        self.runs = 0
        self.last_seconds = 0.0
        self._job = job
        self._period_s = period_s
        self._status = status
        self._stopping = threading.Event()
        self._thread = Watched(f"millrace-{name}", self._run, self.trouble)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Let what is being done end, and the thread with it.

        Raises
        ------
        TimeoutError
            If it goes on for longer.
        """
        self._stopping.set()
        if not self._thread.join(timeout_s):
            raise TimeoutError(f"{self.trouble.what} goes on after {timeout_s:.0f} s")

    @property
    def restarts(self) -> int:
        """How often the thread was begun anew."""
        return self._thread.restarts

    def condition(self) -> Condition:
        """What health says of it."""
        if not self._thread.alive and not self._stopping.is_set():
            return Condition("failed", (f"{self.trouble.what}: its thread does not run",))
        return self.trouble.condition(self._status, f"{self.trouble.what} fails and is tried again")

    def _run(self) -> None:
        pause = self._period_s
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                partly_wrong = self._job()
            except Exception as error:  # noqa: BLE001, RUF100 - a job that fails is done again
                self.trouble.note(error)
                self._stopping.wait(pause)
                pause = min(2 * pause, max(_LONGEST_PAUSE_S, self._period_s))
                continue
            finally:
                self.runs += 1
                self.last_seconds = time.monotonic() - began
            if partly_wrong:
                self.trouble.note(partly_wrong)
            else:
                self.trouble.clear()
            pause = self._period_s
            self._stopping.wait(pause)
