"""Load a collector for an hour while everything goes wrong, and check that nothing acknowledged is lost or doubled.

A real `millrace serve` on loopback gets numbered flows at a steady rate. Meanwhile it is killed (`kill -9`) every few
minutes and started again, its disk fills up, its clock steps forward and back, floods of templates and exporters come
from forged addresses, and twenty questions are asked at a time. Then the books are balanced:

- what the store had accepted is there, once, with the columns that were sent;
- what was sent and is not there was counted as lost, or was on its way when the process was killed: what waited, and
  what came within the flush interval;
- every rollup agrees with the single flows, interval by interval;
- memory does not grow, questions are answered.

    .venv/bin/python scripts/soak.py
    .venv/bin/python scripts/soak.py --minutes 3 --kill-every 40 --rate 100000

Filling the disk needs the right to mount a file system, stepping the clock needs libfaketime (Debian package
``faketime``); what is not possible is left out and said, or is an error with ``--require-all``.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from check_concurrent_explore import Asked, ask_all
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from soaking import accounts
from soaking.accounts import Entry, Life
from soaking.clock import Clock
from soaking.collector import Collector, SoakError
from soaking.disk import Disk
from soaking.flood import Flood
from soaking.load import Load

from millrace.store import StoreSettings

MIB = 1 << 20
HOUR_S, DAY_S = 3600, 86_400
START_TIMEOUT_S = 180.0
SETTLE_TIMEOUT_S = 600.0
POLL_S = 0.5
_PAUSE_S = 1.0
"""Between rounds of questions."""

RETENTION_S = 10.0
"""For retention to look at what is stored, after a step of the clock."""

FULL_LEAVES = (0, 128 * MIB)
"""What is left free in turn: nothing, and less than `store.min_free_bytes`."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is done at a time since the beginning, seconds."""

    at: float
    name: str
    act: Callable[[], None]


def _at(event: Event) -> float:
    return event.at


