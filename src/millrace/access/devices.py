"""Devices that a user has logged in with before: a signed text that the browser keeps.

After "Slow Down Online Guessing Attacks with Device Cookies" (OWASP): strangers
can have a name slowed down, but not the devices of its user.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from millrace.access.secrets import new_secret, signed, unsigned

_PURPOSE = "device"
DEVICE_DAYS = 400
"""Life of what the browser keeps; browsers keep nothing longer."""


class Devices:
    """Marks devices, and knows them again; keeps nothing here.

    Parameters
    ----------
    key : callable
        Gives the key that signs.
    clock : callable
        Unix seconds.
    """

    def __init__(self, key: Callable[[], bytes], clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def mark(self, name: str) -> str:
        """What the browser keeps after a user has logged in; another one each time."""
        until = int(self._clock()) + DEVICE_DAYS * 86_400
        return signed(self._key(), _PURPOSE, f"{_of(name)}.{until}.{new_secret()}")

    def known(self, name: str, kept: str) -> str:
        """What the device is known by among those of a user; empty if it is none of them."""
        text = unsigned(self._key(), _PURPOSE, kept) if kept else None
        if text is None:
            return ""
        owner, until, secret = text.split(".")
        return secret if owner == _of(name) and self._clock() < int(until) else ""


def _of(name: str) -> str:
    """A name as the browser keeps it: not readable by who looks over shoulders or reads backups."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
