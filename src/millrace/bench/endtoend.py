"""Benchmarks of a running `millrace serve`, loaded over UDP loopback by another process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from millrace.bench.result import MILLION, BenchError, Options, Result
from millrace.bench.scraped import Scraped, Series
from millrace.bench.sender import SenderProcess
from millrace.bench.server import Server
from millrace.bench.stored import compare_rollups, count_flows
from millrace.generate import LoadPlan, LoadPool
from millrace.generate.generator import udp_sender

_MIB = 1 << 20
_PROTOCOL = "netflow-v9"
_SETTLE_S = 20.0
_STEP = 1.15
_MAX_STEPS = 10
_SLOW_TRIALS = 2
_MARGIN = 1.01
"""The load is a little above the target: the last datagram of a second comes just after it."""

DECODED = Series("millrace_decode_events_total", {"event": "flows"})
STORED = Series("millrace_pipeline_stored_flows_total")
DROPS = (
    "millrace_receive_kernel_dropped_datagrams_total",
    "millrace_receive_dropped_datagrams_total",
    "millrace_pipeline_refused_datagrams_total",
    "millrace_pipeline_failed_datagrams_total",
    "millrace_pipeline_dropped_flows_total",
    "millrace_pipeline_dropped_counters_total",
    "millrace_receive_failed_datagrams_total",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of load.

    Attributes
    ----------
    sent, arrived : int
        Flows.
    dropped : dict of str to int
        Drop counters that rose.
    flows_per_s : float
        Rate at which the sender sent.
    cpu_share : float
        Cores that the collector kept busy: its processor time, until all had arrived, per second of load.
    memory_bytes : tuple of int
        Memory of the collector, every half a second and after the load.
    """

    sent: int
    arrived: int
    dropped: dict[str, int]
    flows_per_s: float
    cpu_share: float
    memory_bytes: tuple[int, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing was lost."""
        return self.arrived == self.sent and not self.dropped


def load(server: Server, rate: float, seconds: float, arrived: Series) -> Trial:
    """Send load and wait until it has arrived.

    Parameters
    ----------
    rate : float
        Flows per second.
    arrived : Series
        What counts arrived flows.
    """
    before, cpu = server.metrics(), server.cpu_seconds()
    process = SenderProcess(LoadPlan("127.0.0.1", server.udp_port, _PROTOCOL, rate, int(rate * seconds)))
    memory = []
    while process.running():
        time.sleep(0.5)
        memory.append(server.resident_bytes())
    sent = process.result()
    after = _settled(server, arrived, before.of(arrived) + sent.flows)
    cpu_share = (server.cpu_seconds() - cpu) / sent.seconds
    dropped = {name: after.sum(name) - before.sum(name) for name in DROPS}
    return Trial(
        sent.flows,
        after.of(arrived) - before.of(arrived),
        {name: amount for name, amount in dropped.items() if amount},
        sent.flows / sent.seconds,
        cpu_share,
        (*memory, server.resident_bytes()),
    )


def _settled(server: Server, arrived: Series, expected: int) -> Scraped:
    """Metrics once a count has reached `expected`, or has not changed for a while."""
    metrics = server.metrics()
    last, changed = metrics.of(arrived), time.monotonic()
    while metrics.of(arrived) < expected and time.monotonic() - changed < _SETTLE_S:
        time.sleep(0.2)
        metrics = server.metrics()
        if metrics.of(arrived) != last:
            last, changed = metrics.of(arrived), time.monotonic()
    return metrics


def udp_null(options: Options) -> Iterator[Result]:
    """Highest rate from UDP loopback to decoded columns at which nothing is lost."""
    target = 1.0 * MILLION
    seconds = 3.0 if options.quick else 10.0
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder, Server(Path(folder), sink="null") as server:
        load(server, target / 10, 1.0, DECODED)  # warm up
        best = highest(lambda rate: load(server, rate, seconds, DECODED), target)
    yield Result(
        "UDP loopback to null sink", best.flows_per_s, "flows/s", target,
        note=f"{_PROTOCOL}, 24 flows per datagram, {seconds:.0f} s without any loss, "
        f"collector {best.cpu_share:.2f} cores, sender on the same machine",
    )  # fmt: skip


def highest(trial: Callable[[float], Trial], first_rate: float) -> Trial:
    """The trial with the highest rate at which nothing was lost; rates are `_STEP` apart.

    Raises
    ------
    BenchError
        If something is lost at every rate that was tried.
    """
    rate, best, slow = first_rate, None, 0
    for _ in range(_MAX_STEPS):
        result = trial(rate)
        if result.complete:
            best = result if best is None or result.flows_per_s > best.flows_per_s else best
            if rate < first_rate:
                return best
            # A sender that cannot keep up shows nothing of the collector: once may be chance, twice is the machine.
            slow = slow + 1 if result.flows_per_s < 0.97 * rate else 0
            if slow == _SLOW_TRIALS:
                return best
            rate *= 1 if slow else _STEP
        elif best is not None:
            return best
        else:
            rate /= _STEP
    if best is None:
        raise BenchError(f"flows were lost at every rate down to {rate * _STEP:,.0f} flows/s")
    return best


def udp_store(options: Options) -> Iterator[Result]:
    """A steady rate from UDP loopback to stored flows and rollups; the store must agree with the sender."""
    rate, seconds = (100_000.0, 10.0) if options.quick else (400_000.0, 60.0)
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        with Server(Path(folder)) as server:
            load(server, rate / 10, 1.0, STORED)  # warm up
            already = server.metrics().of(STORED)
            trial = load(server, rate * _MARGIN, seconds, STORED)
            peak = server.peak_bytes()
            rolled = compare_rollups(server, wait_s=30 if options.quick else 240)
        stored = count_flows(server)
    expected = already + trial.sent
    if not trial.complete or stored != expected:
        raise BenchError(
            f"{trial.sent} flows sent at {rate:,.0f}/s, {trial.arrived} stored, {stored} of {expected} in the table, "
            f"drops {trial.dropped}"
        )
    yield Result(
        "UDP loopback to stored flows and rollups", trial.flows_per_s, "flows/s", rate,
        note=f"{_PROTOCOL}, {seconds:.0f} s, {trial.sent:,} flows sent and stored, no drop, {rolled}, "
        f"collector {trial.cpu_share:.2f} cores",
    )  # fmt: skip
    yield Result(
        "memory of serve at that load, peak", peak / _MIB, "MiB", 1536, lower_is_better=True,
        note=_memory_course(trial.memory_bytes),
    )  # fmt: skip


def _memory_course(samples: tuple[int, ...]) -> str:
    third, two_thirds = (samples[len(samples) * part // 3] / _MIB for part in (1, 2))
    return f"{third:.0f} MiB after a third of the time, {two_thirds:.0f} after two, {samples[-1] / _MIB:.0f} at its end"


def start(options: Options) -> Iterator[Result]:
    """From starting `millrace serve` with an empty folder to the first stored flow."""
    seconds = sorted(_start_once() for _ in range(1 if options.quick else 3))
    yield Result(
        "idle start to first stored flow", seconds[len(seconds) // 2], "s", 3, lower_is_better=True,
        note="new data folder; one datagram every 20 ms",
    )  # fmt: skip


def _start_once() -> float:
    pool = LoadPool("netflow-v5", datagrams=1, flows_per_datagram=1)
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        server = Server(Path(folder))
        sender = udp_sender("127.0.0.1", server.udp_port, None)
        sender.open()
        began = time.perf_counter()
        server.start()
        try:
            while time.perf_counter() - began < 60:
                sender.send(pool.take(1, time.time_ns()).batch("127.0.0.1"))
                time.sleep(0.02)
                if _stored(server):
                    return time.perf_counter() - began
        finally:
            server.stop()
            sender.close()
    raise BenchError(f"no flow was stored within a minute: {server.log_tail()}")


def _stored(server: Server) -> bool:
    try:
        return server.metrics().of(STORED) > 0
    except OSError:
        return False
