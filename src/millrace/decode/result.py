"""What decoding a batch gives: flows, interface counters, counts and issues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from millrace.batch import FlowBatch

Event = Literal[
    "datagrams", "bytes", "sets", "templates", "options_templates", "withdrawals", "data_records", "options_records",
    "flow_samples", "counter_samples", "discard_samples", "flows", "lost", "reordered",
    "sets_waiting", "sets_released", "padding_records", "implausible_times", "short_frame_lengths", "costly_sets",
    "sampling_rate_jumps",
]  # fmt: skip
"""Things that happen and are counted per exporter and protocol.

``lost``: units missing by sequence number. ``padding_records``: as many
records as would have room in the zero bytes at the end of sets, which are
padding. ``implausible_times``: flows that
tell a start or an end that cannot be, against the time at which they were
exported. ``short_frame_lengths``: sampled headers of sFlow whose frame length
is only what was captured of the packet. ``sampling_rate_jumps``: sampling rates
that are told to be more than ten times, or less than a tenth of, what was told
before. ``costly_sets``: data sets that were given up as there was no time for
their layouts.
"""

ODD_EVENTS: frozenset[Event] = frozenset(
    {"implausible_times", "short_frame_lengths", "sampling_rate_jumps", "costly_sets"}
)
"""Those that an exporter should not give cause for."""

_WAITING: dict[Event, int] = {"sets_waiting": 1, "sets_released": -1}
_GIVEN_UP = ("waiting-full", "template-never-came")
"""Reasons of sets that waited in vain."""

MAX_ISSUES = 64
"""Issues kept of one batch; their number is bounded, the counts are not."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One example of something that was wrong in a datagram, for people.

    Parameters
    ----------
    exporter : bytes
        Sixteen-byte address.
    protocol : str
        As in `FLOW_PROTOCOLS`.
    reason : str
        The reason label under which it is counted.
    detail : str
        What was expected and what was found; names domain, template, offset.
    """

    exporter: bytes
    protocol: str
    reason: str
    detail: str


@dataclass(slots=True)
class Counts:
    """What happened in a batch, per exporter and protocol.

    Attributes
    ----------
    events : Counter of (exporter, protocol, event)
        `exporter` is the sixteen-byte address, `protocol` as in `FLOW_PROTOCOLS`.
    drops : Counter of (exporter, protocol, unit, reason)
        What did not become flows. `unit` is datagram, set, record, sample or
        template; `reason` a short label out of a bounded set (``bad-length``).
    issues : list of Issue
        At most `MAX_ISSUES` examples.
    odd : Counter of (exporter, event)
        Those of `ODD_EVENTS` once more.
    waiting : Counter of (exporter, protocol)
        How many more data sets wait for their template than before; less than 0: fewer do.
    examples : dict by (exporter, event)
        Of those of `ODD_EVENTS` what the last one was, where the event does not say it all.
    """

    events: Counter[tuple[bytes, str, str]] = field(default_factory=Counter)
    drops: Counter[tuple[bytes, str, str, str]] = field(default_factory=Counter)
    issues: list[Issue] = field(default_factory=list)
    odd: Counter[tuple[bytes, Event]] = field(default_factory=Counter)
    waiting: Counter[tuple[bytes, str]] = field(default_factory=Counter)
    examples: dict[tuple[bytes, Event], str] = field(default_factory=dict)

    def event(self, exporter: bytes, protocol: str, event: Event, amount: int = 1, example: str = "") -> None:
        """Count something that happened; `example` tells of an odd thing what it was."""
        if amount:
            self.events[exporter, protocol, event] += amount
            if event in ODD_EVENTS:
                self.odd[exporter, event] += amount
                if example:
                    self.examples[exporter, event] = example
            elif event in _WAITING:
                self.waiting[exporter, protocol] += _WAITING[event] * amount

    def add_events(self, event: Event, amounts: Iterable[tuple[tuple[bytes, str, str], int]]) -> None:
        """Count something that happened by the keys of `events`, each of them once."""
        some = {key: amount for key, amount in amounts if amount}
        if self.events.keys().isdisjoint(some):
            # Merging two dictionaries is much faster than adding one by one.
            dict.update(self.events, some)
        else:
            self.events.update(some)
        if event in ODD_EVENTS:
            for (exporter, _, _), amount in some.items():
                self.odd[exporter, event] += amount
        elif event in _WAITING:
            for (exporter, protocol, _), amount in some.items():
                self.waiting[exporter, protocol] += _WAITING[event] * amount

    def drop(self, exporter: bytes, protocol: str, unit: str, reason: str, amount: int = 1, detail: str = "") -> None:
        """Count something that was given up, and keep an example of why."""
        if not amount:
            return
        self.drops[exporter, protocol, unit, reason] += amount
        if reason in _GIVEN_UP:
            self.waiting[exporter, protocol] -= amount
        if detail and len(self.issues) < MAX_ISSUES:
            self.issues.append(Issue(exporter, protocol, reason, detail))

    def add(self, other: Counts) -> None:
        """Add the counts of a later batch; of the issues the latest are kept."""
        self.events.update(other.events)
        self.drops.update(other.drops)
        self.odd.update(other.odd)
        self.waiting.update(other.waiting)
        self.examples.update(other.examples)
        self.issues = (self.issues + other.issues)[-MAX_ISSUES:]


@dataclass(slots=True)
class Decoded:
    """Result of `Decoder.decode`.

    Attributes
    ----------
    flows : FlowBatch
        Flows in the canonical schema.
    counters : FlowBatch
        Interface counters, columns of `COUNTER_COLUMNS`.
    counts : Counts
        What happened.
    state_changed : bool
        Templates, sampling rates or options changed: persist `Decoder.snapshot`.
    """

    flows: FlowBatch
    counters: FlowBatch
    counts: Counts
    state_changed: bool = False
