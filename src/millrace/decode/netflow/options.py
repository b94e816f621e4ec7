"""Options records: what exporters tell about themselves (RFC 3954 §6, RFC 7011 §3.4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import Bool
from millrace.decode.limits import Limits
from millrace.decode.netflow.assembly import spread
from millrace.decode.netflow.columns import decode_text, packed_texts
from millrace.decode.netflow.elements import Elements, element_of
from millrace.decode.netflow.headers import V9
from millrace.decode.netflow.layout import Layout
from millrace.decode.netflow.names import Names
from millrace.decode.netflow.rates import element_rate
from millrace.decode.netflow.records import Records, find_records
from millrace.decode.netflow.sampling import DOMAIN, INTERFACE, LINE_CARD, SELECTOR, TEMPLATE, Sampling
from millrace.decode.netflow.scopes import BatchScopes, ExporterState, Port, Scope, Scopes
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.shape import Shape, shape_of
from millrace.decode.result import Counts

_V9_SCOPES = {2: INTERFACE, 3: LINE_CARD, 5: TEMPLATE}
"""Scope types of RFC 3954 §6.1 that name a part of the exporter."""
_LAST_V9_SCOPE = 5
"""Larger scope types are the elements of that number, as some exporters send them."""
_OF_DOMAIN = "observation-domain"
"""What tells that a record is about another observation domain than that of its message."""
_SCOPES = {141: LINE_CARD, 145: TEMPLATE, 149: _OF_DOMAIN}
"""Elements that name one, if they are scopes."""
_SELECTORS = (302, 48)
_INTERFACES = (10, 14, 252, 253)
_APPLICATION, _APPLICATION_NAME = 95, 96
_INTERFACE_NAME, _INTERFACE_DESCRIPTION = 82, 83
_BOOT = 160
_LONGEST_NAME = 256
_LATEST_MS = 10_413_792_000_000


@dataclass(frozen=True, slots=True)
class OptionsPlan:
    """Where the facts of an options layout are.

    Attributes
    ----------
    shape : Shape
    elements : dict
        Field number by element, scopes that are elements included.
    about : dict
        Field number by binding: what says what the record is about.
    """

    shape: Shape
    elements: Elements
    about: dict[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """Options records of sets of one layout, with what they tell as Python values, a list item per record.

    `about` is by binding; `interface_names` are (name, description); `application` is (id, name).
    """

    sets: Sets
    records: Records
    rate: list[int] | None
    about: dict[str, list[int]]
    interface_names: list[tuple[str, str]] | None
    application: list[tuple[int, str]] | None
    boot_ms: list[int] | None


def compile_options(layout: Layout) -> OptionsPlan:
    """Compile a layout of options records."""
    shape = shape_of(layout)
    elements: Elements = {}
    about: dict[str, int] = {}
    for number, field in enumerate(shape.fields):
        if not field.length:
            continue
        if field.scope and layout.version == V9 and field.id <= _LAST_V9_SCOPE:
            # These are scope types, not elements.
            if field.id in _V9_SCOPES:
                about.setdefault(_V9_SCOPES[field.id], number)
            continue
        if field.scope and not field.pen and field.id in _SCOPES:
            about.setdefault(_SCOPES[field.id], number)
        elements.setdefault(element_of(field, layout.version), number)
    for binding, candidates in ((SELECTOR, _SELECTORS), (INTERFACE, _INTERFACES)):
        found = next((elements[e, 0] for e in candidates if (e, 0) in elements), None)
        if found is not None:
            about.setdefault(binding, found)
    return OptionsPlan(shape, elements, about)


def read_options(plan: OptionsPlan, sets: Sets, swapped: Bool | None) -> Told:
    """Read the options records of sets of one layout.

    Parameters
    ----------
    plan : OptionsPlan
    sets : Sets
    swapped : ndarray of bool, shape (sets,), optional
        Which come from an exporter that swaps the bytes of sampling rates.
    """
    records = find_records(sets, plan.shape)
    rate = element_rate(records, plan.elements, None if swapped is None else spread(swapped, records.counts))

    def numbers(field: int | None) -> list[int] | None:
        return None if field is None else records.number(field).tolist()

    boot = plan.elements.get((_BOOT, 0))
    return Told(
        sets, records, None if rate is None else rate.tolist(),
        {binding: records.number(field).tolist() for binding, field in plan.about.items()},
        _interface_names(plan, records), _applications(plan, records), numbers(boot),
    )  # fmt: skip


def _texts(records: Records, field: int | None) -> list[str]:
    if field is None:
        return [""] * len(records)
    return [decode_text(value) for value in packed_texts(records, field, _LONGEST_NAME).tolist()]


def _interface_names(plan: OptionsPlan, records: Records) -> list[tuple[str, str]] | None:
    name, description = (plan.elements.get((e, 0)) for e in (_INTERFACE_NAME, _INTERFACE_DESCRIPTION))
    if INTERFACE not in plan.about or (name is None and description is None):
        return None
    return list(zip(_texts(records, name), _texts(records, description), strict=True))


def _applications(plan: OptionsPlan, records: Records) -> list[tuple[int, str]] | None:
    ident, name = (plan.elements.get((e, 0)) for e in (_APPLICATION, _APPLICATION_NAME))
    if ident is None or name is None:
        return None
    return list(zip(records.number(ident).tolist(), _texts(records, name), strict=True))


class Learner:
    """Takes over what options records tell, within the limits."""

    def __init__(self, limits: Limits, scopes: Scopes, sampling: Sampling, names: Names) -> None:
        self._limits = limits
        self._scopes = scopes
        self._sampling = sampling
        self._names = names
        self._entries = 0

    def learn(self, told: list[Told], scopes: BatchScopes, counts: Counts) -> None:
        """Take over the records of a batch in the order in which they were sent."""
        runs = [(position, i, at) for i, t in enumerate(told) for at, position in enumerate(t.sets.position.tolist())]
        records = [_runs(t) for t in told]
        for position, i, at in sorted(runs):
            scope = scopes.scopes[int(told[i].sets.scope[at])]
            if scope is None:
                continue
            refused = sum(not self._learn_record(told[i], record, scope, position) for record in range(*records[i][at]))
            key = scopes.keys[int(told[i].sets.scope[at])]
            counts.drop(*key, "record", "options-limit", refused, "too many names and samplers")

    def _learn_record(self, told: Told, record: int, scope: Scope, position: int) -> bool:
        complete = True
        domain = told.about[_OF_DOMAIN][record] if _OF_DOMAIN in told.about else 0
        if domain and domain != scope.domain:
            scope = self._scopes.of_domain(scope, domain) or scope
        if told.rate is not None and told.rate[record] > 0:
            complete &= self._learn_rate(told, record, scope, position)
        if told.application is not None:
            complete &= self.application(scope.exporter, scope.port, *told.application[record], position)
        if told.interface_names is not None:
            index = told.about[INTERFACE][record]
            complete &= self.interface(scope.exporter, scope.port, index, *told.interface_names[record])
        if told.boot_ms is not None:
            self.boot(scope, told.boot_ms[record], position)
        return complete

    def _learn_rate(self, told: Told, record: int, scope: Scope, position: int) -> bool:
        assert told.rate is not None
        rate = told.rate[record]
        named = {b: idents[record] for b, idents in told.about.items() if idents[record] and b != _OF_DOMAIN}
        bindings = {binding: ident for binding, ident in named.items() if binding in (SELECTOR, INTERFACE)}
        # A line card or a template often only says where the domain's selector or interface is.
        bindings = bindings or named or {DOMAIN: 0}
        complete = True
        for binding, ident in bindings.items():
            complete &= self.rate(scope, binding, ident, rate, position)
        return complete

    def rate(self, scope: Scope, binding: str, ident: int, rate: int, position: int) -> bool:
        """A domain tells a sampling rate; whether there was room for it."""
        if not self._sampling.knows(scope, binding, ident) and not self._has_room(scope.exporter):
            return False
        self._sampling.learn(scope, binding, ident, rate, position)
        return True

    def application(self, exporter: ExporterState, port: Port, ident: int, name: str, position: int) -> bool:
        """An exporter names an application; whether there was room for it."""
        if name and (ident in self._names.applications(port) or self._has_room(exporter)):
            self._names.learn_application(exporter, port, ident, name, position)
            return True
        return not name

    def interface(self, exporter: ExporterState, port: Port, index: int, name: str, description: str) -> bool:
        """An exporter names an interface; whether there was room for it."""
        if index in self._names.interfaces(port) or self._has_room(exporter):
            self._names.learn_interface(port, index, name, description)
            return True
        return False

    def boot(self, scope: Scope, boot_ms: int, position: int) -> None:
        """A domain tells when its exporter started; nonsense is ignored."""
        if 0 < boot_ms < _LATEST_MS:
            self._names.learn_boot(scope, boot_ms, position)

    def _has_room(self, exporter: ExporterState) -> bool:
        """Whether an exporter may tell one more thing; if so it is counted."""
        if self._entries >= self._limits.options_entries:
            return False
        if exporter.options_entries >= self._limits.options_entries_per_exporter:
            return False
        exporter.options_entries += 1
        self._entries += 1
        return True

    def forget(self, entries: int) -> None:
        """An exporter that told so many things is forgotten."""
        self._entries -= entries

    def vanished(self, exporter: ExporterState, entries: int) -> None:
        """So many things that an exporter told are known twice no more."""
        exporter.options_entries -= entries
        self._entries -= entries


def _runs(told: Told) -> list[tuple[int, int]]:
    """First record and the one after the last of each set."""
    stops = np.cumsum(told.records.counts)
    return list(zip((stops - told.records.counts).tolist(), stops.tolist(), strict=True))
