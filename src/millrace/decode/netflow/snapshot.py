"""What exporters announced, as JSON-able data, and back."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from millrace.batch import address_bytes, address_text
from millrace.decode.netflow.headers import IPFIX, V9
from millrace.decode.netflow.layout import least_record, parse_fields
from millrace.decode.netflow.options import APPLICATION, Now
from millrace.decode.netflow.rates import LARGEST_RATE
from millrace.decode.netflow.sampling import BINDINGS, INTERFACE
from millrace.decode.netflow.scopes import ANY_PORT, ExporterState, Port, Scope
from millrace.decode.netflow.sets import FIRST_DATA_SET
from millrace.decode.netflow.state import State
from millrace.decode.netflow.templates import RefusedError
from millrace.decode.netflow.timeline import MISSING

_FORMAT = 1

LARGEST_BYTES = 64 << 20
"""A snapshot is no larger than this as JSON, whatever was announced: it is read as a whole at the next start, which
takes four times as much memory. Two thousand routers of twenty templates and fifty interfaces need half of it."""
_ENTRY_BYTES = 300
_LARGEST_ENTRY = 16_384
"""Bytes of an entry without its texts or fields, and of one with the longest."""
_LONGEST_TEXT = 512


def take_snapshot(state: State) -> dict[str, Any]:
    """Everything that exporters announced: templates, sampling rates, names, start times.

    Waiting sets and sequence numbers are left out: after a restart they are
    worth nothing. So are exporters that never sent a flow, unless they are
    configured: a flood of forged ones must not outlive a restart. What would
    make it larger than `LARGEST_BYTES` as JSON is left out, too: of those who
    sent flows for the shortest time.
    """
    lasting = _lasting(state)
    return {
        "format": _FORMAT,
        "exporters": [
            {
                "exporter": address_text(exporter.address),
                "last_seen_ns": exporter.last_seen_ns,
                "flows_since_ns": exporter.flows_since_ns,
                "flows_until_ns": exporter.flows_until_ns,
            }
            for exporter in lasting
        ],
        "templates": list(_templates(state, lasting)),
        "sampling": [
            {
                **_of(scope),
                "binding": binding,
                "id": ident,
                "rate": rate,
                "told_ns": _told_ns(scope.exporter, scope, binding, ident),
            }
            for scope in _all_scopes(lasting)
            for binding, ident, rate in state.sampling.facts(scope)
        ],
        "applications": [
            {
                "exporter": address_text(exporter.address),
                "port": port.port,
                "id": ident,
                "name": name,
                "told_ns": _told_ns(exporter, port, APPLICATION, ident),
            }
            for exporter, port in _all_ports(lasting)
            for ident, name in state.names.applications(port).items()
        ],
        "interfaces": [
            {
                "exporter": address_text(exporter.address),
                "port": port.port,
                "index": index,
                "name": name,
                "description": description,
                "told_ns": _told_ns(exporter, port, INTERFACE, index),
            }
            for exporter, port in _all_ports(lasting)
            for index, (name, description) in state.names.interfaces(port).items()
        ],
        "starts": [
            {**_of(scope), "ms": state.names.boot_ms(scope)}
            for scope in _all_scopes(lasting)
            if state.names.boot_ms(scope) != MISSING
        ],
    }


def _lasting(state: State) -> list[ExporterState]:
    """Exporters that are worth saving, in the order in which they were first seen."""
    lasting = [exporter for exporter in state.scopes if exporter.lasting]
    room = LARGEST_BYTES
    if sum(exporter.templates + len(exporter.options) for exporter in lasting) * _LARGEST_ENTRY <= room:
        return lasting
    chosen: set[int] = set()
    for exporter in sorted(lasting, key=_by_standing):
        room -= _json_bytes(state, exporter)
        if room < 0:
            break
        chosen.add(exporter.number)
    return [exporter for exporter in lasting if exporter.number in chosen]


def _by_standing(exporter: ExporterState) -> tuple[bool, int]:
    return not exporter.trust.configured, exporter.flows_since_ns - exporter.flows_until_ns


def _json_bytes(state: State, exporter: ExporterState) -> int:
    """About how large what an exporter told is as JSON; a character may take six bytes."""
    ports = exporter.ports.values()
    texts = sum(len(name) for port in ports for name in state.names.applications(port).values())
    texts += sum(len(text) for port in ports for texts in state.names.interfaces(port).values() for text in texts)
    entries = 1 + exporter.templates + len(exporter.options) + len(exporter.scopes)
    return 2 * exporter.template_bytes + 6 * texts + _ENTRY_BYTES * entries


def _all_scopes(lasting: list[ExporterState]) -> Iterator[Scope]:
    return (scope for exporter in lasting for scope in exporter.scopes.values())


def _all_ports(lasting: list[ExporterState]) -> Iterator[tuple[ExporterState, Port]]:
    return ((exporter, port) for exporter in lasting for port in exporter.ports.values())


def _told_ns(exporter: ExporterState, teller: Scope | Port, kind: str, ident: int) -> int:
    return exporter.options[teller.number, kind, ident][1]


def _of(scope: Scope) -> dict[str, Any]:
    return {
        "exporter": address_text(scope.exporter.address), "port": scope.port.port, "version": scope.version,
        "domain": scope.domain,
    }  # fmt: skip


def _templates(state: State, lasting: list[ExporterState]) -> Iterator[dict[str, Any]]:
    numbers = {exporter.number for exporter in lasting}
    for template in state.templates:
        if template.scope.exporter.number not in numbers:
            continue
        layout = template.layout
        yield {
            **_of(template.scope), "id": template.id, "options": layout.options, "scopes": layout.scopes,
            "pen": layout.with_pen, "fields": layout.wire.hex(), "announced_ns": template.announced_ns,
        }  # fmt: skip


class Restorer:
    """Takes a snapshot over, entry by entry; an entry that is wrong is skipped."""

    def __init__(self, state: State) -> None:
        self._state = state

    def restore(self, snapshot: Mapping[str, Any]) -> bool:
        """Add what the snapshot holds to the state; False if it is of another kind."""
        if not isinstance(snapshot, Mapping) or snapshot.get("format") != _FORMAT:
            return False
        steps: tuple[tuple[str, Callable[[Mapping[str, Any]], object]], ...] = (
            ("exporters", self._exporter), ("templates", self._template), ("sampling", self._rate),
            ("applications", self._application), ("interfaces", self._interface), ("starts", self._start),
        )  # fmt: skip
        for name, take in steps:
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
