"""Prometheus metrics on a registry of our own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

PREFIX = "millrace"

OTHER = "other"
"""Label of everything beyond the bound of a `BoundedLabel`."""

Samples = Iterable[tuple[Sequence[str], float]]
"""Label values and value of each time series."""

Thing = TypeVar("Thing", bound=Hashable)


Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Described:
    """A metric, for people.

    Parameters
    ----------
    name : str
        As it is scraped.
    kind : {"counter", "gauge", "histogram"}
    description : str
    labels : tuple of str
    """

    name: str
    kind: Kind
    description: str
    labels: tuple[str, ...]


class Metrics:
    """Makes metrics and renders them; knows nothing of who counts what.

    Names are ``millrace_<room>_<what>_<unit>``; counters end in ``_total``.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._described: list[Described] = []
        self._failures = self.counter(
            "telemetry", "callback_failures", "Metrics that could not be asked for.", ("metric",)
        )

    def counter(self, room: str, what: str, description: str, labels: Sequence[str] = ()) -> Counter:
        """Counter ``millrace_<room>_<what>_total``; `what` ends in its unit."""
        self._describe("counter", room, what, description, labels)
        return Counter(_name(room, what), description, labels, registry=self._registry)

    def gauge(self, room: str, what: str, description: str, labels: Sequence[str] = ()) -> Gauge:
        """Gauge ``millrace_<room>_<what>``; `what` ends in its unit."""
        self._describe("gauge", room, what, description, labels)
        return Gauge(_name(room, what), description, labels, registry=self._registry)

    def histogram(
        self, room: str, what: str, description: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> Histogram:
        """Histogram ``millrace_<room>_<what>`` over given upper bounds."""
        self._describe("histogram", room, what, description, labels)
        return Histogram(_name(room, what), description, labels, buckets=buckets, registry=self._registry)

    def callback(
        self,
        kind: Literal["counter", "gauge"],
        room: str,
        what: str,
        description: str,
        read: Callable[[], Samples],
        labels: Sequence[str] = (),
    ) -> None:
        """Metric whose values are read when somebody asks for them.

        Parameters
        ----------
        kind, room, what, description, labels
            As of the other methods.
        read : callable
            Called at each rendering, from the thread that renders. If it
            raises, this metric is left out and the failure is counted.
        """
        self._describe(kind, room, what, description, labels)
        self._registry.register(_Callback(kind, _name(room, what), description, tuple(labels), read, self._failures))

    def _describe(self, kind: Kind, room: str, what: str, description: str, labels: Sequence[str]) -> None:
        name = f"{_name(room, what)}_total" if kind == "counter" else _name(room, what)
        self._described.append(Described(name, kind, description, tuple(labels)))

    @property
    def described(self) -> tuple[Described, ...]:
        """Every metric of Millrace's own, in the order in which they were made."""
        return tuple(self._described)

    def render(self) -> tuple[bytes, str]:
        """Every metric in Prometheus' text format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class _Callback:
    kind: Literal["counter", "gauge"]
    name: str
    description: str
    labels: tuple[str, ...]
    read: Callable[[], Samples]
    failures: Counter

    def describe(self) -> Iterator[Metric]:
        yield self._family()

    def collect(self) -> Iterator[Metric]:
        family = self._family()
        try:
            for values, value in self.read():
                family.add_metric(values, value)
        except Exception:  # one broken source must not hide the other metrics
            self.failures.labels(self.name).inc()
            return
        yield family

    def _family(self) -> CounterMetricFamily | GaugeMetricFamily:
        family = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return family(self.name, self.description, labels=self.labels)


class BoundedLabel(Generic[Thing]):
    """Label values for things whose number others decide, such as exporters.

    The first `limit` things have a label of their own for as long as the
    process runs (a time series must not change what it counts); all later
    ones share ``other``. Reserved things have one at any time, and count for
    none of the others. Safe to use from several threads.

    Parameters
    ----------
    limit : int
    text : callable
        Label of a thing.
    reserved : callable
        Whether a thing is reserved a label (the configured ones are); bounds their number itself.
    """

    def __init__(
        self, limit: int, text: Callable[[Thing], str], reserved: Callable[[Thing], bool] = lambda _: False
    ) -> None:
        self._limit = limit
        self._text = text
        self._reserved = reserved
        self._lock = threading.Lock()
        self._labels: dict[Thing, str] = {}
        self._taken = 0

    def __call__(self, thing: Thing) -> str:
        """Label of a thing."""
        known = self._labels.get(thing)
        if known is not None:
            return known
        with self._lock:
            reserved = self._reserved(thing)
            if thing not in self._labels and (reserved or self._taken < self._limit):
                self._labels[thing] = self._text(thing)
                self._taken += not reserved
            return self._labels.get(thing, OTHER)


def _name(room: str, what: str) -> str:
    return f"{PREFIX}_{room}_{what}"
