"""From a layout to the columns it fills: compiled once per layout, executed on all its records of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from millrace.decode.limits import Limits
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.clock import Clock
from millrace.decode.netflow.column_kinds import AddressColumn, DirectionColumn, NumberColumn, TextColumn
from millrace.decode.netflow.elements import (
    JUNIPER_COMMON_PROPERTIES,
    JUNIPER_PEN,
    Elements,
    elements_of,
    reversed_elements,
)
from millrace.decode.netflow.family import FAMILIES, UNKNOWN, Families, FamilyColumn, FamilyRule
from millrace.decode.netflow.flow_times import FlowTimes, RelativeColumn
from millrace.decode.netflow.headers import V9
from millrace.decode.netflow.layout import VARIABLE, Layout
from millrace.decode.netflow.records import Records
from millrace.decode.netflow.shape import Shape, shape_of
from millrace.decode.netflow.special import CommonProperties, Icmp, MplsStack
from millrace.decode.netflow.times import RELATIVE, TimeColumn, time_form
from millrace.schema import Kind, Schema
from millrace.schema.column import Column


class Step(Protocol):
    """Fills one column (or a few that belong together) of a range of rows."""

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:
        """Write rows `start` to `stop` from the records."""
        ...


@dataclass(frozen=True, slots=True)
class DecodePlan:
    """How to execute a layout.

    Attributes
    ----------
    shape : Shape
    steps : tuple of Step
    elements : dict
        Field number by (element, enterprise number).
    reverse : tuple of Step
        What the reverse direction of a biflow overrides.
    counters : tuple of int
        Fields of the reverse direction of which one must be non-zero for it to be a flow.
    """

    shape: Shape
    steps: tuple[Step, ...]
    elements: Elements
    reverse: tuple[Step, ...]
    counters: tuple[int, ...]

    def field(self, element: int, pen: int = 0) -> int | None:
        """Number of the field with that element."""
        return self.elements.get((element, pen))


_OWN_STEPS = frozenset({"TimeFlowStart", "TimeFlowEnd", "SamplingRate", "EType", "ICMPType", "ICMPCode", "MPLSLabels"})
"""Columns that are more than the value of an element."""
_VLAN_BITS = 0x0FFF
_MASKS = {"SrcVlan": _VLAN_BITS, "DstVlan": _VLAN_BITS}
_NAT_EVENT = 230
_REVERSE_COUNTERS = (2, 86, 298, 24, 1, 85, 231, 23)


def compile_plan(layout: Layout, schema: Schema, limits: Limits, *, reverse_out: bool = False) -> DecodePlan:
    """Compile a layout of data records; `reverse_out`: of an exporter with `Quirks.reverse_in_23_24`."""
    shape = shape_of(layout)
    elements = elements_of(shape.fields, layout.version, reverse_out=reverse_out)
    backward = reversed_elements(elements)
    compiler = _Compiler(schema, limits, shape, elements, FamilyRule.of(elements), header_uptime=layout.version == V9)
    return DecodePlan(
        shape,
        tuple(compiler.forward()),
        elements,
        tuple(compiler.backward(backward)),
        tuple(backward[element, 0] for element in _REVERSE_COUNTERS if (element, 0) in backward),
    )


@dataclass(frozen=True, slots=True)
class _Compiler:
    schema: Schema
    limits: Limits
    shape: Shape
    elements: Elements
    rule: FamilyRule
    header_uptime: bool

    def forward(self) -> Iterator[Step]:
        """Steps of a record."""
        elements = self.elements
        yield from self._columns(elements, etype=True)
        yield self._times(elements)
        if (JUNIPER_COMMON_PROPERTIES, JUNIPER_PEN) in elements and (89, 0) not in elements:
            yield CommonProperties(elements[JUNIPER_COMMON_PROPERTIES, JUNIPER_PEN])
        yield from self._stacks(elements, infer=True)

    def backward(self, elements: Elements) -> Iterator[Step]:
        """Steps of the reverse direction: only what it tells itself."""
        yield from self._columns(elements, etype=False)
        times = self._times(elements, partial=True)
        if times.told:
            yield times
        yield from self._stacks(elements, infer=False)

    def _times(self, elements: Elements, *, partial: bool = False) -> FlowTimes:
        return FlowTimes.of(elements, self.elements.get((160, 0)), header_uptime=self.header_uptime, partial=partial)

    def _columns(self, elements: Elements, *, etype: bool) -> Iterator[Step]:
        by_family: list[FamilyColumn] = []
        for column in self.schema:
            if column.name in _OWN_STEPS:
                continue
            told = {e: elements[e.id, e.pen] for e in column.elements if (e.id, e.pen) in elements}
            told = {element: field for element, field in told.items() if self._fits(column, field)}
            if not told:
                continue
            step = self._column(column, tuple(told.values()))
            families = [UNKNOWN if element.pen else FAMILIES.get(element.id, UNKNOWN) for element in told]
            if not any(families) or not isinstance(step, (AddressColumn, NumberColumn)):
                yield step
                continue
            choice = FamilyColumn.of(step, families, self.rule)
            if self._is_settled(choice):
                settled = choice.part(self.rule.constant or UNKNOWN)
                if settled is not None:
                    yield settled
            else:
                by_family.append(choice)
        if etype or by_family:
            yield Families.of(self.rule, tuple(by_family), self.elements, etype=etype)

    def _is_settled(self, choice: FamilyColumn) -> bool:
        """Whether the layout alone decides from which elements a column is filled."""
        if not choice.strict and len(choice.by_family) == 1:
            return True
        return self.rule.constant is not None and not (choice.translated and (_NAT_EVENT, 0) in self.elements)

    def _column(self, column: Column, fields: tuple[int, ...]) -> Step:
        match column.kind:
            case Kind.ADDRESS:
                return AddressColumn(column.name, fields)
            case Kind.TEXT:
                return TextColumn(column.name, fields, self.limits.text_bytes)
            case Kind.ENUM:
                return DirectionColumn(column.name, fields)
            case Kind.TIME_MS:
                sources = tuple(
                    (time_form(self.shape.fields[field].id, self.shape.fields[field].length), field) for field in fields
                )
                if any(form in RELATIVE for form, _ in sources):
                    return RelativeColumn(column.name, sources, self._times(self.elements))
                return TimeColumn(column.name, sources)
            case _:
                return NumberColumn(column.name, fields, _MASKS.get(column.name))

    def _fits(self, column: Column, field: int) -> bool:
        if column.kind is Kind.ADDRESS:
            return self.shape.fields[field].length in (4, 16, VARIABLE)
        return column.kind is not Kind.U32_LIST

    def _stacks(self, elements: Elements, *, infer: bool) -> Iterator[Step]:
        icmp = Icmp.of(elements, self.rule, infer=infer)
        if icmp is not None:
            yield icmp
        labels = tuple(elements[element, 0] for element in range(70, 80) if (element, 0) in elements)
        if labels:
            yield MplsStack(labels)
