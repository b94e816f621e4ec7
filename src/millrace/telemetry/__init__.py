"""Logs, metrics and health; knows no component, components are handed what they need."""

from millrace.telemetry.config import LogSettings, MetricsSettings, TelemetrySettings
from millrace.telemetry.health import Check, Condition, Health, HealthReport, Status, worst
from millrace.telemetry.logs import Brake, mask_secrets, setup_logging
from millrace.telemetry.metrics import OTHER, BoundedLabel, Described, Metrics, Samples

__all__ = [
    "OTHER",
    "BoundedLabel",
    "Brake",
    "Check",
    "Condition",
    "Described",
    "Health",
    "HealthReport",
    "LogSettings",
    "Metrics",
    "MetricsSettings",
    "Samples",
    "Status",
    "TelemetrySettings",
    "mask_secrets",
    "setup_logging",
    "worst",
]
