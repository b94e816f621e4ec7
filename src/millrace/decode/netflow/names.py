"""What options tell beside sampling rates: names of applications and interfaces, and when an exporter started."""

from __future__ import annotations

import numpy as np

from millrace.batch import Coded
from millrace.batch.arrays import I64, AnyArray, Bool
from millrace.decode.netflow.assembly import spread
from millrace.decode.netflow.scopes import BatchScopes, ExporterState, Scope
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.timeline import MISSING, Timeline

_MIX_EXPORTER, _MIX_ID = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
_WORD = (1 << 64) - 1
_KEY_BITS = 62


class Names:
    """Names and start times learned from options.

    Applications and interfaces belong to an exporter, whichever domain told
    them; a start time (systemInitTimeMilliseconds) belongs to the domain, and
    to those of the exporter's domains that tell none.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._numbers: dict[str, int] = {}
        self._application_keys = Timeline()
        self._applications: dict[int, dict[int, str]] = {}
        self._interfaces: dict[int, dict[int, tuple[str, str]]] = {}
        self._boots = Timeline()
        self.changed = False

    def applications(self, exporter: ExporterState) -> dict[int, str]:
        """Names by applicationId."""
        return self._applications.get(exporter.number, {})

    def interfaces(self, exporter: ExporterState) -> dict[int, tuple[str, str]]:
        """Name and description by ifIndex."""
        return self._interfaces.get(exporter.number, {})

    def boot_ms(self, scope: Scope) -> int:
        """Start of the exporter as told by a domain; `MISSING` if it did not."""
        return self._boots.get(scope.number)

    def learn_application(self, exporter: ExporterState, ident: int, name: str, position: int) -> None:
        """An exporter names an application from `position` on."""
        known = self._applications.setdefault(exporter.number, {})
        if known.get(ident) == name:
            return
        known[ident] = name
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._texts)
            self._texts.append(name)
        self._application_keys.set(_key(exporter.number, ident), position, number)
        self.changed = True

    def learn_interface(self, exporter: ExporterState, index: int, name: str, description: str) -> None:
        """An exporter names an interface; an empty text leaves what was known."""
        known = self._interfaces.setdefault(exporter.number, {})
        old = known.get(index, ("", ""))
        new = (name or old[0], description or old[1])
        if new != old or index not in known:
            known[index] = new
            self.changed = True

    def learn_boot(self, scope: Scope, boot_ms: int, position: int) -> None:
        """A domain tells when its exporter started (Unix ms)."""
        if self._boots.get(scope.number) != boot_ms:
            self._boots.set(scope.number, position, boot_ms)
            self._boots.set(scope.exporter.number, position, boot_ms)
            self.changed = True

    def boots_of(self, sets: Sets, scopes: BatchScopes) -> I64:
        """Start of the exporter of each set, Unix ms; `MISSING` where it is not known."""
        if not self._boots.ever:
            return np.full(len(sets), MISSING, np.int64)
        own = self._boots.look_up(scopes.numbers[sets.scope], sets.position)
        exporter = self._boots.look_up(scopes.exporter_numbers[sets.scope], sets.position)
        return np.where(own >= 0, own, exporter)

    def code_applications(
        self, sets: Sets, scopes: BatchScopes, counts: I64, ident: AnyArray
    ) -> tuple[Coded, Bool] | None:
        """Names of the applications of records, and where they are known; None if none is."""
        if not self._application_keys.ever:
            return None
        exporter = spread(scopes.exporter_numbers[sets.scope], counts)
        found = self._application_keys.look_up(_keys(exporter, ident), spread(sets.position, counts))
        known = found >= 0
        if not known.any():
            return None
        used, codes = np.unique(found, return_inverse=True)
        values = ["" if number < 0 else self._texts[number] for number in used.tolist()]
        return Coded(codes.reshape(-1).astype(np.int32), values), known

    def entries(self, exporter: ExporterState) -> int:
        """Names kept of an exporter."""
        return len(self.applications(exporter)) + len(self.interfaces(exporter))

    def forget(self, exporter: ExporterState) -> None:
        """Forget what an exporter told."""
        self._interfaces.pop(exporter.number, None)
        for ident in self._applications.pop(exporter.number, {}):
            self._application_keys.set(_key(exporter.number, ident), 0, MISSING)
        for number in (exporter.number, *(scope.number for scope in exporter.scopes.values())):
            if self._boots.get(number) != MISSING:
                self._boots.set(number, 0, MISSING)

    def commit(self) -> None:
        """The batch is done."""
        self._application_keys.commit()
        self._boots.commit()
        self.changed = False
        if len(self._texts) > 2 * sum(len(known) for known in self._applications.values()) + 1024:
            self._renumber()

    def _renumber(self) -> None:
        """Drop texts that nothing names any more."""
        self._texts, self._numbers, self._application_keys = [], {}, Timeline()
        applications, self._applications = self._applications, {}
        for number, known in applications.items():
            for ident, name in known.items():
                self.learn_application(ExporterState(number, b""), ident, name, 0)
        self._application_keys.commit()
        self.changed = False


def _key(exporter: int, ident: int) -> int:
    mixed = ((exporter * _MIX_EXPORTER) ^ (ident * _MIX_ID)) & _WORD
    return mixed >> (64 - _KEY_BITS)


def _keys(exporter: I64, ident: AnyArray) -> I64:
    mixed = (exporter.astype(np.uint64) * np.uint64(_MIX_EXPORTER)) ^ (ident.astype(np.uint64) * np.uint64(_MIX_ID))
    return (mixed >> np.uint64(64 - _KEY_BITS)).astype(np.int64)
