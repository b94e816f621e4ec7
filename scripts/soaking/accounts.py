"""The books of the soak: what was sent, acknowledged, stored, and counted as lost, life by life of the collector."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from millrace.bench.scraped import Scraped
from millrace.store import RESOLUTIONS
from soaking.collector import FLUSH_INTERVAL_S, Collector
from soaking.load import ADDRESSES, PER_DATAGRAM, Load

SLACK_S = 2.0
"""What a flow may need on its way besides the flush interval, on a busy machine."""

BYTES_PER_FLOW = 56
"""Least bytes of a waiting datagram per flow in it."""

_EXPORTERS = ", ".join(f"toIPv6('::ffff:{address}')" for address in ADDRESSES)
_DATAGRAM_LOSSES = ("millrace_receive_kernel_dropped_datagrams_total", "millrace_receive_dropped_datagrams_total")


@dataclass(slots=True)
class Life:
    """One run of the collector, from its start to its end.

    Attributes
    ----------
    ready : float
        Moment at which it answered.
    ended : float
        Moment at which it was killed or asked to end.
    before_last, last : Scraped
        What it last said of itself, twice.
    peak_bytes : int
    full : bool
        Whether the disk was full at its end.
    """

    ready: float
    ended: float = 0.0
    before_last: Scraped = field(default_factory=Scraped)
    last: Scraped = field(default_factory=Scraped)
    peak_bytes: int = 0
    full: bool = False

    def hear(self, metrics: Scraped | None) -> None:
        """Note what it says of itself, if it does."""
        if metrics is not None:
            self.before_last, self.last = self.last, metrics


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store holds of a range of numbers: flows, different numbers, flows whose columns do not fit together."""

    flows: int
    different: int
    mixed: int


@dataclass(slots=True)
class Entry:
    """A life in the books; all amounts are flows of the load.

    Attributes
    ----------
    first, stop : int
        Numbers of the flows that were sent while it listened.
    whole : (int, int)
        Numbers of the flows that it may have stored.
    acknowledged : int
        Accepted by the store, as it said before its end.
    stored, whole_stored : Stored
        Of both ranges, asked after its end.
    counted : int
        Lost, as it said.
    in_flight : int
        Most that its end may have cost.
    silent_s : float
        How long before its end it said this.
    """

    first: int
    stop: int
    whole: tuple[int, int]
    acknowledged: int
    stored: Stored
    whole_stored: Stored
    counted: int
    in_flight: int
    silent_s: float = 0.0

    @property
    def sent(self) -> int:
        """Flows sent while it listened."""
        return self.stop - self.first

    @property
    def missing(self) -> int:
        """Flows sent while it listened that the store does not hold."""
        return self.sent - self.stored.different


def stored(collector: Collector, first: int, stop: int) -> Stored:
    """Ask what is stored of a range of numbers."""
    row = collector.sql(
        "SELECT count() AS flows, groupBitmap(toUInt32(Bytes)) AS different, "
        "countIf(SrcPort != bitAnd(Bytes, 65535)) AS mixed FROM flows "
        f"WHERE Bytes >= {first} AND Bytes < {stop} AND ExporterAddress IN ({_EXPORTERS})"
    )[0]
    return Stored(int(row["flows"]), int(row["different"]), int(row["mixed"]))


def enter(collector: Collector, load: Load, before: Life | None, life: Life, *, killed: bool) -> Entry:
    """Put the end of a life into the books."""
    first, stop = load.next_after(life.ready), load.next_before(life.ended)
    whole = (1 if before is None else load.next_before(before.ended), load.next_after(life.ended))
    return Entry(
        first, max(first, stop), whole, _acknowledged(life), stored(collector, first, max(first, stop)),
        stored(collector, *whole), _counted(life.last, collector.udp_port),
        _in_flight(life, load, collector.udp_port) if killed else 0, life.ended - life.last.moment,
    )  # fmt: skip


def _load_flows(metrics: Scraped) -> int:
    return sum(
        metrics.sum("millrace_decode_events_total", exporter=address, event="flows") for address in ADDRESSES
    )  # fmt: skip


def _acknowledged(life: Life) -> int:
    """Flows of the load that are in the store for certain: all that were accepted but those of the floods.

    What was accepted is older than what was decoded: the numbers of one answer are not of one moment.
    """
    strangers = life.last.sum("millrace_decode_events_total", event="flows") - _load_flows(life.last)
    return max(0, life.before_last.sum("millrace_pipeline_stored_flows_total") - strangers)


def _counted(metrics: Scraped, port: int) -> int:
    """Flows of the load that were counted as lost; a datagram may have held as many as it can."""
    datagrams = sum(metrics.sum(name, port=str(port)) for name in _DATAGRAM_LOSSES)
    datagrams += metrics.sum("millrace_pipeline_failed_datagrams_total")
    datagrams += sum(metrics.sum("millrace_decode_dropped_total", exporter=address) for address in ADDRESSES)
    return datagrams * PER_DATAGRAM + metrics.sum("millrace_pipeline_dropped_flows_total")


