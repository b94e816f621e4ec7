"""Brake on guessing: growing delays per user name and address, per address, and per user name."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice

from millrace.access.config import ThrottleSettings
from millrace.errors import ThrottledError

Key = tuple[str, ...]

_LOOKED_AT = 64
"""Entries among which one is chosen to make room."""


_SITE_BITS = 48
"""Of an IPv6 address: what one customer may have of many networks of 64 bits."""


@dataclass(slots=True)
class _Failures:
    count: float = 0.0
    last: float = 0.0
    blocked_until: float = 0.0


class Throttle:
    """Counts failed attempts; usable from several threads.

    An attempt counts as failed from its beginning, so that many at the same
    time gain nothing; success takes that back.

    Whoever fails is slowed down by name and address, and by address whatever
    the names. What is counted for a name from everywhere bounds guessing by
    many machines; because strangers could keep the user out with it, a device
    that the user has logged in with before is counted for itself alone.

    Parameters
    ----------
    settings : ThrottleSettings
    clock : callable
        Seconds, never going back.
    """

    def __init__(self, settings: ThrottleSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[Key, _Failures] = OrderedDict()

    def begin(self, name: str, address: str, device: str = "") -> None:
        """Begin an attempt.

        Parameters
        ----------
        name, address : str
        device : str
            What a browser or session is known by that this user has logged in with; empty: a stranger's.

        Raises
        ------
        ThrottledError
            If there were too many; this one does not count.
        """
        now = self._clock()
        with self._lock:
            entries = [(key, free, self._entry(key, now)) for key, free in self._keys(name, address, device)]
            wait = max(entry.blocked_until - now for _, _, entry in entries)
            if wait > 0:
                raise ThrottledError(f"too many failed logins; try again in {wait:.0f} s", wait)
            for key, free, entry in entries:
                if key == ("name", name[:100]):
                    # Only what is of an hour counts: who fails now and then for a day must not keep the user out.
                    entry.count -= min(entry.count, (now - entry.last) * free / self._settings.forget_seconds)
                entry.count += 1
                entry.last = now
                if entry.count >= free:
                    # The exponent is bounded: 2.0 ** 2000 would be an error.
                    delay = 2.0 ** min(entry.count - free, 30)
                    entry.blocked_until = now + min(delay, self._settings.max_delay_seconds)
                self._failures[key] = entry
                self._failures.move_to_end(key)
            while len(self._failures) > self._settings.max_entries:
                self._forget_one(now)

    def _forget_one(self, now: float) -> None:
        """Make room: of those without a failure for longest, the one with the fewest.

        Whoever guesses could otherwise have the failures of a name forgotten by failing under thousands of others.
        """
        oldest = islice(self._failures.items(), _LOOKED_AT)
        key, _ = min(oldest, key=lambda item: (now - item[1].last <= self._settings.forget_seconds, item[1].count))
        del self._failures[key]

    def succeed(self, name: str, address: str, device: str = "") -> None:
        """The attempt succeeded: who made it begins anew, what is shared with others gets this attempt back."""
        with self._lock:
            (own, _), *shared = self._keys(name, address, device)
            self._failures.pop(own, None)
            self._give_back(shared)

    def withdraw(self, name: str, address: str, device: str = "") -> None:
        """The attempt was not judged: it is given back, and those before it still count."""
        with self._lock:
            self._give_back(self._keys(name, address, device))

    def _give_back(self, keys: Iterable[tuple[Key, int]]) -> None:
        for key, free in keys:
            entry = self._failures.get(key)
            if entry is not None:
                entry.count -= 1
                if entry.count < free:
                    entry.blocked_until = 0.0
                if entry.count <= 0:
                    del self._failures[key]

    def __len__(self) -> int:
        """Names and addresses remembered."""
        return len(self._failures)

    def _keys(self, name: str, address: str, device: str) -> list[tuple[Key, int]]:
        """What an attempt is counted under and how often for nothing; first what nobody else is counted under."""
        settings, name, place = self._settings, name[:100], neighbourhood(address)
        if device:
            return [(("device", name, device[:100]), settings.free_attempts_per_name)]
        keys: list[tuple[Key, int]] = [
            (("name", name, place), settings.free_attempts_per_name),
            (("address", place), settings.free_attempts_per_address),
            (("name", name), settings.free_attempts_everywhere),
        ]
        site = neighbourhood(address, _SITE_BITS)
        if site != place:
            keys.append((("name", name, site), settings.free_attempts_per_address))
        return keys

    def _entry(self, key: Key, now: float) -> _Failures:
        entry = self._failures.get(key)
        if entry is None or now - entry.last > self._settings.forget_seconds:
            return _Failures()
        return entry


def neighbourhood(address: str, bits: int = 64) -> str:
    """What one client may have many of: an IPv6 network of so many bits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((int(parsed) >> 128 - bits << 128 - bits, bits)))
    return str(parsed)
