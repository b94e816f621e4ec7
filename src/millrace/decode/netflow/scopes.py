"""Exporters, their UDP ports and observation domains, numbered for good and per batch.

What an exporter announces belongs to the address, the UDP port and the
observation domain it was sent from (RFC 7011 §8: templates are the transport
session's), as several devices may stand behind one address and number their
domains alike. A `Scope` is such a domain of a port. What a port was not told
is looked up in what all ports of the domain agree on, so a device that changes
its port goes on; see `agreement`.

A port is kept as long as it is used; when others of its domain come, what a
silent one announced passes to the scope of `ANY_PORT`. So do ports beyond the
limit: they share that scope.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.exporters import number_exporters
from millrace.decode.limits import Limits
from millrace.decode.netflow.common_numbers import Changes as NumberChanges
from millrace.decode.netflow.headers import PROTOCOLS, V1, Headers
from millrace.decode.netflow.ledger import Entry, Ledger
from millrace.decode.netflow.manners import ENTRIES, NUMBER, STANDARD, Counting, Manner
from millrace.decode.quirks import NO_QUIRKS, Quirks, QuirksOf
from millrace.decode.result import Event

UNKNOWN = -1
"""Number of a scope of which no state is kept because a limit is reached."""

ANY_PORT = -1
"""Port of the scope of a domain that holds what came from ports of which nothing is kept."""

_DOMAIN_BITS = 32

SILENT_NS = 600 * 10**9
"""A port silent for this long makes room when another one of the domain comes."""

_ENTRIES = {
    "followed": 0, "next_sequence": UNKNOWN, "late": 0, "late_next": UNKNOWN, "uptime": 0, "received": 0, "lost": 0,
    "reordered": 0, "last_seen_ns": 0, "clock_skew_ms": 0, "sampling_word": 0,
}  # fmt: skip

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


@dataclass(slots=True)
class Port:
    """A UDP port of an exporter: whatever comes from it comes from one device."""

    number: int
    port: int
    scopes: int = 0


@dataclass(slots=True)
class Ports:
    """An observation domain in one protocol: its scopes by port.

    Attributes
    ----------
    number : int
        Under which is kept what the ports agree on.
    oldest_ns : int
        No port was last heard before this.
    changes : Changes, optional
        What was seen of their sequence numbers, once there are several.
    common : bool
        Whether they share these, so that no port's own are followed.
    """

    number: int
    scopes: dict[int, Scope] = field(default_factory=dict)
    oldest_ns: int = 0
    changes: NumberChanges | None = None
    common: bool = False


@dataclass(slots=True)
class Scope:
    """An observation domain of a port of an exporter in one protocol, with what is told about it.

    Times are Unix nanoseconds of receipt. `next_sequence` is `UNKNOWN` until a
    datagram has set it; `late` counts datagrams in a row that came out of order.
    `followed`: its datagrams are one stream and have sequence numbers. What
    changes with every batch is kept in the `ledger`.
    """

    number: int
    ledger: Ledger
    row: int
    exporter: ExporterState
    version: int
    domain: int
    port: Port
    ports: Ports
    counting: Counting
    first_seen_ns: int = 0
    record_rate: int = 0

    followed = Entry()
    next_sequence = Entry()
    late = Entry()
    late_next = Entry()
    uptime = Entry()
    last_seen_ns = Entry()
    received = Entry()
    lost = Entry()
    reordered = Entry()
    clock_skew_ms = Entry()
    sampling_word = Entry()


@dataclass(slots=True)
class ExporterState:
    """An exporter: its domains and how much state it holds.

    Attributes
    ----------
    scopes : dict
        By version, domain and port.
    domains : dict
        By version and domain.
    ports : dict
        By port.
    shared : bool
        Whether it was ever heard on more than one port.
    """

    number: int
    ledger: Ledger
    row: int
    address: bytes
    quirks: Quirks = NO_QUIRKS
    scopes: dict[tuple[int, int, int], Scope] = field(default_factory=dict)
    domains: dict[tuple[int, int], Ports] = field(default_factory=dict)
    ports: dict[int, Port] = field(default_factory=dict)
    shared: bool = False
    templates: int = 0
    options_entries: int = 0
    last_issue: str = ""
    last_issue_ns: int = 0

    last_seen_ns = Entry()

    def of_port(self, port: Port) -> list[Scope]:
        """Scopes of one of its ports."""
        return [scope for scope in self.scopes.values() if scope.port is port]


@dataclass(frozen=True, slots=True)
class BatchScopes:
    """The scopes of one batch.

    Attributes
    ----------
    index : ndarray of int64, shape (datagrams,)
        Which of the batch's scopes each datagram belongs to.
    scopes : list of Scope or None
        None where no state is kept.
    numbers, port_numbers, domain_numbers, exporter_numbers : ndarray of int64, shape (scopes,)
        Lasting numbers of the scope, of its port, of the domain over all ports
        and of the exporter; `UNKNOWN` where no state is kept.
    rows, exporter_rows : ndarray of int64, shape (scopes,)
        Rows of the scope and of the exporter in the ledger; 0 where no state is kept.
    shared : bool
        Whether an exporter of the batch was heard on more than one port.
    exporter : ndarray of int64, shape (scopes,)
        Row of `addresses`.
    addresses : ndarray of uint8, shape (exporters, 16)
    keys : list of (bytes, str)
        Exporter and protocol of each scope, as `Counts` wants them.
    domain : ndarray of int64, shape (scopes,)
    stream : ndarray of int64, shape (scopes,)
        Row of `streams`.
    streams : list of (bytes, str)
        The distinct ones of `keys`.
    quirks : list of Quirks or None
        Of the exporter of each scope; None if no exporter of the batch has any.
    """

    index: I64
    scopes: list[Scope | None]
    numbers: I64
    port_numbers: I64
    domain_numbers: I64
    exporter_numbers: I64
    rows: I64
    exporter_rows: I64
    shared: bool
    exporter: I64
    addresses: U8
    keys: list[tuple[bytes, str]]
    domain: I64
    stream: I64
    streams: list[tuple[bytes, str]]
    quirks: list[Quirks] | None = None
    _keys_of: dict[str, list[tuple[bytes, str, str]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.scopes)

    def keys_of(self, event: Event) -> list[tuple[bytes, str, str]]:
        """Keys of `Counts.events` of the streams; kept, as most batches have the same scopes."""
        keys = self._keys_of.get(event)
        if keys is None:
            keys = self._keys_of[event] = [(exporter, protocol, event) for exporter, protocol in self.streams]
        return keys

    def having(self, quirk: str) -> Bool | None:
        """Which scopes are of an exporter with a quirk (a field of `Quirks`), shape (scopes,); None if none is."""
        if self.quirks is None:
            return None
        found = np.array([getattr(quirks, quirk) for quirks in self.quirks], np.bool_)
        return found if found.any() else None

    def wider(self) -> tuple[I64, ...]:
        """Numbers under which to look up what a scope was not told itself, the closest first.

        Its port in other domains, the domain over all ports, the exporter.
        The last two are known only of exporters with more than one port.
        """
        if self.shared:
            return self.port_numbers, self.domain_numbers, self.exporter_numbers
        return (self.port_numbers,)

    def of_datagrams(self, which: I64) -> BatchScopes:
        """The same scopes for some of the datagrams."""
        return replace(self, index=self.index[which])


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
    """

    removed: list[ExporterState] = field(default_factory=list)
    shared: list[ExporterState] = field(default_factory=list)
    retired: list[tuple[Scope, Scope]] = field(default_factory=list)
    silent: list[tuple[ExporterState, Port, Port]] = field(default_factory=list)


