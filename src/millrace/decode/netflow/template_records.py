"""Template records on the wire: NetFlow v9 (RFC 3954 §5.2, §6.1) and IPFIX (RFC 7011 §3.4, §8.1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from millrace.decode.netflow.headers import IPFIX, V9
from millrace.decode.netflow.layout import ENTERPRISE_BIT
from millrace.decode.netflow.sets import FIRST_DATA_SET

TEMPLATE_SETS = {V9: 0, IPFIX: 2}
OPTIONS_SETS = {V9: 1, IPFIX: 3}


class RefusedError(Exception):
    """A template or the rest of a template set is given up; counted as a reason.

    Parameters
    ----------
    reason, detail : str
        As `Counts.drop` wants them.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """A template record as sent; `wire` holds its field specifiers."""

    id: int
    count: int
    wire: bytes
    options: bool = False
    scopes: int = 0
    with_pen: bool = False


def read_templates(version: int, wire: bytes, *, options: bool) -> Iterator[TemplateRecord | RefusedError]:
    """Split a template set into its records.

    NetFlow v9 has no enterprise numbers, but some exporters send them after
    fields with the top bit set. Where fewer records of a v9 set are refused
    with them than without, they are there.
    """
    if version == IPFIX:
        return _read_ipfix(options=options, wire=wire)
    if not options and _has_enterprise_fields(wire):
        plain = list(_read_v9(wire, with_pen=False))
        if _refused(plain):
            with_pen = list(_read_v9(wire, with_pen=True))
            if _refused(with_pen) < _refused(plain):
                return iter(with_pen)
        return iter(plain)
    return _read_v9_options(wire) if options else _read_v9(wire, with_pen=False)


def _refused(entries: list[TemplateRecord | RefusedError]) -> int:
    return sum(isinstance(entry, RefusedError) for entry in entries)


def _has_enterprise_fields(wire: bytes) -> bool:
    return any(byte & 0x80 for byte in wire[4::4]) or any(byte & 0x80 for byte in wire[::4])


def _read_v9(wire: bytes, *, with_pen: bool) -> Iterator[TemplateRecord | RefusedError]:
    """Template records of NetFlow v9 (RFC 3954 §5.2): ID, field count, fields."""
    at, used = 0, len(wire.rstrip(b"\0"))
    while at + 4 <= len(wire):
        if at >= used:
            return
        ident, count = struct.unpack_from("!HH", wire, at)
        at += 4
        end = _skip_fields(wire, at, count, with_pen=with_pen)
        if end < 0:
            yield RefusedError("truncated", f"template {ident} announces {count} fields, the set ends before")
            return
        if ident < FIRST_DATA_SET:
            yield RefusedError("bad-template-id", f"template ID {ident} is below 256")
        else:
            yield TemplateRecord(ident, count, wire[at:end], with_pen=with_pen)
        at = end


def _read_v9_options(wire: bytes) -> Iterator[TemplateRecord | RefusedError]:
    """Options template records of NetFlow v9 (RFC 3954 §6.1): ID, bytes of scopes, bytes of options, fields.

    Where the bytes of options are no whole number of fields, the whole ones
    are read, and the next record follows them. It follows the announced end
    instead (which is padded, then) if only so what is left of the set is sound.
    Where the bytes of scopes are none, nobody can say which fields are scopes.
    """
    at, used = 0, len(wire.rstrip(b"\0"))
    while at + 6 <= len(wire):
        if at >= used:
            return
        ident, scope_bytes, option_bytes = struct.unpack_from("!HHH", wire, at)
        at += 6
        announced = at + scope_bytes + option_bytes
        end = announced - (scope_bytes + option_bytes) % 4
        size = f"{scope_bytes} + {option_bytes} bytes of fields, {len(wire) - at} are left"
        if end > len(wire):
            yield RefusedError("truncated", f"options template {ident} announces {size}")
            return
        if scope_bytes % 4:
            yield RefusedError("bad-template", f"options template {ident} announces {size}; fields have 4 bytes each")
        elif ident < FIRST_DATA_SET:
            yield RefusedError("bad-template-id", f"options template ID {ident} is below 256")
        else:
            yield TemplateRecord(
                ident, (scope_bytes + option_bytes) // 4, wire[at:end], options=True, scopes=scope_bytes // 4
            )
        padded = announced != end and not _sound_v9_options(wire, end) and _sound_v9_options(wire, announced)
        at = announced if padded else end


def _sound_v9_options(wire: bytes, at: int) -> bool:
    """Whether whole options template records follow, or nothing but zero bytes."""
    if at > len(wire):
        return False
    used = len(wire.rstrip(b"\0"))
    while at < used:
        if at + 6 > len(wire):
            return False
        ident, scope_bytes, option_bytes = struct.unpack_from("!HHH", wire, at)
        at += 6 + scope_bytes + option_bytes
        if ident < FIRST_DATA_SET or scope_bytes % 4 or option_bytes % 4 or at > len(wire):
            return False
    return True


def _read_ipfix(*, options: bool, wire: bytes) -> Iterator[TemplateRecord | RefusedError]:
    """Template records of IPFIX (RFC 7011 §3.4.1, §3.4.2); a withdrawal is four bytes in either set (§8.1)."""
    own = 3 if options else 2
    at, used = 0, len(wire.rstrip(b"\0"))
    while at + 4 <= len(wire):
        if at >= used:
            return
        ident, count = struct.unpack_from("!HH", wire, at)
        at += 4
        scopes = 0
        if options and count:
            if at + 2 > len(wire):
                yield RefusedError("truncated", f"options template {ident} ends in its header")
                return
            (scopes,) = struct.unpack_from("!H", wire, at)
            at += 2
        end = _skip_fields(wire, at, count, with_pen=True)
        if end < 0:
            yield RefusedError("truncated", f"template {ident} announces {count} fields, the set ends before")
            return
        if ident < FIRST_DATA_SET and (count or ident != own):
            yield RefusedError("bad-template-id", f"template ID {ident} is below 256")
        elif scopes > count:
            yield RefusedError("bad-template", f"options template {ident} has {scopes} scopes among {count} fields")
        else:
            yield TemplateRecord(ident, count, wire[at:end], options=options, scopes=scopes, with_pen=True)
        at = end


def _skip_fields(wire: bytes, at: int, count: int, *, with_pen: bool) -> int:
    """Where `count` field specifiers end, or -1 if that is beyond the end."""
    if at + 4 * count > len(wire):
        return -1
    if not with_pen:
        return at + 4 * count
    for _ in range(count):
        if at + 4 > len(wire):
            return -1
        at += 8 if wire[at] & (ENTERPRISE_BIT >> 8) else 4
    return at if at <= len(wire) else -1
