"""Attack a live collector beside honest traffic, and check that honest exporters lose nothing to speak of.

For each attack a real `millrace serve` with a folder of its own, on loopback, gets 50 000 numbered flows per second
from four honest exporters, and the attack at 1 Mbit/s from forged addresses (of 127.0.0.0/8). In its midst another
exporter comes, announces its template, and sends. Then the attack ends, and it is looked whether all is well again.
Printed are

- honest loss while the attack lasts and after it: by what the collector says it lost, and by what it stored,
- how long the newcomer's first flow came after its template,
- how far decoding was behind when the attack ended: queues hide for a while that it does not keep up,
- the most memory the process held, and the longest that decoding a batch took.

Exit status 1 if an attack costs more than 5 % of the honest flows, or anything after it, if the newcomer waits for more
than a second, or if decoding does not keep up.

    .venv/bin/python scripts/attack.py
    .venv/bin/python scripts/attack.py --seconds 10 --attack costly-layouts --attack domains
"""

from __future__ import annotations

import argparse
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attacking.datagrams import ATTACKS, Attack
from attacking.sender import Sender
from rich.console import Console
from rich.table import Table
from soaking import accounts
from soaking.accounts import Stored
from soaking.clock import Clock
from soaking.collector import Collector
from soaking.load import ADDRESSES, PER_DATAGRAM, Load

from millrace.bench.scraped import Scraped

MIB = 1 << 20
START_TIMEOUT_S, SETTLE_TIMEOUT_S = 60.0, 60.0
WARM_UP_S = 2.0
"""Honest traffic before the attack."""

CALM_S = 2.0
"""After the attack, before it is looked whether all is well: what waits is decoded."""

MOST_LOSS = 0.05
MOST_BEHIND_S = 2.0
NEWCOMER = "127.0.3.1"
_POLL_S = 0.5
_PAUSE_S = 0.1


class _TrueClock(Clock):
    """The wall clock as it is."""

    def environment(self) -> dict[str, str]:
        """Nothing is needed for that."""
        return {}


@dataclass(frozen=True, slots=True)
class Loss:
    """Honest flows of a stretch of time.

    Attributes
    ----------
    sent : int
    counted : int
        Lost, as the collector said; a datagram may have held as many flows as it can.
    stored : Stored
    """

    sent: int
    counted: int
    stored: Stored

    @property
    def missing(self) -> int:
        """Flows that are not stored."""
        return self.sent - self.stored.different

    @property
    def share(self) -> float:
        """Part that is not stored."""
        return self.missing / self.sent if self.sent else 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack did.

    Attributes
    ----------
    attack : Attack
    during, after : Loss
    newcomer_s : float or None
        From its template to its first flow that is stored, by times of receipt; None: none is.
    behind_s : float
        Of the honest flows that were sent at the end of the attack, how long those took to send that were not decoded.
    peak_bytes : int
    slowest_s : float
    bit_s : float
        Rate of the attack as it was.
    datagrams : int
        Of the attack.
    """

    attack: Attack
    during: Loss
    after: Loss
    newcomer_s: float | None
    behind_s: float
    peak_bytes: int
    slowest_s: float
    bit_s: float
    datagrams: int


def faults(outcome: Outcome) -> list[str]:
    """What is wrong with it."""
    name, during, after = outcome.attack.name, outcome.during, outcome.after
    found = []
    if not during.sent or not after.sent:
        found.append(f"{name}: no honest flows were sent")
    if during.share > MOST_LOSS:
        found.append(f"{name}: {during.share:.1%} of the honest flows are not stored; at most {MOST_LOSS:.0%} may")
    if after.missing:
        found.append(f"{name}: {after.missing:,} honest flows were lost after the attack")
    if during.missing + after.missing > during.counted + after.counted:
        found.append(
            f"{name}: {during.missing + after.missing:,} honest flows are not stored, "
            f"{during.counted + after.counted:,} are counted as lost"
        )
    if max(during.stored.flows - during.stored.different, after.stored.flows - after.stored.different):
        found.append(f"{name}: honest flows are stored twice")
    if outcome.behind_s > MOST_BEHIND_S:
        found.append(f"{name}: decoding was {outcome.behind_s:.1f} s behind at its end; it does not keep up")
    if outcome.newcomer_s is None or outcome.newcomer_s > 1.0:
        served = "never" if outcome.newcomer_s is None else f"after {outcome.newcomer_s:.1f} s"
        found.append(f"{name}: a new exporter was served {served}; within a second it should be")
    return found


class _Watch:
    """Asks the collector again and again for what it says of itself."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._stop = threading.Event()
        self.peak_bytes, self.slowest_s = 0, 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(_POLL_S):
            self.note(self._collector.metrics())

    def note(self, metrics: Scraped | None) -> None:
        """Take what it says."""
        self.peak_bytes = max(self.peak_bytes, self._collector.peak_bytes())
        if metrics is not None:
            for _, seconds in metrics.samples.get("millrace_pipeline_slowest_batch_seconds", ()):
                self.slowest_s = max(self.slowest_s, seconds)

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join(15)


