"""Structured data: lists inside a field (RFC 6313)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from millrace.decode.raw.cursor import Cursor, Json
from millrace.decode.raw.templates import VARIABLE, FieldSpec
from millrace.schema.elements import DataType

if TYPE_CHECKING:
    from millrace.decode.raw.records import RecordReader

SEMANTICS = {0: "noneOf", 1: "exactlyOneOf", 2: "oneOrMoreOf", 3: "allOf", 4: "ordered", 255: "undefined"}
"""How the elements of a list relate (RFC 6313 §4.4)."""

_ENTERPRISE_BIT = 0x8000


def read_basic_list(reader: RecordReader, cursor: Cursor, depth: int) -> Json:
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


def read_sub_template_list(reader: RecordReader, cursor: Cursor, depth: int) -> Json:
    """Read a list of records of one template.

    ::

        | semantic (1) | template (2) | records ... |   RFC 6313 §4.5.2
    """
    shown: Json = {}
    with reader.problems.truncation(cursor, "subTemplateList", shown):
        shown["semantic"] = _semantic(cursor)
        shown |= _records(reader, cursor.u16(), cursor, depth)
    return shown


def read_sub_template_multi_list(reader: RecordReader, cursor: Cursor, depth: int) -> Json:
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


READERS: dict[DataType, Callable[[RecordReader, Cursor, int], Json]] = {
    DataType.BASIC_LIST: read_basic_list,
    DataType.SUB_TEMPLATE_LIST: read_sub_template_list,
    DataType.SUB_TEMPLATE_MULTI_LIST: read_sub_template_multi_list,
}


def _semantic(cursor: Cursor) -> str:
    code = cursor.u8()
    return SEMANTICS.get(code, str(code))


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
