"""Field lists of templates, each kept once however many exporters announce it."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from millrace.decode.netflow.headers import IPFIX

VARIABLE = 0xFFFF
"""Length of a variable-length field in a template (RFC 7011 §7)."""
ENTERPRISE_BIT = 0x8000
_SELECTORS = (302, 48)
"""selectorId, samplerId."""
_DOMAINS = (149,)
"""observationDomainId."""

_Compiled = TypeVar("_Compiled")


class Field(NamedTuple):
    """A field specifier: element, enterprise (0: IANA), length in bytes or `VARIABLE`, whether it is a scope.

    The `id` of a scope of a v9 options template is a scope type (RFC 3954 §6.1), not an element.
    """

    id: int
    pen: int
    length: int
    scope: bool = False


@dataclass(slots=True)
class Layout:
    """A field list as announced.

    Attributes
    ----------
    number : int
    version : int
        `V9` or `IPFIX`.
    options : bool
    scopes : int
        The first so many fields are scopes.
    with_pen : bool
        Whether a field with the enterprise bit is followed by an enterprise number.
    wire : bytes
        Field specifiers as announced.
    least : int
        Bytes of its shortest record.
    fixed : bool
        Whether all records are that long.
    selectors : bool
        Whether it is one of flows that name their selector or sampler.
    domains : bool
        Whether it is one of options that may be about another observation domain.
    users : int
        Templates with this layout.
    counted : bool
        Whether its bytes count as held.
    """

    number: int
    version: int
    options: bool
    scopes: int
    with_pen: bool
    wire: bytes
    least: int
    fixed: bool
    selectors: bool = False
    domains: bool = False
    users: int = 0
    counted: bool = True

    def fields(self) -> tuple[Field, ...]:
        """The field list (made anew at each call, as few are ever looked at)."""
        return parse_fields(self.wire, self.scopes, with_pen=self.with_pen)


def parse_fields(wire: bytes, scopes: int, *, with_pen: bool) -> tuple[Field, ...]:
    """Field specifiers (RFC 7011 §3.2) from bytes that hold whole ones."""
    found: list[Field] = []
    at = 0
    while at + 4 <= len(wire):
        element, length = struct.unpack_from("!HH", wire, at)
        at += 4
        pen = 0
        if with_pen and element & ENTERPRISE_BIT:
            (pen,) = struct.unpack_from("!I", wire, at)
            element &= ~ENTERPRISE_BIT
            at += 4
        found.append(Field(element, pen, length, len(found) < scopes))
    return tuple(found)


def least_record(wire: bytes, *, with_pen: bool) -> int:
    """Bytes of the shortest record with the fields of these specifiers."""
    return _extent(wire, with_pen=with_pen)[0]


def _extent(wire: bytes, *, with_pen: bool) -> tuple[int, int]:
    """Bytes of the shortest record, and how many of its fields are of variable length."""
    words = struct.unpack(f"!{len(wire) // 2}H", wire)
    lengths: Sequence[int] = words[1::2]
    if with_pen and any(element & ENTERPRISE_BIT for element in words[::2]):
        lengths = [field.length for field in parse_fields(wire, 0, with_pen=True)]
    variable = lengths.count(VARIABLE)
    return sum(lengths) - (VARIABLE - 1) * variable, variable


def _has_any(wire: bytes, elements: tuple[int, ...], *, with_pen: bool) -> bool:
    fields = parse_fields(wire, 0, with_pen=with_pen)
    return any(field.length and not field.pen and field.id in elements for field in fields)


class Layouts:
    """Layouts by number and by what was announced.

    Parameters
    ----------
    limit_bytes : int
        Bytes of all field lists together.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._by_wire: dict[tuple[int, bool, int, bool, bytes], Layout] = {}
        self._by_number: dict[int, Layout] = {}
        self._next_number = 0
        self._unused: list[Layout] = []
        self.nbytes = 0

    def __getitem__(self, number: int) -> Layout:
        return self._by_number[number]

    def __len__(self) -> int:
        return len(self._by_number)

    def intern(self, *, version: int, options: bool, scopes: int, with_pen: bool, wire: bytes) -> Layout | None:
        """The layout of that field list; None if it is new and there is no room."""
        # Whether numbers follow matters only where there is an enterprise bit; IPFIX always has them.
        with_pen = with_pen or version == IPFIX
        key = (version, options, scopes, with_pen, wire)
        layout = self._by_wire.get(key)
        if layout is None:
            if self.nbytes + len(wire) > self._limit_bytes:
                return None
            selectors = not options and _has_any(wire, _SELECTORS, with_pen=with_pen)
            domains = options and _has_any(wire, _DOMAINS, with_pen=with_pen)
            least, variable = _extent(wire, with_pen=with_pen)
            layout = Layout(
                self._next_number, version, options, scopes, with_pen, wire, least, not variable, selectors, domains
            )  # fmt: skip
            self._by_wire[key] = layout
            self._by_number[layout.number] = layout
            self._next_number += 1
            self.nbytes += len(wire)
            self._unused.append(layout)
        return layout

    def acquire(self, layout: Layout) -> None:
        """One more template has this layout."""
        layout.users += 1
        self._count(layout, counted=True)

    def release(self, layout: Layout) -> None:
        """One template less has this layout; sets of this batch may still need it."""
        layout.users -= 1
        self.discard(layout)

    def discard(self, layout: Layout) -> None:
        """A layout is not taken, or was given up: unless a template has it, it takes no room any more."""
        if not layout.users:
            self._count(layout, counted=False)
            self._unused.append(layout)

    def _count(self, layout: Layout, *, counted: bool) -> None:
        if layout.counted != counted:
            layout.counted = counted
            self.nbytes += len(layout.wire) if counted else -len(layout.wire)

    def sweep(self) -> list[int]:
        """Forget the layouts that no template has; their numbers."""
        gone: list[int] = []
        for layout in self._unused:
            if not layout.users and layout.number in self._by_number:
                del self._by_number[layout.number]
                del self._by_wire[layout.version, layout.options, layout.scopes, layout.with_pen, layout.wire]
                self._count(layout, counted=False)
                gone.append(layout.number)
        self._unused = []
        return gone


class Compiled(Generic[_Compiled]):
    """What was compiled of layouts, the most recently used of them.

    Parameters
    ----------
    make : callable
        Compiles a layout.
    size, size_bytes : int
        How many to keep, and how many bytes of field lists.
    """

    def __init__(self, make: Callable[[Layout], _Compiled], size: int, size_bytes: int) -> None:
        self._make = make
        self._size = size
        self._size_bytes = size_bytes
        self._kept: OrderedDict[int, tuple[_Compiled, int]] = OrderedDict()
        self._nbytes = 0

    def __contains__(self, number: int) -> bool:
        return number in self._kept

    def of(self, layout: Layout) -> _Compiled:
        """The compiled form of a layout."""
        found = self._kept.get(layout.number)
        if found is not None:
            self._kept.move_to_end(layout.number)
            return found[0]
        compiled = self._make(layout)
        self._kept[layout.number] = compiled, len(layout.wire)
        self._nbytes += len(layout.wire)
        while len(self._kept) > self._size or (self._nbytes > self._size_bytes and len(self._kept) > 1):
            _, (_, nbytes) = self._kept.popitem(last=False)
            self._nbytes -= nbytes
        return compiled

    def forget(self, numbers: list[int]) -> None:
        """Drop layouts that no longer exist."""
        for number in numbers:
            found = self._kept.pop(number, None)
            if found is not None:
                self._nbytes -= found[1]
