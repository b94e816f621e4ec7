"""Exporters and their observation domains, numbered for good and per batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.exporters import number_exporters
from millrace.decode.limits import Limits
from millrace.decode.netflow.headers import PROTOCOLS, Headers
from millrace.decode.quirks import NO_QUIRKS, Quirks, QuirksOf

UNKNOWN = -1
"""Number of a scope of which no state is kept because a limit is reached."""

_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)


@dataclass(slots=True)
class Scope:
    """An observation domain of an exporter in one protocol, with what is told about it.

    Times are Unix nanoseconds of receipt. `next_sequence` is `UNKNOWN` until a
    datagram has set it; `late` counts datagrams in a row that came out of order.
    """

    number: int
    exporter: ExporterState
    version: int
    domain: int
    next_sequence: int = UNKNOWN
    late: int = 0
    late_next: int = UNKNOWN
    uptime: int = 0
    last_seen_ns: int = 0
    received: int = 0
    lost: int = 0
    reordered: int = 0
    clock_skew_ms: int = 0
    sampling_word: int = 0


@dataclass(slots=True)
class ExporterState:
    """An exporter: its domains and how much state it holds."""

    number: int
    address: bytes
    quirks: Quirks = NO_QUIRKS
    scopes: dict[tuple[int, int], Scope] = field(default_factory=dict)
    templates: int = 0
    options_entries: int = 0
    last_seen_ns: int = 0
    last_issue: str = ""
    last_issue_ns: int = 0


@dataclass(frozen=True, slots=True)
class BatchScopes:
    """The scopes of one batch.

    Attributes
    ----------
    index : ndarray of int64, shape (datagrams,)
        Which of the batch's scopes each datagram belongs to.
    scopes : list of Scope or None
        None where no state is kept.
    numbers, exporter_numbers : ndarray of int64, shape (scopes,)
        Lasting numbers of the scope and of its exporter; `UNKNOWN` where no state is kept.
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
    exporter_numbers: I64
    exporter: I64
    addresses: U8
    keys: list[tuple[bytes, str]]
    domain: I64
    stream: I64
    streams: list[tuple[bytes, str]]
    quirks: list[Quirks] | None = None

    def __len__(self) -> int:
        return len(self.scopes)

    def having(self, quirk: str) -> Bool | None:
        """Which scopes are of an exporter with a quirk (a field of `Quirks`), shape (scopes,); None if none is."""
        if self.quirks is None:
            return None
        found = np.array([getattr(quirks, quirk) for quirks in self.quirks], np.bool_)
        return found if found.any() else None

    def rows(self, which: I64) -> BatchScopes:
        """The same scopes for some of the datagrams."""
        return replace(self, index=self.index[which])


