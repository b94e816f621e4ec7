"""Settings of logs and metrics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from millrace.config import Section


class LogSettings(Section):
    """Logs, written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe messages that are written."""

    format: Literal["auto", "console", "json"] = "auto"
    """`console`: lines for people; `json`: one object per line; `auto`: console on a terminal."""


class MetricsSettings(Section):
    """Prometheus metrics, served at `/metrics`."""

    max_exporters: int = Field(default=1000, ge=1, le=100_000)
    """Exporters that have time series of their own, beside those named in `exporters`; the rest are `other`."""


class TelemetrySettings(Section):
    """What Millrace tells about itself."""

    log: LogSettings = LogSettings()
    """Logs."""

    metrics: MetricsSettings = MetricsSettings()
    """Metrics."""
