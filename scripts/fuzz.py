"""Throw whole batches of mutated datagrams at the decoder, and watch exceptions, time and memory.

    .venv/bin/python scripts/fuzz.py --minutes 10
    .venv/bin/python scripts/fuzz.py --datagrams 100000000 --processes 2

Seeds are synthetic datagrams of every protocol, and the captures named on the command line. Batches are mutated as a
whole (bits, bytes, lengths, cuts, splices, repeated records, templates that change their meaning). Some batches are
decoded again in pieces and datagram by datagram, by decoders of their own: flows, counts and state must be the same;
and as `millrace decode --raw` shows them.

Ends with exit code 1 at the first fault: when an exception escapes, a batch or a single datagram takes longer than its
bound, memory grows beyond its bound, or cutting a batch changes something. The batch is then written to a file, a
datagram in hex a line.
"""

from __future__ import annotations

import argparse
import multiprocessing
import queue
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np
import psutil
from mutation import Corpus, Mutator
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from millrace.batch import DatagramBatch, FlowBatch
from millrace.decode import Counts, Decoder
from millrace.decode.raw import RawDecoder
from millrace.schema import Schema

MAX_SECONDS = 0.5
"""Longest processor time that a single datagram may take."""

MAX_SECONDS_PER_DATAGRAM = 0.001
"""Longest processor time of a batch, per datagram in it: thirty times what they take."""

MAX_GROWTH_BYTES = 512 * 2**20
"""Bound of what decoding may remember, with default limits."""

BATCH = 4096
_CUT_EVERY = 10
"""Of so many batches one is counted in pieces too."""

_SAMPLE_EVERY = 100
"""Of so many batches a part of one is decoded in other ways too, and all flows compared."""

_SINGLES = 48
_SAMPLED = 1024
_REPORT_S = 1.0
_MINUTE_S = 60.0
_WARM_UP_BATCHES = 20


class FuzzError(Exception):
    """Something that must not be."""


@dataclass(slots=True)
class Figures:
    """What one process has done.

    Attributes
    ----------
    datagrams, flows, sampled : int
    cpu_seconds : float
        Processor time, mutating included.
    slowest_batch, slowest_datagram : float
        Processor seconds; of a batch per datagram.
    grown : int
        Bytes by which memory has grown since warming up.
    drops : Counter
        By reason.
    """

    datagrams: int = 0
    flows: int = 0
    sampled: int = 0
    cpu_seconds: float = 0.0
    slowest_batch: float = 0.0
    slowest_datagram: float = 0.0
    grown: int = 0
    drops: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        """Add those of another process."""
        self.datagrams += other.datagrams
        self.flows += other.flows
        self.sampled += other.sampled
        self.cpu_seconds += other.cpu_seconds
        self.slowest_batch = max(self.slowest_batch, other.slowest_batch)
        self.slowest_datagram = max(self.slowest_datagram, other.slowest_datagram)
        self.grown += other.grown
        self.drops.update(other.drops)


def part(batch: DatagramBatch, first: int, stop: int) -> DatagramBatch:
    """Some datagrams of a batch; shares its arena."""
    cut = slice(first, stop)
    return DatagramBatch(
        batch.arena, batch.start[cut], batch.stop[cut], batch.source[cut], batch.source_port[cut], batch.time_ns[cut],
        batch.port[cut],
    )  # fmt: skip


