"""Wires the stages with bounded queues: life cycle, workers, back-pressure, stage counts."""

from millrace.pipeline.branch import Branch
from millrace.pipeline.conditions import register_conditions
from millrace.pipeline.config import PipelineSettings
from millrace.pipeline.live import LiveHub, Subscription
from millrace.pipeline.losses import Losses
from millrace.pipeline.metrics import publish_pipeline
from millrace.pipeline.pipeline import Pipeline, Unstored
from millrace.pipeline.rates import Rate, Rates
from millrace.pipeline.saved import MemoryState, SavedState, StateFile
from millrace.pipeline.sink import FlowSink, NullSink
from millrace.pipeline.sink_branch import Route, SinkBranch
from millrace.pipeline.totals import Marked
from millrace.pipeline.writer import Writer

__all__ = [
    "Branch",
    "FlowSink",
    "LiveHub",
    "Losses",
    "Marked",
    "MemoryState",
    "NullSink",
    "Pipeline",
    "PipelineSettings",
    "Rate",
    "Rates",
    "Route",
    "SavedState",
    "SinkBranch",
    "StateFile",
    "Subscription",
    "Unstored",
    "Writer",
    "publish_pipeline",
    "register_conditions",
]