class _Newcomer:
    """An exporter that comes in the midst of the attack: its template, and from then on ten flows a second."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._stop = threading.Event()
        self._outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._outlet.bind((NEWCOMER, 0))
        template = struct.pack("!HHHHHHHHHH", 256, 4, 8, 4, 12, 4, 7, 2, 11, 2)
        self.announced_s = time.time()
        self._send(struct.pack("!HH", 2, 4 + len(template)) + template)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _send(self, body: bytes) -> None:
        header = struct.pack("!HHIII", 10, 16 + len(body), int(time.time()), 0, 1)
        self._outlet.sendto(header + body, self._to)

    def _run(self) -> None:
        record = struct.pack("!IIHH", 1, 2, 3, 4)
        while not self._stop.wait(_PAUSE_S):
            self._send(struct.pack("!HH", 256, 4 + len(record)) + record)

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join(5)
        self._outlet.close()


def _counted(metrics: Scraped, port: int) -> int:
    """Honest flows that the collector says it lost; those of a full socket or queue may have been anybody's."""
    names = ("millrace_receive_kernel_dropped_datagrams_total", "millrace_receive_dropped_datagrams_total")
    datagrams = sum(metrics.sum(name, port=str(port)) for name in names)
    datagrams += metrics.sum("millrace_pipeline_failed_datagrams_total")
    datagrams += sum(metrics.sum("millrace_decode_dropped_total", exporter=address) for address in ADDRESSES)
    return datagrams * PER_DATAGRAM + metrics.sum("millrace_pipeline_dropped_flows_total")


def _behind_s(metrics: Scraped, load: Load, port: int, rate: float) -> float:
    """How long the honest flows took to send that are neither decoded nor lost."""
    decoded = sum(metrics.sum("millrace_decode_events_total", exporter=own, event="flows") for own in ADDRESSES)
    return max(0.0, (load.next_before(metrics.moment) - 1 - decoded - _counted(metrics, port)) / rate)


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE_S)
    return True


def _asked(collector: Collector) -> Scraped:
    for _ in range(6):
        metrics = collector.metrics()
        if metrics is not None:
            return metrics
    raise SystemExit(f"the collector does not answer:\n{collector.log_tail()}")


def _idle(collector: Collector) -> bool:
    metrics = collector.metrics()
    waiting = ("pipeline_queue_bytes", "pipeline_waiting_bytes", "receive_queue_bytes")
    return metrics is not None and not any(metrics.sum(f"millrace_{name}") for name in waiting)


