"""Benchmark of the console's questions about a day of many flows."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from millrace.bench.day import Day, closed, opened, stored_day
from millrace.bench.explore import QUESTIONS, ROLLED_UP_S, Asked, Kind
from millrace.bench.result import MILLION, BenchError, Options, Result
from millrace.bench.server import Server, memory_bytes, reset_peak
from millrace.query import (
    Asking,
    HeatmapQuestion,
    QueryEngine,
    SankeyQuestion,
    SearchQuestion,
    SeriesQuestion,
    Source,
    StoreTables,
    TopQuestion,
)
from millrace.schema import Schema
from millrace.store import EmbeddedStore
from millrace.threads import kept

_MIB = 1 << 20
_ROUNDS, _QUICK_ROUNDS = 7, 3


def questions(options: Options) -> Iterator[Result]:
    """What the Explore page asks, about a day of 100 million flows, of the query engine and over HTTP."""
    flows = 2 * MILLION if options.quick else 100 * MILLION
    with stored_day(flows, options.folder) as day:
        closed(day.folder)
        with opened(day.folder) as store:
            _check(store, day)
            yield from _ask_engine(store, day, options)
            yield from _ask_for_host(store, day, options)
            used = sum(table.bytes_on_disk for table in store.status().tables.values())
        yield from _ask_server(day)
        if day.fill_seconds is not None:
            yield Result(
                "filling the store for that", day.flows / day.fill_seconds, "flows/s",
                note="flows made, enriched, stored and rolled up",
            )  # fmt: skip
        yield Result("disk for that", used / day.flows, "bytes/flow", note="flows and rollups, compressed")


def _check(store: EmbeddedStore, day: Day) -> None:
    """Compare the total of an answer with the number of flows."""
    answer = _engine(store).top(
        TopQuestion.model_validate({"dimensions": ["SrcAS"], **_range(day, 24)}), Asking(float(day.stop_s))
    )
    if answer.total.flows != day.flows:
        raise BenchError(f"the answer is about {answer.total.flows} flows, not {day.flows}")


def _engine(store: EmbeddedStore) -> QueryEngine:
    """An engine that remembers no answer."""
    tables = StoreTables(kept(store.status, 1.0))
    return QueryEngine(store, Schema(), tables, may_be_implausible=store.may_be_implausible)


def _ask_engine(store: EmbeddedStore, day: Day, options: Options) -> Iterator[Result]:
    rounds = _QUICK_ROUNDS if options.quick else _ROUNDS
    size = f"{day.flows / MILLION:g} M flows"
    before = memory_bytes("VmRSS")
    peak = 0
    for asked in QUESTIONS:
        reset_peak()
        seconds, busy, sources = [], [], []
        for _ in range(rounds):
            ask = _asking(_engine(store), asked, day)
            began, worked = time.perf_counter(), time.process_time()
            sources = ask()
            seconds.append(time.perf_counter() - began)
            busy.append(time.process_time() - worked)
        highest = memory_bytes("VmHWM")
        peak = max(peak, highest)
        tables = ", ".join(sorted({source.table for source in sources}))
        yield Result(
            asked.name, statistics.median(seconds), "s", asked.target, lower_is_better=True,
            note=f"{size}, read from {tables}; slowest of {rounds}: {max(seconds):.2f} s; "
            f"processors {statistics.median(busy):.2f} s; memory {highest / _MIB:.0f} MiB at most",
        )  # fmt: skip
    yield Result(
        "memory while asking, peak", peak / _MIB, "MiB", lower_is_better=True,
        note=f"of the whole process, one question after the other; {before / _MIB:.0f} MiB before the first",
    )  # fmt: skip


def _ask_for_host(store: EmbeddedStore, day: Day, options: Options) -> Iterator[Result]:
    """All flows of an address that had some fifty in the day, from and to it: page after page to the end."""
    found = store.query(
        "SELECT IPv6NumToString(SrcAddr) AS host FROM flows GROUP BY SrcAddr HAVING count() >= 50 "
        "ORDER BY count(), SrcAddr LIMIT 1"
    )
    host = found["host"][0].as_py().removeprefix("::ffff:")
    fields = {"filter": f"SrcAddr = {host} OR DstAddr = {host}", "limit": 1000, **_range(day, 24)}
    seconds, flows = [], 0
    for _ in range(_QUICK_ROUNDS if options.quick else _ROUNDS):
        began, flows, cursor = time.perf_counter(), 0, None
        engine = _engine(store)
        while True:
            question = SearchQuestion.model_validate({**fields, "cursor": cursor})
            page = engine.search(question, Asking(float(day.stop_s)))
            flows += len(page.flows)
            cursor = page.cursor
            if cursor is None:
                break
        seconds.append(time.perf_counter() - began)
    yield Result(
        "every flow of a host, 24 h", statistics.median(seconds), "s", 1.0, lower_is_better=True,
        note=f"{day.flows / MILLION:g} M flows, {flows} of {host}; slowest {max(seconds):.2f} s",
    )  # fmt: skip


def _asking(engine: QueryEngine, asked: Asked, day: Day) -> Callable[[], list[Source]]:
    """A question, ready to be put; gives the tables that were read."""
    fields, asking = {**asked.values, **_range(day, asked.hours)}, Asking(float(day.stop_s))
    questions: dict[Kind, Callable[[], list[Source]]] = {
        "series": lambda: engine.series(SeriesQuestion.model_validate(fields), asking).sources,
        "top": lambda: engine.top(TopQuestion.model_validate(fields), asking).sources,
        "sankey": lambda: engine.sankey(SankeyQuestion.model_validate(fields), asking).sources,
        "heatmap": lambda: engine.heatmap(HeatmapQuestion.model_validate(fields), asking).sources,
    }
    return questions[asked.kind]


def _range(day: Day, hours: int) -> dict[str, object]:
    return {"start": _moment(day.stop_s - hours * 3600), "end": _moment(day.stop_s)}


def _moment(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def _ask_server(day: Day) -> Iterator[Result]:
    """The same questions to `millrace serve`, each once: no answer is remembered."""
    slowest: dict[float, tuple[float, str]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder,
        Server(Path(folder), data=day.folder) as server,
    ):
        # The first question waits for what a server makes when it is first asked.
        server.post("/api/v1/flows/top", json.dumps({"dimensions": ["ExporterName"], **_range(day, 24)}).encode())
        for asked in QUESTIONS:
            if asked.target is None:
                continue
            body = json.dumps({**asked.values, **_range(day, asked.hours)}).encode()
            began = time.perf_counter()
            server.post(f"/api/v1/flows/{asked.kind}", body)
            seconds = time.perf_counter() - began
            slowest[asked.target] = max(slowest.get(asked.target, (0.0, "")), (seconds, asked.name))
        resident = server.peak_bytes()
    for target, (seconds, name) in slowest.items():
        what = "rolled-up" if target == ROLLED_UP_S else "raw"
        yield Result(
            f"slowest of those over HTTP, {what} dimensions", seconds, "s", target, lower_is_better=True, note=name
        )  # fmt: skip
    yield Result(
        "memory of serve after those, peak", resident / _MIB, "MiB", 1536, lower_is_better=True,
        note="one question after the other, nothing received meanwhile",
    )  # fmt: skip
