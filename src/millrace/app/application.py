"""Builds everything of the configuration, runs it, and takes it down in order."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import NamedTuple

import structlog

from millrace import __version__
from millrace.access import Access, filter_check
from millrace.api import ApiServer, Services, create_app
from millrace.api.gate import Gate
from millrace.app.activity import Activity
from millrace.app.memory import MemoryKeeper
from millrace.app.settings import Settings
from millrace.app.sinks import make_sinks
from millrace.app.told import STATUS_AGE_S, STORE_STATUS_AGE_S, pipeline_totals
from millrace.batch import FlowBatch
from millrace.config import exporter_quirks, exporter_trust, static_metadata, static_networks
from millrace.decode import Decoder
from millrace.enrich import ASNames, Enricher
from millrace.errors import StateError
from millrace.files import STATE_FILE
from millrace.lang.names import DEFAULT_NAMES
from millrace.pipeline import (
    FlowSink,
    NullSink,
    Pipeline,
    StateFile,
    Unstored,
    publish_pipeline,
    register_conditions,
)
from millrace.query import QueryEngine, StoreTables
from millrace.receive import UdpReceiver, publish_receiver
from millrace.state import State
from millrace.store import EmbeddedStore, StoreMetrics, publish_store, store_condition
from millrace.telemetry import Condition, Health, Metrics
from millrace.threads import Supervised, Ticker, kept, publish_threads

log = structlog.get_logger(__name__)

_MAINTENANCE_INTERVAL_S = 1.0
_NAMES_INTERVAL_S = 30.0
_MEMORY_INTERVAL_S = 0.2
"""Large questions take a few hundred megabytes in that time."""
_GATHERED_S = 0.1
"""How long a datagram may lie in the kernel, besides, before a receiver takes it."""
_SIGNAL_TURN_S = 0.25
_PING_AGE_S = 0.5
"""Anybody may ask for health, and a database that does not answer takes seconds to say so."""
_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
"""They end it; the last comes from a terminal that is closed, and is ignored by who was started with ``nohup``."""


class _Part(NamedTuple):
    """A part that is started and stopped."""

    name: str
    start: Callable[[], object]
    stop: Callable[[], object]


class Application:
    """`millrace serve` as an object.

    Parameters
    ----------
    settings : Settings
    keep_state : bool
        Begin with the templates that the collector of this data folder was
        told, and save those that come. Whoever reads files does not: an old
        capture's templates must never decode what routers send. They wait for
        sinks, too, as long as those work.

    Attributes
    ----------
    pipeline, store, receiver
        The parts, for whoever runs the application inside a program of its own.
    activity : Activity
        What the program does beside collecting, for the console.
    unstored : Unstored
        What the stop gave up.
    failed_stops : list of str
        Parts whose stop failed.
    """

    def __init__(self, settings: Settings, *, keep_state: bool = True) -> None:
        self.settings = settings
        self.schema = settings.columns.schema_of()
        self.metrics = Metrics()
        self.health = Health()
        self.activity = Activity()
        self.store = EmbeddedStore(settings.data, self.schema, settings.store)
        self._metadata = static_metadata(settings.exporters)
        self._names = DEFAULT_NAMES.with_autonomous_systems(settings.as_names)
        # AS names come after the networks, which tell AS numbers where exporters do not.
        fillers = (static_networks(settings.networks).fill, ASNames(self._names.autonomous_systems).fill)
        self._enricher = Enricher(self._metadata, fillers=fillers)
        self._sink: FlowSink = self.store if settings.sink == "store" else NullSink()
        quirks, trust = exporter_quirks(settings.exporters), exporter_trust(settings.exporters)
        self.pipeline = Pipeline(
            self.schema,
            lambda: Decoder(self.schema, settings.decode.limits(), quirks, trust),
            self.enrich,
            self._sink,
            settings.pipeline,
            StateFile(settings.data / STATE_FILE) if keep_state else None,
            lambda address: trust(address).configured,
            make_sinks(settings, from_files=not keep_state),
        )
        self.receiver = UdpReceiver(settings.receive, self.pipeline.offer)
        self.state = State(settings.state, settings.data)
        self.access = Access(settings.access, self.state, filter_check(self.schema, self._names))
        if settings.api.enabled:
            settings.access.check_open(settings.api.local_host)
            self.health.register("state", kept(self._state_condition, _PING_AGE_S))
        self.api = ApiServer(create_app(self.services(), settings.api), settings.api) if settings.api.enabled else None
        # Not an Event: its lock may be held by the very code that a signal interrupts.
        self._ending = False
        self._started: list[_Part] = []
        self.unstored = Unstored()
        self.failed_stops: list[str] = []
        self._store_metrics = StoreMetrics(self.metrics)
        self._tickers = tuple(self._jobs())
        publish_store(self.metrics, self.store)
        publish_receiver(self.metrics, self.receiver)
        publish_pipeline(self.metrics, self.pipeline, settings.telemetry.metrics.max_exporters)
        servers: dict[str, Supervised] = {"sql": self.store.sql, **({"api": self.api} if self.api is not None else {})}
        publish_threads(self.metrics, {**self.pipeline.supervised, **servers}, {job.name: job for job in self._tickers})
        self.health.register("receive", self.receiver.condition)
        register_conditions(self.health, self.pipeline)
        self.health.register("store", lambda: store_condition(self.store))
        self.health.register("sql", self.store.sql.condition)
        if self.api is not None:
            self.health.register("api", self.api.condition)
        for job in self._tickers:
            self.health.register(job.name, job.condition)

    def start(self) -> None:
        """Start every part; on an error those already started are stopped again."""
        try:
            for part in self._parts():
                part.start()
                self._started.append(part)
        except BaseException:
            self.stop()
            raise
        self._warn_of_small_buffers()
        for address in self.receiver.addresses:
            log.info("listening", address=address[0], port=address[1])
        log.info("answering", url=self.url or None, data=str(self.settings.data.resolve()), sink=self.settings.sink)

    def _parts(self) -> Iterator[_Part]:
        """How each part is started and stopped, in the order of starting."""
        yield _Part("store", self.store.start, self.store.stop)
        yield _Part("pipeline", self.pipeline.start, self._stop_pipeline)
        for job in self._tickers:
            yield _Part(job.name, job.start, job.stop)
        yield _Part("receiver", self.receiver.start, self.receiver.stop)
        if self.api is not None:
            yield _Part("state", self.state.start, self.state.stop)
            yield _Part("access", self.access.start, self.access.stop)
            yield _Part("api", self.api.start, self.api.stop)

    def _jobs(self) -> Iterator[Ticker]:
        """What is done every so often."""
        if self._sink is self.store:
            # At once: until the first time the store does not know how far its rollups reach, and every flow is read.
            yield Ticker(
                "maintenance", "maintenance of the store (rollups, retention)", self._maintain_store,
                _MAINTENANCE_INTERVAL_S,
            )  # fmt: skip
            keeper = MemoryKeeper(self.settings.store.memory_bytes, self.store.release_memory)
            yield Ticker("memory", "giving back freed memory", keeper.look, _MEMORY_INTERVAL_S)
        yield Ticker("names", "taking over the names of interfaces", self._take_names, _NAMES_INTERVAL_S)

    def stop(self) -> None:
        """Stop receiving, store what is in flight, close the store.

        A part whose stop fails costs none of the others theirs; it is logged
        and listed in `failed_stops`.
        """
        self._ending = True
        interrupt: BaseException | None = None
        while self._started:
            part = self._started.pop()
            try:
                part.stop()
            except BaseException as error:  # also Ctrl-C: the store must be closed all the same
                self.failed_stops.append(part.name)
                log.exception("a part does not stop as it should", part=part.name, error=str(error))
                if not isinstance(error, Exception):
                    interrupt = error
                    self.pipeline.give_up_waiting()
        if interrupt is not None:
            raise interrupt

    def _stop_pipeline(self) -> None:
        self.unstored = self.pipeline.stop()

    def run(self, on_start: Callable[[], None] = lambda: None) -> bool:
        """Start, wait for SIGINT, SIGTERM or SIGHUP, stop; a second signal ends the wait for a store that refuses.

        A signal that comes while it starts stops it when it has started. The handlers stay.

        Parameters
        ----------
        on_start : callable
            Called when everything runs. Returns soon after `ending` becomes true.

        Returns
        -------
        bool
            Whether everything that was received was stored and every part stopped as it should.
        """
        for number in _SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, lambda *_: self._on_signal())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        came_before = self._ending
        if came_before:
            return True
        self.start()
        try:
            on_start()
            # In turns: a signal that the kernel gives to another thread wakes this one only then.
            while not self._ending:
                time.sleep(_SIGNAL_TURN_S)
        finally:
            log.info("stopping")
            self.stop()
        return not self.unstored and not self.failed_stops

    @property
    def ending(self) -> bool:
        """Whether it is to stop, or does."""
        return self._ending

    def end(self) -> None:
        """Have `run` stop everything and return."""
        self._ending = True

    def _on_signal(self) -> None:
        if self._ending:
            self.pipeline.give_up_waiting()
        self._ending = True

    @property
    def url(self) -> str:
        """Where the HTTP interface answers; empty if it is off."""
        return self.api.url if self.api is not None else ""

    def enrich(self, flows: FlowBatch) -> FlowBatch:
        """Fill the columns of exporters and interfaces."""
        return self._enricher.enrich(flows)

    def services(self) -> Services:
        """What the HTTP interface asks."""
        status = kept(self.store.status, STORE_STATUS_AGE_S)
        tables = StoreTables(status, arrived=self._complete_until)
        return Services(
            schema=self.schema,
            query=QueryEngine(
                self.store, self.schema, tables, self._names, may_be_implausible=self.store.may_be_implausible
            ),
            exporters=kept(self.pipeline.exporters, STATUS_AGE_S),
            rates=lambda: self.pipeline.rates.all(time.time_ns()),
            metrics=self.metrics,
            health=self.health,
            live=self.pipeline.live,
            store=lambda: asdict(status()),
            status=lambda: {**pipeline_totals(self.pipeline, self.receiver), "activity": self.activity.told()},
            version=__version__,
            metadata=self._metadata,
            authenticator=Gate(self.access),
            interface_names=kept(self.pipeline.interface_names, STATUS_AGE_S),
            names=self._names,
            implausible=lambda: self.pipeline.counts.implausible,
        )

    def _complete_until(self) -> int:
        """Unix second before which everything that came is stored.

        It is over, and so is the time for which receivers gather datagrams: of a second that goes on,
        what came so far would pass for all of it.
        """
        gathered = math.floor(time.time() - self.settings.receive.batch_interval_ms / 1000 - _GATHERED_S)
        waiting = self.pipeline.stored_until()
        return gathered if waiting is None else min(waiting, gathered)

    def _state_condition(self) -> Condition:
        try:
            self.state.ping()
        except StateError as error:
            # Flows are stored all the same.
            return Condition("degraded", (f"nobody can log in: {error}",))
        return Condition()

    def _maintain_store(self) -> str | None:
        done = self.store.maintain(time.time_ns() // 1_000_000)
        self._store_metrics.add(done)
        return "; ".join(done.errors) or None

    def _take_names(self) -> None:
        self._enricher = self._enricher.with_names(self.pipeline.interface_names())

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
