"""Root of the configuration: each room's settings under its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from millrace.access import AccessSettings
from millrace.api import ApiSettings
from millrace.config import ASNamesSettings, ExportersSettings, NetworksSettings, Section
from millrace.config.user_columns import SchemaSettings
from millrace.decode import Limits
from millrace.pipeline import PipelineSettings
from millrace.receive import ReceiveSettings
from millrace.sinks import SinksSettings
from millrace.state import StateSettings
from millrace.store import StoreSettings
from millrace.telemetry import TelemetrySettings

_LIMITS = Limits()


class DecodeSettings(Section):
    """Bounds of what decoding remembers: whoever can send a datagram can forge its source."""

    exporters: int = Field(default=_LIMITS.exporters, ge=1)
    """Exporters whose templates and sampling are remembered. Beyond, those that never sent a flow make room first."""

    domains: int = Field(default=_LIMITS.domains, ge=0)
    """Observation domains and UDP ports of all exporters together, beyond 8 of each."""

    templates: int = Field(default=_LIMITS.templates, ge=1)
    """Templates of all exporters together."""

    templates_per_exporter: int = Field(default=_LIMITS.templates_per_exporter, ge=1)
    """Templates of one exporter."""

    ports_per_exporter: int = Field(default=_LIMITS.ports_per_exporter, ge=1)
    """UDP ports of one exporter that are kept apart, beyond one for each of its observation domains."""

    template_lifetime_s: float = Field(default=_LIMITS.template_lifetime_s, ge=0)
    """Seconds after which a template that was not announced again is forgotten; 0: never."""

    layout_share: float = Field(default=_LIMITS.layout_share, gt=0)
    """Part of each second that templates may take beyond what the bytes of their data pay for; the costliest data sets
    are given up beyond it (`costly-layouts`). Raise it where very many templates bring little each."""

    options_lifetime_s: float = Field(default=_LIMITS.options_lifetime_s, ge=0)
    """Seconds after which names and sampling rates that options did not tell again are forgotten; 0: never."""

    waiting_bytes: int = Field(default=_LIMITS.waiting_bytes, ge=0)
    """Bytes of data sets kept until their template comes."""

    waiting_s: float = Field(default=_LIMITS.waiting_s, ge=0)
    """Seconds that such a data set waits."""

    def limits(self) -> Limits:
        """The decoder's bounds."""
        return replace(_LIMITS, **self.model_dump())


class Settings(Section):
    """Everything that `millrace serve` can be told."""

    data: Path = Path("data")
    """Folder of the embedded store and of what must survive a restart."""

    sink: Literal["store", "null"] = "store"
    """Where flows go; `null` decodes and forgets them (to measure)."""

    receive: ReceiveSettings = ReceiveSettings()
    """UDP listeners."""

    decode: DecodeSettings = DecodeSettings()
    """Decoding."""

    columns: SchemaSettings = Field(default=SchemaSettings(), alias="schema")
    """The table of columns."""

    exporters: ExportersSettings = Field(default_factory=dict)
    """What is known of exporters and interfaces, by subnet."""

    networks: NetworksSettings = Field(default_factory=dict)
    """What is known of addresses, by prefix."""

    as_names: ASNamesSettings = Field(default_factory=dict)
    """Names of AS by number, for those that Millrace does not know or names otherwise."""

    pipeline: PipelineSettings = PipelineSettings()
    """From the sockets to the store."""

    store: StoreSettings = StoreSettings()
    """The embedded store."""

    sinks: SinksSettings = Field(default_factory=dict)
    """Where flows go beside the store, by name."""

    api: ApiSettings = ApiSettings()
    """HTTP interface and console."""

    access: AccessSettings = AccessSettings()
    """Who may use them."""

    state: StateSettings = StateSettings()
    """Users, sessions, and what users save."""

    telemetry: TelemetrySettings = TelemetrySettings()
    """Logs and metrics."""
