"""The speed of the interfaces that flows have passed, of which percentages are.

The denominator of a percentage is the sum of the speeds of distinct interfaces
(exporter and index) that the selected flows have passed anywhere in the whole
range, one constant for all intervals. It is the same for all series unless
dimensions tell interfaces apart, so that series stacked upon each other show
the load of that set of interfaces. Where dimensions name the exporter or the
interface of that side, each combination of these is measured against its own
interfaces; the rest against the interfaces of no combination that is shown.
Counting the interfaces of each series and each interval apart, as is done
elsewhere, gives percentages that do not add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from millrace.query.dimensions import Dimension, listed
from millrace.query.flows import Flows, interface_names
from millrace.query.render import Key, keys
from millrace.query.units import Measure

_MEGABIT = 1e6


def interface_dimensions(measure: Measure, dimensions: Sequence[Dimension]) -> list[Dimension]:
    """Dimensions that tell the interfaces of a measure apart: those of the exporter and of that side's interface."""
    if not measure.side:
        return []
    prefixes = ("Exporter", f"{measure.side}If")
    return [dimension for dimension in dimensions if dimension.column.name.startswith(prefixes)]


def interfaces_sql(flows: Flows, named: Sequence[Dimension]) -> str:
    """SQL of the interfaces of flows: ``_exporter``, ``_interface``, ``_speed`` in Mbit/s, and what dimensions say.

    An interface whose speed was changed counts with the highest.
    """
    exporter, interface, speed = interface_names(flows.measure)
    names = "".join(f"{dimension.name}, " for dimension in named)
    return (
        f"SELECT {names}{exporter} AS _exporter, {interface} AS _interface, max({speed}) AS _speed "  # noqa: S608 - values are bound
        f"FROM ({flows.whole}) GROUP BY {names}_exporter, _interface"
    )


def with_capacities(found: str, flows: Flows, named: Sequence[Dimension]) -> str:
    """SQL of rows by dimensions, with the speed of the interfaces of each (``_capacity``).

    Parameters
    ----------
    found : str
        SQL of the rows.
    flows : Flows
    named : sequence of Dimension
        Those of the dimensions that tell interfaces apart.
    """
    names = listed(named)
    speeds = f"SELECT {names}, sum(_speed) AS _capacity FROM ({interfaces_sql(flows, named)}) GROUP BY {names}"  # noqa: S608 - values are bound
    return f"SELECT * FROM ({found}) AS _found LEFT JOIN ({speeds}) AS _speeds USING ({names})"  # noqa: S608 - values are bound


@dataclass(frozen=True, slots=True)
class Rest:
    """What is in none of some groups.

    Parameters
    ----------
    shown : frozenset of Key
    """

    shown: frozenset[Key]


class Capacities:
    """Bits per second that the interfaces of each group can carry.

    Parameters
    ----------
    axes : sequence of sequences of Dimension
        Dimensions of the groups: one list, or two for a field of values.
    measure : Measure
    table : Table
        Answer to `interfaces_sql`, for all dimensions of `named` in their order.
    """

    def __init__(self, axes: Sequence[Sequence[Dimension]], measure: Measure, table: pa.Table) -> None:
        self._places = [
            [place for place, dimension in enumerate(axis) if interface_dimensions(measure, [dimension])]
            for axis in axes
        ]
        ids = list(zip(table.column("_exporter").to_pylist(), table.column("_interface").to_pylist(), strict=True))
        self._speeds: dict[tuple[object, object], int] = {}
        for interface, speed in zip(ids, table.column("_speed").to_pylist(), strict=True):
            self._speeds[interface] = max(speed, self._speeds.get(interface, 0))
        self._groups: list[dict[Key, set[tuple[object, object]]]] = []
        for axis, places in zip(axes, self._places, strict=True):
            groups: dict[Key, set[tuple[object, object]]] = {}
            for key, interface in zip(keys([axis[place] for place in places], table), ids, strict=True):
                groups.setdefault(key, set()).add(interface)
            self._groups.append(groups)
        self.everything = sum(self._speeds.values()) * _MEGABIT
        self._known: dict[tuple[Key | Rest, ...], float] = {}

    def of(self, *choices: Key | Rest) -> float:
        """Bits per second of the interfaces of a group.

        Parameters
        ----------
        *choices : Key or Rest
            For each axis a combination of its dimensions, or the rest: the
            interfaces of no group that is shown. All interfaces count where
            no interface is left.
        """
        reduced = tuple(self._reduced(axis, choice) for axis, choice in enumerate(choices))
        if reduced not in self._known:
            self._known[reduced] = self._sum(reduced)
        return self._known[reduced]

    def _reduced(self, axis: int, choice: Key | Rest) -> Key | Rest:
        """The part of a choice that tells interfaces apart."""
        places = self._places[axis]
        if isinstance(choice, Rest):
            return Rest(frozenset(_part(key, places) for key in choice.shown)) if places else ()
        return _part(choice, places)

    def _sum(self, choices: tuple[Key | Rest, ...]) -> float:
        found = set(self._speeds)
        for groups, choice in zip(self._groups, choices, strict=True):
            if isinstance(choice, Rest):
                shown: set[tuple[object, object]] = set().union(*(groups.get(key, set()) for key in choice.shown))
                found &= set(self._speeds) - shown
            else:
                found &= groups.get(choice, set())
        return sum(self._speeds[interface] for interface in found) * _MEGABIT or self.everything


def _part(key: Key, places: Sequence[int]) -> Key:
    return tuple(key[place] for place in places)
