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


def take_snapshot(state: State) -> dict[str, Any]:
    """Everything that exporters announced: templates, sampling rates, names, start times.

    Waiting sets and sequence numbers are left out: after a restart they are
    worth nothing. So are exporters that never sent a flow, unless they are
    configured: a flood of forged ones must not outlive a restart.
    """
    return {
        "format": _FORMAT,
        "exporters": [
            {
                "exporter": address_text(exporter.address),
                "last_seen_ns": exporter.last_seen_ns,
                "flows_since_ns": exporter.flows_since_ns,
                "flows_until_ns": exporter.flows_until_ns,
            }
            for exporter in _lasting(state)
        ],
        "templates": list(_templates(state)),
        "sampling": [
            {
                **_of(scope),
                "binding": binding,
                "id": ident,
                "rate": rate,
                "told_ns": _told_ns(scope.exporter, scope, binding, ident),
            }
            for scope in _all_scopes(state)
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
            for exporter, port in _all_ports(state)
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
            for exporter, port in _all_ports(state)
            for index, (name, description) in state.names.interfaces(port).items()
        ],
        "starts": [
            {**_of(scope), "ms": state.names.boot_ms(scope)}
            for scope in _all_scopes(state)
            if state.names.boot_ms(scope) != MISSING
        ],
    }


def _lasting(state: State) -> Iterator[ExporterState]:
    return (exporter for exporter in state.scopes if exporter.lasting)


def _all_scopes(state: State) -> Iterator[Scope]:
    return (scope for exporter in _lasting(state) for scope in exporter.scopes.values())


def _all_ports(state: State) -> Iterator[tuple[ExporterState, Port]]:
    return ((exporter, port) for exporter in _lasting(state) for port in exporter.ports.values())


def _told_ns(exporter: ExporterState, teller: Scope | Port, kind: str, ident: int) -> int:
    return exporter.options[teller.number, kind, ident][1]


def _of(scope: Scope) -> dict[str, Any]:
    return {
        "exporter": address_text(scope.exporter.address), "port": scope.port.port, "version": scope.version,
        "domain": scope.domain,
    }  # fmt: skip


def _templates(state: State) -> Iterator[dict[str, Any]]:
    lasting = {exporter.number for exporter in _lasting(state)}
    for template in state.templates:
        if template.scope.exporter.number not in lasting:
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
        self._state.learner.application(exporter, port, _integer(entry["id"], 64), str(entry["name"]), told)

    def _interface(self, entry: Mapping[str, Any]) -> None:
        name, description = str(entry["name"]), str(entry["description"])
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


def _integer(value: object, bits: int) -> int:
    """The value, if it is an unsigned integer of so many bits; ValueError if not."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << bits:
        raise ValueError(value)
    return value
