"""Passwords: hashed with Argon2id (RFC 9106), a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from millrace.access.config import PasswordSettings
from millrace.errors import InvalidError, ThrottledError

MAX_BYTES = 1024
"""Longest password: hashing time must not depend on who sends the longest."""

_WAIT_SECONDS = 5.0
_MAX_WAITING = 8
"""Logins that wait for a place; they hold threads that other requests need."""


class Passwords:
    """Hashes and checks.

    Parameters
    ----------
    settings : PasswordSettings
    """

    def __init__(self, settings: PasswordSettings) -> None:
        self._settings = settings
        self._hasher = PasswordHasher(
            time_cost=settings.iterations, memory_cost=settings.memory_kib, parallelism=settings.lanes
        )
        self._anybody = _Places(settings.concurrent)
        # Strangers who try many passwords at the same time must not keep users out of their own devices, nor from
        # setting another password.
        self._known = _Places(1)

    def hash(self, password: str) -> str:
        """Hash of a password that shall be set, by somebody who was recognised: strangers take no place from them.

        Raises
        ------
        InvalidError
            If it is too short or too long.
        ThrottledError
            If too many passwords are checked at the same time.
        """
        if len(password) < self._settings.min_length:
            raise InvalidError(f"a password has at least {self._settings.min_length} characters")
        if not _hashable(password):
            raise InvalidError(f"a password is a text of at most {MAX_BYTES} bytes (UTF-8)")
        with self._known.place():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str, *, known: bool = False) -> bool:
        """Whether a password is the one of a hash; takes as long if there is no hash.

        `known`: it comes from a device or session of the user, for which a place is kept.

        Raises
        ------
        ThrottledError
            If too many passwords are checked at the same time.
        """
        if not _hashable(password):
            return False
        with (self._known if known else self._anybody).place():
            try:
                return self._hasher.verify(stored or self._nobody, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than are set now."""
        return self._hasher.check_needs_rehash(stored)

    def prepare(self) -> None:
        """Make the hash that unknown users are compared with; otherwise the first of them would take longer."""
        _ = self._nobody

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("a password that nobody has")


class _Places:
    """Hashes at the same time, and a queue for them.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self._queue = threading.BoundedSemaphore(count + _MAX_WAITING)
        self._places = threading.BoundedSemaphore(count)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place, and hold it for the ``with`` block.

        Raises
        ------
        ThrottledError
            If there are too many in the queue, or it takes too long.
        """
        busy = ThrottledError("too many logins at the same time; try again in a moment", _WAIT_SECONDS)
        if not self._queue.acquire(blocking=False):
            raise busy
        try:
            if not self._places.acquire(timeout=_WAIT_SECONDS):
                raise busy
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._queue.release()


def _hashable(password: str) -> bool:
    # The first check spares encoding what is far too long.
    if len(password) > MAX_BYTES:
        return False
    try:
        return len(password.encode()) <= MAX_BYTES
    except UnicodeEncodeError:  # half of a character
        return False
