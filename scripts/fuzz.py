"""Throw random, mutated and spliced datagrams at every decoder, and watch time and memory.

    .venv/bin/python scripts/fuzz.py --minutes 10

Seeds are synthetic datagrams of every protocol, and the captures named on the command line. Ends with exit code 1 and
the offending datagram in hex when an exception escapes, a datagram takes longer than the bound, or memory grows beyond
its bound.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil

from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.decode.raw import RawDecoder
from millrace.generate import PROTOCOLS, LoadPool
from millrace.receive import read_capture
from millrace.schema import Schema

MAX_SECONDS = 0.5
"""Longest time that a single datagram may take (they are at most 64 KiB)."""

MAX_GROWTH_BYTES = 512 * 2**20
"""Bound of what decoding may remember, with default limits."""

BATCH = 64


def seeds(captures: list[Path]) -> list[bytes]:
    """Datagrams to start from."""
    found = [bytes(12), b"\0\5\0\1", b"\0\x0a\0\x10"]
    for protocol in PROTOCOLS:
        for per_datagram in (1, 7):
            pool = LoadPool(protocol, datagrams=4, flows_per_datagram=per_datagram)
            announced = pool.preamble(time.time_ns())
            found += announced.payloads() if announced is not None else []
            found += pool.take(8, time.time_ns()).payloads()
    for path in captures:
        for batch in read_capture(path):
            found += [batch.payload(index) for index in range(min(len(batch), 200))]
    return found


def mutate(rng: random.Random, corpus: list[bytes]) -> bytes:
    """A new datagram from old ones."""
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.randint(1, 6)):
        choice = rng.randrange(8)
        at = rng.randrange(len(data)) if data else 0
        if choice == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif choice == 1 and data:
            data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif choice == 2 and len(data) > 2:
            # Lengths, counts and ids are two bytes at even places.
            at &= ~1
            data[at : at + 2] = rng.choice((0, 1, 2, 3, 4, 255, 256, 257, 0x7FFF, 0x8000, 0xFFFF)).to_bytes(2, "big")
        elif choice == 3:
            del data[at:]
        elif choice == 4:
            data[at:at] = rng.randbytes(rng.randint(1, 40))
        elif choice == 5:
            other = rng.choice(corpus)
            start = rng.randrange(len(other)) if other else 0
            data[at:] = other[start:]
        elif choice == 6 and len(data) > 8:
            start = rng.randrange(len(data))
            data[at:at] = data[start : start + rng.randint(1, 64)]
        else:
            data[:2] = rng.choice((1, 5, 7, 9, 10, 0)).to_bytes(2, "big")
    return bytes(data[:65507])


def datagrams(rng: random.Random, corpus: list[bytes]) -> Iterator[bytes]:
    """Endless: mostly mutated, some random; what is made joins the corpus now and then."""
    while True:
        if rng.random() < 0.05:
            version = rng.choice((b"\0\1", b"\0\5", b"\0\7", b"\0\x09", b"\0\x0a", b"\0\0\0\5"))
            yield version + rng.randbytes(rng.randint(0, 1500))
            continue
        made = mutate(rng, corpus)
        if rng.random() < 0.01:
            corpus[rng.randrange(len(corpus))] = made
        yield made


def main() -> int:
    """Fuzz until time is up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="*", type=Path, help="captures to mutate")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    rng = random.Random(seed)
    schema = Schema()
    decoder, raw = Decoder(schema), RawDecoder()
    made = datagrams(rng, seeds(options.captures))
    process = psutil.Process()
    began = time.monotonic()
    baseline, slowest, count, flows = process.memory_info().rss, 0.0, 0, 0
    drops: Counter[str] = Counter()
    while time.monotonic() - began < options.minutes * 60:
        batch = [next(made) for _ in range(rng.choice((1, 1, BATCH)))]
        sources = [f"192.0.2.{rng.randint(1, 40)}" for _ in batch]
        columns = DatagramBatch.from_payloads(batch, source=sources, time_ns=time.time_ns())
        start = time.perf_counter()
        try:
            decoded = decoder.decode(columns)
            decoded.flows.to_arrow(schema, missing=False)
            seconds = time.perf_counter() - start
            if rng.random() < 0.2:
                for _ in raw.decode(columns):
                    pass
        except Exception as error:
            print(f"seed {seed}: {type(error).__name__}: {error}\n" + "\n".join(p.hex() for p in batch))
            raise
        count += len(batch)
        flows += len(decoded.flows)
        drops.update(reason for (*_, reason) in decoded.counts.drops)
        if len(batch) == 1:
            slowest = max(slowest, seconds)
            if seconds > MAX_SECONDS:
                print(f"seed {seed}: a datagram took {seconds:.2f} s\n{batch[0].hex()}")
                return 1
        if process.memory_info().rss - baseline > MAX_GROWTH_BYTES:
            print(f"seed {seed}: memory grew by more than {MAX_GROWTH_BYTES >> 20} MiB")
            return 1
    grown = (process.memory_info().rss - baseline) >> 20
    print(f"seed {seed}: {count} datagrams, {flows} flows, {len(drops)} reasons; no exception")
    print(f"slowest datagram {slowest * 1000:.1f} ms (bound {MAX_SECONDS * 1000:.0f}), memory grew {grown} MiB")
    for reason, number in drops.most_common():
        print(f"  {number:8} {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
