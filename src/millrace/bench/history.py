"""Benchmark of questions about a day of many flows."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from millrace.bench.result import MILLION, BenchError, Options, Result
from millrace.config import ExporterSettings, static_metadata
from millrace.enrich import Enricher
from millrace.generate import default_model, demo_metadata, history
from millrace.query import Comparison, QueryEngine, StoreTables, TopQuestion
from millrace.schema import Schema
from millrace.store import RESOLUTIONS, EmbeddedStore, StoreSettings

_DAY_S = 86_400
_ROLLUP_TIMEOUT_S = 1800
_QUIET_S = 6.0
"""The store waits a little for late flows before it adds them to a closed interval: so long without work is the end."""


def top(options: Options) -> Iterator[Result]:
    """Top 10 by source AS over a day of 100 million flows."""
    flows = 2 * MILLION if options.quick else 100 * MILLION
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
        schema = Schema()
        store = EmbeddedStore(Path(folder), schema, StoreSettings.model_validate({}))
        store.start()
        try:
            stop_s = int(time.time()) // 60 * 60
            seconds = _fill(store, stop_s, flows)
            engine = QueryEngine(store, schema, StoreTables(store.status))
            yield from _ask(engine, stop_s, flows, options)
            used = sum(table.bytes_on_disk for table in store.status().tables.values())
        finally:
            store.stop()
    yield Result(
        "filling the store for that", flows / seconds, "flows/s", note="flows made, enriched, stored and rolled up"
    )
    yield Result("disk for that", used / flows, "bytes/flow", note="flows and rollups, compressed")


def _fill(store: EmbeddedStore, stop_s: int, flows: int) -> float:
    """Store a day of traffic, rolled up; seconds it took."""
    model = default_model()
    settings = {address: ExporterSettings.model_validate(values) for address, values in demo_metadata(model).items()}
    enricher = Enricher(static_metadata(settings))
    began = time.perf_counter()
    for batch in history(model, (stop_s - _DAY_S) * 1000, stop_s * 1000, flows):
        store.insert(enricher.enrich(batch))
        store.maintain(time.time_ns() // 1_000_000)
    _roll_up(store, flows)
    return time.perf_counter() - began - _QUIET_S


def _roll_up(store: EmbeddedStore, flows: int) -> None:
    """Roll up until nothing is left, and check that no flow is missing from the minutes."""
    deadline, last_work = time.monotonic() + _ROLLUP_TIMEOUT_S, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - last_work < _QUIET_S:
        if store.maintain(time.time_ns() // 1_000_000).rolled_up_rows:
            last_work = time.monotonic()
        time.sleep(0.1)
    rolled = store.query(f"SELECT sum(Flows) AS flows FROM {RESOLUTIONS[0].table}")["flows"][0].as_py()  # noqa: S608
    if rolled != flows:
        raise BenchError(f"{rolled} of {flows} flows are in {RESOLUTIONS[0].table}")


def _ask(engine: QueryEngine, stop_s: int, flows: int, options: Options) -> Iterator[Result]:
    day = TopQuestion(dimensions=["SrcAS"], last_seconds=_DAY_S)
    filtered = TopQuestion(
        dimensions=["SrcAddr"], last_seconds=_DAY_S, filter=Comparison(column="DstPort", operator="=", value=443)
    )
    size = f"{flows / MILLION:g} M flows"
    for name, question, target in (
        ("top 10 by SrcAS over 24 h", day, 0.5),
        ("top 10 by SrcAddr over 24 h, DstPort 443 (every flow is read)", filtered, None),
    ):
        seconds = []
        for _ in range(3 if options.quick else 7):
            began = time.perf_counter()
            answer = engine.top(question, float(stop_s))
            seconds.append(time.perf_counter() - began)
        used = ", ".join(sorted({source.table for source in answer.sources}))
        if question is day and answer.total.flows != flows:
            raise BenchError(f"the answer is about {answer.total.flows} flows, not {flows}")
        yield Result(
            name, statistics.median(seconds), "s", target, lower_is_better=True,
            note=f"{size}, read from {used}; slowest of {len(seconds)}: {max(seconds):.2f} s",
        )  # fmt: skip
