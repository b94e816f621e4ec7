"""What exporters announced, as JSON-able data, and back."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from millrace.batch import address_bytes, address_text
from millrace.decode.netflow.headers import IPFIX, V9
from millrace.decode.netflow.layout import Layout, least_record, parse_fields
from millrace.decode.netflow.names import Texts
from millrace.decode.netflow.options import APPLICATION, Now
from millrace.decode.netflow.rates import LARGEST_RATE
from millrace.decode.netflow.remembered import Remembered
from millrace.decode.netflow.sampling import BINDINGS, INTERFACE
from millrace.decode.netflow.scopes import ANY_PORT, ExporterState, Option, Port, Scope
from millrace.decode.netflow.sets import FIRST_DATA_SET
from millrace.decode.netflow.template_records import RefusedError
from millrace.decode.netflow.timeline import MISSING

_FORMAT = 1

LARGEST_BYTES = 64 << 20
"""A snapshot is no larger than this as JSON, whatever was announced: it is read as a whole at the next start, which
takes four times as much memory. Two thousand routers of twenty templates and fifty interfaces need half of it."""
_ENTRY_BYTES = 300
"""Of an entry without its texts or fields."""
_PART = 2000
"""Entries of a part, or as much of other things: some milliseconds."""
_EXPORTER_COST = 10
_SCOPE_COST = 3
"""What an exporter and a stream cost beside their entries, in entries."""
_LISTS = ("exporters", "templates", "sampling", "applications", "interfaces", "starts")

SnapshotPart: TypeAlias = dict[str, list[dict[str, Any]]]
"""Some entries of each list of a snapshot."""

_LONGEST_TEXT = 512


def snapshot_parts(state: Remembered) -> Iterator[list[SnapshotPart]]:
    """Everything that exporters announced: templates, sampling rates, names, start times; in parts.

    Each part is of some thousand things at most; between two of them `state` may change: hundreds of thousands of
    templates and names must not hold up decoding while they are saved. What an exporter announced is all of one
    moment, so that its templates have the rates that were theirs; exporters are of one moment each.

    Waiting sets and sequence numbers are left out: after a restart they are
    worth nothing. So are exporters that never sent a flow, unless they are
    configured: a flood of forged ones must not outlive a restart. What would
    make it larger than `LARGEST_BYTES` as JSON is left out, too: of those who
    sent flows for the shortest time.
    """
    room = LARGEST_BYTES
    part = _empty_part()
    looked_at = 0
    for exporter in _lasting(state):
        # Gone since the part before: its number may be another's.
        if state.scopes.get(exporter.address) is not exporter:
            continue
        known = _Known.of(exporter, state)
        room -= known.json_bytes
        if room < 0:
            break
        looked_at += _EXPORTER_COST + _SCOPE_COST * len(known.scopes)
        for name, entry in known.entries():
            part[name].append(entry)
            looked_at += 1
            if looked_at >= _PART:
                yield [part]
                part, looked_at = _empty_part(), 0
    yield [part]


def _empty_part() -> SnapshotPart:
    return {name: [] for name in _LISTS}


def join_snapshot(parts: Iterable[SnapshotPart]) -> dict[str, Any]:
    """All parts as one thing that is JSON-able."""
    whole = _empty_part()
    for part in parts:
        for name, entries in part.items():
            whole[name] += entries
    return {"format": _FORMAT, **whole}


def _lasting(state: Remembered) -> list[ExporterState]:
    """Exporters that are worth saving: configured ones first, then those who sent flows for the longest time."""
    exporters = list(state.scopes)
    rows = np.array([exporter.row for exporter in exporters], np.int64)
    configured, since, until = (
        state.scopes.ledger.column(name)[rows] for name in ("configured", "flows_since_ns", "flows_until_ns")
    )
    order = np.lexsort((since - until, configured == 0))
    lasting = order[((configured > 0) | (until > 0))[order]]
    return [exporters[at] for at in lasting.tolist()]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of an exporter at one moment, copied: entries can be made of it later.

    What is copied is held in few containers, and entries hold plain values only: hundreds of thousands of
    containers would have Python look through all that there is for garbage, which stops every thread.

    Attributes
    ----------
    seen : dict
        Its own entry.
    scopes : list of Scope
    templates : list of (Scope, lists of IDs, layouts and times of announcement)
    rates : list of (Scope, dict)
        By binding and id.
    applications, interfaces : list of (Port, dict)
        Names by id.
    starts : list of (Scope, int)
    told : dict
        When each thing was told; see `ExporterState.options`.
    json_bytes : int
        About how large it is as JSON.
    """

    seen: dict[str, Any]
    scopes: list[Scope]
    templates: list[tuple[Scope, list[int], list[Layout], list[int]]]
    rates: list[tuple[Scope, dict[tuple[str, int], int]]]
    applications: list[tuple[Port, dict[int, str]]]
    interfaces: list[tuple[Port, dict[int, Texts]]]
    starts: list[tuple[Scope, int]]
    told: dict[Option, tuple[Scope | Port, int]]
    json_bytes: int

    @classmethod
    def of(cls, exporter: ExporterState, state: Remembered) -> _Known:
        """Copy it."""
        scopes, ports = list(exporter.scopes.values()), list(exporter.ports.values())
        templates = [(scope, state.templates.of(scope)) for scope in scopes]
        applications = [(port, dict(named)) for port in ports if (named := state.names.applications(port))]
        interfaces = [(port, dict(texts_of)) for port in ports if (texts_of := state.names.interfaces(port))]
        texts = sum(sum(map(len, named.values())) for _, named in applications)
        texts += sum(len(name) + len(description) for _, named in interfaces for name, description in named.values())
        entries = 1 + exporter.templates + len(exporter.options) + len(scopes)
        boots = [(scope, state.names.boot_ms(scope)) for scope in scopes]
        return cls(
            {
                "exporter": address_text(exporter.address),
                "last_seen_ns": exporter.last_seen_ns,
                "flows_since_ns": exporter.flows_since_ns,
                "flows_until_ns": exporter.flows_until_ns,
            },
            scopes,
            [
                (scope, [t.id for t in some], [t.layout for t in some], [t.announced_ns for t in some])
                for scope, some in templates
                if some
            ],
            [(scope, dict(told)) for scope in scopes if (told := state.sampling.told(scope))],
            applications,
            interfaces,
            [(scope, boot_ms) for scope, boot_ms in boots if boot_ms != MISSING],
            dict(exporter.options),
            # A character may take six bytes.
            2 * exporter.template_bytes + 6 * texts + _ENTRY_BYTES * entries,
        )

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Its entries of the snapshot, and of which list each is."""
        yield "exporters", self.seen
        for scope, idents, layouts, times in self.templates:
            for ident, layout, announced_ns in zip(idents, layouts, times, strict=True):
                yield "templates", {
                    **self._of(scope), "id": ident, "options": layout.options, "scopes": layout.scopes,
                    "pen": layout.with_pen, "fields": layout.wire.hex(), "announced_ns": announced_ns,
                }  # fmt: skip
        for scope, rates in self.rates:
            for (binding, ident), rate in rates.items():
                told_ns = self._told_ns(scope, binding, ident)
                yield "sampling", {**self._of(scope), "binding": binding, "id": ident, "rate": rate, "told_ns": told_ns}
        for port, names in self.applications:
            for ident, name in names.items():
                told_ns = self._told_ns(port, APPLICATION, ident)
                yield "applications", {**self._at(port), "id": ident, "name": name, "told_ns": told_ns}
        for port, interfaces in self.interfaces:
            for index, (name, description) in interfaces.items():
                told_ns = self._told_ns(port, INTERFACE, index)
                named = {"index": index, "name": name, "description": description, "told_ns": told_ns}
                yield "interfaces", {**self._at(port), **named}
        for scope, boot_ms in self.starts:
            yield "starts", {**self._of(scope), "ms": boot_ms}

    def _at(self, port: Port) -> dict[str, Any]:
        return {"exporter": self.seen["exporter"], "port": port.port}

    def _of(self, scope: Scope) -> dict[str, Any]:
        return {**self._at(scope.port), "version": scope.version, "domain": scope.domain}

    def _told_ns(self, teller: Scope | Port, kind: str, ident: int) -> int:
        return self.told[teller.number, kind, ident][1]


class Restorer:
    """Takes a snapshot over, entry by entry; an entry that is wrong is skipped."""

    def __init__(self, state: Remembered) -> None:
        self._state = state

    def restore(self, snapshot: Mapping[str, Any]) -> bool:
        """Add what the snapshot holds to the state; False if it is of another kind."""
        if not isinstance(snapshot, Mapping) or snapshot.get("format") != _FORMAT:
            return False
        steps: tuple[Callable[[Mapping[str, Any]], object], ...] = (
            self._exporter, self._template, self._rate, self._application, self._interface, self._start,
        )  # fmt: skip
        for name, take in zip(_LISTS, steps, strict=True):
            entries = snapshot.get(name)
            for entry in entries if isinstance(entries, list) else []:
                try:
                    take(entry)
                except (KeyError, TypeError, ValueError, AttributeError, struct.error, RefusedError):
                    continue
        self._state.commit()
        return True

    def _exporter(self, entry: Mapping[str, Any]) -> ExporterState:
        seen_ns = _integer(entry.get("last_seen_ns", 0), 63)
        exporter = self._state.scopes.exporter(address_bytes(entry["exporter"]), seen_ns)
        if exporter is None:
            raise RefusedError("exporter-limit", "")
        if "flows_since_ns" in entry:
            exporter.flows_since_ns = _integer(entry["flows_since_ns"], 63)
            exporter.flows_until_ns = _integer(entry["flows_until_ns"], 63)
        return exporter

    def _sender(self, entry: Mapping[str, Any]) -> tuple[ExporterState, Port]:
        exporter = self._exporter(entry)
        return exporter, self._state.scopes.port(exporter, _port(entry))

    def _scope(self, entry: Mapping[str, Any]) -> Scope:
        version = entry["version"]
        if version not in (V9, IPFIX):
            raise ValueError(version)
        address, domain = address_bytes(entry["exporter"]), _integer(entry["domain"], 32)
        seen_ns = self._exporter(entry).last_seen_ns
        scope = self._state.scopes.register(address, version, domain, _port(entry), seen_ns)
        if scope is None:
            raise RefusedError("exporter-limit", "")
        return scope

    def _template(self, entry: Mapping[str, Any]) -> None:
        wire = bytes.fromhex(entry["fields"])
        options, with_pen = bool(entry["options"]), bool(entry["pen"])
        scopes, ident = _integer(entry["scopes"], 16), _integer(entry["id"], 16)
        scope = self._scope(entry)
        with_pen = with_pen or scope.version == IPFIX
        fields = parse_fields(wire, scopes, with_pen=with_pen)
        fits = len(fields) <= self._state.limits.fields_per_template and scopes <= len(fields)
        if ident < FIRST_DATA_SET or not fits or not 0 < least_record(wire, with_pen=with_pen) <= 0xFFFF:
            raise ValueError(ident)
        layout = self._state.layouts.intern(
            version=scope.version, options=options, scopes=scopes, with_pen=with_pen, wire=wire
        )
        if layout is not None:
            self._state.templates.restore(scope, ident, layout, _integer(entry["announced_ns"], 63))

    def _rate(self, entry: Mapping[str, Any]) -> None:
        binding, ident, rate = entry["binding"], _integer(entry["id"], 64), _integer(entry["rate"], 62)
        if binding not in BINDINGS or not rate:
            raise ValueError(binding)
        scope = self._scope(entry)
        self._state.learner.rate(scope, binding, ident, min(rate, LARGEST_RATE), _told(entry, scope.exporter))

    def _application(self, entry: Mapping[str, Any]) -> None:
        exporter, port = self._sender(entry)
        told = _told(entry, exporter)
        self._state.learner.application(exporter, port, _integer(entry["id"], 64), _text(entry["name"]), told)

    def _interface(self, entry: Mapping[str, Any]) -> None:
        name, description = _text(entry["name"]), _text(entry["description"])
        exporter, port = self._sender(entry)
        index = _integer(entry["index"], 64)
        self._state.learner.interface(exporter, port, index, name, description, _told(entry, exporter))

    def _start(self, entry: Mapping[str, Any]) -> None:
        self._state.learner.boot(self._scope(entry), _integer(entry["ms"], 63), 0)


def _told(entry: Mapping[str, Any], exporter: ExporterState) -> Now:
    """When something was told; earlier versions did not keep it."""
    return Now(0, _integer(entry.get("told_ns", exporter.last_seen_ns), 63), makes_room=False)


def _port(entry: Mapping[str, Any]) -> int:
    """Port of an entry; earlier versions did not tell it."""
    port = entry.get("port", ANY_PORT)
    return ANY_PORT if port == ANY_PORT else _integer(port, 16)


def _text(value: object) -> str:
    """The value, if it is a text that can be stored; ValueError if not."""
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 -- all that is wrong in a snapshot is skipped alike
    value.encode()
    return value[:_LONGEST_TEXT]


def _integer(value: object, bits: int) -> int:
    """The value, if it is an unsigned integer of so many bits; ValueError if not."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << bits:
        raise ValueError(value)
    return value
