"""Load whose flows are numbered: `Bytes` of a flow is its number, `SrcPort` the low half of it.

Runs as a process of its own and says on standard output, a few times a second, how far it is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from bisect import bisect_right
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from millrace.generate import Datagrams, LoadPool, messages
from millrace.generate.templates import plain_template
from millrace.receive import Sender

ADDRESSES = tuple(f"127.0.2.{number}" for number in range(1, 5))
"""The exporters of the load."""

PER_DATAGRAM = 24

PACKETS = 65_536
"""Packets of every flow: so many that its number is a number of bytes that they can have."""

_PROTOCOL: messages.Protocol = "netflow-v9"
_POOL = 512
_BURST = 32
_TICK_S = 0.0005
_REFRESH_S = 20
_REPORT_S = 0.1


class NumberedPool(LoadPool):
    """Pooled datagrams; every flow of them gets a number when it is taken."""

    def __init__(self, index: int) -> None:
        super().__init__(
            _PROTOCOL, datagrams=_POOL, flows_per_datagram=PER_DATAGRAM, domain=index + 1, agent=ADDRESSES[index],
            sampling_rate=1, seed=index,
        )  # fmt: skip
        layout = messages.message_dtype(_PROTOCOL, plain_template(_PROTOCOL), PER_DATAGRAM)
        self._records = np.ndarray((len(self),), layout, self.datagrams.arena.data)["records"]
        self._records["f2"] = PACKETS

    def take_numbered(self, count: int, time_ns: int, number: int) -> Datagrams:
        """The next datagrams, at most `count`, with flows numbered from `number` on."""
        first = self._taken % len(self)
        part = self.take(count, time_ns)
        records = self._records[first : first + len(part)]
        numbers = number + np.arange(records.size, dtype=np.int64).reshape(records.shape)
        records["f1"] = numbers
        records["f7"] = numbers & 0xFFFF
        return part


def send(port: int, rate: float) -> None:
    """Send until standard input ends."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    pools = [NumberedPool(index) for index in range(len(ADDRESSES))]
    with ExitStack() as stack:
        senders = [stack.enter_context(Sender("127.0.0.1", port, source=(address, 0))) for address in ADDRESSES]
        number, turn, failed, announce, report = 1, 0, 0, 0.0, 0.0
        began = last = time.monotonic()
        owed = 0.0
        while not stop.is_set():
            now = time.monotonic()
            if now >= report:
                print(json.dumps([now, number, failed, now - began]), flush=True)
                report = now + _REPORT_S
            if now >= announce:
                for pool, sender in zip(pools, senders, strict=True):
                    announced = pool.preamble(time.time_ns())
                    assert announced is not None
                    sender.send(announced.batch("127.0.0.1"))
                announce = now + _REFRESH_S
            # What is late by more than a second is left out: the rate is what the machine allows.
            owed, last = min(owed + (now - last) * rate, rate), now
            due = int(owed) // PER_DATAGRAM
            if not due:
                time.sleep(_TICK_S)
                continue
            part = pools[turn].take_numbered(min(due, _BURST), time.time_ns(), number)
            failed += len(part) - senders[turn].send(part.batch("127.0.0.1"))
            number += len(part) * PER_DATAGRAM
            owed -= len(part) * PER_DATAGRAM
            turn = (turn + 1) % len(senders)
        now = time.monotonic()
        print(json.dumps([now, number, failed, now - began]), flush=True)


@dataclass(frozen=True, slots=True)
class Sent:
    """What had been sent at a moment.

    Attributes
    ----------
    moment : float
        Monotonic seconds.
    number : int
        Of the next flow.
    failed : int
        Datagrams that the kernel did not take (nobody listened).
    seconds : float
        Since the beginning.
    """

    moment: float
    number: int
    failed: int
    seconds: float


class Load:
    """The process that sends."""

    def __init__(self, port: int, rate: float) -> None:
        command = [sys.executable, str(Path(__file__)), str(port), str(rate)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._told: list[Sent] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.append(Sent(*json.loads(line)))

    def running(self) -> bool:
        """Whether it still sends."""
        return self._process.poll() is None

    def last(self) -> Sent:
        """What has been sent so far."""
        return self._told[-1] if self._told else Sent(time.monotonic(), 1, 0, 0.0)

    def next_after(self, moment: float) -> int:
        """A number that was not sent before `moment`: the first report after it (or the last there is)."""
        return self._told[min(bisect_right(self._told, moment, key=_moment), len(self._told) - 1)].number

    def next_before(self, moment: float) -> int:
        """All smaller numbers were sent before `moment`: the last report before it."""
        return self._told[max(0, bisect_right(self._told, moment, key=_moment) - 1)].number

    def stop(self) -> Sent:
        """End it; everything that was sent."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        return self.last()


def _moment(sent: Sent) -> float:
    return sent.moment


def main() -> None:
    """Send what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=float, help="flows per second")
    options = parser.parse_args()
    send(options.port, options.rate)


if __name__ == "__main__":
    main()