class Scopes:
    """Registry of exporters, ports, domains and scopes; all share one sequence of numbers."""

    def __init__(self, limits: Limits, quirks: QuirksOf) -> None:
        self._limits = limits
        self._quirks = quirks
        self._exporters: dict[bytes, ExporterState] = {}
        self._next_number = 0
        self._free: list[int] = []
        self._known = _Known.empty()
        self._stale = False
        self._oldest_ns = 0  # no exporter was last seen before this
        self._last: tuple[AnyArray, BatchScopes] | None = None
        self._changes = Changes()
        self._held: set[int] = set()
        self.ledger = Ledger({**_ENTRIES, **ENTRIES})

    def __iter__(self) -> Iterator[ExporterState]:
        return iter(self._exporters.values())

    def __len__(self) -> int:
        return len(self._exporters)

    def of_batch(self, headers: Headers) -> BatchScopes:
        """Number the scopes of a batch, registering new ones as far as the limits allow."""
        words = _words(headers)
        index = self._known.find(words)
        if index is None:
            return self._meet(headers, words)
        present = np.bincount(index, minlength=len(self._known.scopes)) > 0
        if self._last is not None and np.array_equal(self._last[0], present):
            described = self._last[1]
        else:
            which = np.flatnonzero(present)
            some = self._known.words[which]
            described = self._describe(some, [self._known.scopes[at] for at in which.tolist()])
            self._last = present, described
        row = np.cumsum(present) - 1
        return replace(described, index=index if present.all() else row[index])

    def _meet(self, headers: Headers, words: AnyArray) -> BatchScopes:
        """The same where not all are known yet."""
        first, index = _distinct(words)
        time_ns = headers.time_ns[first].tolist()
        distinct = words[first]
        identities = [_identity(*row) for row in distinct.tolist()]
        # What the batch needs makes no room for what it brings.
        known = [self._find(*identity) for identity in identities]
        self._held = {scope.number for scope in known if scope is not None}
        found: list[Scope | None] = [None] * len(first)
        # In wire order, so that the limits refuse the same scopes however a stream is cut into batches.
        for at in np.argsort(first).tolist():
            address, version, domain, port = identities[at]
            found[at] = self.register(address, version, domain, port, time_ns[at])
        self._held = set()
        if self._stale:
            self._known = _Known.of(
                [scope for exporter in self for scope in exporter.scopes.values() if scope.port.port != ANY_PORT]
            )
            self._stale, self._last = False, None
        # Ports beyond the limit share a scope.
        place: dict[int, int] = {}
        row = np.array([place.setdefault(at if s is None else -s.number, at) for at, s in enumerate(found)], np.int64)
        rows, merged = np.unique(row, return_inverse=True)
        described = self._describe(distinct[rows], [found[at] for at in rows.tolist()])
        return replace(described, index=merged.reshape(-1)[index])

    def _describe(self, words: AnyArray, scopes: list[Scope | None]) -> BatchScopes:
        """The scopes of a batch with the quirks of their exporters; without the index of the datagrams."""
        found = _describe(words, scopes)
        quirks = [
            self._quirks(address) if scope is None else scope.exporter.quirks
            for scope, (address, _) in zip(scopes, found.keys, strict=True)
        ]
        return replace(found, quirks=quirks if any(quirk != NO_QUIRKS for quirk in quirks) else None)

    def _find(self, address: bytes, version: int, domain: int, port: int) -> Scope | None:
        exporter = self._exporters.get(address)
        return None if exporter is None else exporter.scopes.get((version, domain, port))

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
            if len(exporter.domains) >= self._limits.domains_per_exporter:
                return None
            ports = exporter.domains[version, domain] = Ports(self._number())
        else:
            self._retire_silent(exporter, ports, time_ns)
            if len(exporter.scopes) - len(exporter.domains) >= self._limits.ports_per_exporter:
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
            if domain >> _DOMAIN_BITS or len(exporter.domains) >= self._limits.domains_per_exporter:
                return None
            ports = exporter.domains[version, domain] = Ports(self._number())
        elif len(exporter.scopes) - len(exporter.domains) >= self._limits.ports_per_exporter:
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
        self._stale = True
        return scope

    def _retire_silent(self, exporter: ExporterState, ports: Ports, time_ns: int) -> None:
        """Have ports of a domain that have been silent for long make room."""
        deadline = time_ns - SILENT_NS
        if ports.oldest_ns >= deadline:
            return
        silent = [
            scope
            for port, scope in ports.scopes.items()
            if port != ANY_PORT and scope.last_seen_ns < deadline and scope.number not in self._held
        ]
        for scope in silent:
            heir = ports.scopes.get(ANY_PORT) or self._add(
                exporter, scope.version, scope.domain, ANY_PORT, ports, scope.first_seen_ns
            )
            heir.last_seen_ns = max(heir.last_seen_ns, scope.last_seen_ns)
            heir.lost, heir.received = heir.lost + scope.lost, heir.received + scope.received
            heir.reordered += scope.reordered
            del ports.scopes[scope.port.port], exporter.scopes[scope.version, scope.domain, scope.port.port]
            self._changes.retired.append((scope, heir))
            scope.port.scopes -= 1
            if not scope.port.scopes:
                del exporter.ports[scope.port.port]
                self._changes.silent.append((exporter, scope.port, heir.port))
        ports.oldest_ns = min(scope.last_seen_ns for scope in ports.scopes.values())
        self._stale |= bool(silent)

    def exporter(self, address: bytes, time_ns: int) -> ExporterState | None:
        """The exporter of that address, made if it is new; None where the limit forbids it."""
        exporter = self._exporters.get(address)
        if exporter is None:
            if len(self._exporters) >= self._limits.exporters and not self._make_room(time_ns):
                return None
            quirks = self._quirks(address)
            exporter = ExporterState(self._number(), self.ledger, self.ledger.open_row(), address, quirks)
            exporter.last_seen_ns = time_ns
            self._exporters[address] = exporter
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

    def _make_room(self, time_ns: int) -> bool:
        """Remove every exporter that has been silent for long; they are put into the changes."""
        deadline = time_ns - int(self._limits.exporter_idle_s * 1e9)
        if self._oldest_ns >= deadline:
            return False
        idle = [exporter for exporter in self._exporters.values() if exporter.last_seen_ns < deadline]
        for exporter in idle:
            del self._exporters[exporter.address]
        self._changes.removed.extend(idle)
        self._stale |= bool(idle)
        self._oldest_ns = min((exporter.last_seen_ns for exporter in self), default=0)
        return bool(idle)


