"""What is known of an exporter, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from millrace.decode.netflow.sampling import BINDINGS
from millrace.decode.oddities import Oddity

SAMPLING_BINDINGS = (*BINDINGS, "record", "source")
"""What a sampling rate may hold for (`SamplingStatus`)."""

FieldStatus = tuple[int, int, int]
"""Element, enterprise number (0: IANA) and length in bytes (65535: variable)."""


class TemplateFields(Sequence[FieldStatus]):
    """Fields of a template, read when somebody looks: a template has thousands, and few are ever looked at.

    Parameters
    ----------
    read : callable
        Gives the fields, the same each time.
    """

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Iterable[FieldStatus]]) -> None:
        self._read = read

    def _all(self) -> tuple[FieldStatus, ...]:
        return tuple(self._read())

    @overload
    def __getitem__(self, place: int) -> FieldStatus: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[FieldStatus]: ...
    def __getitem__(self, place: int | slice) -> FieldStatus | Sequence[FieldStatus]:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[FieldStatus]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


@dataclass(frozen=True, slots=True)
class TemplateStatus:
    """A template that holds.

    Attributes
    ----------
    protocol : str
    domain : int
    id : int
    options : bool
        Whether it is an options template.
    scopes : int
        The first so many fields are scopes.
    fields : sequence of (int, int, int)
        Element, enterprise number and length of each field.
    announced_ns : int
        When it was last announced, Unix nanoseconds.
    age_s : float
        Seconds between then and the exporter's last datagram.
    """

    protocol: str
    domain: int
    id: int
    options: bool
    scopes: int
    fields: Sequence[FieldStatus]
    announced_ns: int
    age_s: float


@dataclass(frozen=True, slots=True)
class SamplingStatus:
    """A sampling rate told by options, records, a header or samples.

    Attributes
    ----------
    protocol : str
    domain : int
    binding : str
        What it holds for, of `SAMPLING_BINDINGS`: the domain, a selector, an interface, a line card, a template,
        ``record`` (each tells its own) or, of sFlow, a ``source``.
    id : int
        Of the selector, interface or source.
    rate : int
        Of records: that of the last one.
    source : str
        As in `SAMPLING_SOURCES`.
    """

    protocol: str
    domain: int
    binding: str
    id: int
    rate: int
    source: str


@dataclass(frozen=True, slots=True)
class WaitingStatus:
    """Data sets that wait for a template.

    Attributes
    ----------
    protocol : str
    domain : int
    template_id : int
    sets, bytes : int
    since_ns : int
        When the oldest was received, Unix nanoseconds.
    """

    protocol: str
    domain: int
    template_id: int
    sets: int
    bytes: int
    since_ns: int


@dataclass(frozen=True, slots=True)
class DomainStatus:
    """A stream of an exporter: an observation domain (engine, sub-agent) in one protocol.

    Attributes
    ----------
    protocol : str
    domain : int
    last_seen_ns : int
    lost, reordered : int
        Units (flows, records or datagrams, as the exporter numbers them)
        missing when the next came, and those of them that came late.
    clock_skew_s : float
        Exporter's clock minus ours at the last datagram; 0 for sFlow, which tells no time.
    received : int
        Units received, those that came late included; 0 for NetFlow v1, which numbers nothing.
    proven : bool
        Whether enough came to tell loss from a manner of counting: at least a
        hundred datagrams, whose numbers follow from each other.
    unit : str
        What the exporter numbers, in the plural; it may be another thing than
        the protocol wants. Empty: as the protocol wants.
    """

    protocol: str
    domain: int
    last_seen_ns: int
    lost: int
    reordered: int
    clock_skew_s: float
    received: int = 0
    proven: bool = True
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ExporterStatus:
    """State of one exporter.

    Attributes
    ----------
    address : bytes
        Sixteen bytes.
    protocols : tuple of str
    domains : tuple of DomainStatus
    templates : tuple of TemplateStatus
    sampling : tuple of SamplingStatus
    last_seen_ns : int
        When its last datagram was received, Unix nanoseconds.
    lost, reordered : int
        Over all domains.
    clock_skew_s : float
        Of the domain seen last.
    waiting : tuple of WaitingStatus
    applications, interfaces : int
        Names told by options.
    last_issue : str
        The last thing that was wrong; empty: nothing.
    last_issue_ns : int
        When that was received, Unix nanoseconds; 0: nothing.
    oddities : tuple of Oddity
        What it tells that cannot be right.
    """

    address: bytes
    protocols: tuple[str, ...]
    domains: tuple[DomainStatus, ...]
    templates: tuple[TemplateStatus, ...]
    sampling: tuple[SamplingStatus, ...]
    last_seen_ns: int
    lost: int
    reordered: int
    clock_skew_s: float
    waiting: tuple[WaitingStatus, ...]
    applications: int
    interfaces: int
    last_issue: str
    last_issue_ns: int = 0
    oddities: tuple[Oddity, ...] = ()

    @property
    def waiting_sets(self) -> int:
        """Data sets that wait for a template."""
        return sum(waiting.sets for waiting in self.waiting)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of those."""
        return sum(waiting.bytes for waiting in self.waiting)
