"""Records described by a template (RFC 7011 §3.4.3, §7; RFC 3954 §5.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from millrace.decode.raw.cursor import Cursor, Json, Problems, Truncated
from millrace.decode.raw.packet import PACKET_SECTIONS, read_packet
from millrace.decode.raw.templates import VARIABLE, Domain, FieldSpec, RawLimits, Template, TemplateStore
from millrace.decode.raw.values import read_scalar
from millrace.schema.elements import IANA, DataType

_SCOPE_INTEGER_BYTES = 8

_SEMANTICS = {0: "noneOf", 1: "exactlyOneOf", 2: "oneOrMoreOf", 3: "allOf", 4: "ordered", 255: "undefined"}
"""How the elements of a list relate (RFC 6313 §4.4)."""

_ENTERPRISE_BIT = 0x8000


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
        read_list = _LIST_READERS.get(field.element.type)
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


def _read_basic_list(reader: RecordReader, cursor: Cursor, depth: int) -> Json:
    """Read a list of values of one element.

    ::

        | semantic (1) | E, element (2) | length (2) | [ enterprise (4) ] | values ... |   RFC 6313 §4.5.1
    """
    shown: Json = {}
    with reader.problems.truncation(cursor, "basicList", shown):
        shown["semantic"] = _semantic(cursor)
        number, length = cursor.u16(), cursor.u16()
        pen = cursor.u32() if number & _ENTERPRISE_BIT else 0
        field = FieldSpec.of_element(number & ~_ENTERPRISE_BIT, pen, length)
        shown |= {"element": field.name, "values": []}
        if not length or depth > reader.limits.list_depth:
            return shown | _unread(reader, cursor, "values of no length" if not length else "nested too deep")
        while cursor.left:
            size = length
            if length == VARIABLE:
                size = cursor.u8()
                size = cursor.u16() if size == 0xFF else size
            shown["values"].append(reader.value(field, cursor.sub(size), depth))
    return shown


def _read_sub_template_list(reader: RecordReader, cursor: Cursor, depth: int) -> Json:
    """Read a list of records of one template.

    ::

        | semantic (1) | template (2) | records ... |   RFC 6313 §4.5.2
    """
    shown: Json = {}
    with reader.problems.truncation(cursor, "subTemplateList", shown):
        shown["semantic"] = _semantic(cursor)
        shown |= _records(reader, cursor.u16(), cursor, depth)
    return shown


def _read_sub_template_multi_list(reader: RecordReader, cursor: Cursor, depth: int) -> Json:
    """Read a list of records of several templates.

    ::

        | semantic (1) | template (2) | length (2) | records ... | template (2) | ...   RFC 6313 §4.5.3

    The length counts the four bytes of template and length.
    """
    shown: Json = {}
    with reader.problems.truncation(cursor, "subTemplateMultiList", shown):
        shown |= {"semantic": _semantic(cursor), "lists": []}
        while cursor.left:
            number, length = cursor.u16(), cursor.u16()
            if length < 4:
                return shown | _unread(reader, cursor, f"length {length} of a list is below 4")
            shown["lists"].append(_records(reader, number, cursor.sub(length - 4), depth))
    return shown


_LIST_READERS: dict[DataType, Callable[[RecordReader, Cursor, int], Json]] = {
    DataType.BASIC_LIST: _read_basic_list,
    DataType.SUB_TEMPLATE_LIST: _read_sub_template_list,
    DataType.SUB_TEMPLATE_MULTI_LIST: _read_sub_template_multi_list,
}


def _semantic(cursor: Cursor) -> str:
    code = cursor.u8()
    return _SEMANTICS.get(code, str(code))


def _records(reader: RecordReader, number: int, cursor: Cursor, depth: int) -> Json:
    shown: Json = {"template": number}
    template = reader.template(number)
    if template is None:
        return shown | _unread(reader, cursor, f"template {number} is not known")
    if depth > reader.limits.list_depth:
        return shown | _unread(reader, cursor, "nested too deep")
    shown["records"] = reader.records(cursor, template, depth)
    return shown | _unread(reader, cursor, "bytes after the last record") if cursor.left else shown


def _unread(reader: RecordReader, cursor: Cursor, why: str) -> Json:
    reader.problems.add("list-unread", cursor.at, why)
    return {"data": cursor.rest().hex()}
