"""How exporters count: what the sequence numbers of a stream number.

NetFlow v5 and v7 number flows, v9 numbers datagrams (RFC 3954 §5.1), IPFIX
numbers data records (RFC 7011 §3.1), each datagram carrying the number of its
first one. Not every exporter does so: some number the last record of a message
instead of the first (softflowd), leave options out, or count datagrams, sets or
bytes. A gap under one manner is no gap under another, so a stream's manner is
learned before anything is said to be lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from millrace.batch.arrays import I64
from millrace.decode.netflow.headers import IPFIX, V5, V7, V9
from millrace.decode.netflow.ledger import Entry, Ledger

UNITS = (
    "datagrams", "records", "data", "all-records", "flows", "sets", "data-sets", "flow-sets", "bytes", "count",
    "nothing",
)  # fmt: skip
"""What may be counted: datagrams; records, options included; data records; records and templates; flows (both
directions of a biflow count); sets; sets of data, options included; sets of flows; bytes of the datagram; what the
header of NetFlow v5, v7 and v9 says; nothing (the number never changes)."""

_WORDS = {
    "datagrams": "datagrams", "records": "records", "data": "records", "all-records": "records", "sets": "sets",
    "data-sets": "sets", "flow-sets": "sets", "bytes": "bytes",
}  # fmt: skip


class Manner(NamedTuple):
    """What is counted; whether a datagram's number includes its own."""

    unit: str
    inclusive: bool = False

    @property
    def word(self) -> str:
        """What is counted, for people."""
        return _WORDS.get(self.unit, "flows")


STANDARD = {V5: Manner("count"), V7: Manner("count"), V9: Manner("datagrams"), IPFIX: Manner("records")}

_COUNTERS, _SETS = (
    tuple(Manner(unit, inclusive) for unit in units for inclusive in (False, True))
    for units in (("records", "data", "flows", "all-records", "count"), ("sets", "data-sets", "flow-sets"))
)
_LEGACY = (Manner("count"), Manner("count", inclusive=True), Manner("datagrams"), Manner("nothing"))
MANNERS: dict[int, tuple[Manner, ...]] = {
    V5: _LEGACY,
    V7: _LEGACY,
    V9: (Manner("datagrams"), *_COUNTERS, *_SETS, Manner("nothing")),
    IPFIX: (
        Manner("records"), *_COUNTERS[1:8], Manner("datagrams"), *_SETS, Manner("bytes"),
        Manner("bytes", inclusive=True), Manner("nothing"),
    ),
}  # fmt: skip
"""Manners by version word; the standard's first, which wins where several explain a stream equally well."""

ALL = tuple(dict.fromkeys(manner for manners in MANNERS.values() for manner in manners))
NUMBER = {manner: number for number, manner in enumerate(ALL)}
"""Number of each manner in `ALL`."""
_CANDIDATES = {version: np.array([NUMBER[manner] for manner in manners]) for version, manners in MANNERS.items()}


def candidates(version: int) -> I64:
    """Numbers of the manners of a version, the standard's first."""
    found: I64 = _CANDIDATES[version]
    return found


PROOF_DATAGRAMS = 100
"""Nothing is said about a stream of which fewer datagrams came."""

NO_EXCUSE, IMPLAUSIBLE = -1, 0
"""What stands in the place of manners where none explains a gap, and where the present one explains too little."""

_LEAD, _BY_CHANCE = 3, 8
_RARE = 3


NO_UNITS = -1
"""What stands in the place of units that are not known."""

LAST = ("last_sequence", *(f"last_{unit}" for unit in UNITS))
"""Columns of the sequence number and the units of a stream's last datagram."""

SCORES = tuple(f"score_{number}" for number in range(len(ALL)))
"""Columns of what each manner of `ALL` explains."""

ENTRIES = {
    "manner": 0, "datagrams": 0, "pairs": 0, **dict.fromkeys(LAST, NO_UNITS), **dict.fromkeys(SCORES, 0),
}  # fmt: skip
"""Columns of the ledger that are about counting."""


@dataclass(slots=True)
class Counting:
    """What is known of how a stream counts.

    Attributes
    ----------
    ledger, row
        Where the integers are.
    standard : int
        The manner of the protocol's standard, a number of `ALL`.
    manner : int
        The one that explains it best so far, a number of `ALL`.
    pairs : int
        Pairs that were to be explained.
    datagrams : int
    held : dict
        Units that are missing under the manner, by the others that explain
        about as much and under which they are not missing, a bit for each of `ALL` (or `IMPLAUSIBLE`).
    """

    ledger: Ledger
    row: int
    standard: int
    held: dict[int, int] = field(default_factory=dict)

    manner = Entry()
    datagrams = Entry()
    pairs = Entry()
    last_sequence = Entry()

    @property
    def proven(self) -> bool:
        """Whether the stream is known well enough to say what of it is missing."""
        return self.datagrams >= PROOF_DATAGRAMS and self.score >= PROOF_DATAGRAMS // _RARE and self.plausible

    def adopt(self, manner: int) -> None:
        """Another manner explains the stream better: what was held under the old one counts no more."""
        self.manner, self.held = manner, {}

    @property
    def scores(self) -> I64:
        """Pairs of successive datagrams that each manner of `ALL` explains, to be read and written to."""
        scores: I64 = self.ledger.columns(SCORES[0], SCORES[-1])[:, self.row]
        return scores

    @property
    def score(self) -> int:
        """Pairs that the manner explains."""
        return int(self.scores[self.manner])

    @property
    def plausible(self) -> bool:
        """Whether the manner explains enough for a gap to be one.

        Random loss alone breaks no three of four pairs. A manner that is not
        the standard's was only found because it explains the stream, so it has
        to explain most: small numbers fit many a manner now and then.
        """
        broken = _RARE if self.manner == self.standard else 1
        return self.pairs - self.score <= broken * (1 + self.score)

    def better(self, version: int) -> int:
        """The manner that explains clearly more than the present one; the present one if none does.

        The right one explains all that the present one does not but for what
        was lost, a wrong one now and then a gap by chance.
        """
        candidates = _CANDIDATES[version]
        best = int(candidates[np.argmax(self.scores[candidates])])
        lead = _LEAD + (self.pairs - self.score) // _BY_CHANCE
        return best if self.scores[best] >= self.score + lead else self.manner

    def release(self, version: int) -> int:
        """Units held because of manners that all turned out not to be this stream's."""
        if not self.held or not self.plausible:
            return 0
        rivals = sum(1 << rival for rival in self.rivals(version))
        return sum(self.held.pop(excuse) for excuse in list(self.held) if not excuse & rivals)

    def rivals(self, version: int) -> list[int]:
        """Other manners that may be the right one: that explains whatever is not broken by a loss, so it cannot lag."""
        least = self.score - self.score // 100 - _LEAD
        candidates = _CANDIDATES[version]
        found: list[int] = candidates[(self.scores[candidates] >= least) & (candidates != self.manner)].tolist()
        return found
