"""Exporters, their UDP ports and observation domains, and those of a batch.

What an exporter announces belongs to the address, the UDP port and the
observation domain it was sent from (RFC 7011 §8: templates are the transport
session's), as several devices may stand behind one address and number their
domains alike. A `Scope` is such a domain of a port. What a port was not told
is looked up in what all ports of the domain agree on, so a device that changes
its port goes on; see `agreement`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from millrace.batch.arrays import I64, U8, Bool
from millrace.decode.netflow.headers import PROTOCOLS
from millrace.decode.netflow.ledger import Entry, Ledger
from millrace.decode.netflow.manners import Counting
from millrace.decode.netflow.number_changes import NumberChanges
from millrace.decode.quirks import NO_QUIRKS, Quirks
from millrace.decode.result import Event
from millrace.decode.trust import STRANGER as UNKNOWN_TRUST
from millrace.decode.trust import Trust

UNKNOWN = -1
"""Number of a scope of which no state is kept because a limit is reached."""

ANY_PORT = -1
"""Port of the scope of a domain that holds what came from ports of which nothing is kept."""

SILENT_NS = 600 * 10**9
"""A port silent for this long makes room when another one of the domain comes."""

Option: TypeAlias = tuple[int, str, int]
"""Number of a scope or a port, kind and id of something told by options."""


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
    `followed`: its datagrams are one stream and have sequence numbers. `place`
    is that in the `ScopeIndex`. What changes with every batch is kept in the `ledger`.
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
    place: int = UNKNOWN

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
    flows_since_ns = Entry()
    flows_until_ns = Entry()


@dataclass(slots=True)
class ExporterState:
    """An exporter: its domains and how much state it holds.

    Attributes
    ----------
    trust : Trust
        What the configuration vouches for.
    templates, template_bytes : int
        Templates that it announced, and bytes of their field lists.
    options : OrderedDict
        When each name and rate was told last, Unix nanoseconds, in that order, with the scope or port that told it;
        by number of that, kind and id. To find the first of a plain dictionary passes over all that was taken
        from its beginning before.
    flows_since_ns, flows_until_ns : int
        When its first and its last flow came, Unix nanoseconds; 0: none did.
    scopes : dict
        By version, domain and port.
    domains : dict
        By version and domain.
    ports : dict
        By port.
    shared : bool
        Whether it was ever heard on more than one port.
    crowded_ns : int
        When it had as many domains as it may have and none of them could make room, Unix nanoseconds; 0: never.
    """

    number: int
    ledger: Ledger
    row: int
    address: bytes
    quirks: Quirks = NO_QUIRKS
    trust: Trust = UNKNOWN_TRUST
    scopes: dict[tuple[int, int, int], Scope] = field(default_factory=dict)
    domains: dict[tuple[int, int], Ports] = field(default_factory=dict)
    ports: dict[int, Port] = field(default_factory=dict)
    shared: bool = False
    crowded_ns: int = 0
    templates: int = 0
    template_bytes: int = 0
    options: OrderedDict[Option, tuple[Scope | Port, int]] = field(default_factory=OrderedDict)
    last_issue: str = ""
    last_issue_ns: int = 0

    last_seen_ns = Entry()
    flows_since_ns = Entry()
    flows_until_ns = Entry()

    @property
    def lasting(self) -> bool:
        """Whether it is worth keeping over a restart: anybody can announce templates, and be gone."""
        return self.trust.configured or bool(self.flows_until_ns)

    def announces_from(self, port: int) -> bool:
        """Whether templates and options are accepted from one of its UDP ports."""
        return not self.trust.ports or port in self.trust.ports

    def has(self, scope: Scope) -> bool:
        """Whether a scope is one of its own still: the number of one that is gone may be another's."""
        return self.scopes.get((scope.version, scope.domain, scope.port.port)) is scope

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

    def extended(self, more: list[Scope]) -> BatchScopes:
        """These, and after them scopes of which the batch has no datagram: those of sets that waited."""
        if not more:
            return self
        exporters = {address.tobytes(): row for row, address in enumerate(self.addresses)}
        streams = {key: row for row, key in enumerate(self.streams)}
        keys = [(scope.exporter.address, PROTOCOLS[scope.version]) for scope in more]
        exporter = [exporters.setdefault(address, len(exporters)) for address, _ in keys]
        stream = [streams.setdefault(key, len(streams)) for key in keys]
        quirks = self.quirks or [NO_QUIRKS] * len(self)
        quirks = [*quirks, *(scope.exporter.quirks for scope in more)]
        return replace(
            self,
            scopes=[*self.scopes, *more],
            numbers=np.append(self.numbers, [scope.number for scope in more]),
            port_numbers=np.append(self.port_numbers, [scope.port.number for scope in more]),
            domain_numbers=np.append(self.domain_numbers, [scope.ports.number for scope in more]),
            exporter_numbers=np.append(self.exporter_numbers, [scope.exporter.number for scope in more]),
            rows=np.append(self.rows, [scope.row for scope in more]),
            exporter_rows=np.append(self.exporter_rows, [scope.exporter.row for scope in more]),
            shared=self.shared or any(scope.exporter.shared for scope in more),
            exporter=np.append(self.exporter, exporter),
            addresses=np.frombuffer(b"".join(exporters), np.uint8).reshape(-1, 16),
            keys=[*self.keys, *keys],
            domain=np.append(self.domain, [scope.domain for scope in more]),
            stream=np.append(self.stream, stream),
            streams=list(streams),
            quirks=quirks if any(quirk != NO_QUIRKS for quirk in quirks) else None,
            _keys_of={},
        )

    def of_datagrams(self, which: I64) -> BatchScopes:
        """The same scopes for some of the datagrams."""
        return replace(self, index=self.index[which])
