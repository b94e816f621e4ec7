"""Ask many questions at the same time while flows arrive fast: none may be lost, none may wait long.

`millrace serve` runs as a process of its own over a day of made-up history. A second process sends NetFlow v9 to it;
meanwhile clients ask what the Explore page asks: series, top, Sankey and heatmap, over rolled-up and raw dimensions,
with filters and ranges of all kinds.

    .venv/bin/python scripts/check_concurrent_explore.py
    .venv/bin/python scripts/check_concurrent_explore.py --rate 50000 --seconds 12 --clients 50 --history 200000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace.bench.day import stored_day
from millrace.bench.endtoend import STORED, load
from millrace.bench.server import Server
from millrace.bench.stored import count_flows

_MIB = 1 << 20

ROLLED = (
    "SrcAS", "DstAS", "ExporterName", "InIfProvider", "OutIfProvider", "InIfConnectivity", "SrcCountry", "DstCountry",
    "EType", "Proto", "InIfName", "OutIfName", "ExporterSite",
)  # fmt: skip
RAW = ("SrcAddr", "DstAddr", "SrcPort", "DstPort")
ROLLED_FILTERS = (
    "",
    "",
    "InIfBoundary = external",
    'InIfBoundary = external AND InIfProvider = "cogent"',
    "Proto = tcp AND NOT SrcAS = AS64500",
    "SrcAS IN (AS64496, AS64497, AS64498) OR DstAS = AS15169",
    'ExporterName LIKE "e%" -- some of them',
    "EType = IPv6",
)
RAW_FILTERS = ("", "Proto = tcp AND DstPort IN (80, 443, 8000-8100)", "DstAddr << 198.18.0.0/20", "Bytes > 10k")
UNITS = ("bits/s", "l2-bits/s", "packets/s", "flows/s", "bytes")


@dataclass(frozen=True)
class Asked:
    """A question and what became of it."""

    path: str
    question: dict[str, Any]
    status: int
    seconds: float
    said: str


def questions(random_: random.Random, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Questions as a room full of operators asks them: one in six needs single flows, one in four is one's own.

    The others are those of shared dashboards, which several browsers ask at the same time.
    """
    shared = [_question(random_) for _ in range(max(1, count // 5))]
    return [_question(random_) if random_.random() < 0.25 else random_.choice(shared) for _ in range(count)]


def _question(random_: random.Random) -> tuple[str, dict[str, Any]]:
    return _raw(random_) if random_.random() < 1 / 6 else _rolled(random_)


def _rolled(random_: random.Random) -> tuple[str, dict[str, Any]]:
    base = {
        "last_seconds": random_.choice((900, 3600, 6 * 3600, 86_400)),
        "filter": random_.choice(ROLLED_FILTERS),
        "unit": random_.choice(UNITS),
    }
    shape = random_.random()
    if shape < 0.15:
        return "top", {**base, "dimensions": random_.sample(ROLLED, random_.randint(1, 3)), "limit": 10}
    if shape < 0.25:
        return "sankey", {**base, "dimensions": random_.sample(ROLLED, random_.randint(2, 4))}
    if shape < 0.35:
        return "heatmap", {**base, "down": random_.sample(ROLLED, 1)}
    series = {**base, "dimensions": random_.sample(ROLLED, random_.randint(0, 3)), "limit": random_.randint(3, 15)}
    series["limit_by"] = random_.choice(("average", "average", "maximum", "last", "p95"))
    if shape < 0.5:
        series["bidirectional"] = True
    if shape > 0.85:
        series["previous"] = "day"
    return "series", series


def _raw(random_: random.Random) -> tuple[str, dict[str, Any]]:
    base = {"last_seconds": random_.choice((60, 300)), "filter": random_.choice(RAW_FILTERS)}
    if random_.random() < 0.5:
        return "top", {**base, "dimensions": random_.sample(RAW, random_.randint(1, 2))}
    return "series", {**base, "dimensions": random_.sample(RAW, 1), "points": 60}


async def ask(port: int, path: str, question: dict[str, Any]) -> Asked:
    """Ask over a connection of its own; a small client, because it shares the machine."""
    began = time.perf_counter()
    body = json.dumps(question).encode()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"POST /api/v1/flows/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        answer = await reader.read(-1)
        writer.close()
    except OSError as error:
        return Asked(path, question, 0, time.perf_counter() - began, str(error))
    head, _, said = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head else 0
    return Asked(path, question, status, time.perf_counter() - began, "" if status == 200 else said[:300].decode())


async def ask_all(port: int, clients: int, until: float, seed: int) -> list[Asked]:
    """Rounds of `clients` questions at the same time, each round another; at least one."""
    random_, asked = random.Random(seed), []
    while not asked or time.monotonic() < until:
        asked += await asyncio.gather(*(ask(port, *item) for item in questions(random_, clients)))
    return asked


def report(asked: list[Asked]) -> None:
    """Print how long answers took, by endpoint and whether single flows were read."""
    groups: dict[str, list[float]] = defaultdict(list)
    for item in asked:
        names = (*item.question.get("dimensions", ()), *item.question.get("down", ()))
        single = any(name in RAW for name in names)
        groups[f"{item.path}, {'single flows' if single else 'rolled up'}"].append(item.seconds)
        groups["all"].append(item.seconds)
    for name, seconds in sorted(groups.items()):
        ordered = sorted(seconds)
        p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
        print(
            f"{name:28} {len(ordered):5} questions: median {statistics.median(ordered):6.2f} s, "
            f"95 % within {p95:6.2f} s, longest {ordered[-1]:6.2f} s"
        )


def check(options: argparse.Namespace) -> list[str]:
    """Run it; what is wrong."""
    with tempfile.TemporaryDirectory(prefix="millrace-explore-") as folder:
        data = Path(folder) / "data"
        if options.history:
            with stored_day(options.history, data):
                pass
        with Server(Path(folder), data=data) as server:
            load(server, options.rate / 10, 1.0, STORED)  # warm up
            before = count_flows(server)
            asked: list[Asked] = []
            ends = time.monotonic() + options.seconds * 0.9
            clients = threading.Thread(
                target=lambda: asked.extend(asyncio.run(ask_all(server.http_port, options.clients, ends, options.seed)))
            )
            sending = threading.Timer(options.seconds * 0.1, clients.start)
            sending.start()
            trial = load(server, options.rate, options.seconds, STORED)
            sending.join()
            clients.join()
            stored = count_flows(server) - before
            peak = server.peak_bytes()
            print(server.log_tail()) if options.log else None
    report(asked)
    print(
        f"{trial.sent:,} flows sent at {trial.flows_per_s:,.0f}/s, {stored:,} stored, drops {trial.dropped or 'none'}; "
        f"collector {trial.cpu_share:.2f} cores, peak of its memory {peak / _MIB:.0f} MiB"
    )
    wrong = [f"{item.status} for {item.path} {item.question}: {item.said}" for item in asked if item.status != 200]
    longest = max(item.seconds for item in asked)
    if longest > options.max_seconds:
        wrong.append(f"a question took {longest:.1f} s, more than {options.max_seconds:g}")
    if not trial.complete or stored != trial.sent:
        wrong.append(f"{trial.sent} flows sent, {stored} stored, drops {trial.dropped}")
    if trial.flows_per_s < 0.95 * options.rate:
        wrong.append(f"the sender reached {trial.flows_per_s:,.0f} flows/s only")
    if peak > options.max_memory_mib * _MIB:
        wrong.append(f"the collector held {peak / _MIB:.0f} MiB")
    return wrong


def main() -> int:
    """Run the check; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=200_000, help="flows per second")
    parser.add_argument("--seconds", type=float, default=60, help="length of the load")
    parser.add_argument("--clients", type=int, default=200, help="questions at the same time")
    parser.add_argument("--history", type=int, default=500_000, help="flows of the day before")
    parser.add_argument("--max-seconds", type=float, default=10, help="longest answer")
    parser.add_argument("--max-memory-mib", type=float, default=2048, help="most memory of the collector")
    parser.add_argument("--seed", type=int, default=1, help="of the questions")
    parser.add_argument("--log", action="store_true", help="print the end of the collector's log")
    wrong = check(parser.parse_args())
    for line in wrong[:20]:
        print(f"WRONG {line}")
    print("ok" if not wrong else f"{len(wrong)} things are wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
