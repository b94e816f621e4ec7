"""The table of templates, and what holds when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from millrace.decode.limits import Limits
from millrace.decode.netflow.agreement import Agreement
from millrace.decode.netflow.deadlines import Deadlines
from millrace.decode.netflow.headers import IPFIX, V9
from millrace.decode.netflow.layout import Layout, Layouts, least_record
from millrace.decode.netflow.registry import Scopes
from millrace.decode.netflow.scopes import ExporterState, Scope
from millrace.decode.netflow.shares import Givers, Survey
from millrace.decode.netflow.template_records import OPTIONS_SETS, RefusedError, TemplateRecord, read_templates
from millrace.decode.netflow.timeline import MISSING, Timeline

_LONGEST_RECORD = 0xFFFF
_SEEN_BYTES = 8 << 20
_ID_BITS = 16

_LATE_MS = 10_000
"""Datagrams that overtake one another do so within moments; what was exported longer ago than that was not late."""


_AT_ONCE = 256
"""An exporter that makes room for others does so for so many templates at once."""
_LEAST_TEMPLATES = 64
"""Templates that a router with several services announces."""
_LEAST_BYTES = 64 << 10
"""Bytes of their field lists: a thousand each."""


@dataclass(slots=True)
class Template:
    """What is known of an announced template."""

    scope: Scope
    id: int
    layout: Layout
    announced_ns: int
    export_ms: int = 0
    """When the message that last announced it was exported; 0: not known."""
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Announced:
    """One template of a template set; `layout` is None for a withdrawal."""

    id: int
    layout: Layout | None


def template_key(scope_number: int, template_id: int) -> int:
    """Key of a template in the timeline."""
    return (scope_number << _ID_BITS) | template_id


class Templates:
    """Templates by exporter, protocol, observation domain, port and template ID.

    `timeline` gives the layout number that holds for a template key at a
    position of the batch; under the number of `Ports` that on which the ports
    of a domain agree. `naming` gives, by number of a scope or of `Ports`, how
    many of its templates are of flows that name selectors.
    """

    def __init__(self, limits: Limits, layouts: Layouts, scopes: Scopes) -> None:
        self.timeline = Timeline()
        self.naming = Timeline()
        self.changed = False
        self._limits = limits
        self._layouts = layouts
        self._scopes = scopes
        idle_s = limits.exporter_idle_s
        self._givers: Givers[ExporterState] = Givers(limits.templates, _LEAST_TEMPLATES, idle_s)
        self._byte_givers: Givers[ExporterState] = Givers(limits.template_bytes, _LEAST_BYTES, idle_s)
        self._own_givers: dict[int, Givers[Scope]] = {}
        self._made_room: Counter[tuple[bytes, int]] = Counter()
        self._count = 0
        self._known: dict[int, dict[int, Template]] = {}
        self._of_kind: dict[tuple[int, bool], dict[int, Template]] = {}
        """By number of the scope and whether they are of options."""
        self._agreed = Agreement()
        self._seen: dict[int, dict[tuple[int, bytes], list[Template]]] = {}
        self._seen_bytes = 0
        self._expiring: dict[int, int] = {}
        self._lifetime_ns = int(limits.template_lifetime_s * 1e9)
        self._deadlines: Deadlines[Template] = Deadlines(lambda known: known.announced_ns if known.holds else None)

    def __iter__(self) -> Iterator[Template]:
        return (template for known in self._known.values() for template in known.values())

    def __len__(self) -> int:
        return self._count

    def of(self, scope: Scope) -> Collection[Template]:
        """Templates of a scope as they are now."""
        return self._known.get(scope.number, {}).values()

    def get(self, scope: Scope, template_id: int) -> Template | None:
        """The template as it is now."""
        return self._known.get(scope.number, {}).get(template_id)

    def read_set(
        self,
        scope: Scope,
        set_id: int,
        wire: bytes,
        position: int,
        time_ns: int,
        export_ms: int,
        drop: Callable[[str, str], None],
    ) -> tuple[int, int]:
        """Take the announcements of a (options) template set over.

        A set seen before whose templates still hold only renews them, so a
        refresh costs a look-up. One that was overtaken by a later one changes
        nothing: templates follow one another as they were exported (RFC 7011 §8.2).

        Returns
        -------
        announced, withdrawn : int
            Templates of the set; refused ones are given to `drop` instead.
        """
        seen = self._seen.get(scope.number, {}).get((set_id, wire))
        if seen is not None:
            for template in seen:
                template.announced_ns, template.export_ms = time_ns, max(export_ms, template.export_ms)
            return len(seen), 0
        announced = withdrawn = 0
        templates: list[Template] = []
        complete = True
        for entry in self._entries(scope, set_id, wire, position, time_ns):
            try:
                if isinstance(entry, RefusedError):
                    raise entry
                if entry.layout is None:
                    withdrawn += 1
                    complete = False
                    self._withdraw(scope, set_id, entry.id, position, export_ms)
                else:
                    templates.append(self._announce(scope, entry.id, entry.layout, position, time_ns, export_ms))
                    announced += 1
            except RefusedError as refusal:
                complete = False
                drop(refusal.reason, refusal.detail)
                if isinstance(entry, Announced) and entry.layout is not None:
                    self._layouts.discard(entry.layout)
        if complete and len({template.id for template in templates}) == len(templates):
            self._remember(scope, set_id, wire, templates)
        return announced, withdrawn

    def _entries(
        self, scope: Scope, set_id: int, wire: bytes, position: int, time_ns: int
    ) -> Iterator[Announced | RefusedError]:
        version = scope.version
        read = read_templates(version, wire, options=set_id == OPTIONS_SETS[version])
        for entry in read:
            if isinstance(entry, RefusedError):
                yield entry
                continue
            if entry.count > self._limits.fields_per_template:
                yield RefusedError("template-too-long", f"template {entry.id} has {entry.count} fields")
            elif not entry.count:
                yield Announced(entry.id, None)
            else:
                yield self._laid_out(scope, entry, position, time_ns)

    def _laid_out(self, scope: Scope, entry: TemplateRecord, position: int, time_ns: int) -> Announced | RefusedError:
        least = least_record(entry.wire, with_pen=entry.with_pen)
        if not 0 < least <= _LONGEST_RECORD:
            return RefusedError("bad-template", f"records of template {entry.id} would have {least} bytes")
        exporter = scope.exporter
        while True:
            layout = self._layouts.intern(
                version=scope.version, options=entry.options, scopes=entry.scopes, with_pen=entry.with_pen,
                wire=entry.wire,
            )  # fmt: skip
            if layout is not None:
                return Announced(entry.id, layout)
            asks = exporter.template_bytes + len(entry.wire)
            standing = self._scopes.standing(exporter, time_ns)
            giver = self._byte_givers.next(self._survey_bytes, exporter, asks, standing, time_ns)
            if giver is None:
                return RefusedError("template-limit", "too many different templates")
            other, keeps = giver
            self._cut(self._of_exporter(other), lambda: other.template_bytes <= keeps, position)  # noqa: B023 - at once

    def _announce(
        self, scope: Scope, template_id: int, layout: Layout, position: int, time_ns: int, export_ms: int = 0
    ) -> Template:
        known = self.get(scope, template_id)
        expired = self._expiring.pop(template_key(scope.number, template_id), None)
        if known is not None and expired is not None:
            self._deadlines.add(known.announced_ns, known)
            if expired <= position:
                self._remove(known, expired)
                known = None
        if known is None:
            known = self._add(scope, template_id, layout, position, time_ns)
            known.export_ms = export_ms
            return known
        if known.layout is not layout:
            self._refuse_late(known, export_ms)
            known.export_ms = 0
        known.announced_ns, known.export_ms = time_ns, max(export_ms, known.export_ms)
        if known.layout is not layout:
            self._seen.pop(scope.number, None)
            self._layouts.acquire(layout)
            self._layouts.release(known.layout)
            scope.exporter.template_bytes += len(layout.wire) - len(known.layout.wire)
            self._name(known, -1, position)
            self._take_from_kind(known)
            known.layout = layout
            self._add_to_kind(known)
            self._set(known, position, layout.number)
            self._name(known, 1, position)
        return known

    def _add(self, scope: Scope, template_id: int, layout: Layout, position: int, time_ns: int) -> Template:
        exporter = scope.exporter
        if not self._has_room(scope, position, time_ns):
            raise RefusedError("template-limit", f"template {template_id}: too many templates")
        exporter.templates += 1
        exporter.template_bytes += len(layout.wire)
        self._count += 1
        self._layouts.acquire(layout)
        template = self._known.setdefault(scope.number, {})[template_id] = Template(scope, template_id, layout, time_ns)
        self._add_to_kind(template)
        if self._lifetime_ns:
            self._deadlines.add(time_ns, template)
        self._set(template, position, layout.number)
        self._name(template, 1, position)
        return template

    def _has_room(self, scope: Scope, position: int, time_ns: int) -> bool:
        """Whether there is room for one more template, once those with less of a right to theirs gave it up."""
        exporter = scope.exporter
        while exporter.templates >= self._limits.templates_per_exporter:
            if not self._make_own_room(scope, position, time_ns):
                return False
        while self._count >= self._limits.templates:
            standing = self._scopes.standing(exporter, time_ns)
            found = self._givers.next(self._survey_counts, exporter, exporter.templates + 1, standing, time_ns)
            if found is None:
                return False
            other, keeps = found
            self._cut(self._of_exporter(other), lambda: other.templates <= keeps, position)  # noqa: B023 - at once
        return True

    def _make_own_room(self, scope: Scope, position: int, time_ns: int) -> bool:
        """Have another domain or port of an exporter give up templates for one of a scope; False if none does."""
        exporter = scope.exporter
        own = self._own_givers.get(exporter.number)
        if own is None:
            limit = self._limits.templates_per_exporter
            own = self._own_givers[exporter.number] = Givers(limit, _LEAST_TEMPLATES, self._limits.exporter_idle_s)
        asks, standing = len(self._known.get(scope.number, ())) + 1, self._scopes.standing(scope, time_ns)
        giver = own.next(lambda: self._survey_scopes(exporter), scope, asks, standing, time_ns)
        if giver is None:
            return False
        other, keeps = giver
        if exporter.scopes.get((other.version, other.domain, other.port.port)) is other:  # else its number is another's
            known = self._known.get(other.number, {})
            self._cut(known.values(), lambda: len(known) <= keeps, position)
        return True

    def _survey_counts(self) -> Survey[ExporterState]:
        exporters = list(self._scopes)
        return Survey(exporters, np.array([exporter.templates for exporter in exporters], np.int64))

    def _survey_bytes(self) -> Survey[ExporterState]:
        exporters = list(self._scopes)
        return Survey(exporters, np.array([exporter.template_bytes for exporter in exporters], np.int64))

    def _survey_scopes(self, exporter: ExporterState) -> Survey[Scope]:
        scopes = [scope for scope in exporter.scopes.values() if scope.number in self._known]
        return Survey(scopes, np.array([len(self._known[scope.number]) for scope in scopes], np.int64))

    def _of_exporter(self, exporter: ExporterState) -> Iterator[Template]:
        for scope in exporter.scopes.values():
            yield from self._known.get(scope.number, {}).values()

    def _cut(
        self, templates: Iterable[Template], enough: Callable[[], bool], position: int, most: int = _AT_ONCE
    ) -> None:
        """Have templates make room, those announced least lately first; an exporter that is gone has enough given."""
        for template in sorted(templates, key=lambda template: template.announced_ns)[:most]:
            if enough():
                return
            self._made_room[template.scope.exporter.address, template.scope.version] += 1
            self._remove(template, position)

    def take_made_room(self) -> dict[tuple[bytes, int], int]:
        """How many templates made room for those of others since the last call, by exporter and version."""
        if not self._made_room:
            return {}
        made_room, self._made_room = self._made_room, Counter()
        return made_room

    @staticmethod
    def _refuse_late(known: Template, export_ms: int) -> None:
        if 0 < known.export_ms - export_ms <= _LATE_MS and export_ms:
            late_s = (known.export_ms - export_ms) / 1000
            raise RefusedError("late-template", f"template {known.id} was exported {late_s:g} s before the present one")

    def _withdraw(self, scope: Scope, set_id: int, template_id: int, position: int, export_ms: int) -> None:
        """RFC 7011 §8.1: field count 0 withdraws a template; the ID of the set itself withdraws all of its kind."""
        if scope.version == V9:
            raise RefusedError("empty-template", f"template {template_id} has no fields")
        if template_id == set_id:
            options = set_id == OPTIONS_SETS[IPFIX]
            for template in list(self._of_kind.get((scope.number, options), {}).values()):
                self._remove(template, position)
            return
        known = self.get(scope, template_id)
        if known is not None:
            self._refuse_late(known, export_ms)
            self._remove(known, position)

    def _remove(self, template: Template, position: int) -> None:
        scope = template.scope
        self._seen.pop(scope.number, None)
        template.holds = False
        if self._expiring.pop(template_key(scope.number, template.id), None) is None and self._lifetime_ns:
            self._deadlines.gone()
        known = self._known[scope.number]
        del known[template.id]
        if not known:
            del self._known[scope.number]
        self._take_from_kind(template)
        scope.exporter.templates -= 1
        scope.exporter.template_bytes -= len(template.layout.wire)
        self._count -= 1
        self._layouts.release(template.layout)
        self._set(template, position, MISSING)
        self._name(template, -1, position)

    def _add_to_kind(self, template: Template) -> None:
        self._of_kind.setdefault((template.scope.number, template.layout.options), {})[template.id] = template

    def _take_from_kind(self, template: Template) -> None:
        key = template.scope.number, template.layout.options
        kind = self._of_kind[key]
        del kind[template.id]
        if not kind:
            del self._of_kind[key]

    def _set(self, template: Template, position: int, layout: int) -> None:
        self.timeline.set(template_key(template.scope.number, template.id), position, layout)
        self.changed = True
        if template.scope.exporter.shared:
            self._vote(template, position, layout)

    def _name(self, template: Template, more: int, position: int) -> None:
        """Count a template more or less whose flows name selectors."""
        if template.layout.selectors:
            for number in (template.scope.number, template.scope.ports.number):
                self.naming.set(number, position, max(self.naming.get(number), 0) + more or MISSING)

    def _vote(self, template: Template, position: int, layout: int) -> None:
        key = template_key(template.scope.ports.number, template.id)
        agreed = self._agreed.vote(key, template.scope.number, layout)
        if agreed != self.timeline.get(key):
            self.timeline.set(key, position, agreed)

    def share(self, exporter: ExporterState) -> Iterator[None]:
        """An exporter was heard on a second port: what it announced so far serves the new one, too; a template a step.

        Between two steps whatever it has may change.
        """
        for scope in list(exporter.scopes.values()):
            for template in list(self._known.get(scope.number, {}).values()):
                if template.holds and template.scope is scope and exporter.has(scope):
                    self._vote(template, 0, template.layout.number)
                yield

    def hand_over(self, scope: Scope, heir: Scope) -> None:
        """Give the templates of a port that makes room to the scope that stands for such ports.

        Of two with one ID the later one holds, unless both were in use at the
        same time: then nobody can say which is meant.
        """
        for template in list(self._known.get(scope.number, {}).values()):
            self._remove(template, 0)
            known = self.get(heir, template.id)
            if known is not None and known.layout is not template.layout and known.announced_ns >= scope.first_seen_ns:
                self._remove(known, 0)
            else:
                self._announce(heir, template.id, template.layout, 0, template.announced_ns)

    def _remember(self, scope: Scope, set_id: int, wire: bytes, templates: list[Template]) -> None:
        if self._seen_bytes > _SEEN_BYTES:
            self._seen.clear()
            self._seen_bytes = 0
        self._seen.setdefault(scope.number, {})[set_id, wire] = templates
        self._seen_bytes += len(wire) + 300

    def begin(self, first_position_after: Callable[[int], int], latest_ns: int) -> None:
        """Find the templates that expire within this batch; of very many those that do so first.

        Parameters
        ----------
        first_position_after : callable
            Position of the first set received after a time in ns.
        latest_ns : int
            Latest time of receipt in the batch.
        """
        if not self._lifetime_ns:
            return
        for template in self._deadlines.due(latest_ns - self._lifetime_ns):
            key = template_key(template.scope.number, template.id)
            self._expiring[key] = first_position_after(template.announced_ns + self._lifetime_ns)
            self._seen.pop(template.scope.number, None)

    def expire(self) -> int:
        """Remove what `begin` found and no announcement renewed in time; how many."""
        expired = list(self._expiring.items())
        for key, position in expired:
            self._remove(self._known[key >> _ID_BITS][key & 0xFFFF], position)
        return len(expired)

    def forget_some(self, exporter: ExporterState, most: int) -> int:
        """An exporter makes room in steps: forget some of its templates; how many."""
        some = list(islice(self._of_exporter(exporter), most))
        self._cut(some, lambda: False, 0, len(some))
        return len(some)

    def remove_scope(self, scope: Scope) -> None:
        """Forget all templates of a scope whose exporter made room."""
        self._own_givers.pop(scope.exporter.number, None)
        known = list(self._known.get(scope.number, {}).values())
        self._cut(known, lambda: False, 0, len(known))

    def commit(self) -> None:
        """The batch is done: its changes hold from now on."""
        self.timeline.commit()
        self.naming.commit()
        self.changed = False
        for givers in (self._givers, self._byte_givers):
            givers.commit()
        for own in self._own_givers.values():
            own.commit()

    def restore(self, scope: Scope, template_id: int, layout: Layout, announced_ns: int) -> None:
        """Take a template from a snapshot over; RefusedError where a limit forbids it."""
        if self._count >= self._limits.templates:
            raise RefusedError("template-limit", "")
        self._announce(scope, template_id, layout, 0, announced_ns)
