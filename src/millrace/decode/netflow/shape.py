"""Where the fields of a layout lie in a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from millrace.decode.netflow.layout import VARIABLE, Field, Layout

_INTEGERS: dict[int, Any] = {
    1: "u1",
    2: ">u2",
    3: [("high", "u1"), ("low", ">u2")],
    4: ">u4",
    5: [("high", "u1"), ("low", ">u4")],
    6: [("high", ">u2"), ("low", ">u4")],
    7: [("high", [("high", "u1"), ("low", ">u2")]), ("low", ">u4")],
    8: ">u8",
}
"""How integers of each size are seen: those of odd sizes as two parts (reduced-size encoding, RFC 7011 §6.2)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field is: `name` in the dtype of segment `segment`, or the `variable`-th variable-length field."""

    segment: int
    name: str
    variable: int
    length: int
    offset: int


@dataclass(frozen=True, slots=True)
class Shape:
    """A record as runs of fixed-length fields (segments) between variable-length ones.

    Attributes
    ----------
    fields : tuple of Field
    places : tuple of Place
        Of each field; `offset` counts from the start of the segment.
    segments : tuple of dtype
        Structured dtype of each run, one field per field of the template.
    steps : tuple of int
        What a record consists of, in order: the number of a segment, or ``-1 - i`` for the i-th variable field.
    variables : int
        Number of variable-length fields.
    least : int
        Bytes of the shortest record.
    """

    fields: tuple[Field, ...]
    places: tuple[Place, ...]
    segments: tuple[np.dtype[Any], ...]
    steps: tuple[int, ...]
    variables: int
    least: int

    @property
    def fixed(self) -> bool:
        """Whether all records have the same length (`least`)."""
        return not self.variables


def shape_of(layout: Layout) -> Shape:
    """Lay the fields of a template out."""
    fields = layout.fields()
    places: list[Place] = []
    runs: list[list[int]] = []
    steps: list[int] = []
    variables = 0
    offset = 0
    for number, field in enumerate(fields):
        if field.length == VARIABLE:
            places.append(Place(-1, "", variables, 0, 0))
            steps.append(-1 - variables)
            variables += 1
            continue
        if not steps or steps[-1] < 0:
            steps.append(len(runs))
            runs.append([])
            offset = 0
        runs[-1].append(number)
        places.append(Place(len(runs) - 1, f"f{number}", -1, field.length, offset))
        offset += field.length
    segments = tuple(_segment(run, fields, places) for run in runs)
    least = variables + sum(segment.itemsize for segment in segments)
    return Shape(fields, tuple(places), segments, tuple(steps), variables, least)


def _segment(run: list[int], fields: tuple[Field, ...], places: list[Place]) -> np.dtype[Any]:
    """Structured dtype of consecutive fixed-length fields; zero-length ones are left out."""
    shown = [number for number in run if fields[number].length]
    return np.dtype(
        {
            "names": [places[number].name for number in shown],
            "formats": [_INTEGERS.get(fields[number].length, (np.uint8, (fields[number].length,))) for number in shown],
            "offsets": [places[number].offset for number in shown],
            "itemsize": sum(fields[number].length for number in run),
        }
    )