class Fuzz:
    """One stream of batches at one decoder that remembers all of them."""

    def __init__(self, seed: int, captures: list[Path]) -> None:
        self.corpus = Corpus.build(captures)
        self.mutator = Mutator(self.corpus, seed)
        self.schema, self.figures = Schema(), Figures()
        self._decoder, self._raw = Decoder(self.schema), RawDecoder()
        self._decoder.decode(self.corpus.announcements())
        self._process = psutil.Process()
        self._baseline = 0

    def step(self, number: int) -> None:
        """Decode the next batch.

        Raises
        ------
        FuzzError
            If an exception escapes the decoder, a bound is exceeded, or another way to decode gives something else.
        """
        batch = self.mutator.batch(number, BATCH)
        try:
            self._check(batch, number)
        except Exception as error:
            path = Path(tempfile.gettempdir()) / f"millrace-fuzz-{self.mutator.seed}-{number}.txt"
            path.write_text("\n".join(batch.payload(index).hex() for index in range(len(batch))))
            raise FuzzError(f"seed {self.mutator.seed}, batch {number}, in {path}: {error!r}") from error

    def _check(self, batch: DatagramBatch, number: int) -> None:
        began = time.process_time()
        decoded = self._decoder.decode(batch)
        decoded.flows.to_arrow(self.schema, missing=False)
        seconds = (time.process_time() - began) / len(batch)
        self._count(decoded.counts, len(batch), len(decoded.flows), seconds)
        if seconds > MAX_SECONDS_PER_DATAGRAM:
            raise FuzzError(f"a batch took {seconds * len(batch):.2f} s of processor time")
        if number % _CUT_EVERY == 0:
            self._compare(batch, number, flows=False)
        if number % _SAMPLE_EVERY == 0:
            self._sample(part(batch, 0, _SAMPLED), number)
        if number % 8 == 0 or number == _WARM_UP_BATCHES:
            self._weigh(number)

    def _count(self, counts: Counts, datagrams: int, flows: int, seconds: float) -> None:
        figures = self.figures
        figures.datagrams += datagrams
        figures.flows += flows
        figures.cpu_seconds = time.process_time()
        figures.slowest_batch = max(figures.slowest_batch, seconds)
        for (*_, reason), amount in counts.drops.items():
            figures.drops[reason] += amount

    def _weigh(self, number: int) -> None:
        held = self._process.memory_info().rss
        if number <= _WARM_UP_BATCHES:
            self._baseline = held
        self.figures.grown = max(self.figures.grown, held - self._baseline)
        if held - self._baseline > MAX_GROWTH_BYTES:
            raise FuzzError(f"memory grew by more than {MAX_GROWTH_BYTES >> 20} MiB")

    def _sample(self, batch: DatagramBatch, number: int) -> None:
        """Decode a batch whole, in pieces and as raw structures; a few datagrams alone, by the clock."""
        rng = np.random.default_rng([number, 2])
        self._compare(batch, number, flows=True)
        for _ in self._raw.decode(part(batch, 0, 256)):
            pass
        decoder = Decoder(self.schema)
        decoder.decode(self.corpus.announcements())
        for index in rng.integers(0, len(batch), _SINGLES):
            began = time.process_time()
            decoder.decode(part(batch, int(index), int(index) + 1))
            seconds = time.process_time() - began
            self.figures.slowest_datagram = max(self.figures.slowest_datagram, seconds)
            if seconds > MAX_SECONDS:
                raise FuzzError(f"datagram {index} took {seconds:.2f} s of processor time")
        self.figures.sampled += len(batch)

    def _compare(self, batch: DatagramBatch, number: int, *, flows: bool) -> None:
        """Decode a batch whole and in pieces."""
        cuts = np.unique(np.random.default_rng([number, 1]).integers(1, len(batch), 5)).tolist()
        whole, pieces = self._decode(batch, [], flows=flows), self._decode(batch, cuts, flows=flows)
        for what, first, second in zip(("flows", "events", "drops", "state"), whole, pieces, strict=True):
            if first != second:
                raise FuzzError(f"cutting the batch at {cuts} changes {what}")

    def _decode(
        self, batch: DatagramBatch, cuts: list[int], *, flows: bool
    ) -> tuple[list[str], Counter[object], Counter[object], object]:
        decoder, counts, rows, first = Decoder(self.schema), Counts(), list[str](), 0
        decoder.decode(self.corpus.announcements())
        for stop in [*cuts, len(batch)]:
            decoded = decoder.decode(part(batch, first, stop))
            counts.add(decoded.counts)
            rows += self._rows(decoded.flows, first) if flows else []
            first = stop
        return sorted(rows), Counter(counts.events), Counter(counts.drops), decoder.snapshot()

    def _rows(self, flows: FlowBatch, first: int) -> list[str]:
        """Each flow as text, after the number of its datagram."""
        if not flows.rows or flows.datagram is None:
            return []
        at, known = (flows.datagram + first).tolist(), flows.to_arrow(self.schema).to_pylist()
        return [f"{datagram} {row}" for datagram, row in zip(at, known, strict=True)]


