"""NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): messages, sets and template records."""

from __future__ import annotations

from millrace.decode.raw.cursor import Cursor, Json, Problems
from millrace.decode.raw.records import RecordReader
from millrace.decode.raw.templates import Domain, FieldSpec, RawLimits, Template, TemplateStore
from millrace.decode.raw.values import iso_time

IPFIX, V9 = 10, 9

TEMPLATE_SETS = {V9: 0, IPFIX: 2}
OPTIONS_SETS = {V9: 1, IPFIX: 3}

FIRST_DATA_SET = 256
_ENTERPRISE_BIT = 0x8000
_ALIGNMENT_BYTES = 3
"""Padding up to here is what exporters use to align sets to four bytes; more is looked at."""


def _sound_options(rest: bytes) -> bool:
    """Whether options templates of NetFlow v9 can be read one after the other up to the end or to zero bytes."""
    while any(rest):
        if len(rest) < 6:
            return False
        number, scope_bytes, option_bytes = (int.from_bytes(rest[at : at + 2], "big") for at in (0, 2, 4))
        end = 6 + scope_bytes + option_bytes
        if number < FIRST_DATA_SET or scope_bytes % 4 or option_bytes % 4 or end > len(rest):
            return False
        rest = rest[end:]
    return True


class MessageReader:
    """Reads one message.

    Parameters
    ----------
    exporter : bytes
        Sixteen-byte address of the sender.
    port : int
        Its UDP port.
    store : TemplateStore
        Templates known so far; the message changes it.
    limits : RawLimits
    problems : Problems
        Where to note what is wrong.
    """

    def __init__(self, exporter: bytes, port: int, store: TemplateStore, limits: RawLimits, problems: Problems) -> None:
        self._exporter = exporter
        self._port = port
        self._store = store
        self._limits = limits
        self._problems = problems
        self._version = 0
        self._domain = Domain(exporter, 0, 0, port)
        self._records = RecordReader(store, self._domain, limits, problems)

    def read(self, cursor: Cursor, version: int) -> Json:
        """Read header and sets of a message of NetFlow v9 or IPFIX."""
        shown: Json = {"header": {}, "sets": []}
        self._version = version
        with self._problems.truncation(cursor, "header", shown):
            shown["header"] = header = self._v9_header(cursor) if version == V9 else self._ipfix_header(cursor)
            domain = header["source_id" if version == V9 else "observation_domain_id"]
            self._domain = Domain(self._exporter, version, domain, self._port)
            self._records = RecordReader(self._store, self._domain, self._limits, self._problems)
            while cursor.left >= 4:
                found = self._set(cursor)
                if found is None:
                    return shown
                shown["sets"].append(found)
            if cursor.left and any(cursor.peek()):
                self._problems.add("trailing-bytes", cursor.at, f"{cursor.left} bytes after the last set")
        return shown

    @staticmethod
    def _v9_header(cursor: Cursor) -> Json:
        """RFC 3954 §5.1: version, count, sysUpTime (ms), Unix seconds, sequence number, source ID."""
        names = (
            ("version", 2), ("count", 2), ("sys_uptime", 4), ("unix_secs", 4), ("sequence", 4), ("source_id", 4),
        )  # fmt: skip
        return {name: cursor.uint(size) for name, size in names}

    def _ipfix_header(self, cursor: Cursor) -> Json:
        """RFC 7011 §3.1: version, length, export time (s), sequence number, observation domain."""
        names = (
            ("version", 2), ("length", 2), ("export_time", 4), ("sequence", 4), ("observation_domain_id", 4),
        )  # fmt: skip
        start = cursor.at
        header: Json = {name: cursor.uint(size) for name, size in names}
        header["export_time_text"] = iso_time(header["export_time"])
        length, here = header["length"], cursor.stop - start
        if length > here or any(cursor.peek()[max(length - (cursor.at - start), 0) :]):
            self._problems.add("message-length", start + 2, f"message says {length} bytes, {here} received")
        cursor.stop = max(cursor.at, min(cursor.stop, start + length))
        return header

    def _set(self, cursor: Cursor) -> Json | None:
        """Read a set: its number, its length in bytes (header included), its records."""
        offset = cursor.at
        number, length = cursor.u16(), cursor.u16()
        if length < 4:
            if number or length or any(cursor.peek()):
                self._problems.add("set-length", offset, f"set {number} says {length} bytes; a set has at least 4")
            return None
        shown: Json = {"id": number, "offset": offset, "length": length}
        if length - 4 > cursor.left:
            self._problems.add("set-length", offset, f"set {number} says {length} bytes, {cursor.left + 4} left")
            return shown | {"kind": "truncated", "data": cursor.rest().hex()}
        under = cursor.sub(length - 4)
        if number == TEMPLATE_SETS[self._version]:
            return shown | self._templates(under, "templates")
        if number == OPTIONS_SETS[self._version]:
            return shown | self._templates(under, "options_templates")
        if number >= FIRST_DATA_SET:
            return shown | self._data(number, under)
        self._problems.add("reserved-set", offset, f"set number {number} is reserved")
        return shown | {"kind": "reserved", "data": under.rest().hex()}

    def _data(self, number: int, cursor: Cursor) -> Json:
        template = self._store.get(self._domain, number, cursor.peek())
        if template is None:
            self._problems.add("template-unknown", cursor.at - 4, f"no template {number} in this observation domain")
            return {"kind": "data", "template": None, "data": cursor.rest().hex()}
        shown: Json = {"kind": "options_data" if template.options else "data", "template": number}
        shown["records"] = self._records.records(cursor, template)
        if cursor.left:
            shown |= self._leftover(cursor)
        return shown

    def _leftover(self, cursor: Cursor) -> Json:
        """What a data set has after its last record: padding, or the beginning of a record that is cut short."""
        if cursor.left <= _ALIGNMENT_BYTES or not any(cursor.peek()):
            return {"padding": cursor.rest().hex()}
        if not any(problem["offset"] == cursor.at for problem in self._problems.found):
            self._problems.add("truncated", cursor.at, f"{cursor.left} bytes that are no whole record")
        return {"rest": cursor.rest().hex()}

    def _templates(self, cursor: Cursor, kind: str) -> Json:
        """Read template records until only padding is left."""
        shown: Json = {"kind": kind, "templates": []}
        read = {
            ("templates", V9): self._template,
            ("templates", IPFIX): self._template,
            ("options_templates", V9): self._v9_options_template,
            ("options_templates", IPFIX): self._ipfix_options_template,
        }[kind, self._version]
        shortest = 6 if kind == "options_templates" and self._version == V9 else 4
        with self._problems.truncation(cursor, kind, shown):
            while cursor.left >= shortest and any(cursor.peek()):
                shown["templates"].append(read(cursor))
        if cursor.left:
            shown["padding"] = cursor.rest().hex()
        return shown

    def _template(self, cursor: Cursor) -> Json:
        """RFC 7011 §3.4.1, RFC 3954 §5.2: number, field count, fields."""
        offset = cursor.at
        number, count = cursor.u16(), cursor.u16()
        if not count:
            return self._withdrawal(number, offset, options=False)
        return self._keep(Template(number, (), self._specs(cursor, count), options=False), offset)

    def _ipfix_options_template(self, cursor: Cursor) -> Json:
        """RFC 7011 §3.4.2.2: number, field count (scope included), scope field count, fields."""
        offset = cursor.at
        number, count = cursor.u16(), cursor.u16()
        if not count:
            return self._withdrawal(number, offset, options=True)
        scopes = cursor.u16()
        if not 0 < scopes <= count:
            self._problems.add("scope-count", offset, f"template {number}: {scopes} scope fields of {count} fields")
        specs = self._specs(cursor, count)
        return self._keep(Template(number, specs[:scopes], specs[scopes:], options=True), offset)

    def _v9_options_template(self, cursor: Cursor) -> Json:
        """RFC 3954 §6.1: number, bytes of the scope fields, bytes of the option fields, fields."""
        offset = cursor.at
        number, scope_bytes, option_bytes = cursor.u16(), cursor.u16(), cursor.u16()
        if scope_bytes % 4 or option_bytes % 4:
            detail = f"template {number}: {scope_bytes} and {option_bytes} bytes of fields are not multiples of 4"
            self._problems.add("field-bytes", offset, detail)
        under = cursor.sub(scope_bytes - scope_bytes % 4)
        scope = [FieldSpec.of_v9_scope(under.u16(), under.u16()) for _ in range(scope_bytes // 4)]
        specs = self._specs(cursor, (scope_bytes + option_bytes) // 4 - len(scope))
        template = Template(number, tuple(scope), specs, options=True)
        self._skip_odd_bytes(cursor, (scope_bytes + option_bytes) % 4)
        # With an odd number of bytes of scopes nobody can say which fields are scopes.
        return template.to_json() if scope_bytes % 4 else self._keep(template, offset)

    @staticmethod
    def _skip_odd_bytes(cursor: Cursor, odd: int) -> None:
        """Skip what is no whole field after an options template, if only so sound ones follow, or nothing."""
        rest = cursor.peek()
        if odd and len(rest) >= odd and not _sound_options(rest) and _sound_options(rest[odd:]):
            cursor.sub(odd)

    def _specs(self, cursor: Cursor, count: int) -> tuple[FieldSpec, ...]:
        """RFC 7011 §3.2: element, length, enterprise number if the element's first bit is set."""
        found: list[FieldSpec] = []
        for _ in range(count):
            number, length, pen = cursor.u16(), cursor.u16(), 0
            # NetFlow v9 has no enterprise bit: its field types use all 16 bits.
            if self._version == IPFIX and number & _ENTERPRISE_BIT:
                number, pen = number & ~_ENTERPRISE_BIT, cursor.u32()
            found.append(FieldSpec.of_element(number, pen, length))
        return tuple(found)

    def _keep(self, template: Template, offset: int) -> Json:
        shown = template.to_json()
        if template.id < FIRST_DATA_SET:
            self._problems.add("template-number", offset, f"template {template.id}: numbers below 256 are reserved")
        elif not template.fields and not template.scope:
            self._problems.add("template-empty", offset, f"template {template.id} has no fields")
        else:
            self._store.put(self._domain, template)
        return shown

    def _withdrawal(self, number: int, offset: int, *, options: bool) -> Json:
        """RFC 7011 §8.1: a template of no fields withdraws its number, or all if it has the set's number."""
        if self._version == V9:
            self._problems.add("template-empty", offset, f"template {number} has no fields")
            return {"id": number, "fields": []}
        every = (OPTIONS_SETS if options else TEMPLATE_SETS)[IPFIX]
        if number == every:
            self._store.withdraw_all(self._domain, options=options)
        else:
            self._store.withdraw(self._domain, number)
        return {"id": number, "withdrawal": True, "fields": []}
