"""Options records: what exporters tell about themselves (RFC 3954 §6, RFC 7011 §3.4.2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import Bool
from millrace.decode.limits import Limits
from millrace.decode.netflow.assembly import spread
from millrace.decode.netflow.column_kinds import decode_text, distinct_texts
from millrace.decode.netflow.deadlines import STEP
from millrace.decode.netflow.elements import Elements, element_of
from millrace.decode.netflow.headers import V9
from millrace.decode.netflow.layout import Layout
from millrace.decode.netflow.names import Names
from millrace.decode.netflow.rates import element_rate
from millrace.decode.netflow.records import Records, find_records
from millrace.decode.netflow.registry import Scopes
from millrace.decode.netflow.sampling import DOMAIN, INTERFACE, LINE_CARD, SELECTOR, TEMPLATE, Sampling
from millrace.decode.netflow.scopes import BatchScopes, ExporterState, Port, Scope
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.shape import Shape, shape_of
from millrace.decode.netflow.shares import Givers, Survey
from millrace.decode.rate_jumps import jumps
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
_APPLICATION_ID, _APPLICATION_NAME = 95, 96
_INTERFACE_NAME, _INTERFACE_DESCRIPTION = 82, 83
_BOOT = 160
_LONGEST_NAME = 256
_LATEST_MS = 10_413_792_000_000


APPLICATION = "application"
_LEAST_ENTRIES = 2048
"""Names and rates that a large router tells: its interfaces, and a thousand applications."""
_STALE_NS = 3600 * 10**9
"""What an exporter told longer ago makes room for what it tells now; options are repeated every few minutes."""
_EXPIRE_EVERY_NS = 60 * 10**9
_AT_ONCE = 256
"""An exporter that makes room for others does so for so many things at once."""


@dataclass(frozen=True, slots=True)
class Now:
    """When something is told: position in the batch, and Unix nanoseconds; whether others make room for it."""

    position: int
    time_ns: int
    makes_room: bool = True


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
    codes, values = distinct_texts(records, field, _LONGEST_NAME)
    texts = [decode_text(value) for value in values]
    return [texts[code] for code in codes.tolist()]


def _interface_names(plan: OptionsPlan, records: Records) -> list[tuple[str, str]] | None:
    name, description = (plan.elements.get((e, 0)) for e in (_INTERFACE_NAME, _INTERFACE_DESCRIPTION))
    if INTERFACE not in plan.about or (name is None and description is None):
        return None
    return list(zip(_texts(records, name), _texts(records, description), strict=True))


def _applications(plan: OptionsPlan, records: Records) -> list[tuple[int, str]] | None:
    ident, name = (plan.elements.get((e, 0)) for e in (_APPLICATION_ID, _APPLICATION_NAME))
    if ident is None or name is None:
        return None
    return list(zip(records.number(ident).tolist(), _texts(records, name), strict=True))


class Learner:
    """Takes over what options records tell, within the limits; forgets what is told no more.

    When there is no room, those give up theirs who have less of a right to it
    (see `shares`), or hold more than a fair share: what they told least lately.
    """

    def __init__(self, limits: Limits, scopes: Scopes, sampling: Sampling, names: Names) -> None:
        self._limits = limits
        self._scopes = scopes
        self._sampling = sampling
        self._names = names
        self._entries = 0
        self._givers: Givers[ExporterState] = Givers(limits.options_entries, _LEAST_ENTRIES, limits.exporter_idle_s)
        self._made_room: Counter[bytes] = Counter()
        self._jumps: list[tuple[Scope, str]] = []
        self._looked_ns = 0

    def learn(self, told: list[Told], scopes: BatchScopes, counts: Counts) -> None:
        """Take over the records of a batch in the order in which they were sent."""
        runs = [(position, i, at) for i, t in enumerate(told) for at, position in enumerate(t.sets.position.tolist())]
        records = [_runs(t) for t in told]
        for position, i, at in sorted(runs):
            scope = scopes.scopes[int(told[i].sets.scope[at])]
            if scope is None:
                continue
            key = scopes.keys[int(told[i].sets.scope[at])]
            run = range(*records[i][at])
            if not scope.exporter.announces_from(scope.port.port):
                counts.drop(*key, "record", "untrusted-port", len(run), "options from a port that is not its own")
                continue
            now_ns = int(told[i].sets.received_ms[at]) * 1_000_000
            refused = sum(not self._learn_record(told[i], record, scope, Now(position, now_ns)) for record in run)
            counts.drop(*key, "record", "options-limit", refused, "too many names and samplers")

    def _learn_record(self, told: Told, record: int, scope: Scope, now: Now) -> bool:
        complete = True
        domain = told.about[_OF_DOMAIN][record] if _OF_DOMAIN in told.about else 0
        if domain and domain != scope.domain:
            scope = self._scopes.of_domain(scope, domain) or scope
        if told.rate is not None and told.rate[record] > 0:
            complete &= self._learn_rate(told, record, scope, now)
        if told.application is not None:
            complete &= self.application(scope.exporter, scope.port, *told.application[record], now)
        if told.interface_names is not None:
            index = told.about[INTERFACE][record]
            complete &= self.interface(scope.exporter, scope.port, index, *told.interface_names[record], now)
        if told.boot_ms is not None:
            self.boot(scope, told.boot_ms[record], now.position)
        return complete

    def _learn_rate(self, told: Told, record: int, scope: Scope, now: Now) -> bool:
        assert told.rate is not None
        rate = told.rate[record]
        named = {b: idents[record] for b, idents in told.about.items() if idents[record] and b != _OF_DOMAIN}
        bindings = {binding: ident for binding, ident in named.items() if binding in (SELECTOR, INTERFACE)}
        # A line card or a template often only says where the domain's selector or interface is.
        bindings = bindings or named or {DOMAIN: 0}
        complete = True
        for binding, ident in bindings.items():
            complete &= self.rate(scope, binding, ident, rate, now)
        return complete

    def rate(self, scope: Scope, binding: str, ident: int, rate: int, now: Now) -> bool:
        """A domain tells a sampling rate; whether there was room for it."""
        before = self._sampling.rate(scope, binding, ident)
        if not self._note(scope.exporter, scope, binding, ident, now):
            return False
        if jumps(before, rate):
            what = f"domain {scope.domain}" if binding == DOMAIN else f"{binding} {ident} of domain {scope.domain}"
            self._jumps.append((scope, f"{what} told 1 in {before}, then 1 in {rate}"))
        self._sampling.learn(scope, binding, ident, rate, now.position)
        return True

    def application(self, exporter: ExporterState, port: Port, ident: int, name: str, now: Now) -> bool:
        """An exporter names an application; whether there was room for it."""
        if name and self._note(exporter, port, APPLICATION, ident, now):
            self._names.learn_application(exporter, port, ident, name, now.position)
            return True
        return not name

    def interface(self, exporter: ExporterState, port: Port, index: int, name: str, description: str, now: Now) -> bool:
        """An exporter names an interface; whether there was room for it."""
        if self._note(exporter, port, INTERFACE, index, now):
            self._names.learn_interface(port, index, name, description)
            return True
        return False

    def boot(self, scope: Scope, boot_ms: int, position: int) -> None:
        """A domain tells when its exporter started; nonsense is ignored."""
        if 0 < boot_ms < _LATEST_MS:
            self._names.learn_boot(scope, boot_ms, position)

    def _note(self, exporter: ExporterState, teller: Scope | Port, kind: str, ident: int, now: Now) -> bool:
        """Note when something was told last; False if it is new and there is no room for it."""
        key = teller.number, kind, ident
        known = exporter.options.pop(key, None)
        if known is None:
            if not self._has_room(exporter, now):
                return False
            self._entries += 1
        # At the end of the dictionary: the one told least lately comes first.
        exporter.options[key] = teller, now.time_ns
        return True

    def _has_room(self, exporter: ExporterState, now: Now) -> bool:
        """Whether an exporter may tell one more thing, once those with less of a right to room gave it up."""
        if len(exporter.options) >= self._limits.options_entries_per_exporter:
            _, told_ns = next(iter(exporter.options.values()))
            if abs(now.time_ns - told_ns) < _STALE_NS:
                return False
            self._forget_first(exporter, now.position)
        while self._entries >= self._limits.options_entries:
            standing, asks = self._scopes.standing(exporter, now.time_ns), len(exporter.options) + 1
            giver = self._givers.next(self._survey, exporter, asks, standing, now.time_ns) if now.makes_room else None
            if giver is None:
                return False
            other, keeps = giver
            more = min(max(len(other.options) - keeps, 0), _AT_ONCE)
            self._made_room[other.address] += more
            for _ in range(more):
                self._forget_first(other, now.position)
        return True

    def _survey(self) -> Survey[ExporterState]:
        exporters = list(self._scopes)
        return Survey(exporters, np.array([len(exporter.options) for exporter in exporters], np.int64))

    def _forget_first(self, exporter: ExporterState, position: int) -> None:
        """Forget what an exporter told least lately."""
        (number, kind, ident), (teller, _) = next(iter(exporter.options.items()))
        del exporter.options[number, kind, ident]
        self._entries -= 1
        if isinstance(teller, Scope):
            self._sampling.unlearn(teller, kind, ident, position)
        elif kind == APPLICATION:
            self._names.unlearn_application(exporter, teller, ident, position)
        else:
            self._names.unlearn_interface(teller, ident)

    def expire(self, now_ns: int) -> None:
        """Forget what was told no more for its lifetime, in steps; looks once a minute when none is left."""
        lifetime_ns = int(self._limits.options_lifetime_s * 1e9)
        if not lifetime_ns or abs(now_ns - self._looked_ns) < _EXPIRE_EVERY_NS:
            return
        left = STEP
        for exporter in self._scopes:
            while exporter.options:
                _, told_ns = next(iter(exporter.options.values()))
                # What was told in the future was so before the clock was set back.
                if abs(now_ns - told_ns) <= lifetime_ns:
                    break
                if not left:
                    return
                left -= 1
                self._forget_first(exporter, 0)
        self._looked_ns = now_ns

    def take_jumps(self) -> list[tuple[Scope, str]]:
        """Sampling rates that changed remarkably since the last call."""
        if not self._jumps:
            return []
        found, self._jumps = self._jumps, []
        return found

    def take_made_room(self) -> dict[bytes, int]:
        """How much made room for what others told since the last call, by exporter."""
        if not self._made_room:
            return {}
        made_room, self._made_room = self._made_room, Counter()
        return made_room

    def forget(self, exporter: ExporterState) -> None:
        """An exporter makes room."""
        self._made_room[exporter.address] += len(exporter.options)
        self._entries -= len(exporter.options)
        exporter.options.clear()

    def forget_some(self, exporter: ExporterState, most: int) -> int:
        """An exporter makes room in steps: forget what it told least lately; how much."""
        amount = min(most, len(exporter.options))
        for _ in range(amount):
            self._forget_first(exporter, 0)
        self._made_room[exporter.address] += amount
        return amount

    def forget_rates(self, scope: Scope) -> None:
        """A domain of a port makes room: forget the rates that it told."""
        self._forget(scope.exporter, scope, [(binding, ident) for binding, ident, _ in self._sampling.facts(scope)])
        self._sampling.forget(scope)

    def forget_names(self, exporter: ExporterState, port: Port) -> None:
        """The same for the names that a port without a domain left told."""
        keys = [(APPLICATION, ident) for ident in self._names.applications(port)]
        keys += [(INTERFACE, index) for index in self._names.interfaces(port)]
        self._forget(exporter, port, keys)
        self._names.forget_port(exporter, port)

    def _forget(self, exporter: ExporterState, teller: Scope | Port, keys: list[tuple[str, int]]) -> None:
        before = len(exporter.options)
        for kind, ident in keys:
            exporter.options.pop((teller.number, kind, ident), None)
        self._made_room[exporter.address] += before - len(exporter.options)
        self._entries += len(exporter.options) - before

    def hand_over_rates(self, scope: Scope, heir: Scope) -> None:
        """Give the rates of a port that makes room to the scope that stands for such ports."""
        keys = [(binding, ident) for binding, ident, _ in self._sampling.facts(scope)]
        self._hand_over(scope.exporter, scope, heir, keys)
        self._sampling.hand_over(scope, heir)

    def hand_over_names(self, exporter: ExporterState, port: Port, heir: Port) -> None:
        """The same for the names of a port without a scope left."""
        keys = [(APPLICATION, ident) for ident in self._names.applications(port)]
        keys += [(INTERFACE, index) for index in self._names.interfaces(port)]
        self._hand_over(exporter, port, heir, keys)
        self._names.hand_over(exporter, port, heir)

    def _hand_over(
        self, exporter: ExporterState, teller: Scope | Port, heir: Scope | Port, keys: list[tuple[str, int]]
    ) -> None:
        options, before = exporter.options, len(exporter.options)
        for kind, ident in keys:
            _, told_ns = options.pop((teller.number, kind, ident))
            options.setdefault((heir.number, kind, ident), (heir, told_ns))
        self._entries += len(options) - before

    def commit(self) -> None:
        """The batch is done."""
        self._givers.commit()


def _runs(told: Told) -> list[tuple[int, int]]:
    """First record and the one after the last of each set."""
    stops = np.cumsum(told.records.counts)
    return list(zip((stops - told.records.counts).tolist(), stops.tolist(), strict=True))
