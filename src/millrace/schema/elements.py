"""The registry of information elements: IANA's and those of enterprises.

The table `data/elements.csv` is made by ``scripts/make_elements.py``. Elements
under enterprise 0 with numbers from 32768 on, and a few unassigned ones below,
are field types that only NetFlow v9 uses; IPFIX cannot express the former.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib import resources

from millrace.errors import SchemaError, did_you_mean

IANA = 0
"""Enterprise number under which IANA's own elements are listed here."""

REVERSE_PEN = 29305
"""Enterprise number of the reverse twins of IANA's elements (RFC 5103 §6.1)."""

CERT_PEN = 6871
_CERT_REVERSE_BIT = 0x4000
"""CERT (YAF) marks the reverse twin of its own elements with this bit of the number."""


class DataType(Enum):
    """Abstract data type of an element (RFC 7012 §3.1, RFC 6313 §4.5, IANA)."""

    OCTETS = "octetArray"
    U8 = "unsigned8"
    U16 = "unsigned16"
    U32 = "unsigned32"
    U64 = "unsigned64"
    U256 = "unsigned256"
    I8 = "signed8"
    I16 = "signed16"
    I32 = "signed32"
    I64 = "signed64"
    F32 = "float32"
    F64 = "float64"
    BOOLEAN = "boolean"
    MAC = "macAddress"
    STRING = "string"
    SECONDS = "dateTimeSeconds"
    MILLISECONDS = "dateTimeMilliseconds"
    MICROSECONDS = "dateTimeMicroseconds"
    NANOSECONDS = "dateTimeNanoseconds"
    IPV4 = "ipv4Address"
    IPV6 = "ipv6Address"
    BASIC_LIST = "basicList"
    SUB_TEMPLATE_LIST = "subTemplateList"
    SUB_TEMPLATE_MULTI_LIST = "subTemplateMultiList"


@dataclass(frozen=True, slots=True)
class Element:
    """An information element.

    Attributes
    ----------
    pen : int
        Private enterprise number; 0 is IANA's registry.
    id : int
        Element number, enterprise bit removed.
    name : str
        As registered (``octetDeltaCount``).
    type : DataType
    semantics, units : str
        As registered; empty where there are none.
    """

    pen: int
    id: int
    name: str
    type: DataType
    semantics: str = ""
    units: str = ""

    @property
    def qualified(self) -> str:
        """Name that is unique in the registry: IANA's and reverse ones bare, others as ``pen:name``."""
        return self.name if self.pen in (IANA, REVERSE_PEN) else f"{self.pen}:{self.name}"


def lookup(pen: int, id: int) -> Element | None:  # noqa: A002 - the field's own word
    """The element of that enterprise and number, or None if it is not registered.

    Reverse elements (RFC 5103, and CERT's) are derived from their forward twin.
    """
    found = _table().get((pen, id))
    return _reverse(pen, id) if found is None else found


def by_name(name: str) -> Element:
    """The element of that name.

    Parameters
    ----------
    name : str
        ``octetDeltaCount``, ``reverseOctetDeltaCount``, ``6871:payload``; the
        bare name of an enterprise element if only one enterprise has it.

    Raises
    ------
    SchemaError
        If there is none, or several enterprises have it; names what exists.
    """
    names = _names()
    found = names.get(name, ())
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(repr(element.qualified) for element in found)
        raise SchemaError(f"several enterprises have an element {name!r}; choose one of {choices}")
    twin = _forward_twin(name)
    if twin is not None:
        return twin
    raise SchemaError(f"unknown information element {name!r}{did_you_mean(name, names)}")


def all_elements() -> tuple[Element, ...]:
    """Every stored element, by enterprise and number (derived reverse elements excluded)."""
    return tuple(_table().values())


@cache
def _table() -> dict[tuple[int, int], Element]:
    types = {kind.value: kind for kind in DataType}
    text = resources.files("millrace.schema").joinpath("data/elements.csv").read_text("utf-8")
    rows = csv.reader(text.splitlines()[1:])
    return {
        (int(pen), int(number)): Element(int(pen), int(number), name, types[kind], semantics, units)
        for pen, number, name, kind, semantics, units in rows
    }


@cache
def _names() -> dict[str, tuple[Element, ...]]:
    """Elements by qualified name, and by bare name where that does not hide one of IANA's."""
    names: dict[str, tuple[Element, ...]] = {}
    for element in all_elements():
        names[element.qualified] = (element,)
    for element in all_elements():
        bare = names.get(element.name, ())
        if element.pen != IANA and not (bare and bare[0].pen == IANA):
            names[element.name] = (*bare, element)
    return names


def _reverse(pen: int, number: int) -> Element | None:
    if pen == REVERSE_PEN:
        forward = _table().get((IANA, number))
    elif pen == CERT_PEN and number & _CERT_REVERSE_BIT:
        forward = _table().get((CERT_PEN, number & ~_CERT_REVERSE_BIT))
    else:
        return None
    if forward is None:
        return None
    return replace(forward, pen=pen, id=number, name=f"reverse{forward.name[:1].upper()}{forward.name[1:]}")


def _forward_twin(name: str) -> Element | None:
    """The reverse element of that name, through its forward twin; None if there is none."""
    if not name.startswith("reverse"):
        return None
    bare = name.removeprefix("reverse")
    for forward in (bare[:1].lower() + bare[1:], bare):
        for element in _names().get(forward, ()):
            if element.pen == IANA:
                return lookup(REVERSE_PEN, element.id)
    return None
