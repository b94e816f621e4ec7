"""Wires the stages with bounded queues: life cycle, workers, back-pressure, stage counts."""

from millrace.pipeline.config import PipelineSettings
from millrace.pipeline.live import LiveHub, Subscription
from millrace.pipeline.pipeline import Pipeline
from millrace.pipeline.rates import Rate, Rates
from millrace.pipeline.sink import FlowSink, NullSink
from millrace.pipeline.state import StateFile
from millrace.pipeline.writer import Writer

__all__ = [
    "FlowSink",
    "LiveHub",
    "NullSink",
    "Pipeline",
    "PipelineSettings",
    "Rate",
    "Rates",
    "StateFile",
    "Subscription",
    "Writer",
]