def run(
    seed: int, captures: list[Path], datagrams: int | None, seconds: float, told: Queue[tuple[int, Figures, str]]
) -> None:
    """Fuzz until so many datagrams or seconds; tell figures now and then, and the end with a fault or ``ok``."""
    fuzz, number, said, fault = Fuzz(seed, captures), 0, 0.0, "ok"
    began = time.monotonic()
    try:
        while time.monotonic() - began < seconds and (datagrams is None or fuzz.figures.datagrams < datagrams):
            fuzz.step(number)
            number += 1
            if time.monotonic() - said > _REPORT_S:
                said = time.monotonic()
                told.put((seed, fuzz.figures, ""))
    except FuzzError as error:
        fault = str(error)
    told.put((seed, fuzz.figures, fault))


def watch(
    workers: int, told: Queue[tuple[int, Figures, str]], total: float, *, by_time: bool
) -> tuple[Figures, list[str]]:
    """Follow the processes to their ends, or to the first fault; sums and faults."""
    figures: dict[int, Figures] = {}
    ends: list[str] = []
    console, began = Console(), time.monotonic()
    said = began
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("fuzzing", total=total)
        while len(ends) < workers and all(end == "ok" for end in ends):
            try:
                seed, those, end = told.get(timeout=300)
            except queue.Empty:
                ends.append("a process tells nothing any more")
                break
            figures[seed] = those
            ends += [end] if end else []
            done = sum(item.datagrams for item in figures.values())
            bar.update(task, completed=time.monotonic() - began if by_time else done, description=f"{done:,} datagrams")
            if not console.is_terminal and time.monotonic() - said > _MINUTE_S:
                said = time.monotonic()
                print(f"{(said - began) / _MINUTE_S:.0f} min: {done:,} datagrams", flush=True)
    sums = Figures()
    for item in figures.values():
        sums.add(item)
    return sums, [end for end in ends if end != "ok"]


def main() -> int:
    """Fuzz until time is up, or so many datagrams are through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="*", type=Path, help="captures to mutate")
    parser.add_argument("--minutes", type=float, default=None, help="default 10, without --datagrams")
    parser.add_argument("--datagrams", type=int, default=None, help="of all processes together")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.randrange(1 << 31) if options.seed is None else options.seed
    minutes = options.minutes or (10.0 if options.datagrams is None else 24 * 60.0)
    each = None if options.datagrams is None else -(-options.datagrams // options.processes)
    context = multiprocessing.get_context("spawn")
    told: Queue[tuple[int, Figures, str]] = context.Queue()
    began = time.monotonic()
    workers = [
        context.Process(target=run, args=(seed + number, options.captures, each, minutes * 60, told), daemon=True)
        for number in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    sums, faults = watch(len(workers), told, options.datagrams or minutes * 60, by_time=options.datagrams is None)
    for worker in workers:
        worker.terminate() if faults else worker.join(30)
    took = time.monotonic() - began
    print(
        f"seed {seed}, {options.processes} processes: {sums.datagrams:,} datagrams in {took / 60:.1f} min "
        f"({sums.datagrams / took:,.0f}/s; {sums.datagrams / max(sums.cpu_seconds, 1e-9):,.0f} per second of processor "
        f"time), {sums.flows:,} flows, {len(sums.drops)} reasons"
    )
    print(
        f"slowest batch {sums.slowest_batch * 1e6:.0f} µs a datagram (bound {MAX_SECONDS_PER_DATAGRAM * 1e6:.0f}), "
        f"slowest datagram {sums.slowest_datagram * 1000:.1f} ms (bound {MAX_SECONDS * 1000:.0f}), memory grew "
        f"{sums.grown >> 20} MiB, {sums.sampled:,} datagrams decoded in other ways too"
    )
    for reason, amount in sums.drops.most_common():
        print(f"  {amount:12,} {reason}")
    for fault in faults:
        print(f"WRONG {fault}")
    print("ok" if not faults else f"{len(faults)} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
