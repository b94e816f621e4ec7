"""A collector's world that changes while flows arrive, and what it has stored, flow by flow in plain Python."""

from random import Random

import numpy as np

from millrace.batch import Coded, FlowBatch, address_bytes, address_text
from millrace.config import ExporterSettings, NetworkSettings, static_metadata, static_networks
from millrace.enrich import ASNames, Enricher
from millrace.schema import Column, Kind, Schema

TENANT = Column("Tenant", Kind.TEXT, "Tenant", "Of the configuration.", "Own columns", display="text")
PLAIN, OWN = Schema(), Schema([TENANT])

EXPORTERS = ("192.0.2.1", "2001:db8::fe")
ADDRESSES = ("10.1.2.3", "2001:db8:1::1")
NAMES = ("", "alpha", "beta", "gamma")
"""Few values of what exporters tell, so that flows agree in it and differ in what look-ups say of them."""

FORGED = 2**64 - 1


class World:
    """Configuration and announcements of a moment, and all that was stored.

    Parameters
    ----------
    store : callable
        Opens the store with a schema; the one before is closed.
    seed : int
    start_ms : int
        When the first flows arrive.
    """

    def __init__(self, store, seed, start_ms):
        self.random = Random(seed)
        self._open = store
        self.now_ms = start_ms
        self.rows = []
        self.since_change = 0
        self.schema = self.random.choice([PLAIN, OWN])
        self.store = store(self.schema)
        self.configure()

    def configure(self):
        """Exporters, interfaces, speeds, networks, AS names and sampling, all anew."""
        pick = self.random.choice
        exporters = {
            f"{address}/{128 if ':' in address else 32}": ExporterSettings.model_validate(
                {
                    "name": pick(NAMES), "group": pick(NAMES), "role": pick(NAMES), "site": pick(NAMES),
                    "region": pick(NAMES), "tenant": pick(NAMES), "default_sampling_rate": pick([None, 10]),
                    "sampling_rate": pick([None, None, 3]),
                    "interfaces": {
                        index: {
                            "name": pick(NAMES), "description": pick(NAMES), "connectivity": pick(NAMES),
                            "provider": pick(NAMES), "speed_mbps": pick([0, 1, 10, 1000]),
                            "boundary": pick(["undefined", "external", "internal"]),
                        }
                        for index in (1, 2)
                    },
                }
            )
            for address in EXPORTERS
        }  # fmt: skip
        networks = {
            prefix: NetworkSettings.model_validate(
                {name: pick(NAMES) for name in ("name", "role", "site", "region", "tenant")}
                | {"country": pick(["", "NL", "DE"])}
            )
            for prefix in self.random.sample(["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"], 2)
        }
        names = {number: pick(NAMES[1:]) for number in self.random.sample([64500, 64501, 64502], 2)}
        fillers = (static_networks(networks).fill, ASNames(names).fill)
        self.enricher = Enricher(static_metadata(exporters), fillers=fillers)

    def announce(self):
        """Exporters tell other names of their interfaces."""
        keys = [(address_bytes(address), index) for address in EXPORTERS for index in (1, 2)]
        self.enricher = self.enricher.with_names(
            {key: (self.random.choice(NAMES), self.random.choice(NAMES)) for key in self.random.sample(keys, 4)}
        )

    def change_columns(self):
        """Start again with the other schema: a column of the configuration comes or goes."""
        self.schema = PLAIN if self.schema is OWN else OWN
        self.store = self._open(self.schema)
        self.since_change = max((row["TimeReceived"] // 1000 + 1 for row in self.rows), default=0)

    def roll_up(self):
        """Maintenance at this moment."""
        assert not self.store.maintain(self.now_ms).errors

    def arrive(self, count=30):
        """Flows of the next minutes, some of them late."""
        flows = self._flows(count)
        enriched = self.enricher.enrich(flows)
        self.store.insert(enriched)
        self.rows += plain_rows(enriched, self.schema)
        self.now_ms += self.random.choice([20, 20, 100, 600]) * 1000

    def _flows(self, count):
        pick, draw = self.random.choice, self.random.randrange
        flows = FlowBatch(count)
        received = [self.now_ms - draw(60_000) - (pick([0] * 9 + [2 * 3_600_000])) for _ in range(count)]
        flows.put("TimeReceived", np.array(received, np.int64))
        flows.put("TimeFlowStart", np.array([time - pick([0, 1000, 40_000]) for time in received], np.int64))
        flows.put("TimeFlowEnd", np.array(received, np.int64))
        flows.put("ExporterAddress", Coded(_draw(draw, 2, count, np.int32), _packed(EXPORTERS)))
        for side in ("Src", "Dst"):
            flows.put(f"{side}Addr", _packed(ADDRESSES)[_draw(draw, 2, count, np.int64)])
            flows.put(f"{side}AS", 64500 + _draw(draw, 2 if side == "Src" else 1, count, np.uint32))
        for side in ("In", "Out"):
            flows.put(f"{side}If", 1 + _draw(draw, 2, count, np.uint32))
        flows.put("Proto", np.full(count, 6, np.uint8))
        octets = [pick([draw(100_000)] * 12 + [FORGED, 2**40]) for _ in range(count)]
        flows.put("Bytes", np.array(octets, np.uint64))
        flows.put("Packets", np.array([pick([0, 1, 3, 70]) for _ in range(count)], np.uint64))
        known = np.array([pick([True] * 4 + [False]) for _ in range(count)])
        flows.put("SamplingRate", np.array([pick([1] * 6 + [10, 2**25]) for _ in range(count)], np.uint64), known)
        flows.put("SamplingRateSource", known.astype(np.uint8))
        if self.schema is OWN:
            flows.put("Tenant", Coded(_draw(draw, 3, count, np.int32), ["", "red", "blue"]))
        return flows


def plain_rows(flows, schema):
    """Flows as dicts, what is unknown as the column's default, addresses as texts; `told`: whether tenants are."""
    columns = {}
    for name, values in flows.columns.items():
        column = schema[name]
        known = flows.valid.get(name)
        match column.kind:
            case Kind.ADDRESS:
                shown = values.values[values.codes] if isinstance(values, Coded) else values
                listed = [address_text(bytes(value)) for value in shown]
            case Kind.TEXT:
                listed = [values.values[code] for code in values.codes]
            case Kind.ENUM:
                listed = [column.values[code] for code in values]
            case _:
                listed = values.tolist()
        default = "" if column.kind is Kind.TEXT else column.values[0] if column.values else column.default
        columns[name] = [
            value if known is None or known[place] else default for place, value in enumerate(listed)
        ]  # fmt: skip
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [{**DEFAULTS, **row, "told": schema is OWN} for row in rows]


DEFAULTS = {
    column.name: "" if column.kind is Kind.TEXT else column.values[0] if column.values else column.default
    for column in OWN
}


def _draw(draw, bound, count, kind):
    return np.array([draw(bound) for _ in range(count)], kind)


def _packed(addresses):
    return np.frombuffer(b"".join(map(address_bytes, addresses)), np.uint8).reshape(-1, 16)