class Scopes:
    """Registry of exporters and scopes; both share one sequence of numbers."""

    def __init__(self, limits: Limits, quirks: QuirksOf) -> None:
        self._limits = limits
        self._quirks = quirks
        self._exporters: dict[bytes, ExporterState] = {}
        self._next_number = 0
        self._known = _Known.empty()
        self._known_numbers = 0
        self._oldest_ns = 0  # no exporter was last seen before this
        self._last: tuple[AnyArray, BatchScopes] | None = None
        self._removed: list[ExporterState] = []

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
        found: list[Scope | None] = [None] * len(first)
        # In wire order, so that the limits refuse the same scopes however a stream is cut into batches.
        for at in np.argsort(first).tolist():
            version_domain = int(distinct[at, 2])
            found[at] = self.register(
                distinct[at, :2].tobytes(), version_domain >> 32, version_domain & 0xFFFFFFFF, time_ns[at]
            )
        if self._known_numbers != self._next_number:
            self._known = _Known.of([scope for exporter in self for scope in exporter.scopes.values()])
            self._known_numbers = self._next_number
            self._last = None
        return replace(self._describe(distinct, found), index=index)

    def _describe(self, words: AnyArray, scopes: list[Scope | None]) -> BatchScopes:
        """The scopes of a batch with the quirks of their exporters; without the index of the datagrams."""
        found = _describe(words, scopes)
        quirks = [
            self._quirks(address) if scope is None else scope.exporter.quirks
            for scope, (address, _) in zip(scopes, found.keys, strict=True)
        ]
        return replace(found, quirks=quirks if any(quirk != NO_QUIRKS for quirk in quirks) else None)

    def register(self, address: bytes, version: int, domain: int, time_ns: int) -> Scope | None:
        """The scope of these, made if it is new; None where a limit forbids it."""
        exporter = self.exporter(address, time_ns)
        if exporter is None:
            return None
        scope = exporter.scopes.get((version, domain))
        if scope is None:
            if len(exporter.scopes) >= self._limits.domains_per_exporter:
                return None
            scope = exporter.scopes[version, domain] = Scope(self._number(), exporter, version, domain)
        return scope

    def exporter(self, address: bytes, time_ns: int) -> ExporterState | None:
        """The exporter of that address, made if it is new; None where the limit forbids it."""
        exporter = self._exporters.get(address)
        if exporter is None:
            if len(self._exporters) >= self._limits.exporters and not self._make_room(time_ns):
                return None
            quirks = self._quirks(address)
            exporter = ExporterState(self._number(), address, quirks, last_seen_ns=time_ns)
            self._exporters[address] = exporter
        return exporter

    def get(self, address: bytes) -> ExporterState | None:
        """The exporter of that address, if it is known."""
        return self._exporters.get(address)

    def take_removed(self) -> list[ExporterState]:
        """Exporters removed to make room since the last call; what others keep of them is to be forgotten."""
        removed, self._removed = self._removed, []
        return removed

    def _number(self) -> int:
        self._next_number += 1
        return self._next_number

    def _make_room(self, time_ns: int) -> bool:
        """Remove every exporter that has been silent for long; they are put into `removed`."""
        deadline = time_ns - int(self._limits.exporter_idle_s * 1e9)
        if self._oldest_ns >= deadline:
            return False
        idle = [exporter for exporter in self._exporters.values() if exporter.last_seen_ns < deadline]
        for exporter in idle:
            del self._exporters[exporter.address]
        self._removed.extend(idle)
        self._oldest_ns = min((exporter.last_seen_ns for exporter in self), default=0)
        return bool(idle)


@dataclass(frozen=True, slots=True)
class _Known:
    """All registered scopes, to be found by address, version and domain at once for a whole batch.

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
        words[:, 2] = [(scope.version << 32) | scope.domain for scope in scopes]
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
    version, domain = (words[:, 2] >> np.uint64(32)).astype(np.int64), (words[:, 2] & np.uint64(0xFFFFFFFF))
    keys = [(texts[e], PROTOCOLS[v]) for e, v in zip(exporters.index.tolist(), version.tolist(), strict=True)]
    streams = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return BatchScopes(
        np.zeros(0, np.int64),
        scopes,
        np.array([UNKNOWN if s is None else s.number for s in scopes], np.int64),
        np.array([UNKNOWN if s is None else s.exporter.number for s in scopes], np.int64),
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
    """Address, version and domain of each datagram as three 64-bit words, shape (n, 3)."""
    words = np.empty((len(headers), 3), np.uint64)
    words[:, :2] = np.ascontiguousarray(headers.source).view(np.uint64).reshape(-1, 2)
    words[:, 2] = (headers.version << 32) | headers.domain
    return words


def _distinct(words: AnyArray) -> tuple[I64, I64]:
    """Index of the first of each distinct row, and which of them each row is."""
    if (words == words[0]).all():
        return np.zeros(1, np.int64), np.zeros(len(words), np.int64)
    _, first, index = np.unique(_mix(words), return_index=True, return_inverse=True)
    if not np.array_equal(words[first][index], words):
        # Chosen so that their mix collides: compare whole rows.
        _, first, index = np.unique(words, axis=0, return_index=True, return_inverse=True)
    return first, index.reshape(-1)
