"""What the wiring gives to the HTTP interface."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from millrace.api.askers import Authenticator, Circumstances, OpenToAll
from millrace.decode import ExporterStatus
from millrace.enrich import LearnedNames, StaticMetadata
from millrace.lang import DEFAULT_NAMES, Names
from millrace.pipeline import LiveHub, Marked, Rate
from millrace.query import QueryEngine
from millrace.schema import Schema
from millrace.telemetry import Health, Metrics


@dataclass(frozen=True)
class Services:
    """Everything that is asked; each part is safe to ask from several threads.

    Parameters
    ----------
    schema : Schema
    query : QueryEngine
    exporters : callable
        State of every exporter seen since the start, up to some seconds old; may take a while.
    rates : callable
        Recent rate by exporter (sixteen bytes).
    metrics : Metrics
    health : Health
    live : LiveHub
    store : callable
        What the store says of itself, as JSON can say it; may take a while.
    status : callable
        Totals of the pipeline, as JSON can say it.
    version : str
    metadata : StaticMetadata
        What the configuration says of exporters.
    names : Names
        That filters may use.
    authenticator : Authenticator
        Recognises who asks.
    interface_names : callable
        Name and description by exporter (sixteen bytes) and ifIndex, as exporters announce them; may take a while.
    implausible : callable
        Implausible flows by exporter (sixteen bytes), since the start.
    now : callable
        Unix seconds.
    """

    schema: Schema
    query: QueryEngine
    exporters: Callable[[], Sequence[ExporterStatus]]
    rates: Callable[[], Mapping[bytes, Rate]]
    metrics: Metrics
    health: Health
    live: LiveHub
    store: Callable[[], Mapping[str, Any]]
    status: Callable[[], Mapping[str, Any]]
    version: str
    metadata: StaticMetadata = field(default_factory=StaticMetadata)
    names: Names = DEFAULT_NAMES
    authenticator: Authenticator = field(default_factory=OpenToAll)
    interface_names: Callable[[], LearnedNames] = dict
    implausible: Callable[[], Mapping[bytes, Marked]] = dict
    now: Callable[[], float] = time.time

    @cached_property
    def circumstances(self) -> Circumstances:
        """Of whoever asks: the same for all kinds of questions."""
        return Circumstances(self.schema, self.names, self.authenticator, self.now)
