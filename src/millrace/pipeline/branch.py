"""What a branch is: a way that decoded flows go, from the pipeline to the store, to live streams, to a sink."""

from __future__ import annotations

from millrace.batch import FlowBatch
from millrace.telemetry import Condition
from millrace.threads import Watched


class Branch:
    """Takes every batch of decoded flows, in its order.

    The pipeline hands a batch to the store's branch first, and to the others
    when that one has it. What goes wrong in one concerns no other. By default
    a branch has no threads and nothing that waits, so nothing to start or end.

    Parameters
    ----------
    name : str
        In health and metrics.
    what : str
        What it does, for people: "showing live flows".

    Attributes
    ----------
    name, what : str
    """

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        self.what = what

    @property
    def threads(self) -> tuple[Watched, ...]:
        """The threads of it that are looked after, at most one."""
        return ()

    def give(self, flows: FlowBatch, size: int) -> None:
        """Take a batch, which others hold too and nobody changes; a branch may have who gives wait for room.

        Parameters
        ----------
        flows : FlowBatch
        size : int
            Its bytes.
        """
        raise NotImplementedError

    def start(self) -> None:
        """Start its threads."""

    def end_by(self, deadline: float) -> None:
        """The end is near: nobody waits beyond that moment (monotonic seconds) for what refuses flows."""

    def finish(self) -> None:
        """No more flows come: write what waits, and end."""

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002 - nothing waits
        """Finish, trying for at most `timeout_s` seconds, and count what was not written; whether it has ended."""
        return True

    def give_up(self) -> None:
        """Wait no longer for what refuses flows."""

    def condition(self) -> Condition:
        """What health says of it."""
        return Condition()
