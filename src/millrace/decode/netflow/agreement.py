"""What several ports say of the same thing, as long as they say the same.

A port that was not told a template, a rate or a name falls back to what the
other ports of its domain, or of its exporter, were told. That is right for one
device that changed its port, and for one that sends from several; it is wrong
for several devices behind one address. So it holds only while all agree.
"""

from __future__ import annotations

from millrace.decode.netflow.timeline import MISSING


class Agreement:
    """Values by key and voter.

    Keys, voters and values are integers; a value of `MISSING` takes a vote back.
    Most keys never have more than one voter, so that one is kept without tables.
    """

    def __init__(self) -> None:
        self._alone: dict[int, tuple[int, int]] = {}
        self._votes: dict[int, dict[int, int]] = {}
        self._counts: dict[int, dict[int, int]] = {}

    def vote(self, key: int, voter: int, value: int) -> int:
        """What all voters of a key agree on after this vote; `MISSING` if they do not, or if there is none."""
        if key not in self._votes:
            alone = self._alone.pop(key, None)
            if alone is None or alone[0] == voter:
                if value != MISSING:
                    self._alone[key] = voter, value
                return value
            self._votes[key], self._counts[key] = dict([alone]), {alone[1]: 1}
        votes, counts = self._votes.setdefault(key, {}), self._counts.setdefault(key, {})
        before = votes.pop(voter, MISSING)
        if before != MISSING:
            counts[before] -= 1
            if not counts[before]:
                del counts[before]
        if value != MISSING:
            votes[voter] = value
            counts[value] = counts.get(value, 0) + 1
        if not votes:
            del self._votes[key], self._counts[key]
        return next(iter(counts)) if len(counts) == 1 else MISSING