@dataclass(frozen=True, slots=True)
class _Known:
    """All registered scopes of a port, to be found by address, version, port and domain at once for a whole batch.

    Attributes
    ----------
    mixes : ndarray of uint64, shape (k,)
        Sorted.
    words : ndarray of uint64, shape (k, 3)
    scopes : list of Scope
    """

    mixes: AnyArray
    words: AnyArray
    scopes: list[Scope]

    @classmethod
    def empty(cls) -> _Known:
        """None."""
        return cls(np.zeros(0, np.uint64), np.zeros((0, 3), np.uint64), [])

    @classmethod
    def of(cls, scopes: list[Scope]) -> _Known:
        """These."""
        words = np.empty((len(scopes), 3), np.uint64)
        addresses = b"".join(scope.exporter.address for scope in scopes)
        words[:, :2] = np.frombuffer(addresses, np.uint64).reshape(-1, 2)
        words[:, 2] = [(scope.version << 48) | (scope.port.port << 32) | scope.domain for scope in scopes]
        mixes = _mix(words)
        order = np.argsort(mixes)
        return cls(mixes[order], words[order], [scopes[at] for at in order.tolist()])

    def find(self, words: AnyArray) -> I64 | None:
        """Which scope each row is; None if one is not known (or two mix to the same)."""
        if not len(self.mixes):
            return None
        if (words == words[0]).all():
            at = np.minimum(np.searchsorted(self.mixes, _mix(words[:1])), len(self.mixes) - 1)
            return np.repeat(at, len(words)) if (self.words[at] == words[0]).all() else None
        at = np.minimum(np.searchsorted(self.mixes, _mix(words)), len(self.mixes) - 1)
        return at if (self.words[at] == words).all() else None


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


