"""Templates and where they are kept (RFC 7011 §3.4, §8; RFC 3954 §5.2, §6.1)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import field as data_field
from typing import NamedTuple

from millrace.decode.raw.cursor import Json
from millrace.schema.elements import Element, lookup

VARIABLE = 0xFFFF
"""Field length that says that the length stands before each value (RFC 7011 §7)."""

_ALIGNMENT_BYTES = 4

V9_SCOPES = {1: "system", 2: "interface", 3: "lineCard", 4: "netflowCache", 5: "template"}
"""Scope types of NetFlow v9 options templates (RFC 3954 §6.1)."""


@dataclass(frozen=True, slots=True)
class RawLimits:
    """Bounds of a `RawDecoder`.

    Attributes
    ----------
    template_fields : int
        Fields of all templates kept; the templates not redefined for longest go first.
    values : int
        Field values read of one datagram (fields of no length make many out of few bytes).
    list_depth : int
        Structured data inside structured data.
    packet_layers : int
        Headers read of one sampled packet.
    """

    template_fields: int = 1_000_000
    values: int = 500_000
    list_depth: int = 8
    packet_layers: int = 32


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field of a template.

    Attributes
    ----------
    id, pen, length : int
        As announced; the enterprise bit is removed.
    element : Element or None
        What the registry knows of it.
    scope : str
        Name of a NetFlow v9 scope type; empty for elements.
    """

    id: int
    pen: int
    length: int
    element: Element | None = None
    scope: str = ""

    @classmethod
    def of_element(cls, number: int, pen: int, length: int) -> FieldSpec:
        """A field that holds an information element."""
        return cls(number, pen, length, lookup(pen, number))

    @classmethod
    def of_v9_scope(cls, kind: int, length: int) -> FieldSpec:
        """A scope field of a NetFlow v9 options template; what is no scope type is the element of that number."""
        if kind not in V9_SCOPES and lookup(0, kind) is not None:
            return cls.of_element(kind, 0, length)
        return cls(kind, 0, length, scope=V9_SCOPES.get(kind, f"scope:{kind}"))

    @property
    def name(self) -> str:
        """Name of the element, ``pen:id`` if nobody knows it."""
        if self.scope:
            return self.scope
        return self.element.qualified if self.element else f"{self.pen}:{self.id}"

    def to_json(self) -> Json:
        """For people."""
        return {"name": self.name, "pen": self.pen, "id": self.id, "length": self.length}


@dataclass(frozen=True, slots=True)
class Template:
    """The layout of records.

    Attributes
    ----------
    id : int
    scope, fields : tuple of FieldSpec
        In wire order; `scope` comes first and is empty unless `options`.
    options : bool
        Whether it was announced as an options template.
    scope_names, field_names : tuple of str
        Distinct names to show the values under.
    """

    id: int
    scope: tuple[FieldSpec, ...]
    fields: tuple[FieldSpec, ...]
    options: bool
    scope_names: tuple[str, ...] = data_field(init=False)
    field_names: tuple[str, ...] = data_field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scope_names", _distinct(self.scope))
        object.__setattr__(self, "field_names", _distinct(self.fields))

    @property
    def shortest(self) -> int:
        """Bytes of the shortest record it allows."""
        return sum(1 if f.length == VARIABLE else f.length for f in (*self.scope, *self.fields))

    def fits(self, data: bytes) -> bool:
        """Whether data can be such records and padding: zero bytes, or what fills up to a multiple of four."""
        if (
            len(data) < self.shortest
            or not self.shortest
            or any(f.length == VARIABLE for f in (*self.scope, *self.fields))
        ):
            return not data or len(data) >= self.shortest
        rest = len(data) % self.shortest
        aligned = rest < _ALIGNMENT_BYTES and not len(data) % _ALIGNMENT_BYTES
        return not rest or aligned or not any(data[-rest:])

    def to_json(self) -> Json:
        """For people."""
        shown: Json = {"id": self.id}
        if self.options:
            shown["scope"] = [f.to_json() for f in self.scope]
        return shown | {"fields": [f.to_json() for f in self.fields]}


class Domain(NamedTuple):
    """Who numbers templates: an observation domain of a UDP port of an exporter, in one version of the protocol."""

    exporter: bytes
    version: int
    domain: int
    port: int = 0


class TemplateStore:
    """Templates by observation domain, bounded by the number of their fields.

    A port that has not announced a template has that of the domain's other
    ports, as long as these agree and the data can be such records: it may be
    one device with another port.
    """

    def __init__(self, max_fields: int) -> None:
        self._max_fields = max_fields
        self._fields = 0
        self._templates: dict[tuple[Domain, int], Template] = {}
        # Numbers per domain and kind, so that withdrawing all costs no more than was announced.
        self._numbers: dict[tuple[Domain, bool], set[int]] = {}
        self._ports: dict[tuple[Domain, int], dict[int, Template]] = {}

    def get(self, domain: Domain, number: int, data: bytes | None = None) -> Template | None:
        """The template of that number for records in `data`, None if it is not known."""
        own = self._templates.get((domain, number))
        if own is not None:
            return own
        first, *others = self._ports.get((domain._replace(port=0), number), {}).values() or (None,)
        if first is None or any(other != first for other in others):
            return None
        return first if data is None or first.fits(data) else None

    def put(self, domain: Domain, template: Template) -> None:
        """Keep a template in place of the one of its number."""
        self.withdraw(domain, template.id)
        self._templates[domain, template.id] = template
        self._ports.setdefault((domain._replace(port=0), template.id), {})[domain.port] = template
        self._numbers.setdefault((domain, template.options), set()).add(template.id)
        self._fields += _size(template)
        while self._fields > self._max_fields:
            self.withdraw(*next(iter(self._templates)))

    def withdraw(self, domain: Domain, number: int) -> None:
        """Forget one template."""
        template = self._templates.pop((domain, number), None)
        if template is None:
            return
        ports = self._ports[domain._replace(port=0), number]
        del ports[domain.port]
        if not ports:
            del self._ports[domain._replace(port=0), number]
        self._fields -= _size(template)
        numbers = self._numbers[domain, template.options]
        numbers.discard(number)
        if not numbers:
            del self._numbers[domain, template.options]

    def withdraw_all(self, domain: Domain, *, options: bool) -> None:
        """Forget every template or every options template of a domain (RFC 7011 §8.1)."""
        for number in tuple(self._numbers.get((domain, options), ())):
            self.withdraw(domain, number)


def _size(template: Template) -> int:
    return 1 + len(template.scope) + len(template.fields)


def _distinct(fields: tuple[FieldSpec, ...]) -> tuple[str, ...]:
    """Names under which to show fields: ``name#2`` for the second of a name."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for field in fields:
        seen[field.name] += 1
        names.append(field.name if seen[field.name] == 1 else f"{field.name}#{seen[field.name]}")
    return tuple(names)
