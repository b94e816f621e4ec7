"""Make the table of information elements that Millrace ships.

Usage: ``python scripts/make_elements.py REGISTRIES [OUT]``

`REGISTRIES` is a folder of element registries in XML: IANA's own layout
(``<record>``) and libfds's (``<ipfix-elements>``). Only facts are taken:
number, enterprise, name, type, semantics and units.
"""

from __future__ import annotations

import csv
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OUT = Path(__file__).parents[1] / "src/millrace/schema/data/elements.csv"

IANA = 0
PENS = {"huawei": 2011, "nokia": 637, "vmware": 6876, "iana_ipfix_information_elements": IANA}
"""Enterprise number of the files in IANA's layout, by file stem."""

V9_LOW, V9_HIGH = 4294967294, 4294967295
"""Pseudo enterprise numbers under which libfds lists NetFlow v9 field types: below and from 32768."""

TYPE_SPELLINGS = {"ipv6address": "ipv6Address"}
NO_MEANING = {"none", "default", "inferred"}


class Row(NamedTuple):
    """A line of the table."""

    pen: int
    id: int
    name: str
    type: str
    semantics: str
    units: str


EXTRA = [
    # Junos, inline monitoring services: the common properties identifier under Juniper's own number.
    Row(2636, 137, "commonPropertiesId", "unsigned64", "identifier", ""),
    # Cisco ASA NSEL (NetFlow v9 field types): the user, and what ASA 8.2 used before it took IANA's 225 to 228 and 233.
    Row(IANA, 40000, "asaUserName", "string", "", ""),
    Row(IANA, 40001, "xlateSourceIPv4Address", "ipv4Address", "", ""),
    Row(IANA, 40002, "xlateDestinationIPv4Address", "ipv4Address", "", ""),
    Row(IANA, 40003, "xlateSourcePort", "unsigned16", "identifier", ""),
    Row(IANA, 40004, "xlateDestinationPort", "unsigned16", "identifier", ""),
    Row(IANA, 40005, "asaFirewallEvent", "unsigned8", "identifier", ""),
    # Palo Alto PAN-OS (NetFlow v9 field types): application and user.
    Row(IANA, 56701, "panosAppId", "string", "", ""),
    Row(IANA, 56702, "panosUserId", "string", "", ""),
]


def main(registries: Path, out: Path = OUT) -> None:
    """Read every registry, let the first that tells of an element win, write the sorted table."""
    rows: dict[tuple[int, int], Row] = {}
    files = sorted(registries.glob("*.xml"), key=lambda path: not path.stem.startswith("iana_ipfix"))
    for row in (*EXTRA, *(row for path in files for row in read(path))):
        rows.setdefault((row.pen, row.id), row)
    with out.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(unique(rows[key] for key in sorted(rows)))
    print(f"{out}: {len(rows)} elements")


def unique(rows: Iterator[Row]) -> Iterator[Row]:
    """Rename the later of two elements of one enterprise that share a name (NetFlow v9 types mostly)."""
    seen: set[tuple[int, str]] = set()
    for row in rows:
        key = (row.pen, row.name.casefold())
        yield row._replace(name=f"{row.name}{row.id}") if key in seen else row
        seen.add(key)


def read(path: Path) -> Iterator[Row]:
    """Elements of one file."""
    root = ET.parse(path).getroot()
    if root.tag == "ipfix-elements":
        yield from _read_libfds(root)
    elif path.stem in PENS:
        yield from _read_iana(root, PENS[path.stem])


def _read_libfds(root: ET.Element) -> Iterator[Row]:
    pen = int(root.findtext("scope/pen", ""))
    for element in root.iter("element"):
        number = int(_text(element, "id"))
        if pen == V9_HIGH:
            yield _row(element, IANA, number + 32768, "dataSemantics")
        else:
            yield _row(element, IANA if pen == V9_LOW else pen, number, "dataSemantics")


def _read_iana(root: ET.Element, pen: int) -> Iterator[Row]:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    for record in root.iter("record"):
        number = _text(record, "elementId")
        if number.isdigit() and _text(record, "dataType"):
            yield _row(record, pen, int(number), "dataTypeSemantics")


def _row(element: ET.Element, pen: int, number: int, semantics: str) -> Row:
    kind = _text(element, "dataType")
    return Row(
        pen,
        number,
        _text(element, "name"),
        TYPE_SPELLINGS.get(kind, kind),
        _meaning(_text(element, semantics)),
        _meaning(_text(element, "units")),
    )


def _text(element: ET.Element, tag: str) -> str:
    return element.findtext(tag, "").strip()


def _meaning(text: str) -> str:
    return "" if text in NO_MEANING else text


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