def run(attack: Attack, seconds: float, rate: float, bit_s: float, folder: Path) -> Outcome:
    """Attack a collector of its own."""
    folder.mkdir()
    collector = Collector(folder, folder / "data", _TrueClock(folder), attack.settings(seconds))
    collector.start()
    load = sender = newcomer = watch = None
    try:
        if not _wait(lambda: bool(collector.health()), START_TIMEOUT_S):
            raise SystemExit(f"the collector does not start:\n{collector.log_tail()}")
        load = Load(collector.udp_port, rate)
        watch = _Watch(collector)
        sender = Sender(attack.name, collector.udp_port, seconds, bit_s)
        time.sleep(WARM_UP_S)
        sender.prepared()
        marks = [(_asked(collector), time.monotonic())]
        sender.begin()
        time.sleep(seconds / 2)
        newcomer = _Newcomer(collector.udp_port)
        time.sleep(seconds / 2)
        marks.append((_asked(collector), time.monotonic()))
        behind_s = _behind_s(marks[1][0], load, collector.udp_port, rate)
        datagrams, had_bit_s, _ = sender.stop()
        time.sleep(CALM_S)
        marks.append((_asked(collector), time.monotonic()))
        time.sleep(max(3.0, seconds / 4))
        ended = time.monotonic()
        newcomer.stop()
        load.stop()
        _wait(lambda: _idle(collector), SETTLE_TIMEOUT_S)
        time.sleep(2.0)
        marks.append((_asked(collector), ended))
        watch.stop()
        watch.note(marks[-1][0])
        numbers = [load.next_after(moment) for _, moment in marks]
        losses = [
            Loss(
                max(0, stop - first),
                _counted(until, collector.udp_port) - _counted(since, collector.udp_port),
                accounts.stored(collector, first, stop),
            )
            for first, stop, since, until in (
                (numbers[0], numbers[1], marks[0][0], marks[2][0]),
                (numbers[2], numbers[3], marks[2][0], marks[3][0]),
            )
        ]
        return Outcome(
            attack, *losses, _newcomer_s(collector, newcomer.announced_s), behind_s, watch.peak_bytes, watch.slowest_s,
            had_bit_s, datagrams,
        )  # fmt: skip
    finally:
        for one in (sender, newcomer, load, watch):
            if one is not None:
                one.stop()
        collector.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _newcomer_s(collector: Collector, announced_s: float) -> float | None:
    row = collector.sql(
        "SELECT count() AS flows, toUnixTimestamp64Milli(min(TimeReceived)) AS first_ms FROM flows "
        f"WHERE ExporterAddress = toIPv6('::ffff:{NEWCOMER}')"
    )[0]
    return int(row["first_ms"]) / 1000 - announced_s if int(row["flows"]) else None


def _row(outcome: Outcome) -> list[str]:
    def loss(one: Loss) -> str:
        said = one.counted / one.sent if one.sent else 0.0
        return f"{one.share:.2%} ({said:.2%})"

    newcomer = "never" if outcome.newcomer_s is None else f"{outcome.newcomer_s:.2f} s"
    return [
        outcome.attack.name, f"{outcome.datagrams:,}", f"{outcome.bit_s / 1e6:.2f}", f"{outcome.during.sent:,}",
        loss(outcome.during), loss(outcome.after), newcomer, f"{outcome.behind_s:.1f} s",
        f"{outcome.peak_bytes / MIB:,.0f}", f"{outcome.slowest_s * 1000:,.0f}",
    ]  # fmt: skip


def main() -> None:
    """Attack as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120, help="of each attack")
    parser.add_argument("--rate", type=float, default=50_000, help="honest flows per second")
    parser.add_argument("--mbit", type=float, default=1.0, help="of the attack, Mbit/s")
    parser.add_argument("--attack", action="append", choices=[attack.name for attack in ATTACKS], help="only these")
    options = parser.parse_args()
    chosen = [attack for attack in ATTACKS if not options.attack or attack.name in options.attack]
    table = Table("attack", "datagrams", "Mbit/s", "honest flows", "not stored (counted)", "after it", "new exporter",
                  "behind", "peak MiB", "slowest batch ms")  # fmt: skip
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="millrace-attack-") as scratch:
        for attack in chosen:
            print(f"{attack.name}: {attack.text}", flush=True)
            outcome = run(attack, options.seconds, options.rate, options.mbit * 1e6, Path(scratch) / attack.name)
            table.add_row(*_row(outcome))
            found = faults(outcome)
            for fault in found:
                print(f"  {fault}", flush=True)
            wrong += found
    Console(width=160).print(table)
    print("\n".join(wrong) or "ok")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
