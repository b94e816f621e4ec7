"""What options tell beside sampling rates: names of applications and interfaces, and when an exporter started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from millrace.batch import Coded
from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.decode.netflow.agreement import Agreement
from millrace.decode.netflow.assembly import spread
from millrace.decode.netflow.scopes import SILENT_NS, BatchScopes, ExporterState, Port, Scope
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.timeline import MISSING, Timeline

_MIX_EXPORTER, _MIX_ID = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
_WORD = (1 << 64) - 1
_KEY_BITS = 62

_ALWAYS_NS = 1 << 63
"""When a port without a domain left was last heard: nobody knows, so no other one replaced it."""

Texts: TypeAlias = tuple[str, str]
"""Name and description."""


class Names:
    """Names and start times learned from options.

    Applications and interfaces belong to a port of an exporter, whichever
    domain told them; a start time (systemInitTimeMilliseconds) belongs to a
    domain of a port, and to those of the port's domains that tell none. Ports
    that were not told take what all others agree on.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        """By number; empty: of no text."""
        self._numbers: dict[str, int] = {}
        self._uses: list[int] = []
        """How many applications have each text, by its number."""
        self._idle: list[int] = []
        """Numbers of texts of which some application had its last use in this batch."""
        self._free: list[int] = []
        self._application_keys = Timeline()
        self._applications: dict[int, dict[int, str]] = {}
        self._agreed_applications = Agreement()
        self._interfaces: dict[int, dict[int, Texts]] = {}
        self._boots = Timeline()
        self._agreed_boots = Agreement()
        self.changed = False

    def applications(self, port: Port) -> dict[int, str]:
        """Names by applicationId."""
        return self._applications.get(port.number, {})

    def interfaces(self, port: Port) -> dict[int, Texts]:
        """Name and description by ifIndex."""
        return self._interfaces.get(port.number, {})

    def interfaces_of(self, exporter: ExporterState) -> dict[int, Texts]:
        """The same for an exporter; left out is what its ports name differently.

        A port that fell silent before another was heard is the same device
        before it changed its port: what that one says counts.
        """
        ports = [(port, named) for port in exporter.ports.values() if (named := self.interfaces(port))]
        if len(ports) == 1:
            return dict(ports[0][1])
        heard = _heard(exporter)
        # By ifIndex, of the ports that name it: when the latest one was first heard, and when any of them was last.
        begun: dict[int, int] = {}
        ended: dict[int, int] = {}
        for port, named in ports:
            first, last = heard.get(port.number, (0, 0))
            for index in named:
                begun[index] = max(begun.get(index, 0), first)
                ended[index] = max(ended.get(index, 0), last)
        found: dict[int, Texts] = {}
        disputed: set[int] = set()
        for port, named in ports:
            last = heard[port.number][1] if port.number in heard else _ALWAYS_NS
            for index, texts in named.items():
                replaced = begun[index] > last or ended[index] - last > SILENT_NS
                if not replaced and found.setdefault(index, texts) != texts:
                    disputed.add(index)
        return {index: texts for index, texts in found.items() if index not in disputed}

    def boot_ms(self, scope: Scope) -> int:
        """Start of the exporter as told by a domain; `MISSING` if it did not."""
        return self._boots.get(scope.number)

    def learn_application(self, exporter: ExporterState, port: Port, ident: int, name: str, position: int) -> None:
        """An exporter names an application from `position` on."""
        known = self._applications.setdefault(port.number, {})
        old = known.get(ident)
        if old == name:
            return
        known[ident] = name
        number = self._number(name)
        self._uses[number] += 1
        if old is not None:
            self._release(old)
        self._application_keys.set(_key(port.number, ident), position, number)
        if exporter.shared:
            self._vote_application(exporter, port, ident, name, position)
        self.changed = True

    def _number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None and self._free:
            number = self._numbers[name] = self._free.pop()
            self._texts[number] = name
        elif number is None:
            number = self._numbers[name] = len(self._texts)
            self._texts.append(name)
            self._uses.append(0)
        return number

    def _release(self, name: str) -> None:
        """An application has a name no more; its number may be needed until the end of the batch."""
        number = self._numbers[name]
        self._uses[number] -= 1
        if not self._uses[number]:
            self._idle.append(number)

    def _vote_application(
        self, exporter: ExporterState, port: Port, ident: int, name: str | None, position: int
    ) -> None:
        key = _key(exporter.number, ident)
        value = MISSING if name is None else self._number(name)
        self._application_keys.set(key, position, self._agreed_applications.vote(key, port.number, value))

    def learn_interface(self, port: Port, index: int, name: str, description: str) -> None:
        """An exporter names an interface; an empty text leaves what was known."""
        known = self._interfaces.setdefault(port.number, {})
        old = known.get(index, ("", ""))
        new = (name or old[0], description or old[1])
        if new != old or index not in known:
            known[index] = new
            self.changed = True

    def unlearn_application(self, exporter: ExporterState, port: Port, ident: int, position: int) -> None:
        """The name of an application holds no more from `position` on."""
        name = self._applications.get(port.number, {}).pop(ident, None)
        if name is None:
            return
        self._release(name)
        self._application_keys.set(_key(port.number, ident), position, MISSING)
        if exporter.shared:
            self._vote_application(exporter, port, ident, None, position)
        self.changed = True

    def unlearn_interface(self, port: Port, index: int) -> None:
        """The name of an interface holds no more."""
        if self._interfaces.get(port.number, {}).pop(index, None) is not None:
            self.changed = True

    def learn_boot(self, scope: Scope, boot_ms: int, position: int) -> None:
        """A domain tells when its exporter started (Unix ms)."""
        if self._boots.get(scope.number) != boot_ms:
            self._boots.set(scope.number, position, boot_ms)
            self._boots.set(scope.port.number, position, boot_ms)
            if scope.exporter.shared:
                self._vote_boot(scope, boot_ms, position)
            self.changed = True

    def _vote_boot(self, scope: Scope, boot_ms: int, position: int) -> None:
        for wider, voter in ((scope.ports.number, scope.number), (scope.exporter.number, scope.port.number)):
            self._boots.set(wider, position, self._agreed_boots.vote(wider, voter, boot_ms))

    def share(self, exporter: ExporterState) -> Iterator[None]:
        """An exporter was heard on a second port: what it told so far serves the new one, too; a thing a step.

        Between two steps whatever it told may change.
        """
        for scope in list(exporter.scopes.values()):
            if exporter.has(scope) and self.boot_ms(scope) != MISSING:
                self._vote_boot(scope, self.boot_ms(scope), 0)
            yield
        for port in list(exporter.ports.values()):
            for ident in list(self.applications(port)) if exporter.ports.get(port.port) is port else ():
                name = self.applications(port).get(ident) if exporter.ports.get(port.port) is port else None
                if name is not None:
                    self._vote_application(exporter, port, ident, name, 0)
                yield

    def hand_over_boot(self, scope: Scope, heir: Scope) -> None:
        """Give the start time that a port that makes room told to the scope that stands for such ports."""
        boot_ms = self.boot_ms(scope)
        if boot_ms != MISSING:
            self._boots.set(scope.number, 0, MISSING)
            self._vote_boot(scope, MISSING, 0)
            self.learn_boot(heir, boot_ms, 0)

    def hand_over(self, exporter: ExporterState, port: Port, heir: Port) -> None:
        """The same for the names of a port without a scope left."""
        for ident, name in self._applications.pop(port.number, {}).items():
            self._application_keys.set(_key(port.number, ident), 0, MISSING)
            self._vote_application(exporter, port, ident, None, 0)
            self.learn_application(exporter, heir, ident, name, 0)
            self._release(name)
        for index, texts in self._interfaces.pop(port.number, {}).items():
            self.learn_interface(heir, index, *texts)
        if self._boots.get(port.number) != MISSING:
            self._boots.set(port.number, 0, MISSING)

    def boots_of(self, sets: Sets, scopes: BatchScopes) -> I64:
        """Start of the exporter of each set, Unix ms; `MISSING` where it is not known."""
        found = np.full(len(sets), MISSING, np.int64)
        if self._boots.ever:
            for numbers in (scopes.numbers, *scopes.wider()):
                told = self._boots.look_up(numbers[sets.scope], sets.position)
                found = np.where(found >= 0, found, told)
        return found

    def code_applications(
        self, sets: Sets, scopes: BatchScopes, counts: I64, ident: AnyArray
    ) -> tuple[Coded, Bool] | None:
        """Names of the applications of records, and where they are known; None if none is."""
        if not self._application_keys.ever:
            return None
        position = spread(sets.position, counts)
        found = self._application_keys.look_up(_keys(spread(scopes.port_numbers[sets.scope], counts), ident), position)
        if scopes.shared:
            agreed = _keys(spread(scopes.exporter_numbers[sets.scope], counts), ident)
            found = np.where(found >= 0, found, self._application_keys.look_up(agreed, position))
        known = found >= 0
        if not known.any():
            return None
        used, codes = np.unique(found, return_inverse=True)
        values = ["" if number < 0 else self._texts[number] for number in used.tolist()]
        return Coded(codes.reshape(-1).astype(np.int32), values), known

    def forget(self, exporter: ExporterState) -> None:
        """Forget what an exporter told."""
        for scope in exporter.scopes.values():
            self.forget_scope(scope)
        for port in exporter.ports.values():
            self.forget_port(exporter, port)

    def forget_scope(self, scope: Scope) -> None:
        """Forget the start time that a domain told."""
        if self.boot_ms(scope) != MISSING:
            if scope.exporter.shared:
                self._vote_boot(scope, MISSING, 0)
            self._boots.set(scope.number, 0, MISSING)

    def forget_port(self, exporter: ExporterState, port: Port) -> None:
        """Forget what a port told of which all domains are forgotten."""
        self._interfaces.pop(port.number, None)
        for ident, name in self._applications.pop(port.number, {}).items():
            self._release(name)
            self._application_keys.set(_key(port.number, ident), 0, MISSING)
            if exporter.shared:
                self._vote_application(exporter, port, ident, None, 0)
        if self._boots.get(port.number) != MISSING:
            self._boots.set(port.number, 0, MISSING)

    def commit(self) -> None:
        """The batch is done."""
        self._application_keys.commit()
        self._boots.commit()
        self.changed = False
        for number in self._idle:
            if self._texts[number] and not self._uses[number]:
                del self._numbers[self._texts[number]]
                self._texts[number] = ""
                self._free.append(number)
        self._idle = []


def _heard(exporter: ExporterState) -> dict[int, tuple[int, int]]:
    """When each port was first and last heard, Unix nanoseconds, by its number."""
    heard: dict[int, tuple[int, int]] = {}
    for scope in exporter.scopes.values():
        first, last = scope.first_seen_ns, scope.last_seen_ns
        known = heard.get(scope.port.number, (first, last))
        heard[scope.port.number] = min(first, known[0]), max(last, known[1])
    return heard


def _key(number: int, ident: int) -> int:
    mixed = ((number * _MIX_EXPORTER) ^ (ident * _MIX_ID)) & _WORD
    return mixed >> (64 - _KEY_BITS)


def _keys(number: I64, ident: AnyArray) -> I64:
    mixed = (number.astype(np.uint64) * np.uint64(_MIX_EXPORTER)) ^ (ident.astype(np.uint64) * np.uint64(_MIX_ID))
    return (mixed >> np.uint64(64 - _KEY_BITS)).astype(np.int64)
