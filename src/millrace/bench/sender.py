"""Load from a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from millrace.bench.result import BenchError
from millrace.generate import LoadGenerator, LoadPlan, Progress


class SenderProcess:
    """Load being sent by another process."""

    def __init__(self, plan: LoadPlan) -> None:
        arguments = [plan.host, str(plan.port), plan.protocol, str(plan.rate), str(plan.flows)]
        command = [sys.executable, "-c", "from millrace.bench.sender import main; main()", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own command

    def running(self) -> bool:
        """Whether it still sends."""
        return self._process.poll() is None

    def result(self) -> Progress:
        """Wait for its end, and say what was sent."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise BenchError(f"the sender failed with exit code {self._process.returncode}")
        return Progress(**json.loads(output))


def main() -> None:
    """Send what the arguments say (host, port, protocol, rate, flows), then print what was sent as JSON."""
    host, port, protocol, rate, flows = sys.argv[1:]
    sent = LoadGenerator(LoadPlan(host, int(port), protocol, float(rate), int(flows))).run()
    json.dump(asdict(sent), sys.stdout)
