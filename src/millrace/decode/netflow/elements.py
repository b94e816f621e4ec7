"""Information elements that mean the same, and the ones with a meaning beyond "a number of that column"."""

from __future__ import annotations

from typing import TypeAlias

from millrace.decode.netflow.headers import V9
from millrace.decode.netflow.layout import Field

REVERSE_PEN = 29305
"""Enterprise number of the reverse elements of biflows (RFC 5103 §6.1)."""
JUNIPER_PEN = 2636
JUNIPER_COMMON_PROPERTIES = 137

_CISCO_V9 = {40001: 225, 40002: 226, 40003: 227, 40004: 228, 40005: 233, 40057: 281, 40058: 282}
"""NetFlow v9 field types of the first Cisco ASA releases to the elements that were registered later."""

RESPONDER = {232: 231, 299: 298}
"""responderOctets and responderPackets (NSEL): the other direction's initiatorOctets and initiatorPackets."""

Elements: TypeAlias = dict[tuple[int, int], int]
"""Field number by (element, enterprise number)."""


def element_of(field: Field, version: int) -> tuple[int, int]:
    """Element and enterprise number that a field of a template means."""
    if version == V9 and not field.pen:
        return _CISCO_V9.get(field.id, field.id), 0
    return field.id, field.pen


_REVERSE_OUT = {(23, 0): (1, REVERSE_PEN), (24, 0): (2, REVERSE_PEN)}
"""OUT_BYTES and OUT_PKTS where an exporter counts the other direction in them."""


def elements_of(fields: tuple[Field, ...], version: int, *, reverse_out: bool = False) -> Elements:
    """Field number by (element, enterprise number); scopes left out, the first of repeated ones.

    Fields of no bytes carry nothing and are left out too. `reverse_out`: see `Quirks.reverse_in_23_24`.
    """
    found: dict[tuple[int, int], int] = {}
    for number, field in enumerate(fields):
        if field.length and not field.scope:
            element = element_of(field, version)
            found.setdefault(_REVERSE_OUT.get(element, element) if reverse_out else element, number)
    return found


def reversed_elements(elements: Elements) -> Elements:
    """The elements of the reverse direction of a biflow, under the numbers they have in the forward one."""
    found = {(element, 0): number for (element, pen), number in elements.items() if pen == REVERSE_PEN}
    for responder, initiator in RESPONDER.items():
        if (responder, 0) in elements:
            found.setdefault((initiator, 0), elements[responder, 0])
    return found
