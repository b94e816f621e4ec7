"""What graphs must show, worked out flow by flow in plain Python: no SQL, no rollup, no part of the query room."""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

BITS = {"bits/s", "l2-bits/s", "in-%", "out-%"}


@dataclass
class Sums:
    """Sums of flows of a range, by intervals and combinations of values.

    `flows` are dicts of columns, all of them of what the asker may see and wants; `start` and `end` Unix seconds.
    """

    flows: list
    unit: str
    dimensions: list
    start: int
    end: int
    step: int
    v4: int = 32
    v6: int = 128
    amounts: dict = field(default_factory=dict)
    speeds: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)

    def __post_init__(self):
        self.first = self.start // self.step
        self.count = math.ceil(self.end / self.step) - self.first
        self.starts = [max((self.first + i) * self.step, self.start) for i in range(self.count)]
        ends = [min((self.first + i + 1) * self.step, self.end) for i in range(self.count)]
        self.seconds = [end - start for start, end in zip(self.starts, ends, strict=True)]
        side = {"in-%": "In", "out-%": "Out"}.get(self.unit)
        self.naming = [
            i for i, name in enumerate(self.dimensions) if side and name.startswith(("Exporter", f"{side}If"))
        ]
        self.amounts = defaultdict(lambda: [0] * self.count)
        self.groups = defaultdict(set)
        for flow in self.flows:
            if not self.start * 1000 <= flow["TimeReceived"] < self.end * 1000:
                continue
            if side and not flow[f"{side}IfSpeed"]:
                continue
            key = tuple(self.shown(flow[name]) for name in self.dimensions)
            place = flow["TimeReceived"] // 1000 // self.step - self.first
            self.amounts[key][place] += amount(flow, self.unit)
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

    def figures(self, amounts, capacity=0):
        """Average, minimum, maximum, last, 95th percentile."""
        points = self.points(amounts, capacity)
        whole = [p for p, s in zip(points, self.seconds, strict=True) if s == self.step] or points
        if self.unit == "bytes":
            average = sum(amounts) / ((self.end - self.start) / self.step)
        else:
            average = self.value(sum(amounts), self.end - self.start, capacity)
        return {
            "average": average, "minimum": min(whole), "maximum": max(whole), "last": whole[-1],
            "p95": percentile(whole, 0.95),
        }  # fmt: skip


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
