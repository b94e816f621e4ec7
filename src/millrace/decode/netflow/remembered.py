"""All that the decoder keeps from batch to batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from millrace.decode.limits import Limits
from millrace.decode.netflow.deadlines import STEP
from millrace.decode.netflow.headers import PROTOCOLS
from millrace.decode.netflow.layout import Layouts
from millrace.decode.netflow.names import Names
from millrace.decode.netflow.options import Learner
from millrace.decode.netflow.registry import Scopes
from millrace.decode.netflow.sampling import Sampling
from millrace.decode.netflow.scopes import ExporterState, Scope
from millrace.decode.netflow.templates import Templates
from millrace.decode.netflow.waiting import Waiting, WaitingSet
from millrace.decode.quirks import QuirksOf
from millrace.decode.result import Counts
from millrace.decode.trust import TrustOf, no_trust

_SHARED_AT_ONCE, _SHARED_AT_A_TURN = 1024, 64
"""Templates, rates and names that come to serve all ports of their exporters in one batch, and of one exporter."""
_SCOPE_COST = 8
"""What it costs to give up a scope, in templates and the like."""


@dataclass(slots=True)
class Remembered:
    """Templates, what options told, and sets that wait, of all exporters."""

    limits: Limits
    scopes: Scopes
    layouts: Layouts
    templates: Templates
    sampling: Sampling
    names: Names
    learner: Learner
    waiting: Waiting
    sharing: deque[tuple[ExporterState, Iterator[None]]] = field(default_factory=deque)

    @classmethod
    def empty(cls, limits: Limits, quirks: QuirksOf, trust: TrustOf = no_trust) -> Remembered:
        """Nothing is known."""
        layouts = Layouts(limits.template_bytes)
        scopes = Scopes(limits, quirks, trust)
        templates = Templates(limits, layouts, scopes)
        sampling, names = Sampling(templates.naming), Names()

        learner, waiting = Learner(limits, scopes, sampling, names), Waiting(limits)

        def held_by(holder: Scope | ExporterState) -> int:
            if isinstance(holder, ExporterState):
                return holder.templates + len(holder.options) + waiting.amount_of(holder)
            held = len(templates.of(holder)) + len(sampling.told(holder)) + waiting.amount_of_scope(holder)
            if holder.port.scopes > 1:
                return held
            return held + len(names.applications(holder.port)) + len(names.interfaces(holder.port))

        scopes.held_by = held_by
        return cls(limits, scopes, layouts, templates, sampling, names, learner, waiting)

    @property
    def changed(self) -> bool:
        """Whether this batch changed what a snapshot holds."""
        return self.templates.changed or self.sampling.changed or self.names.changed

    def follow(self, counts: Counts) -> None:
        """Follow the registry: forget who was removed, share what ports know, hand over what silent ones knew."""
        changes = self.scopes.take_changes()
        self._share(changes.shared)
        for scope, heir in changes.retired:
            self.templates.hand_over(scope, heir)
            self.learner.hand_over_rates(scope, heir)
            self.names.hand_over_boot(scope, heir)
            self.waiting.forget(scope, lambda waiting, reason: give_up(counts, waiting, reason))
            self.scopes.free(scope.number)
            self.scopes.close(scope)
        for exporter, port, heir_port in changes.silent:
            self.learner.hand_over_names(exporter, port, heir_port)
            self.scopes.free(port.number)
        for scope in changes.dropped:
            self.templates.remove_scope(scope)
            self.learner.forget_rates(scope)
            self.names.forget_scope(scope)
            self.waiting.forget(scope, lambda waiting, reason: give_up(counts, waiting, reason))
            self.scopes.free(scope.number)
            self.scopes.close(scope)
        for exporter, port in changes.dropped_ports:
            self.learner.forget_names(exporter, port)
            self.scopes.free(port.number)
        for domain in changes.dropped_domains:
            self.scopes.free(domain.number)
        for exporter in changes.removed:
            for scope in exporter.scopes.values():
                self.templates.remove_scope(scope)
                self.sampling.forget(scope)
                self.waiting.forget(scope, lambda waiting, reason: give_up(counts, waiting, reason))
                self.scopes.close(scope)
            self.names.forget(exporter)
            self.learner.forget(exporter)
            self.scopes.close(exporter)
            # Numbers are parts of keys of 62 bits: a flood must not use them up.
            for numbers in (
                [exporter.number],
                [port.number for port in exporter.ports.values()],
                [domain.number for domain in exporter.domains.values()],
                [scope.number for scope in exporter.scopes.values()],
            ):
                for number in numbers:
                    self.scopes.free(number)

    def _share(self, exporters: list[ExporterState]) -> None:
        """What exporters told before they were heard on a second port serves all of their ports: in steps.

        Each has its first turn before anybody has another one, so that small ones need not wait for large ones.
        """
        for exporter in exporters:
            things = self.templates.share(exporter), self.sampling.share(exporter), self.names.share(exporter)
            self.sharing.appendleft((exporter, chain.from_iterable(things)))
        left = _SHARED_AT_ONCE
        while self.sharing and left > 0:
            exporter, steps = self.sharing.popleft()
            if self.scopes.get(exporter.address) is not exporter:
                continue
            taken = sum(1 for _ in islice(steps, min(left, _SHARED_AT_A_TURN)))
            left -= max(taken, 1)
            if taken == _SHARED_AT_A_TURN or left <= 0:
                self.sharing.append((exporter, steps))

    def shrink(self, counts: Counts) -> None:
        """Have an exporter that is to make room, and holds too much to go at once, give up some of that."""
        exporter = self.scopes.shrinking()
        if exporter is None:
            return
        left = STEP - self.waiting.forget_oldest(
            exporter, STEP, lambda waiting, reason: give_up(counts, waiting, reason)
        )
        left -= self.learner.forget_some(exporter, left)
        left -= self.templates.forget_some(exporter, left)
        self.scopes.shed(exporter, left // _SCOPE_COST)

    def count_changes(self, counts: Counts) -> None:
        """Count what made room for others, and sampling rates that changed remarkably."""
        for scope, example in self.learner.take_jumps():
            exporter, protocol = scope.exporter.address, PROTOCOLS[scope.version]
            counts.event(exporter, protocol, "sampling_rate_jumps", 1, example)
        for (address, version), templates in self.templates.take_made_room().items():
            detail = f"{templates} templates made room for those of others"
            counts.drop(address, PROTOCOLS[version], "template", "made-room", templates, detail)
        for address, entries in self.learner.take_made_room().items():
            detail = f"{entries} names and rates made room for those of others"
            counts.drop(address, "unknown", "record", "made-room", entries, detail)

    def commit(self) -> list[int]:
        """The batch is done; the numbers of layouts that no template has any more."""
        self.scopes.commit()
        self.learner.commit()
        self.templates.commit()
        self.sampling.commit()
        self.names.commit()
        return self.layouts.sweep()


def give_up(counts: Counts, waiting: WaitingSet, reason: str) -> None:
    """Count a waiting set that is given up."""
    scope = waiting.scope
    detail = f"{len(waiting.wire)} bytes for template {waiting.id} of domain {scope.domain}"
    counts.drop(scope.exporter.address, PROTOCOLS[scope.version], "set", reason, 1, detail)
