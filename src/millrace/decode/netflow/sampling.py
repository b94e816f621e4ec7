"""Sampling rates that options tell, and which holds for which flow.

Options tell a rate for a domain, for a selector (or sampler) of it, for an
interface, a line card or a template. A flow that names its selector takes that
one's rate; else its line card's; else its interface's; else its template's;
else the domain's.

A domain that has rates of selectors or line cards only, and whose flows name
none, has their rate as long as it is one: the exporter leaves out what there is
only one of. Where some templates of the domain have a field for the selector,
the flows of the others were not selected, and neither were flows that name
selector 0: their rate is unknown.

Some exporters send options in another domain than flows, or from another port,
so what a domain of a port lacks is looked up beyond: in other domains of the
port, in the domain over all ports, in the exporter. Each holds only as long as
all that told a rate there agree: nobody can say whose is meant otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.decode.netflow.agreement import Agreement
from millrace.decode.netflow.assembly import spread
from millrace.decode.netflow.scopes import BatchScopes, ExporterState, Scope
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.timeline import MISSING, Timeline

DOMAIN, SELECTOR, INTERFACE, LINE_CARD, TEMPLATE = "domain", "selector", "interface", "line-card", "template"
"""What a rate is bound to."""

BINDINGS = (DOMAIN, SELECTOR, INTERFACE, LINE_CARD, TEMPLATE)
_ALONE = {SELECTOR: True, LINE_CARD: False}
"""Bindings whose only rate serves flows of the domain that name none of them; whether only if no others do."""
_FIRST = (DOMAIN, SELECTOR)
"""Bindings that most flows go by."""

_ID_BITS = 32


class _Table:
    """Rates of one kind: by domain of a port, port, domain over all ports, and exporter.

    `key` makes the key of a number and of what the rate is bound to. Wherever
    several have told a rate, it is known as long as they tell the same.
    """

    def __init__(self, key: Callable[[int, int], int]) -> None:
        self.now = Timeline()
        self._key = key
        self._agreed = Agreement()
        self._voted: dict[int, set[tuple[int, int]]] = {}

    def tell(self, scope: Scope, ident: int, rate: int, position: int, source: int, *, wider: bool) -> None:
        """A domain tells a rate, or takes it back (`MISSING`).

        `source` tells apart what of it does; `wider`: it tells for its port and exporter, too.
        """
        numbers = [scope.number, scope.port.number] if wider else [scope.number]
        if scope.exporter.shared:
            numbers += [scope.ports.number, scope.exporter.number] if wider else [scope.ports.number]
        voter = scope.number << 64 | source
        voted = self._voted.setdefault(scope.number, set())
        for number in numbers:
            key = self._key(number, ident)
            (voted.discard if rate == MISSING else voted.add)((key, voter))
            self._count(key, voter, rate, position)

    def _count(self, key: int, voter: int, rate: int, position: int) -> None:
        agreed = self._agreed.vote(key, voter, rate)
        if agreed != self.now.get(key):
            self.now.set(key, position, agreed)

    def forget(self, number: int) -> None:
        """Forget what a domain of a port told."""
        for key, voter in self._voted.pop(number, ()):
            self._count(key, voter, MISSING, 0)


class Sampling:
    """Sampling rates learned from options.

    Parameters
    ----------
    naming : Timeline
        By number of a scope or of `Ports`: whether some of its templates name selectors; see `Templates`.
    """

    def __init__(self, naming: Timeline) -> None:
        self._naming = naming
        self._domains = _Table(_of_number)
        self._guesses = {binding: _Table(_of_number) for binding in _ALONE}
        self._bound = {binding: _Table(_bound) for binding in BINDINGS if binding != DOMAIN}
        self._tables = (self._domains, *self._guesses.values(), *self._bound.values())
        self._facts: dict[int, dict[tuple[str, int], int]] = {}
        self.changed = False

    @property
    def by_interface(self) -> bool:
        """Whether a rate is bound to an interface."""
        return self._bound[INTERFACE].now.ever

    def facts(self, scope: Scope) -> Iterator[tuple[str, int, int]]:
        """Binding, id and rate of what a domain told, in the order in which it told."""
        for (binding, ident), rate in self.told(scope).items():
            yield binding, ident, rate

    def told(self, scope: Scope) -> Mapping[tuple[str, int], int]:
        """The same as rate by binding and id."""
        return self._facts.get(scope.number, {})

    def rate(self, scope: Scope, binding: str, ident: int) -> int:
        """The rate that the domain told for that; `MISSING` if it did not."""
        return self._facts.get(scope.number, {}).get((binding, ident), MISSING)

    def learn(self, scope: Scope, binding: str, ident: int, rate: int, position: int) -> None:
        """A domain tells that from `position` on a rate holds for itself or for one of its parts."""
        facts = self._facts.setdefault(scope.number, {})
        if facts.get((binding, ident)) == rate:
            return
        facts[binding, ident] = rate
        self.changed = True
        self._tell(scope, binding, ident, rate, position)

    def unlearn(self, scope: Scope, binding: str, ident: int, position: int) -> None:
        """What a domain told holds no more from `position` on."""
        facts = self._facts.get(scope.number, {})
        if facts.pop((binding, ident), None) is not None:
            self.changed = True
            self._tell(scope, binding, ident, MISSING, position)
        if not facts:
            self._facts.pop(scope.number, None)

    def _tell(self, scope: Scope, binding: str, ident: int, rate: int, position: int) -> None:
        if binding == DOMAIN:
            self._domains.tell(scope, 0, rate, position, 0, wider=True)
            return
        # Template ids are the domain's own.
        self._bound[binding].tell(scope, ident, rate, position, 0, wider=binding != TEMPLATE)
        if binding in _ALONE:
            self._guesses[binding].tell(scope, 0, rate, position, ident, wider=True)

    def share(self, exporter: ExporterState) -> Iterator[None]:
        """An exporter was heard on a second port: what it told so far serves the new one, too; a rate a step.

        Those of domains and selectors come first. Between two steps whatever it told may change.
        """
        for first in (True, False):
            for scope in list(exporter.scopes.values()):
                for binding, ident in list(self.told(scope)) if exporter.has(scope) else ():
                    if (binding in _FIRST) == first:
                        rate = self.rate(scope, binding, ident) if exporter.has(scope) else MISSING
                        if rate != MISSING:
                            self._tell(scope, binding, ident, rate, 0)
                        yield

    def hand_over(self, scope: Scope, heir: Scope) -> None:
        """Give what a port that makes room told to the scope that stands for such ports."""
        facts = list(self.facts(scope))
        self.forget(scope)
        for binding, ident, rate in facts:
            self.learn(heir, binding, ident, rate, 0)

    def of_sets(self, sets: Sets, scopes: BatchScopes) -> I64:
        """Rate of flows that name no selector, per set; `MISSING` where it is unknown."""
        rate = self._first_of(sets, scopes, guess=True)
        templates = self._bound[TEMPLATE].now
        if not templates.ever:
            return rate
        own = templates.look_up((scopes.numbers[sets.scope] << _ID_BITS) | sets.id, sets.position)
        if scopes.shared:
            agreed = templates.look_up((scopes.domain_numbers[sets.scope] << _ID_BITS) | sets.id, sets.position)
            own = np.where(own >= 0, own, agreed)
        return np.where(own >= 0, own, rate)

    def _first_of(self, sets: Sets, scopes: BatchScopes, *, guess: bool) -> I64:
        rate = np.full(len(sets), MISSING, np.int64)
        guesses = [(table.now, _ALONE[b]) for b, table in self._guesses.items() if table.now.ever] if guess else []
        if not guesses and not self._domains.now.ever:
            return rate
        named = self._named(sets, scopes) if guesses else np.zeros(len(sets), np.bool_)
        for numbers in (scopes.numbers, *scopes.wider()):
            if self._domains.now.ever:
                rate = np.where(rate >= 0, rate, self._domains.now.look_up(numbers[sets.scope], sets.position))
            for table, unless_named in guesses:
                found = table.look_up(numbers[sets.scope], sets.position)
                rate = np.where((rate >= 0) | (named & unless_named), rate, found)
            if (rate >= 0).all():
                break
        return rate

    def _named(self, sets: Sets, scopes: BatchScopes) -> Bool:
        """Whether templates of the domain of each set name selectors."""
        named = np.zeros(len(sets), np.bool_)
        if self._naming.ever:
            for numbers in (scopes.numbers, scopes.domain_numbers) if scopes.shared else (scopes.numbers,):
                named |= self._naming.look_up(numbers[sets.scope], sets.position) >= 0
        return named

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
        bound = {binding: table.now for binding, table in self._bound.items()}
        if bound[INTERFACE].ever:
            for interface in reversed(interfaces):
                found = self._bound_rate(bound[INTERFACE], sets, scopes, counts, interface)
                rate, decided = np.where(found >= 0, found, rate), decided | (found >= 0)
        if card is not None and bound[LINE_CARD].ever:
            found = self._bound_rate(bound[LINE_CARD], sets, scopes, counts, card)
            rate, decided = np.where(found >= 0, found, rate), decided | (found >= 0)
        if selector is not None and bound[SELECTOR].ever:
            found = self._bound_rate(bound[SELECTOR], sets, scopes, counts, selector)
            domain = spread(self._first_of(sets, scopes, guess=False), counts)
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
        for table in self._tables:
            table.forget(scope.number)

    def commit(self) -> None:
        """The batch is done."""
        self.changed = False
        for table in self._tables:
            table.now.commit()


def _of_number(number: int, ident: int) -> int:  # noqa: ARG001 -- nothing is bound
    return number


def _bound(number: int, ident: int) -> int:
    return (number << _ID_BITS) | ((ident ^ (ident >> _ID_BITS)) & 0xFFFFFFFF)


def _look_up_bound(table: Timeline, scopes: BatchScopes, scope: I64, position: I64, ident: AnyArray) -> I64:
    wide = ident.astype(np.uint64)
    folded = ((wide ^ (wide >> np.uint64(_ID_BITS))) & np.uint64(0xFFFFFFFF)).astype(np.int64)
    found = table.look_up((scopes.numbers[scope] << _ID_BITS) | folded, position)
    for numbers in scopes.wider():
        missing = found < 0
        if not missing.any():
            break
        found = np.where(missing, table.look_up((numbers[scope] << _ID_BITS) | folded, position), found)
    return found
