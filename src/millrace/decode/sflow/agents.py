"""What is known of each agent: last seen, sequence, sampling rates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, Bool
from millrace.decode.exporters import Exporters
from millrace.decode.netflow.manners import PROOF_DATAGRAMS
from millrace.decode.netflow.shares import PROTECTED
from millrace.decode.sflow.frame_lengths import USUAL_CAPTURE
from millrace.decode.sflow.headers import Headers
from millrace.decode.sflow.source_rates import SourceRates
from millrace.decode.trust import TrustOf, no_trust

_MAX_LATE = 256  # datagrams; what comes later than this, or …
_MAX_GAP = 1 << 20  # … skips more than this, has begun to count anew
_VOUCHED = 16
"""Sub-agents of a configured agent that keep their place before they are proven: whoever forges it has any number."""
_AHEAD_NS = 3600 * 10**9
"""An agent that was heard so much later than now was so before the clock was set back."""
_MAX_UPTIME_BACK_MS = 10_000  # an agent whose uptime falls by more has restarted


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """State of one agent and sub-agent.

    Attributes
    ----------
    address : bytes
        Sixteen bytes.
    sub_agent : int
    last_seen_ns : int
        When its last datagram was received, Unix nanoseconds.
    datagrams : int
    lost : int
        Datagrams missing by sequence number when the next came; those that
        came later are counted in `reordered` as well.
    reordered : int
        Datagrams that came late or twice.
    restarts : int
        How often its sequence began anew.
    uptime_ms : int
    sampling_rates : dict of int to int
        By data source, as seen lately.
    last_issue : str
        The last thing that was wrong with its datagrams; empty: nothing.
    last_issue_ns : int
        When that was received, Unix nanoseconds; 0: nothing.
    """

    address: bytes
    sub_agent: int
    last_seen_ns: int
    datagrams: int
    lost: int
    reordered: int
    restarts: int
    uptime_ms: int
    sampling_rates: dict[int, int]
    last_issue: str
    last_issue_ns: int


@dataclass(frozen=True, slots=True)
class Gaps:
    """What the sequence numbers of a batch tell, per datagram.

    Attributes
    ----------
    lost : ndarray of int64, shape (n,)
        Datagrams missing right before this one.
    reordered : ndarray of bool, shape (n,)
    """

    lost: I64
    reordered: Bool


@dataclass(frozen=True, slots=True)
class Visit:
    """Agents of one batch.

    Attributes
    ----------
    gaps : Gaps
    slot : ndarray of int64, shape (k,)
        Place of each distinct agent of the batch.
    first : ndarray of int64, shape (k,)
        Its first datagram.
    number : ndarray of int64, shape (n,)
        Which of those agents sent each datagram.
    """

    gaps: Gaps
    slot: I64
    first: I64
    number: I64


_ROW = np.dtype(
    [("last_seen", "i8"), ("datagrams", "i8"), ("lost", "i8"), ("reordered", "i8"), ("restarts", "i8"),
     ("sequence", "i8"), ("uptime", "i8"), ("ahead", "i8"), ("captured", "i8"),
     ("used", "?")]
)  # fmt: skip


_STATUS = ("last_seen", "datagrams", "lost", "reordered", "restarts", "uptime")
"""Columns of the table in the order of `AgentStatus`."""
_PART = 500
"""Agents that a part of the status tells of: some milliseconds."""


class Agents:
    """Bounded memory of agents; the one silent for longest makes room.

    Configured ones, and those of which a hundred datagrams came, do so only as
    far as they hold more than half of it: whoever can send a datagram
    can forge any number of agents.

    Parameters
    ----------
    most : int
        Agents and sub-agents remembered, about 200 bytes each.
    trust : callable
        What the configuration vouches for, by address.
    """

    def __init__(self, most: int, trust: TrustOf = no_trust) -> None:
        self._trust = trust
        self._rows = np.zeros(most, _ROW)
        self._slots: dict[tuple[bytes, int], int] = {}
        self._free = list(range(most - 1, -1, -1))
        self.rates = SourceRates(most)
        self._issues: dict[int, tuple[str, int]] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def visit(self, headers: Headers, exporters: Exporters, time_ns: I64) -> Visit:
        """Note the datagrams of a batch.

        Parameters
        ----------
        headers : Headers
        exporters : Exporters
            Who sent each datagram.
        time_ns : ndarray of int64, shape (n,)
        """
        packed = (exporters.index << 32) | headers.sub_agent
        if (packed == packed[0]).all():
            first, number = np.zeros(1, np.int64), np.zeros(len(packed), np.int64)
        else:
            _, first, number = np.unique(packed, return_index=True, return_inverse=True)
        keys = exporters.keys()
        agents = [keys[index] for index in exporters.index[first].tolist()]
        slot = self._find(list(zip(agents, headers.sub_agent[first].tolist(), strict=True)), int(time_ns.max()))
        # More agents in one batch than are remembered share a slot with nothing: they are not followed.
        followed = slot[number] >= 0
        gaps = self._follow(headers, number, slot, time_ns, np.flatnonzero(followed))
        return Visit(gaps, slot, first, number)

    def largest_captures(self, visit: Visit, datagram: I64, captured: I64) -> I64:
        """Most bytes that the agent of each header ever captured of a packet, up to the datagram of the header.

        Parameters
        ----------
        visit : Visit
        datagram, captured : ndarray of int64, shape (k,)
            Of each header the datagram, and how many bytes it has.
        """
        before = np.where(visit.slot >= 0, self._rows["captured"][visit.slot], 0)
        if not len(captured) or int(captured.max()) <= USUAL_CAPTURE >= int(before.max()):
            # Nobody captures more than the usual: that is the most, and needs no memory.
            return np.full(len(captured), USUAL_CAPTURE, np.int64)
        reached = np.zeros(len(visit.number), np.int64)
        np.maximum.at(reached, datagram, captured)
        order = np.argsort(visit.number, kind="stable")
        agent = visit.number[order]
        # Agents are lifted above one another, so that one accumulation serves them all.
        lift = agent << 32
        reached[order] = np.maximum.accumulate(np.maximum(reached[order], before[agent]) + lift) - lift
        last = np.append(np.flatnonzero(np.diff(agent)), len(agent) - 1)
        places = visit.slot[agent[last]]
        self._rows["captured"][places[places >= 0]] = reached[order[last]][places >= 0]
        return reached[datagram]

    def note_issue(self, slot: int, text: str) -> None:
        """Remember what was wrong last."""
        self._issues[slot] = text, int(self._rows["last_seen"][slot])

    def status_parts(self) -> Iterator[list[AgentStatus]]:
        """State of every agent remembered, in parts; one that makes room between two of them may be left out."""
        agents = list(self._slots.items())
        for first in range(0, len(agents), _PART):
            some = [(key, slot) for key, slot in agents[first : first + _PART] if self._slots.get(key) == slot]
            slots = np.array([slot for _, slot in some], np.int64)
            facts = zip(*(self._rows[name][slots].tolist() for name in _STATUS), self.rates.of(slots), strict=True)
            yield [
                AgentStatus(*(*key, *fact, *self._issues.get(slot, ("", 0))))
                for (key, slot), fact in zip(some, facts, strict=True)
            ]

    def _find(self, keys: list[tuple[bytes, int]], now_ns: int) -> I64:
        slots = [self._slots.get(key, -1) for key in keys]
        missing = [index for index, slot in enumerate(slots) if slot < 0]
        if len(missing) > len(self._free):
            self._make_room(len(missing), {slot for slot in slots if slot >= 0}, now_ns)
        for index in missing[: len(self._free)]:
            slot = slots[index] = self._slots[keys[index]] = self._free.pop()
            self._rows[slot] = np.zeros((), _ROW)
        return np.array(slots, np.int64)

    def _make_room(self, wanted: int, kept: set[int], now_ns: int) -> None:
        """Forget the agents silent for longest, an eighth at least so that a flood does not sort for each."""
        seen = self._rows["last_seen"]
        seen = np.where(seen > now_ns + _AHEAD_NS, 0, seen).tolist()
        idle = [(seen[slot], key) for key, slot in self._slots.items() if slot not in kept]
        idle.sort(key=lambda pair: pair[0])
        proven = self._proven(kept)
        excess = len(proven) - int(len(self._rows) * PROTECTED)
        exposed = [key for _, key in idle if key not in proven]
        if excess > 0:
            spare = {key for _, key in [pair for pair in idle if pair[1] in proven][excess:]}
            exposed = [key for _, key in idle if key not in spare]
        gone = [self._slots.pop(key) for key in exposed[: max(wanted - len(self._free), len(self._rows) // 8)]]
        for slot in gone:
            self._issues.pop(slot, None)
        self._free += gone
        self.rates.forget(np.array(gone, np.int64))

    def _proven(self, left_out: set[int]) -> set[tuple[bytes, int]]:
        """Agents of which enough came, and a few sub-agents of each configured one; those of some places left out."""
        found: set[tuple[bytes, int]] = set()
        vouched: Counter[bytes] = Counter()
        for key, slot in self._slots.items():
            if slot in left_out:
                continue
            address, _ = key
            if int(self._rows["datagrams"][slot]) >= PROOF_DATAGRAMS:
                found.add(key)
            elif vouched[address] < _VOUCHED and self._trust(address).configured:
                vouched[address] += 1
                found.add(key)
        return found

    def _follow(self, headers: Headers, number: I64, slot: I64, time_ns: I64, index: I64) -> Gaps:
        """Compare the sequence numbers of each agent with what was highest before.

        All agents side by side: sorted by agent, a cumulative sum unwraps the
        32-bit numbers, and a running maximum that cannot look across the
        beginning of a stretch (another agent, a restart) gives what came before.
        """
        gaps = Gaps(np.zeros(len(number), np.int64), np.zeros(len(number), np.bool_))
        if not len(index):
            return gaps
        if len(slot) > 1:
            index = index[np.argsort(number[index], kind="stable")]
        agent = number[index]
        first = np.ones(len(index), np.bool_)
        first[1:] = agent[1:] != agent[:-1]
        before = self._rows[slot[agent[first]]]
        sequence, uptime = headers.sequence[index], headers.uptime_ms[index]
        step = _signed(sequence - _previous(sequence, first, before["sequence"]))
        back = _signed(uptime - _previous(uptime, first, before["uptime"]))
        new = np.zeros(len(index), np.bool_)
        new[first] = ~before["used"]
        anew = (step > _MAX_GAP) | (step < -_MAX_LATE) | (back < -_MAX_UPTIME_BACK_MS)
        restart = anew & ~new
        begins = anew | new
        if (step == 1).all() and not (anew.any() or new.any() or before["ahead"].any()):
            self._note(slot, agent, first, sequence, uptime, time_ns[index])
            return gaps
        ahead = np.zeros(len(index), np.int64)
        ahead[first] = before["ahead"]
        ahead[begins] = 0
        position, highest = _running_maximum(np.where(begins, 0, step), first | begins, ahead)
        gap = position - highest
        gaps.lost[index] = np.where(begins, 0, np.maximum(gap - 1, 0))
        gaps.reordered[index] = ~begins & (gap <= 0)
        last = self._note(slot, agent, first, sequence, uptime, time_ns[index])
        rows, places, starts = self._rows, slot[agent[last]], np.flatnonzero(first)
        rows["ahead"][places] = np.maximum(highest - position, 0)[last]
        rows["lost"][places] += np.add.reduceat(gaps.lost[index], starts)
        rows["reordered"][places] += np.add.reduceat(gaps.reordered[index].astype(np.int64), starts)
        rows["restarts"][places] += np.add.reduceat(restart.astype(np.int64), starts)
        return gaps

    def _note(self, slot: I64, agent: I64, first: Bool, sequence: I64, uptime: I64, time_ns: I64) -> I64:
        """Note the last datagram of each agent, given datagrams sorted by agent; where those are."""
        starts = np.flatnonzero(first)
        ends = np.append(starts[1:], len(agent))
        last: I64 = ends - 1
        places = slot[agent[last]]
        rows = self._rows
        rows["sequence"][places] = sequence[last]
        rows["uptime"][places] = uptime[last]
        rows["used"][places] = True
        # What was before may be later, if the clock was set back.
        rows["last_seen"][places] = time_ns[last]
        rows["datagrams"][places] += ends - starts
        return last


def _signed(difference: I64) -> I64:
    """Difference of two 32-bit counters as the shorter way around."""
    return ((difference + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def _previous(values: I64, first: Bool, before: I64) -> I64:
    previous = np.empty_like(values)
    previous[1:] = values[:-1]
    previous[first] = before
    return previous


def _running_maximum(step: I64, begins: Bool, ahead: I64) -> tuple[I64, I64]:
    """Unwrapped position of each number in its stretch, and the highest position before it.

    Parameters
    ----------
    step : ndarray of int64, shape (n,)
        Distance from the previous number.
    begins : ndarray of bool, shape (n,)
        First of a stretch: its position is its step.
    ahead : ndarray of int64, shape (n,)
        Where a stretch begins: the highest position before it.
    """
    total = np.cumsum(step)
    starts = np.flatnonzero(begins)
    stretch = np.cumsum(begins) - 1
    position = total - (total - step)[starts][stretch]
    # Stretches are lifted far above one another, so that one accumulation serves them all.
    lift = stretch << 44
    reached = np.maximum(position, np.where(begins, ahead, position)) + lift
    highest = np.empty_like(reached)
    highest[1:] = np.maximum.accumulate(reached)[:-1]
    highest[starts] = ahead[starts] + lift[starts]
    return position, highest - lift
