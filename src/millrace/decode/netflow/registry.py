"""The registry of exporters, ports and observation domains: numbered for good and per batch, within limits.

A port is kept as long as it is used; when others of its domain come, what a
silent one announced passes to the scope of `ANY_PORT`. So do ports beyond the
limit: they share that scope.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from millrace.batch.arrays import I64, AnyArray
from millrace.decode.exporters import number_exporters
from millrace.decode.limits import Limits
from millrace.decode.netflow.headers import PROTOCOLS, V1, Headers
from millrace.decode.netflow.ledger import Ledger
from millrace.decode.netflow.manners import ENTRIES, NUMBER, STANDARD, Counting, Manner
from millrace.decode.netflow.scope_index import ScopeIndex, distinct_words, words_of
from millrace.decode.netflow.scopes import ANY_PORT, SILENT_NS, UNKNOWN, BatchScopes, ExporterState, Port, Ports, Scope
from millrace.decode.netflow.shares import CONFIGURED, STRANGER, Givers, Survey, standings
from millrace.decode.netflow.spare_domains import spare_domains
from millrace.decode.quirks import NO_QUIRKS, QuirksOf
from millrace.decode.trust import Trust, TrustOf, no_trust

_DOMAIN_BITS = 32

_FORGOTTEN_AT_ONCE = 16
"""Domains and ports of an exporter that make room at once."""

_AT_ONCE, _PER_DATAGRAM = 2048, 8
"""Templates, rates, names and waiting sets that those who make room give up or hand over in one batch, and how many
more for each of its datagrams: some twenty milliseconds, whatever was piled up before. Who holds more gives it up in
steps."""
_CROWDED_NS = 10**9
"""Where no domain of an exporter makes room for another of its own, it is looked again after so long."""
_SCOPE_COST, _PORT_COST = 2, 16
"""What an observation domain of a port costs beside when it goes, and when it is handed over; in such things."""
_SHRUNK = 64
"""Whoever holds no more than so many of these can go at once."""
_TRIED = 64
"""Domains of an exporter that are looked at for those that can go at once."""

OWN_SCOPES = 8
"""Scopes of an exporter that are no matter of what others have; those beyond count for `Limits.domains`."""

_ENTRIES = {
    "followed": 0, "next_sequence": UNKNOWN, "late": 0, "late_next": UNKNOWN, "uptime": 0, "received": 0, "lost": 0,
    "reordered": 0, "last_seen_ns": 0, "clock_skew_ms": 0, "sampling_word": 0, "header_rate": 0,
    "flows_since_ns": 0, "flows_until_ns": 0, "configured": 0,
}  # fmt: skip


@dataclass(slots=True)
class Changes:
    """What the registry did since it was last asked, for those who keep things by scope.

    Attributes
    ----------
    removed : list of ExporterState
        Exporters to forget.
    shared : list of ExporterState
        Exporters that were heard on a second port.
    retired : list of (Scope, Scope)
        Scopes that make room, and the one that takes over what they know.
    silent : list of (ExporterState, Port, Port)
        Ports without a scope left, and the one that takes over.
    dropped : list of Scope
        Scopes that gave up their place to those of exporters that have fewer.
    dropped_ports : list of (ExporterState, Port)
        Ports of those without a scope left.
    dropped_domains : list of Ports
        Domains of those without a scope left.
    """

    removed: list[ExporterState] = field(default_factory=list)
    shared: list[ExporterState] = field(default_factory=list)
    retired: list[tuple[Scope, Scope]] = field(default_factory=list)
    silent: list[tuple[ExporterState, Port, Port]] = field(default_factory=list)
    dropped: list[Scope] = field(default_factory=list)
    dropped_ports: list[tuple[ExporterState, Port]] = field(default_factory=list)
    dropped_domains: list[Ports] = field(default_factory=list)


class Scopes:
    """Registry of exporters, ports, domains and scopes; all share one sequence of numbers."""

    def __init__(self, limits: Limits, quirks: QuirksOf, trust: TrustOf = no_trust) -> None:
        self._limits = limits
        self._quirks = quirks
        self._trust = trust
        self._exporters: dict[bytes, ExporterState] = {}
        self._next_number = 0
        self._free: list[int] = []
        self._index: ScopeIndex[Scope] = ScopeIndex()
        self._new: list[Scope] = []
        self._old: list[Scope] = []
        """What is to be put into the index and taken out of it before it is asked again."""
        self._beyond = 0
        """Scopes of all exporters beyond `OWN_SCOPES` of each."""
        self._places: Givers[ExporterState] = Givers(limits.exporters, 1, limits.exporter_idle_s)
        self._domains: Givers[ExporterState] = Givers(limits.domains, OWN_SCOPES, limits.exporter_idle_s)
        self._last: tuple[I64, BatchScopes] | None = None
        self._changes = Changes()
        self._held: set[int] = set()
        self._present: set[int] | None = None  # exporters of the batch that is met
        self._left = _AT_ONCE
        """How much more may be given up and handed over in this batch."""
        self.held_by: Callable[[Scope | ExporterState], int] = lambda _: 0
        """How many templates, rates, names and waiting sets a scope or an exporter has."""
        self._tired: set[int] = set()
        """Exporters that give up no more domains in this batch."""
        self._shrinking: dict[int, tuple[ExporterState, int]] = {}
        self.ledger = Ledger({**_ENTRIES, **ENTRIES})

    def __iter__(self) -> Iterator[ExporterState]:
        return iter(self._exporters.values())

    def __len__(self) -> int:
        return len(self._exporters)

    def of_batch(self, headers: Headers) -> BatchScopes:
        """Number the scopes of a batch, registering new ones as far as the limits allow."""
        self._settle_index()
        self._left = _AT_ONCE + _PER_DATAGRAM * len(headers)
        self._tired.clear()
        words = words_of(headers)
        place = self._index.find(words)
        if (place < 0).any():
            return self._meet(headers, words, place)
        which, index = self._index.distinct(place)
        if self._last is None or not np.array_equal(self._last[0], which):
            known_words, known = self._index.at(which)
            self._last = which, self._describe(known_words, [*known])
        return replace(self._last[1], index=index)

    def _meet(self, headers: Headers, words: AnyArray, place: I64) -> BatchScopes:
        """The same where not all were found."""
        met = np.flatnonzero(place >= 0)
        which, index = self._index.distinct(place[met])
        known_words, known = self._index.at(which)
        # What the batch needs makes no room for what it brings.
        self._held = {scope.number for scope in known}
        rest = np.flatnonzero(place < 0)
        first, rest_index = distinct_words(words[rest])
        time_ns = headers.time_ns[rest[first]].tolist()
        distinct = words[rest[first]]
        identities = [_identity(*row) for row in distinct.tolist()]
        present = [scope.exporter for scope in known] + [self._exporters.get(address) for address, *_ in identities]
        self._present = {exporter.number for exporter in present if exporter is not None}
        found: list[Scope | None] = [None] * len(first)
        # In wire order, so that the limits refuse the same scopes however a stream is cut into batches.
        for at in np.argsort(first).tolist():
            address, version, domain, port = identities[at]
            found[at] = own = self.register(address, version, domain, port, time_ns[at])
            if own is not None:
                self._held.add(own.number)
        self._held, self._present = set(), None
        self._settle_index()
        # Ports beyond the limit share a scope.
        shared: dict[int, int] = {}
        row = np.array([shared.setdefault(at if s is None else -s.number, at) for at, s in enumerate(found)], np.int64)
        rows, merged = np.unique(row, return_inverse=True)
        described = self._describe(
            np.concatenate([known_words, distinct[rows]]), [*known, *(found[at] for at in rows.tolist())]
        )
        whole = np.empty(len(words), np.int64)
        whole[met], whole[rest] = index, len(known) + merged.reshape(-1)[rest_index]
        return replace(described, index=whole)

    def _settle_index(self) -> None:
        """Have the index hold what is registered."""
        if not self._old and not self._new:
            return
        gone = {scope.number for scope in self._old}
        new = [scope for scope in self._new if scope.port.port != ANY_PORT and scope.number not in gone]
        self._index.remove(self._old)
        if new:
            words = np.empty((len(new), 3), np.uint64)
            words[:, :2] = np.frombuffer(b"".join(s.exporter.address for s in new), np.uint64).reshape(-1, 2)
            words[:, 2] = [(scope.version << 48) | (scope.port.port << 32) | scope.domain for scope in new]
            self._index.add(new, words)
        self._new, self._old, self._last = [], [], None

    def _describe(self, words: AnyArray, scopes: list[Scope | None]) -> BatchScopes:
        """The scopes of a batch with the quirks of their exporters; without the index of the datagrams."""
        found = _describe(words, scopes)
        quirks = [
            self._quirks(address) if scope is None else scope.exporter.quirks
            for scope, (address, _) in zip(scopes, found.keys, strict=True)
        ]
        return replace(found, quirks=quirks if any(quirk != NO_QUIRKS for quirk in quirks) else None)

    def register(self, address: bytes, version: int, domain: int, port: int, time_ns: int) -> Scope | None:
        """The scope of these, made if it is new; None where a limit forbids it.

        A port beyond the limit gets the scope of `ANY_PORT`.
        """
        exporter = self.exporter(address, time_ns)
        if exporter is None:
            return None
        scope = exporter.scopes.get((version, domain, port))
        if scope is not None:
            return scope
        ports = exporter.domains.get((version, domain))
        if ports is None:
            if not (self._has_own_room(exporter, port, time_ns) and self._has_room(exporter, time_ns, new_domain=True)):
                return None
            ports = exporter.domains[version, domain] = Ports(self._number())
        else:
            self._retire_silent(exporter, ports, time_ns)
            trusted = port in exporter.trust.ports
            if not trusted and not self._has_room(exporter, time_ns, new_domain=False):
                port = ANY_PORT
        scope = ports.scopes.get(port)
        return self._add(exporter, version, domain, port, ports, time_ns) if scope is None else scope

    def of_domain(self, scope: Scope, domain: int) -> Scope | None:
        """The scope of another domain of the same port, made if it is new; None where a limit forbids it."""
        exporter, version, port = scope.exporter, scope.version, scope.port.port
        known = exporter.scopes.get((version, domain, port))
        if known is not None:
            return known
        ports = exporter.domains.get((version, domain))
        if ports is None:
            full = len(exporter.domains) >= self._limits.domains_per_exporter
            if full or domain >> _DOMAIN_BITS or not self._has_room(exporter, scope.last_seen_ns, new_domain=True):
                return None
            ports = exporter.domains[version, domain] = Ports(self._number())
        elif not self._has_room(exporter, scope.last_seen_ns, new_domain=False):
            return None
        return self._add(exporter, version, domain, port, ports, scope.last_seen_ns)

    def _add(self, exporter: ExporterState, version: int, domain: int, port: int, ports: Ports, time_ns: int) -> Scope:
        own = self.port(exporter, port)
        own.scopes += 1
        row = self.ledger.open_row()
        standard = NUMBER[STANDARD.get(version, Manner("nothing"))]
        counting = Counting(self.ledger, row, standard)
        counting.manner = standard
        scope = Scope(self._number(), self.ledger, row, exporter, version, domain, own, ports, counting, time_ns)
        scope.followed = version != V1 and port != ANY_PORT and not ports.common
        scope.last_seen_ns = time_ns
        ports.scopes[port] = exporter.scopes[version, domain, port] = scope
        ports.oldest_ns = min(ports.oldest_ns or time_ns, time_ns)
        self._new.append(scope)
        self._beyond += len(exporter.scopes) > OWN_SCOPES
        return scope

    def _has_room(self, exporter: ExporterState, time_ns: int, *, new_domain: bool) -> bool:
        """Whether an exporter may have one more domain, or one more port of a domain.

        Where all of them have reached what they may have together, those with less of a right
        to it make room; not in the midst of a batch, whose scopes must not go.
        """
        limits = self._limits
        if not new_domain and len(exporter.scopes) - len(exporter.domains) >= limits.ports_per_exporter:
            return False
        beyond = len(exporter.scopes) + 1 - OWN_SCOPES
        while beyond > 0 and self._beyond >= limits.domains:
            if self._present is None:
                return False
            standing = self.standing(exporter, time_ns)
            giver = self._domains.next(self._survey_domains, exporter, beyond, standing, time_ns, self._tired)
            if giver is None:
                return False
            # Of those that were planned some may be gone by now.
            before = self._beyond
            if self._exporters.get(giver[0].address) is giver[0]:
                self._cut(*giver)
            if self._beyond == before:
                self._tired.add(giver[0].number)
        return True

    def _has_own_room(self, exporter: ExporterState, port: int, time_ns: int) -> bool:
        """Whether an exporter may have a domain more among its own, once some without flows gave up their place."""
        limit, idle_ns = self._limits.domains_per_exporter, int(self._limits.exporter_idle_s * 1e9)
        if len(exporter.domains) < limit:
            return True
        if self._present is None or abs(time_ns - exporter.crowded_ns) < _CROWDED_NS:
            return False
        spare = spare_domains(exporter, port, self._held, time_ns, idle_ns)
        for ports in islice(spare, min(_FORGOTTEN_AT_ONCE, max(1, limit // _FORGOTTEN_AT_ONCE))):
            scopes = list(ports.scopes.values())
            if not self._affords(sum(_SCOPE_COST + self.held_by(scope) for scope in scopes)):
                break
            for scope in scopes:
                self._drop(exporter, scope)
        if len(exporter.domains) < limit:
            return True
        exporter.crowded_ns = time_ns
        return False

    def _survey_domains(self) -> Survey[ExporterState]:
        exporters = [exporter for exporter in self if len(exporter.scopes) > OWN_SCOPES]
        return Survey(exporters, np.array([len(exporter.scopes) - OWN_SCOPES for exporter in exporters], np.int64))

    def _cut(self, exporter: ExporterState, keeps: int) -> None:
        """Forget scopes beyond so many, a few of them at once: first those that never sent a flow, the oldest first."""
        more = min(len(exporter.scopes) - OWN_SCOPES - keeps, _FORGOTTEN_AT_ONCE)
        spare = [scope for scope in exporter.scopes.values() if scope.number not in self._held]
        for scope in sorted(spare, key=lambda scope: scope.flows_until_ns > 0)[:_TRIED]:
            if more <= 0:
                return
            if self._affords(_SCOPE_COST + self.held_by(scope)):
                self._drop(exporter, scope)
                more -= 1

    def _drop(self, exporter: ExporterState, scope: Scope) -> None:
        """Forget a scope."""
        self._detach(exporter, scope)
        self._changes.dropped.append(scope)
        if not scope.ports.scopes:
            del exporter.domains[scope.version, scope.domain]
            self._changes.dropped_domains.append(scope.ports)
        if not scope.port.scopes:
            self._changes.dropped_ports.append((exporter, scope.port))

    def _detach(self, exporter: ExporterState, scope: Scope) -> None:
        """Take a scope out of its exporter, domain and port, and out of the index."""
        del scope.ports.scopes[scope.port.port], exporter.scopes[scope.version, scope.domain, scope.port.port]
        scope.port.scopes -= 1
        if not scope.port.scopes:
            del exporter.ports[scope.port.port]
        self._old.append(scope)
        self._beyond -= len(exporter.scopes) >= OWN_SCOPES

    def _retire_silent(self, exporter: ExporterState, ports: Ports, time_ns: int) -> None:
        """Have ports of a domain that have been silent for long make room."""
        deadline = time_ns - SILENT_NS
        if ports.oldest_ns >= deadline or self._left < _PORT_COST:
            return
        silent: list[Scope] = []
        ports.oldest_ns = time_ns
        for port, scope in ports.scopes.items():
            if port == ANY_PORT or scope.number in self._held:
                continue
            if scope.last_seen_ns >= deadline:
                ports.oldest_ns = min(ports.oldest_ns, scope.last_seen_ns)
                continue
            cost = _PORT_COST + self.held_by(scope)
            if cost > _AT_ONCE:
                # It stays until most of what it told has expired.
                continue
            if not self._affords(cost):
                ports.oldest_ns = scope.last_seen_ns
                break
            silent.append(scope)
        for scope in silent:
            heir = ports.scopes.get(ANY_PORT) or self._add(
                exporter, scope.version, scope.domain, ANY_PORT, ports, scope.first_seen_ns
            )
            heir.last_seen_ns = max(heir.last_seen_ns, scope.last_seen_ns)
            heir.lost, heir.received = heir.lost + scope.lost, heir.received + scope.received
            heir.reordered += scope.reordered
            self._detach(exporter, scope)
            self._changes.retired.append((scope, heir))
            if not scope.port.scopes:
                self._changes.silent.append((exporter, scope.port, heir.port))

    def exporter(self, address: bytes, time_ns: int) -> ExporterState | None:
        """The exporter of that address, made if it is new; None where the limit forbids it."""
        exporter = self._exporters.get(address)
        if exporter is None:
            trust = self._trust(address)
            if len(self._exporters) >= self._limits.exporters and not self._make_room(trust, time_ns):
                return None
            row = self.ledger.open_row()
            exporter = ExporterState(self._number(), self.ledger, row, address, self._quirks(address), trust)
            exporter.last_seen_ns = time_ns
            self.ledger.put(row, "configured", int(trust.configured))
            self._exporters[address] = exporter
            if self._present is not None:
                self._present.add(exporter.number)
        return exporter

    def port(self, exporter: ExporterState, port: int) -> Port:
        """A port of an exporter, made if it is new."""
        own = exporter.ports.get(port)
        if own is None:
            if exporter.ports and not exporter.shared:
                exporter.shared = True
                self._changes.shared.append(exporter)
            own = exporter.ports[port] = Port(self._number(), port)
        return own

    def get(self, address: bytes) -> ExporterState | None:
        """The exporter of that address, if it is known."""
        return self._exporters.get(address)

    def take_changes(self) -> Changes:
        """What changed since the last call, to be followed by what others keep."""
        changes, self._changes = self._changes, Changes()
        return changes

    def free(self, number: int) -> None:
        """Nothing is kept under a number any more: it may be given again."""
        self._free.append(number)

    def close(self, owner: Scope | ExporterState) -> None:
        """A scope or an exporter is forgotten."""
        self.ledger.close_row(owner.row)

    def _number(self) -> int:
        if self._free:
            return self._free.pop()
        self._next_number += 1
        return self._next_number

    def _make_room(self, trust: Trust, time_ns: int) -> bool:
        """Remove the exporter that has least of a right to its place, for a new one; it is put into the changes."""
        if self._present is None:
            return False
        standing = CONFIGURED if trust.configured else STRANGER
        while giver := self._places.next(self._survey, None, 1, standing, time_ns, self._present):
            exporter = giver[0]
            if self._exporters.get(exporter.address) is not exporter:
                continue
            if self._affords(self.held_by(exporter) + _SCOPE_COST * len(exporter.scopes)):
                self._forget(exporter)
                return True
            self._shrinking[exporter.number] = exporter, exporter.last_seen_ns
            # Others make room in this batch.
            self._present.add(exporter.number)
        return False

    def _affords(self, cost: int) -> bool:
        """Whether there is time for so much in this batch; it is taken then."""
        affords = cost <= self._left
        self._left -= cost if affords else 0
        return affords

    def shrinking(self) -> ExporterState | None:
        """An exporter that is to make room, was not heard since that was decided, and still holds much."""
        while self._shrinking:
            number, (exporter, seen_ns) = next(iter(self._shrinking.items()))
            stays = self._exporters.get(exporter.address) is exporter and exporter.last_seen_ns == seen_ns
            if stays and self.held_by(exporter) + _SCOPE_COST * len(exporter.scopes) > _SHRUNK:
                return exporter
            del self._shrinking[number]
        return None

    def shed(self, exporter: ExporterState, most: int) -> None:
        """Have an exporter that is not of the batch give up so many of its scopes."""
        for scope in list(exporter.scopes.values())[:most]:
            self._drop(exporter, scope)

    def _survey(self) -> Survey[ExporterState]:
        exporters = list(self)
        return Survey(exporters, np.ones(len(exporters), np.int64))

    def standing(self, holder: Scope | ExporterState, now_ns: int) -> int:
        """Standing of an exporter, or of a domain of one of its ports; see `shares`."""
        idle_ns = int(self._limits.exporter_idle_s * 1e9)
        return int(standings(self.ledger, np.array([holder.row]), now_ns, idle_ns)[0])

    def commit(self) -> None:
        """The batch is done."""
        self._places.commit()
        self._domains.commit()

    def _forget(self, exporter: ExporterState) -> None:
        del self._exporters[exporter.address]
        self._beyond -= max(0, len(exporter.scopes) - OWN_SCOPES)
        self._old += exporter.scopes.values()
        self._changes.removed.append(exporter)


def _describe(words: AnyArray, scopes: list[Scope | None]) -> BatchScopes:
    """The scopes of a batch, given their words, shape (scopes, 3); without the index of the datagrams."""
    exporters = number_exporters(np.ascontiguousarray(words[:, :2]).view(np.uint8).reshape(-1, 16))
    texts = exporters.keys()
    version, domain = (words[:, 2] >> np.uint64(48)).astype(np.int64), (words[:, 2] & np.uint64(0xFFFFFFFF))
    keys = [(texts[e], PROTOCOLS[v]) for e, v in zip(exporters.index.tolist(), version.tolist(), strict=True)]
    streams = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    lasting = [
        (*(UNKNOWN,) * 4, 0, 0)
        if s is None
        else (s.number, s.port.number, s.ports.number, s.exporter.number, s.row, s.exporter.row)
        for s in scopes
    ]
    numbers, ports, domains, of_exporters, rows, exporter_rows = np.array(lasting, np.int64).reshape(-1, 6).T.copy()
    return BatchScopes(
        np.zeros(0, np.int64),
        scopes,
        numbers,
        ports,
        domains,
        of_exporters,
        rows,
        exporter_rows,
        any(s is not None and s.exporter.shared for s in scopes),
        exporters.index,
        exporters.addresses,
        keys,
        domain.astype(np.int64),
        np.array([streams[key] for key in keys], np.int64),
        list(streams),
    )


def _identity(high: int, low: int, rest: int) -> tuple[bytes, int, int, int]:
    """Address, version, domain and port of three words."""
    address = struct.pack("=QQ", high, low)
    return address, rest >> 48, rest & 0xFFFFFFFF, rest >> 32 & 0xFFFF
