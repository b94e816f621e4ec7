"""Builds everything of the configuration, runs it, and takes it down in order."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator

import structlog

from millrace import __version__
from millrace.access import Access, filter_check
from millrace.api import ApiServer, Services, create_app
from millrace.api.gate import Gate
from millrace.app.activity import Activity
from millrace.app.metrics import StoreMetrics, publish_pipeline, publish_receiver
from millrace.app.settings import Settings
from millrace.app.state import health_checks, pipeline_totals, store_facts
from millrace.batch import FlowBatch
from millrace.config import exporter_quirks, static_metadata, static_networks
from millrace.decode import Decoder
from millrace.enrich import ASNames, Enricher
from millrace.errors import StateError
from millrace.lang.names import DEFAULT_NAMES
from millrace.pipeline import FlowSink, NullSink, Pipeline, StateFile
from millrace.query import QueryEngine, StoreTables
from millrace.receive import UdpReceiver
from millrace.state import State
from millrace.store import EmbeddedStore
from millrace.telemetry import Condition, Health, Metrics

log = structlog.get_logger(__name__)

_MAINTENANCE_INTERVAL_S = 1.0
_NAMES_INTERVAL_S = 30.0


class Application:
    """`millrace serve` as an object.

    Parameters
    ----------
    settings : Settings

    Attributes
    ----------
    pipeline, store, receiver
        The parts, for whoever runs the application inside a program of its own.
    activity : Activity
        What the program does beside collecting, for the console.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.schema = settings.columns.schema_of()
        self.metrics = Metrics()
        self.health = Health()
        self.activity = Activity()
        self.store = EmbeddedStore(settings.data, self.schema, settings.store)
        self._decoder = Decoder(self.schema, settings.decode.limits(), exporter_quirks(settings.exporters))
        self._metadata = static_metadata(settings.exporters)
        self._names = DEFAULT_NAMES.with_autonomous_systems(settings.as_names)
        # AS names come after the networks, which tell AS numbers where exporters do not.
        fillers = (static_networks(settings.networks).fill, ASNames(self._names.autonomous_systems).fill)
        self._enricher = Enricher(self._metadata, fillers=fillers)
        self._sink: FlowSink = self.store if settings.sink == "store" else NullSink()
        self.pipeline = Pipeline(
            self.schema,
            self._decoder,
            self.enrich,
            self._sink,
            settings.pipeline,
            StateFile(settings.data / "state.json"),
        )
        self.receiver = UdpReceiver(settings.receive, self.pipeline.offer)
        self.state = State(settings.state, settings.data)
        self.access = Access(settings.access, self.state, filter_check(self.schema, self._names))
        if settings.api.enabled:
            settings.access.check_open(settings.api.host)
            self.health.register("state", self._state_condition)
        self.api = ApiServer(create_app(self.services(), settings.api), settings.api) if settings.api.enabled else None
        self._stopping = threading.Event()
        self._maintenance = threading.Thread(target=self._maintain, name="millrace-maintenance", daemon=True)
        self._started: list[Callable[[], None]] = []
        self._store_metrics = StoreMetrics(self.metrics)
        publish_receiver(self.metrics, self.receiver)
        publish_pipeline(self.metrics, self.pipeline, settings.telemetry.metrics.max_exporters)
        health_checks(self.health, self.pipeline, self.receiver)

    def start(self) -> None:
        """Start every part; on an error those already started are stopped again."""
        try:
            for start, stop in self._parts():
                start()
                self._started.append(stop)
        except BaseException:
            self.stop()
            raise
        self._warn_of_small_buffers()
        for address in self.receiver.addresses:
            log.info("listening", address=address[0], port=address[1])

    def _parts(self) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
        """How each part is started and stopped, in the order of starting."""
        yield self.store.start, self.store.stop
        yield self.pipeline.start, self.pipeline.stop
        yield self._maintenance.start, self._stop_maintenance
        yield self.receiver.start, self.receiver.stop
        if self.api is not None:
            yield self.state.start, self.state.stop
            yield self.access.start, self.access.stop
            yield self.api.start, self.api.stop

    def stop(self) -> None:
        """Stop receiving, store what is in flight, close the store."""
        self._stopping.set()
        while self._started:
            self._started.pop()()

    def run(self) -> None:
        """Start, wait for SIGINT or SIGTERM, stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        self.start()
        try:
            self._stopping.wait()
        finally:
            log.info("stopping")
            self.stop()

    @property
    def url(self) -> str:
        """Where the HTTP interface answers; empty if it is off."""
        return self.api.url if self.api is not None else ""

    def enrich(self, flows: FlowBatch) -> FlowBatch:
        """Fill the columns of exporters and interfaces."""
        return self._enricher.enrich(flows)

    def services(self) -> Services:
        """What the HTTP interface asks."""
        return Services(
            schema=self.schema,
            query=QueryEngine(self.store, self.schema, StoreTables(self.store.status), self._names),
            exporters=self.pipeline.exporters,
            rates=lambda: self.pipeline.rates.all(time.time_ns()),
            metrics=self.metrics,
            health=self.health,
            live=self.pipeline.live,
            store=store_facts(self.store),
            status=lambda: {**pipeline_totals(self.pipeline, self.receiver), "activity": self.activity.told()},
            version=__version__,
            metadata=self._metadata,
            access=Gate(self.access),
            interface_names=self.pipeline.interface_names,
            names=self._names,
        )

    def _state_condition(self) -> Condition:
        try:
            self.state.ping()
        except StateError as error:
            # Flows are stored all the same.
            return Condition("degraded", (f"nobody can log in: {error}",))
        return Condition()

    def _maintain(self) -> None:
        names_due = 0.0
        while not self._stopping.is_set():
            # At once: until the first time the store does not know how far its rollups reach, and every flow is read.
            if self._sink is self.store:
                self._maintain_store()
            if time.monotonic() >= names_due:
                self._enricher = self._enricher.with_names(self.pipeline.interface_names())
                names_due = time.monotonic() + _NAMES_INTERVAL_S
            self._stopping.wait(_MAINTENANCE_INTERVAL_S)

    def _maintain_store(self) -> None:
        try:
            done = self.store.maintain(time.time_ns() // 1_000_000)
        except Exception as error:  # the thread must outlive a defect: rollups are tried again
            log.exception("maintenance failed; it is tried again", error=str(error))
            return
        self._store_metrics.add(done)
        for reason in done.errors:
            log.warning("maintenance of the store", error=reason)

    def _stop_maintenance(self) -> None:
        self._stopping.set()
        self._maintenance.join(30)

    def _warn_of_small_buffers(self) -> None:
        wanted = self.settings.receive.receive_buffer_bytes
        granted = min((stats.buffer_bytes for stats in self.receiver.stats()), default=wanted)
        if granted < wanted:
            log.warning(
                "the kernel grants a smaller socket buffer than asked for; bursts may be lost",
                granted_bytes=granted,
                wanted_bytes=wanted,
                fix=f"sysctl -w net.core.rmem_max={wanted}",
            )
