"""What of the pipeline makes the collector degraded or failed."""

from __future__ import annotations

from millrace.pipeline.pipeline import Pipeline
from millrace.telemetry import Condition, Health, worst


def register_conditions(health: Health, pipeline: Pipeline) -> None:
    """Register a condition for decoding and for each branch that has a thread."""
    health.register("decoder", lambda: _decoder(pipeline))
    for branch in pipeline.branches:
        if branch.threads:
            health.register(branch.name, branch.condition)


def _decoder(pipeline: Pipeline) -> Condition:
    decoding = pipeline.decoding
    conditions = [
        decoding.trouble.condition("failed", "datagrams are lost, decoding fails"),
        decoding.saving.condition("degraded", "a restart would forget what exporters announced since"),
        *(trouble.condition("degraded", f"flows are stored, but {trouble.what} fails") for trouble in pipeline.asides),
    ]
    if not pipeline.thread.alive:
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