def _in_flight(life: Life, load: Load, port: int) -> int:
    """Most flows that a killed process can take along: what waited, and what was sent since it said so.

    Not what a steady load would have sent: one that was held up catches up, faster than its rate.
    """
    waiting = life.last.sum("millrace_receive_queue_bytes", port=str(port))
    waiting += life.last.sum("millrace_pipeline_queue_bytes")
    since = life.last.moment - FLUSH_INTERVAL_S - SLACK_S
    flows = life.last.sum("millrace_pipeline_waiting_flows") + waiting // BYTES_PER_FLOW
    return flows + load.next_after(life.ended) - load.next_before(since)


def faults(number: int, entry: Entry) -> list[str]:
    """What is wrong with a life."""
    found, whole = [], entry.whole_stored
    if whole.flows != whole.different:
        found.append(f"life {number}: {whole.flows - whole.different:,} flows are stored twice")
    if whole.mixed:
        found.append(f"life {number}: {whole.mixed:,} flows are not as they were sent")
    if whole.different < entry.acknowledged:
        found.append(
            f"life {number}: {entry.acknowledged:,} flows were acknowledged, {whole.different:,} are stored"
        )  # fmt: skip
    if entry.missing > entry.counted + entry.in_flight:
        found.append(
            f"life {number}: {entry.missing:,} of {entry.sent:,} flows are missing; {entry.counted:,} are counted as "
            f"lost, its end may have cost {entry.in_flight:,} by what it said {entry.silent_s:.1f} s before"
        )
    return found


def all_rolled_up(collector: Collector) -> bool:
    """Whether every flow is in every rollup."""
    tables = ", ".join(
        f"(SELECT sum(Flows) FROM {resolution.table}) AS rolled{number}"
        for number, resolution in enumerate(RESOLUTIONS)
    )
    row = collector.sql(f"SELECT (SELECT count() FROM flows) AS flows, {tables}")[0]
    return len({int(amount or 0) for amount in row.values()}) == 1


def compare_rollups(collector: Collector, closed_s: int) -> tuple[list[str], dict[str, int]]:
    """Compare each rollup with the flows, interval by interval, where intervals ended before a Unix second.

    Returns
    -------
    list of str
        What differs.
    dict of str to int
        Flows compared by table.
    """
    wrong, compared = [], {}
    for resolution in RESOLUTIONS:
        start = f"intDiv(toUnixTimestamp(TimeReceived), {resolution.seconds}) * {resolution.seconds}"
        raw = _sums(collector, "flows", "count()", start, closed_s - resolution.seconds)
        rolled = _sums(collector, resolution.table, "sum(Flows)", start, closed_s - resolution.seconds)
        compared[resolution.table] = sum(flows for flows, _, _ in rolled.values())
        different = [at for at in sorted({*raw, *rolled}) if raw.get(at) != rolled.get(at)]
        if different:
            at = different[0]
            wrong.append(
                f"{resolution.table}: {len(different)} of {len(raw)} intervals differ, first {at}: (flows, bytes, "
                f"packets) {rolled.get(at)}, single flows say {raw.get(at)}"
            )
    return wrong, compared


def _sums(collector: Collector, table: str, flows: str, start: str, last_s: int) -> dict[int, tuple[int, int, int]]:
    rows = collector.sql(
        f"SELECT {start} AS at, {flows} AS flows, toString(sum(toUInt128(Bytes))) AS bytes, "
        f"toString(sum(toUInt128(Packets))) AS packets FROM {table} GROUP BY at HAVING at <= {last_s}"
    )
    return {int(row["at"]): (int(row["flows"]), int(row["bytes"]), int(row["packets"])) for row in rows}


def total_flows(collector: Collector) -> int:
    """Rows of the table of flows."""
    return int(collector.sql("SELECT count() AS n FROM flows")[0]["n"])


def newest_s(collector: Collector) -> int:
    """Newest time in the table of flows, Unix seconds."""
    return int(collector.sql("SELECT toUnixTimestamp(max(TimeReceived)) AS s FROM flows")[0]["s"])


def summary(entries: list[Entry]) -> dict[str, Any]:
    """Sums over lives."""
    return {
        "sent while it listened": sum(entry.sent for entry in entries),
        "acknowledged": sum(entry.acknowledged for entry in entries),
        "stored": sum(entry.whole_stored.flows for entry in entries),
        "stored twice": sum(entry.whole_stored.flows - entry.whole_stored.different for entry in entries),
        "missing of those sent while it listened": sum(entry.missing for entry in entries),
        "counted as lost": sum(entry.counted for entry in entries),
        "most that kills may have cost": sum(entry.in_flight for entry in entries),
    }
