"""A thread that is begun anew when it dies."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from millrace.threads.trouble import Trouble

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_SOUND_S = 60.0
"""A thread that ran for so long before it died is begun anew after the first, short pause."""
_HURRIED_PAUSE_S = 0.01
"""Once its end is waited for, which must not take as long as a pause."""


class Watched:
    """Runs a loop in a thread; whatever it raises, it is run again after a pause that grows.

    A loop handles its errors itself, so that they cost one piece of work.
    This is for what it did not handle: an error while handling one,
    `SystemExit`, no memory. The loop returns when it is to end.

    Parameters
    ----------
    name : str
        Of the thread.
    loop : callable
    trouble : Trouble
        Is told of a death. The loop clears it when a piece of work went well.

    Attributes
    ----------
    restarts : int
        How often it was begun anew.
    """

    def __init__(self, name: str, loop: Callable[[], None], trouble: Trouble) -> None:
        self.trouble = trouble
        self.restarts = 0
        self._loop = loop
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; whether it has ended (also if it never began).

        From then on a loop that dies is begun anew almost at once: it has to do what is left.
        """
        self._hurry.set()
        if self._thread.is_alive():
            self._thread.join(max(timeout_s, 0.0))
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                self._loop()
            except BaseException as error:  # noqa: BLE001, RUF100 - nothing may end the thread but its loop
                self.restarts += 1
                # Telling may fail for the same reason, no memory say; the thread goes on all the same.
                with contextlib.suppress(Exception):
                    self.trouble.note(error, restarts=self.restarts)
            else:
                return
            if time.monotonic() - began > _SOUND_S:
                pause = _FIRST_PAUSE_S
            if self._hurry.wait(pause):
                time.sleep(_HURRIED_PAUSE_S)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