def _mix(words: AnyArray) -> AnyArray:
    mixed: AnyArray = (words[:, 0] * _MIX[0]) ^ (words[:, 1] * _MIX[1]) ^ (words[:, 2] * _MIX[2])
    return mixed


def _words(headers: Headers) -> AnyArray:
    """Address, then version, port and domain of each datagram as three 64-bit words, shape (n, 3)."""
    words = np.empty((len(headers), 3), np.uint64, order="F")  # Each word is written and compared as a whole.
    words[:, :2] = np.ascontiguousarray(headers.source).view(np.uint64).reshape(-1, 2)
    words[:, 2] = (headers.version << 48) | (headers.port << 32) | headers.domain
    return words


def _identity(high: int, low: int, rest: int) -> tuple[bytes, int, int, int]:
    """Address, version, domain and port of three words."""
    address = struct.pack("=QQ", high, low)
    return address, rest >> 48, rest & 0xFFFFFFFF, rest >> 32 & 0xFFFF


def _distinct(words: AnyArray) -> tuple[I64, I64]:
    """Index of the first of each distinct row, and which of them each row is."""
    if (words == words[0]).all():
        return np.zeros(1, np.int64), np.zeros(len(words), np.int64)
    _, first, index = np.unique(_mix(words), return_index=True, return_inverse=True)
    if not np.array_equal(words[first][index], words):
        # Chosen so that their mix collides: compare whole rows.
        _, first, index = np.unique(words, axis=0, return_index=True, return_inverse=True)
    return first, index.reshape(-1)
