"""Records described by a template (RFC 7011 §3.4.3, §7; RFC 3954 §5.3)."""

from __future__ import annotations

from typing import Any

from millrace.decode.raw import lists
from millrace.decode.raw.cursor import Cursor, Json, Problems, Truncated
from millrace.decode.raw.packet import PACKET_SECTIONS, read_packet
from millrace.decode.raw.templates import VARIABLE, Domain, FieldSpec, RawLimits, Template, TemplateStore
from millrace.decode.raw.values import read_scalar
from millrace.schema.elements import IANA

_SCOPE_INTEGER_BYTES = 8


class RecordReader:
    """Reads the records of one datagram.

    Parameters
    ----------
    store : TemplateStore
        Templates that structured data may refer to.
    domain : Domain
        Who numbered them.
    limits : RawLimits
    problems : Problems
        Where to note what is wrong.
    """

    def __init__(self, store: TemplateStore, domain: Domain, limits: RawLimits, problems: Problems) -> None:
        self.limits = limits
        self.problems = problems
        self._store = store
        self._domain = domain
        self._values_left = limits.values

    def template(self, number: int) -> Template | None:
        """The template of that number, None if it is not known."""
        return self._store.get(self._domain, number)

    def record(self, cursor: Cursor, template: Template, depth: int = 0) -> Json:
        """Read the record under the cursor.

        Raises
        ------
        Truncated
            If it does not end before the cursor's range does.
        """
        shown: Json = {}
        if template.options:
            shown["scope"] = self._fields(cursor, template.scope, template.scope_names, depth, shown)
        shown["fields"] = self._fields(cursor, template.fields, template.field_names, depth, shown)
        return shown

    def records(self, cursor: Cursor, template: Template, depth: int = 0) -> list[Json]:
        """Read records until fewer bytes follow than the shortest record has.

        What is left under the cursor is padding, or a record that is cut short.
        """
        shortest = template.shortest
        if not shortest:
            self.problems.add("zero-length-record", cursor.at, f"template {template.id} describes records of no bytes")
            return []
        found: list[Json] = []
        while cursor.left >= shortest:
            start = cursor.at
            try:
                found.append(self.record(cursor, template, depth))
            except Truncated as why:
                self.problems.add("truncated", start, f"record of template {template.id}: {why}")
                cursor.at = start
                break
        return found

    def value(self, field: FieldSpec, cursor: Cursor, depth: int) -> Any:  # noqa: ANN401 - a JSON value
        """Value of the field whose bytes are exactly those under the cursor."""
        if field.scope:
            data = cursor.rest()
            return int.from_bytes(data, "big") if 0 < len(data) <= _SCOPE_INTEGER_BYTES else data.hex()
        if field.element is None:
            return cursor.rest().hex()
        read_list = lists.READERS.get(field.element.type)
        if read_list is not None and cursor.left:
            return read_list(self, cursor, depth + 1)
        return read_scalar(field.element.type, cursor.rest())

    def _fields(
        self, cursor: Cursor, fields: tuple[FieldSpec, ...], names: tuple[str, ...], depth: int, record: Json
    ) -> Json:
        self._values_left -= len(fields)
        if self._values_left < 0:
            raise Truncated(f"more than {self.limits.values} field values in one datagram")
        shown: Json = {}
        for field, name in zip(fields, names, strict=True):
            under = cursor.sub(_length(field, cursor))
            if field.pen == IANA and field.id in PACKET_SECTIONS and field.element and under.left:
                protocol = PACKET_SECTIONS[field.id]
                record.setdefault("packets", {})[name] = read_packet(under.peek(), protocol, self.limits.packet_layers)
            shown[name] = self.value(field, under, depth)
        return shown


def _length(field: FieldSpec, cursor: Cursor) -> int:
    """Length of the value; one or three bytes before it say so if it is variable (RFC 7011 §7)."""
    if field.length != VARIABLE:
        return field.length
    length = cursor.u8()
    return cursor.u16() if length == 0xFF else length