@dataclass(slots=True)
class Questions:
    """Questions asked all the time, so many at once, in a thread."""

    port: int
    clients: int
    seed: int
    asked: list[tuple[float, Asked]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        turn = self.seed
        while not self._stop.wait(_PAUSE_S):
            began = time.monotonic()
            try:
                answers = asyncio.run(asyncio.wait_for(ask_all(self.port, self.clients, 0.0, turn), 120))
            except TimeoutError:
                answers = [Asked("", {}, 0, 120.0, "no answer within 120 s")]
            self.asked += [(began, answer) for answer in answers]
            turn += 1

    def stop(self, *, wait: bool = True) -> None:
        """End, when the last round is answered."""
        self._stop.set()
        if wait and self._thread is not None:
            self._thread.join(150)


class Soak:
    """The course of it."""

    def __init__(self, options: argparse.Namespace, folder: Path, console: Console) -> None:
        self.options, self.console, self.folder = options, console, folder
        self.wrong: list[str] = []
        self.left_out: list[str] = []
        self.clock = Clock(folder)
        self.disk = Disk(folder, int(options.disk_gib * 1024) * MIB)
        self.disk.open()
        store: dict[str, Any] = {"when_full": "refuse"} if "when_full" in StoreSettings.model_fields else {}
        self.collector = Collector(folder, self.disk.folder / "data", self.clock, {"store": store})
        self.lives: list[Life] = []
        self.entries: list[Entry] = []
        self._clerk = ThreadPoolExecutor(1)
        self._books: list[Future[Entry]] = []
        self.rss: list[tuple[float, int, int]] = []
        self._over = threading.Event()
        self.seen: Counter[str] = Counter()
        self.full = False
        self.refused_when_full = 0
        self.exit_status: int | None = None
        self._due: list[Event] = []
        self._began = 0.0
        self.compared: dict[str, int] = {}
        self.load: Load | None = None
        self.flood: Flood | None = None
        self.flooded = (0, 0)
        self.questions = Questions(self.collector.http_port, options.questions, options.seed)
        for what, reason in (("a full disk", self.disk.reason), ("a clock that steps", self.clock.reason)):
            if reason:
                self.left_out.append(f"{what}: {reason}")
                if options.require_all:
                    self.wrong.append(f"left out {what}: {reason}")

    # -- what goes wrong ----------------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """Everything that begins at a time that is known before, in order."""
        period, seconds = self.options.kill_every, self.options.minutes * 60
        steps = (HOUR_S, -HOUR_S, self.options.far_step_days * DAY_S, -2 * DAY_S, 7 * DAY_S, -600)
        found = []
        for number in range(math.ceil((seconds - 5) / period)):
            begin, step = number * period, steps[number % len(steps)]
            if not self.disk.reason:
                # Now and then the process is killed while the disk is full.
                at = begin + (period - 4 if number % 4 == 3 else 0.25 * period)
                found.append(
                    Event(at, "disk full", partial(self._fill, FULL_LEAVES[number % 2], min(10, 0.2 * period)))
                )
            if not self.clock.reason and step:
                found.append(Event(begin + 0.5 * period, f"clock {step:+} s", partial(self._step, step, 0.3 * period)))
            if begin + period < seconds - 15:
                found.append(Event(begin + period, "kill -9", self._kill))
        return sorted((event for event in found if event.at < seconds), key=_at)

    def _fill(self, leave: int, seconds: float) -> None:
        self.disk.fill(leave)
        self.full = True
        self._later(seconds, "disk free", self._release)

    def _release(self) -> None:
        metrics = self.collector.metrics()
        if metrics is not None:
            self.refused_when_full += metrics.sum("millrace_pipeline_store_refusals_total")
        self.disk.release()
        self.full = False

    def _step(self, offset_s: int, seconds: float) -> None:
        self.clock.step(offset_s)
        self._later(seconds, "clock right", partial(self.clock.step, 0))

    def _later(self, seconds: float, name: str, act: Callable[[], None]) -> None:
        """What ends a trouble: so long after it began in truth, however late that was."""
        self._due.append(Event(time.monotonic() - self._began + seconds, name, act))
        self._due.sort(key=_at)

    def _kill(self) -> None:
        life = self.lives[-1]
        life.peak_bytes = self.collector.peak_bytes()
        for _ in range(2):
            life.hear(self.collector.metrics())
        life.full = self.full
        life.ended = self.collector.kill()
        time.sleep(1.0)
        self._start()
        # In a thread of its own: the questions of the books take a while, the next thing to go wrong is due.
        self._books.append(self._clerk.submit(self._entry, len(self.lives) - 2, killed=True))

    # -- its course ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All of it."""
        self.collector.start()
        self._wait_until_ready()
        self.load = Load(self.collector.udp_port, self.options.rate)
        self.flood = Flood(self.collector.flood_port, self.options.flood_rate, self.options.seed)
        while self.load.last().number <= 1:
            time.sleep(0.05)
        self.lives.append(Life(time.monotonic()))
        self.questions.start()
        threading.Thread(target=self._weigh, daemon=True).start()
        self._watch()
        self._over.set()
        self._finish()

    def _start(self) -> None:
        self.collector.start()
        self._wait_until_ready()
        self.lives.append(Life(time.monotonic()))

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            if not self.collector.running():
                # With a full device it may refuse to start; it is started again as a service manager would.
                if not self.full:
                    raise SoakError(f"the collector does not start:\n{self.collector.log_tail()}")
                self.seen["did not start while the disk was full"] += 1
                time.sleep(1)
                if self.seen["did not start while the disk was full"] > 5:
                    self._release()
                self.collector.start()
            elif self.collector.metrics(2) is not None:
                return
            time.sleep(0.1)
        raise SoakError(f"the collector does not answer within {START_TIMEOUT_S:.0f} s:\n{self.collector.log_tail()}")

    def _watch(self) -> None:
        """Until time is up: do what is due, and look at the collector."""
        seconds = self.options.minutes * 60
        self._due = self.events()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bar:
            task = bar.add_task("soaking", total=seconds)
            self._began = time.monotonic()
            while (elapsed := time.monotonic() - self._began) < seconds:
                while self._due and self._due[0].at <= elapsed:
                    event = self._due.pop(0)
                    self.seen[event.name.split()[0]] += 1
                    if not self.console.is_terminal:
                        self.console.print(f"{elapsed:7.1f} s  {event.name}", highlight=False)
                    bar.update(task, description=f"life {len(self.lives)}, {event.name}")
                    event.act()
                self._look()
                bar.update(task, completed=elapsed)
                time.sleep(POLL_S)

    def _weigh(self) -> None:
        """Note memory all the time: who answers slowly is weighed all the same."""
        while not self._over.wait(POLL_S):
            number, life = len(self.lives) - 1, self.lives[-1]
            self.rss.append((time.monotonic() - life.ready, number, self.collector.resident_bytes()))

    def _look(self) -> None:
        life = self.lives[-1]
        if not self.collector.running():
            raise SoakError(f"the collector ended by itself:\n{self.collector.log_tail()}")
        if self.load is not None and not self.load.running():
            raise SoakError("the load ended by itself")
        life.hear(self.collector.metrics())

    def _entry(self, index: int, *, killed: bool) -> Entry:
        """Balance the books of a life."""
        assert self.load is not None
        before = self.lives[index - 1] if index else None
        return accounts.enter(self.collector, self.load, before, self.lives[index], killed=killed)

    def _finish(self) -> None:
        """Stop everything in order, and check the whole."""
        assert self.load is not None
        assert self.flood is not None
        if self.full:
            self._release()
        if not self.clock.reason:
            self.clock.step(0)
        self.flooded = self.flood.stop()
        self.questions.stop()
        self.load.stop()
        life = self.lives[-1]
        self._settle()
        life.peak_bytes, life.ended = self.collector.peak_bytes(), time.monotonic()
        self._check_rollups()
        self._check_retention()
        last, before_end = self._entry(len(self.lives) - 1, killed=False), accounts.total_flows(self.collector)
        self.exit_status = self.collector.stop()
        if self.exit_status != 0:
            self.wrong.append(f"the collector ended with {self.exit_status}:\n{self.collector.log_tail()}")
        if (after := accounts.total_flows(self.collector)) != before_end:
            self.wrong.append(f"{before_end:,} flows before the end, {after:,} after it")
        self.entries = [*(book.result(SETTLE_TIMEOUT_S) for book in self._books), last]
        for number, entry in enumerate(self.entries, 1):
            self.wrong += accounts.faults(number, entry)
            now = accounts.stored(self.collector, *entry.whole)
            if now != entry.whole_stored:
                self.wrong.append(f"life {number}: {entry.whole_stored} was stored, {now} is at the end")

    def _settle(self) -> None:
        """Wait until nothing waits any more."""
        end, life = time.monotonic() + SETTLE_TIMEOUT_S, self.lives[-1]
        names = ("receive_queue_bytes", "pipeline_queue_bytes", "pipeline_waiting_flows")
        while time.monotonic() < end:
            for _ in range(2):
                life.hear(self.collector.metrics())
            if not any(life.last.sum(f"millrace_{name}") for name in names):
                return
            time.sleep(0.5)
        self.wrong.append(f"flows still wait {SETTLE_TIMEOUT_S:.0f} s after the end of the load")

    def _check_rollups(self) -> None:
        """Compare rollups with flows; with a clock of ours every interval is over."""
        self.console.print("comparing rollups with flows", highlight=False)
        if not self.clock.reason:
            self.clock.step(max(0, accounts.newest_s(self.collector) - int(time.time())) + 2 * HOUR_S)
        end = time.monotonic() + SETTLE_TIMEOUT_S + self.options.minutes * 10
        # Without a clock of ours the last hour is never over.
        while not self.clock.reason and time.monotonic() < end and not accounts.all_rolled_up(self.collector):
            time.sleep(3)
        while True:
            closed_s = int(time.time()) + self.clock.offset_s - 60
            wrong, self.compared = accounts.compare_rollups(self.collector, closed_s)
            if not wrong or time.monotonic() > end:
                break
            time.sleep(3)
        self.wrong += wrong
        if not self.compared["flows_1m0s"]:
            self.wrong.append("nothing was rolled up")

    def _check_retention(self) -> None:
        """Step the clock once more, so that retention looks at what is rolled up by now; it may delete none of it."""
        if self.clock.reason:
            return
        before = accounts.total_flows(self.collector)
        self.clock.step(self.clock.offset_s + max(HOUR_S, self.options.far_step_days * DAY_S))
        time.sleep(RETENTION_S)
        if (after := accounts.total_flows(self.collector)) != before:
            self.wrong.append(f"{before - after:,} of {before:,} flows were deleted after the clock had stepped")

    # -- what came of it ----------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Check memory, questions and the rate."""
        assert self.load is not None
        sent = self.load.last()
        rate = (sent.number - 1) / max(sent.seconds, 1)
        if rate < 0.9 * self.options.rate:
            self.wrong.append(f"the sender reached {rate:,.0f} flows/s only")
        peak = max(life.peak_bytes for life in self.lives)
        if peak > self.options.max_memory_mib * MIB:
            self.wrong.append(f"the collector held {peak / MIB:,.0f} MiB")
        growth = self.growth()
        if growth is not None and growth > self.options.max_growth_mib:
            self.wrong.append(f"memory grew by {growth:.0f} MiB a minute (median of all lives, after warming up)")
        statuses, unexcused = self.answers()
        poor = sum(amount for status, amount in statuses.items() if status in (503, 504))
        if poor > self.options.max_unanswered * max(1, statuses.total()):
            self.wrong.append(f"{poor} of {statuses.total()} questions were refused or took too long")
        self.wrong += [f"{a.status} for {a.path} {a.question}: {a.said}" for a in unexcused[:10]]
        if not statuses[200]:
            self.wrong.append("no question was answered")
        if self.seen["disk"] and not self.refused_when_full:
            self.wrong.append("the store never refused although the disk was full")

    def growth(self) -> float | None:
        """MiB per minute that memory grows in a life after warming up: median of least squares over lives."""
        slopes = []
        for life in range(len(self.lives)):
            course = [
                (at / 60, rss / MIB)
                for at, number, rss in self.rss
                if number == life and at > self.options.warm_up and rss
            ]
            if len(course) > 40:
                slopes.append(statistics.linear_regression(*zip(*course, strict=True)).slope)
        return statistics.median(slopes) if slopes else None

    def answers(self) -> tuple[Counter[int], list[Asked]]:
        """Answers by status, those of the times when nobody was there left out; and those that should not be."""
        gaps = [(a.ended - 1, b.ready + 1) for a, b in zip(self.lives[:-1], self.lives[1:], strict=True)]
        statuses: Counter[int] = Counter()
        wrong = []
        for began, answer in self.questions.asked:
            if any(began < end and began + answer.seconds > begin for begin, end in gaps):
                continue
            statuses[answer.status] += 1
            if answer.status not in (200, 503, 504):
                wrong.append(answer)
        return statuses, wrong

    def report(self) -> None:
        """Print the figures."""
        table = Table(
            "life", "sent", "acknowledged", "stored", "twice", "missing", "counted", "kill may cost", "peak MiB"
        )
        for number, (life, entry) in enumerate(zip(self.lives, self.entries, strict=False), 1):
            whole = entry.whole_stored
            amounts = (
                entry.sent, entry.acknowledged, whole.flows, whole.flows - whole.different, entry.missing,
                entry.counted, entry.in_flight, life.peak_bytes // MIB,
            )  # fmt: skip
            table.add_row(f"{number}{' (full)' if life.full else ''}", *(f"{amount:,}" for amount in amounts))
        self.console.print(table)
        figures: dict[str, Any] = {}
        if self.load is not None:
            sent = self.load.last()
            figures |= {
                "flows sent": sent.number - 1, "at flows/s": round((sent.number - 1) / max(sent.seconds, 1)),
                **accounts.summary(self.entries),
            }  # fmt: skip
        figures |= {f"compared with {table}": flows for table, flows in self.compared.items()}
        figures |= {
            "datagrams of floods": self.flooded[0], "exporters of floods": self.flooded[1],
            "kills": len(self.lives) - 1, "times the disk was full": self.seen["disk"] // 2,
            "steps of the clock": self.seen["clock"], "inserts refused when full": self.refused_when_full,
        }  # fmt: skip
        for name, amount in figures.items():
            self.console.print(f"{name:42} {amount:>16,}", highlight=False)
        growth = self.growth()
        course = "too short to say" if growth is None else f"{growth:+.1f} MiB a minute"
        self.console.print(f"{'growth of memory in a life (median)':42} {course:>16}", highlight=False)
        seconds = sorted(answer.seconds for _, answer in self.questions.asked if answer.status == 200)
        if seconds:
            p95, median = seconds[int(0.95 * (len(seconds) - 1))], seconds[len(seconds) // 2]
            self.console.print(
                f"{len(seconds):,} questions answered: median {median:.2f} s, 95 % within {p95:.2f} s, longest "
                f"{seconds[-1]:.2f} s; by status {dict(sorted(self.answers()[0].items()))}", highlight=False,
            )  # fmt: skip
        for what in self.left_out:
            self.console.print(f"left out: {what}", highlight=False)

    def close(self) -> None:
        """Leave nothing behind."""
        self.questions.stop(wait=False)
        self._clerk.shutdown(wait=False, cancel_futures=True)
        for part in (self.flood, self.load, self.collector):
            if part is not None:
                part.stop()
        self.disk.close()


def main() -> int:
    """Run it; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="length of the load")
    parser.add_argument("--rate", type=float, default=200_000, help="flows per second")
    parser.add_argument("--kill-every", type=float, default=180, help="seconds between kills")
    parser.add_argument("--questions", type=int, default=20, help="questions at a time")
    parser.add_argument("--flood-rate", type=float, default=2000, help="datagrams per second of a flood")
    parser.add_argument("--far-step-days", type=int, default=400, help="the clock's longest step forward; 0: none")
    parser.add_argument("--disk-gib", type=float, default=64, help="size of the file system (a sparse file)")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; a temporary folder if not given")
    parser.add_argument("--max-memory-mib", type=float, default=2048, help="most memory of the collector")
    parser.add_argument("--max-growth-mib", type=float, default=60, help="most growth of memory per minute")
    parser.add_argument("--warm-up", type=float, default=45, help="seconds of a life in which caches and buffers fill")
    parser.add_argument("--max-unanswered", type=float, default=0.2, help="share of questions that may take too long")
    parser.add_argument("--require-all", action="store_true", help="fail if something cannot be tried")
    parser.add_argument("--seed", type=int, default=1, help="of questions and floods")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    signal.signal(signal.SIGTERM, _interrupt)
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="millrace-soak-", dir=options.folder))
    soak = Soak(options, folder, console)
    limit = threading.Timer(options.minutes * 60 * 1.5 + 1200, lambda: os.kill(os.getpid(), signal.SIGTERM))
    limit.daemon = True
    limit.start()
    try:
        soak.run()
        soak.judge()
    except (SoakError, KeyboardInterrupt) as error:
        soak.wrong.append(str(error) or "interrupted")
    finally:
        soak.close()
    soak.report()
    for line in soak.wrong[:30]:
        console.print(f"WRONG {line}", highlight=False, markup=False)
    if soak.wrong:
        shutil.copy(soak.collector.log, Path(tempfile.gettempdir()) / "millrace-soak.log")
    shutil.rmtree(folder, ignore_errors=True)
    console.print("ok" if not soak.wrong else f"{len(soak.wrong)} things are wrong", highlight=False)
    return int(bool(soak.wrong))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
