"""The collector's wall clock, which can be stepped: libfaketime (Debian package ``faketime``) and its file."""

from __future__ import annotations

from pathlib import Path

_PLACES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")
_LIBRARY = "libfaketimeMT.so.1"


class Clock:
    """The wall clock that a process is given, an offset from the true one; its monotonic clock is untouched.

    The engine's own ``now()`` does not go through the library and stays true; the collector's code gives its time to
    the engine as an argument.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.offset_s = 0
        found = [Path(place) / _LIBRARY for place in _PLACES]
        self._library = next((path for path in found if path.exists()), None)
        self.reason = "" if self._library else f"{_LIBRARY} is not installed (Debian package faketime)"

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment."""
        if self._library is None:
            return {}
        self.step(self.offset_s)
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Without it a wait for a monotonic time returns at once: every thread that waits for Python's lock is busy.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def step(self, offset_s: int) -> None:
        """Set the offset; the process sees it within a second."""
        self.offset_s = offset_s
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset_s:+d}")
        fresh.replace(self._file)
