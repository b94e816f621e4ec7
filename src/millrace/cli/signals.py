"""Signals that end a program, while it is loaded and while it ends by itself."""

from __future__ import annotations

import signal

_ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def hold_signals() -> None:
    """Have signals that end the program wait until they are delivered."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def deliver_signals() -> None:
    """Deliver signals that wait, and those that come, to whoever handles them: by default the program ends."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def end_at_once() -> None:
    """Have Ctrl-C end the program where it is, also while the engine runs, which Python's own handler waits for.

    For commands that only read.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ignore_signals() -> None:
    """Ignore such signals from now on: all is done, and the exit status is to say how.

    Python resets handlers before it ends, but not what is ignored.
    """
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
