"""What graphs must show, worked out flow by flow in plain Python: no SQL, no rollup, no part of the query room."""

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

BITS = {"bits/s", "l2-bits/s", "in-%", "out-%"}


@dataclass
class Sums:
    """Sums of flows of a range, by buckets and combinations of values.

    `flows` are dicts of columns, all of them of what the asker may see and wants; `start` and `end` Unix seconds;
    `edges` those between which buckets lie, cut to the range; `fine` seconds of the intervals of figures, 0: the
    buckets.
    """

    flows: list
    unit: str
    dimensions: list
    start: int
    end: int
    edges: list
    v4: int = 32
    v6: int = 128
    fine: int = 0
    amounts: dict = field(default_factory=dict)
    fine_amounts: dict = field(default_factory=dict)
    speeds: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)

    def __post_init__(self):
        self.count = len(self.edges) - 1
        self.starts = [max(edge, self.start) for edge in self.edges[:-1]]
        ends = [min(edge, self.end) for edge in self.edges[1:]]
        self.seconds = [end - start for start, end in zip(self.starts, ends, strict=True)]
        whole = [b - a for a, b in zip(self.edges, self.edges[1:], strict=False)]
        self.whole = [i for i in range(self.count) if self.seconds[i] == whole[i]] or list(range(self.count))
        self.parts = sum(cut / full for cut, full in zip(self.seconds, whole, strict=True))
        if self.fine:
            self.first_fine = math.ceil(self.start / self.fine)
            self.count_fine = self.end // self.fine - self.first_fine
            if self.count_fine <= 0:
                self.fine = 0
        side = {"in-%": "In", "out-%": "Out"}.get(self.unit)
        self.naming = [
            i for i, name in enumerate(self.dimensions) if side and name.startswith(("Exporter", f"{side}If"))
        ]
        self.amounts = defaultdict(lambda: [0] * self.count)
        self.fine_amounts = defaultdict(lambda: [0] * (self.count_fine if self.fine else 0))
        self.groups = defaultdict(set)
        for flow in self.flows:
            if not self.start * 1000 <= flow["TimeReceived"] < self.end * 1000:
                continue
            if side and not flow[f"{side}IfSpeed"]:
                continue
            key = tuple(self.shown(flow[name]) for name in self.dimensions)
            second = flow["TimeReceived"] // 1000
            self.amounts[key][bisect_right(self.edges, second) - 1] += amount(flow, self.unit)
            place = second // self.fine - self.first_fine if self.fine else -1
            if self.fine and 0 <= place < self.count_fine:
                self.fine_amounts[key][place] += amount(flow, self.unit)
            if side:
                interface = flow["ExporterAddress"], flow[f"{side}If"]
                self.speeds[interface] = max(self.speeds.get(interface, 0), flow[f"{side}IfSpeed"])
                self.groups[self.named(key)].add(interface)

    def shown(self, value):
        if not isinstance(value, str) or not ("." in value or "::" in value):
            return value
        address = ip_address(value)
        length, full = (self.v4, 32) if address.version == 4 else (self.v6, 128)
        return value if length == full else str(ip_network(f"{value}/{length}", strict=False))

    def named(self, key):
        return tuple(key[i] for i in self.naming)

    @property
    def total(self):
        return [sum(column) for column in zip(*self.amounts.values(), strict=True)] or [0] * self.count

    def capacity(self, key=None):
        """Bits per second of the interfaces of a combination; of all without one."""
        interfaces = self.speeds if key is None else self.groups[self.named(key)]
        return 1e6 * sum(self.speeds[interface] for interface in interfaces)

    def capacity_of_rest(self, shown):
        taken = set().union(*(self.groups[self.named(key)] for key in shown)) if self.naming else set()
        left = sum(speed for interface, speed in self.speeds.items() if interface not in taken)
        return 1e6 * (left or sum(self.speeds.values()))

    def value(self, amount, seconds, capacity=0):
        if self.unit == "bytes":
            return amount
        rate = amount * (8 if self.unit in BITS else 1) / seconds
        return rate if "%" not in self.unit else 100 * rate / capacity if capacity else 0.0

    def points(self, amounts, capacity=0):
        return [self.value(a, s, capacity) for a, s in zip(amounts, self.seconds, strict=True)]

    def figures(self, keys, capacity=0):
        """Average, minimum, maximum, last, 95th percentile of some combinations together."""
        amounts = self.together(self.amounts, keys)
        points = self.points(amounts, capacity)
        whole = [points[i] for i in self.whole]
        if self.unit == "bytes":
            average = sum(amounts) / self.parts
        else:
            average = self.value(sum(amounts), self.end - self.start, capacity)
        told = whole
        if self.fine:
            told = [self.value(a, self.fine, capacity) for a in self.together(self.fine_amounts, keys)]
        return {
            "average": average, "minimum": min(told), "maximum": max(told), "last": whole[-1],
            "p95": percentile(told, 0.95),
        }  # fmt: skip

    def together(self, amounts, keys):
        """Sums of some combinations."""
        count = self.count_fine if amounts is self.fine_amounts else self.count
        return [sum(amounts[key][i] for key in keys if key in amounts) for i in range(count)]


def percentile(values, part):
    """Interpolated between the two nearest."""
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def amount(flow, unit):
    """What a flow adds: bytes, bytes on the wire, packets or 1."""
    rate = flow["SamplingRate"]
    match unit:
        case "flows/s":
            return 1
        case "packets/s":
            return flow["Packets"] * rate
        case "bits/s" | "bytes":
            return flow["Bytes"] * rate
        case _:
            return (flow["Bytes"] + 38 * flow["Packets"]) * rate


def turned(flow):
    """The flow back: source and destination, input and output exchanged."""
    partners = {"Src": "Dst", "Dst": "Src", "InIf": "OutIf", "OutIf": "InIf"}

    def partner(name):
        for prefix, other in partners.items():
            if name.startswith(prefix):
                return other + name[len(prefix) :]
        return name

    return {partner(name): value for name, value in flow.items()}


def even(start, end, step):
    """Edges of buckets of one length, from the Unix epoch on, that cover a range."""
    return list(range(start // step * step, math.ceil(end / step) * step + 1, step))


def calendar(start, end, interval, zone):
    """Edges of days, weeks, months or years: quarters of an hour in which the clock of the zone shows another one."""

    def shown(second):
        there = datetime.fromtimestamp(second, ZoneInfo(zone))
        return {
            "day": there.date(),
            "week": there.isocalendar()[:2],
            "month": (there.year, there.month),
            "year": there.year,
        }[interval]

    quarter = 900
    first = start // quarter * quarter
    while shown(first - quarter) == shown(start):
        first -= quarter
    found, second = [first], first
    while found[-1] < end:
        second += quarter
        if shown(second) != shown(second - quarter):
            found.append(second)
    return found


def text(second):
    """As answers say moments."""
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}Z"
