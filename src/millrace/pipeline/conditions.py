"""What of the pipeline makes the collector degraded or failed."""

from __future__ import annotations

from millrace.pipeline.pipeline import Pipeline
from millrace.pipeline.writer import Writer
from millrace.telemetry import Condition, Health, worst


def register_conditions(health: Health, pipeline: Pipeline) -> None:
    """Register a condition for each thread of the pipeline."""
    health.register("decoder", lambda: _decoder(pipeline))
    health.register("writer", lambda: _writer(pipeline.writer, "flows"))
    health.register("counters", lambda: _writer(pipeline.counters, "interface counters"))
    for branch in pipeline.branches:
        health.register(f"sink-{branch.name}", branch.condition)


def _decoder(pipeline: Pipeline) -> Condition:
    decoding = pipeline.decoding
    conditions = [
        decoding.trouble.condition("failed", "datagrams are lost, decoding fails"),
        decoding.saving.condition("degraded", "a restart would forget what exporters announced since"),
        *(trouble.condition("degraded", f"flows are stored, but {trouble.what} fails") for trouble in pipeline.asides),
    ]
    if not pipeline.threads[0].alive:
        conditions.append(Condition("failed", ("the thread that decodes does not run",)))
    if pipeline.refused.lately():
        what = f"{pipeline.refused_datagrams} datagrams were dropped because decoding did not keep up"
        conditions.append(Condition("degraded", (what,)))
    if pipeline.crowded.lately():
        # No alarm: whoever can send a datagram could set it off at will.
        what = f"Bounds of what is remembered of exporters were reached lately ({pipeline.crowded} since the start)"
        why = "a flood of forged exporters, or a network that is larger than the bounds in decode"
        conditions.append(Condition(notes=(f"{what}: {why}.",)))
    return worst(conditions)


def _writer(writer: Writer, what: str) -> Condition:
    conditions = [writer.trouble.condition("failed", f"{what} wait, the store refuses them")]
    if not writer.alive:
        conditions.append(Condition("failed", (f"the thread that stores {what} does not run",)))
    if writer.dropped.lately():
        conditions.append(Condition("degraded", (f"{what} were given up: {writer.dropped}",)))
    return worst(conditions)
