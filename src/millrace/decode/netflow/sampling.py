"""Sampling rates: what records and options say, and which holds for which flow.

Options tell a rate for a domain, for a selector (or sampler) of it, for an
interface, a line card or a template. A flow that names its selector takes that
one's rate; else its line card's; else its interface's; else its template's;
else the domain's. Some exporters send options in another domain than flows, so
what a domain lacks is looked up in its exporter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.decode.netflow.assembly import spread
from millrace.decode.netflow.elements import Elements
from millrace.decode.netflow.records import Records
from millrace.decode.netflow.scopes import BatchScopes, Scope
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.timeline import MISSING, Timeline

DOMAIN, SELECTOR, INTERFACE, LINE_CARD, TEMPLATE = "domain", "selector", "interface", "line-card", "template"
"""What a rate is bound to."""

BINDINGS = (DOMAIN, SELECTOR, INTERFACE, LINE_CARD, TEMPLATE)
_ALONE = (SELECTOR, LINE_CARD, TEMPLATE)
"""Bindings whose first rate serves flows of the domain that name none of them."""

_ID_BITS = 32
_LARGEST = 1 << 62


def element_rate(records: Records, elements: Elements) -> I64 | None:
    """Sampling rate of each record by its own elements; 0 where they do not tell; None if there are none.

    Exporters often fill several: the ones that say "every packet" are the
    neutral ones, so the largest counts. 34 samplingInterval and 50
    samplerRandomInterval are the rate; 305 and 306 are packets taken and
    packets left out (305 alone is the rate itself in Juniper's options); 309
    and 310 are n out of N; 311 is a probability.
    """
    rates: list[AnyArray] = []

    def number(element: int) -> I64 | None:
        field = elements.get((element, 0))
        if field is None:
            return None
        return np.minimum(records.number(field).astype(np.uint64), _LARGEST).astype(np.int64)

    for element in (34, 50):
        value = number(element)
        if value is not None:
            rates.append(value)
    taken, left_out = number(305), number(306)
    if taken is not None:
        rates.append(taken if left_out is None else _ratio(taken + left_out, taken))
    size, population = number(309), number(310)
    if size is not None and population is not None:
        rates.append(_ratio(population, size))
    probability = elements.get((311, 0))
    if probability is not None:
        rates.append(_inverse(records, probability))
    if not rates:
        return None
    largest: I64 = np.maximum.reduce(rates)
    return largest


def _ratio(whole: I64, part: I64) -> I64:
    """Nearest integer to whole / part; 0 where part is 0."""
    divisor = np.maximum(part, 1)
    return np.where(part > 0, (whole + divisor // 2) // divisor, 0)


def _inverse(records: Records, field: int) -> I64:
    """Rate of a probability sent as float32 or float64."""
    length = records.shape.fields[field].length
    if length not in (4, 8):
        return np.zeros(len(records), np.int64)
    value = np.ascontiguousarray(records.raw(field)).view(f">f{length}").reshape(-1).astype(np.float64)
    usable = np.isfinite(value) & (value > 1e-9) & (value <= 1)
    return np.where(usable, np.rint(1 / np.where(usable, value, 1)), 0).astype(np.int64)


class Sampling:
    """Sampling rates learned from options."""

    def __init__(self) -> None:
        self._domains = Timeline()
        self._guesses = Timeline()
        self._selectors = Timeline()
        self._interfaces = Timeline()
        self._cards = Timeline()
        self._templates = Timeline()
        self._bound = {
            SELECTOR: self._selectors,
            INTERFACE: self._interfaces,
            LINE_CARD: self._cards,
            TEMPLATE: self._templates,
        }
        self._tables = (self._domains, self._guesses, *self._bound.values())
        self._facts: dict[int, dict[tuple[str, int], int]] = {}
        self._owners: dict[tuple[int, int], tuple[int, int]] = {}
        self._keys: dict[int, set[tuple[int, int]]] = {}
        self.changed = False

    def facts(self, scope: Scope) -> Iterator[tuple[str, int, int]]:
        """Binding, id and rate of what a domain told, in the order in which it told."""
        for (binding, ident), rate in self._facts.get(scope.number, {}).items():
            yield binding, ident, rate

    def knows(self, scope: Scope, binding: str, ident: int) -> bool:
        """Whether the domain told a rate for that before."""
        return (binding, ident) in self._facts.get(scope.number, {})

    def learn(self, scope: Scope, binding: str, ident: int, rate: int, position: int) -> None:
        """A domain tells that from `position` on a rate holds for itself or for one of its parts."""
        facts = self._facts.setdefault(scope.number, {})
        if facts.get((binding, ident)) == rate:
            return
        facts[binding, ident] = rate
        self.changed = True
        number, exporter = scope.number, scope.exporter.number
        if binding == DOMAIN:
            self._set(self._domains, number, rate, position, owner=(number, 0))
            self._set(self._domains, exporter, rate, position, owner=(number, 0))
            return
        table = self._bound[binding]
        self._set(table, _bound(number, ident), rate, position, owner=(number, 0))
        if binding != TEMPLATE:
            # Template ids are the domain's own.
            self._set(table, _bound(exporter, ident), rate, position, owner=(number, 0))
        if binding in _ALONE:
            self._set(self._guesses, number, rate, position, owner=(number, ident))
            self._set(self._guesses, exporter, rate, position, owner=(number, ident))

    def _set(self, table: Timeline, key: int, rate: int, position: int, owner: tuple[int, int]) -> None:
        """Set a rate unless another domain or selector, which spoke first, owns the entry.

        Otherwise two domains of different rates would turn the exporter's rate
        back and forth each time they repeat theirs.
        """
        entry = (self._tables.index(table), key)
        if self._owners.setdefault(entry, owner) == owner:
            table.set(key, position, rate)
            self._keys.setdefault(owner[0], set()).add(entry)

    def of_sets(self, sets: Sets, scopes: BatchScopes) -> I64:
        """Rate of flows that name no selector, per set; `MISSING` where it is unknown."""
        rate = self._first_of((self._domains, self._guesses), sets, scopes)
        if not self._templates.ever:
            return rate
        own = self._templates.look_up((scopes.numbers[sets.scope] << _ID_BITS) | sets.id, sets.position)
        return np.where(own >= 0, own, rate)

    def _first_of(self, tables: tuple[Timeline, ...], sets: Sets, scopes: BatchScopes) -> I64:
        rate = np.full(len(sets), MISSING, np.int64)
        for numbers in (scopes.numbers, scopes.exporter_numbers):
            for table in tables:
                if table.ever:
                    rate = np.where(rate >= 0, rate, table.look_up(numbers[sets.scope], sets.position))
        return rate

    def of_records(
        self,
        sets: Sets,
        scopes: BatchScopes,
        counts: I64,
        selector: AnyArray | None,
        card: AnyArray | None,
        interfaces: list[AnyArray],
    ) -> tuple[I64, Bool] | None:
        """Rate of flows by their selector, line card or interface, per record; None if no such binding is known.

        Parameters
        ----------
        sets : Sets
        scopes : BatchScopes
        counts : ndarray of int64, shape (sets,)
            Records of each set.
        selector : ndarray, shape (n,), optional
            selectorId or samplerId of each record; 0 names none.
        card : ndarray, shape (n,), optional
            lineCardId of each record.
        interfaces : list of ndarray, shape (n,)
            ifIndex at which the flow may have been sampled, the likelier first.

        Returns
        -------
        rate : ndarray of int64, shape (n,)
        decided : ndarray of bool, shape (n,)
            Where the rate (which may be `MISSING`) holds instead of the one of the set.
        """
        n = int(counts.sum())
        rate, decided = np.full(n, MISSING, np.int64), np.zeros(n, np.bool_)
        if self._interfaces.ever:
            for interface in reversed(interfaces):
                found = self._bound_rate(self._interfaces, sets, scopes, counts, interface)
                rate, decided = np.where(found >= 0, found, rate), decided | (found >= 0)
        if card is not None and self._cards.ever:
            found = self._bound_rate(self._cards, sets, scopes, counts, card)
            rate, decided = np.where(found >= 0, found, rate), decided | (found >= 0)
        if selector is not None and self._selectors.ever:
            found = self._bound_rate(self._selectors, sets, scopes, counts, selector)
            domain = spread(self._first_of((self._domains,), sets, scopes), counts)
            named = selector != 0
            rate = np.where(found >= 0, found, np.where(named & ~decided, domain, rate))
            decided = decided | named | (found >= 0)
        return (rate, decided) if decided.any() else None

    def _bound_rate(self, table: Timeline, sets: Sets, scopes: BatchScopes, counts: I64, ident: AnyArray) -> I64:
        if len(ident) and (ident == ident[0]).all():
            # All flows name the same one: a look-up per set is enough.
            per_set = np.full(len(sets), ident[0], ident.dtype)
            return spread(_look_up_bound(table, scopes, sets.scope, sets.position, per_set), counts)
        return _look_up_bound(table, scopes, spread(sets.scope, counts), spread(sets.position, counts), ident)

    def forget(self, scope: Scope) -> None:
        """Forget what a domain told."""
        self._facts.pop(scope.number, None)
        for table, key in self._keys.pop(scope.number, ()):
            self._owners.pop((table, key), None)
            self._tables[table].set(key, 0, MISSING)

    def commit(self) -> None:
        """The batch is done."""
        self.changed = False
        for table in self._tables:
            table.commit()


def _bound(number: int, ident: int) -> int:
    return (number << _ID_BITS) | ((ident ^ (ident >> _ID_BITS)) & 0xFFFFFFFF)


def _look_up_bound(table: Timeline, scopes: BatchScopes, scope: I64, position: I64, ident: AnyArray) -> I64:
    wide = ident.astype(np.uint64)
    folded = ((wide ^ (wide >> np.uint64(_ID_BITS))) & np.uint64(0xFFFFFFFF)).astype(np.int64)
    found = table.look_up((scopes.numbers[scope] << _ID_BITS) | folded, position)
    missing = found < 0
    if missing.any():
        by_exporter = table.look_up((scopes.exporter_numbers[scope] << _ID_BITS) | folded, position)
        found = np.where(missing, by_exporter, found)
    return found
