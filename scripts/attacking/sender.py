"""The process that attacks: sends at a rate in bits per second, counted as they are on an Ethernet.

It prepares the attack, says so on standard output, and goes on when a line comes on standard input; it ends when that
ends, and says what it sent.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from attacking.datagrams import ATTACKS, Datagram

OVERHEAD_BYTES = 46
"""Of Ethernet (with its checksum), IPv4 and UDP."""

_PREPARE_BIT_S = 20e6
_TICK_S = 0.005
_OPEN_SOCKETS = 64
"""Addresses that send over and over keep their socket."""


class _Outlet:
    """Sends from any address of this host."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._sockets: dict[str, socket.socket] = {}
        self.datagrams = self.failed = 0

    def send(self, datagram: Datagram) -> int:
        """Send one; its bits on the wire."""
        address, payload = datagram
        outlet = self._sockets.get(address)
        if outlet is None:
            if len(self._sockets) >= _OPEN_SOCKETS:
                self._sockets.pop(next(iter(self._sockets))).close()
            outlet = self._sockets[address] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            outlet.bind((address, 0))
        try:
            outlet.sendto(payload, self._to)
            self.datagrams += 1
        except OSError:
            self.failed += 1
        return 8 * (len(payload) + OVERHEAD_BYTES)


def _pour(outlet: _Outlet, datagrams: Iterator[Datagram], bit_s: float, stop: threading.Event) -> int:
    """Send at a rate until told to stop, or there are no more; bits that were sent."""
    sent, began = 0, time.monotonic()
    while not stop.is_set():
        while sent < (time.monotonic() - began) * bit_s:
            datagram = next(datagrams, None)
            if datagram is None:
                return sent
            sent += outlet.send(datagram)
        time.sleep(_TICK_S)
    return sent


def send(name: str, port: int, seconds: float, bit_s: float) -> None:
    """Attack."""
    attack = next(attack for attack in ATTACKS if attack.name == name)
    outlet, stop = _Outlet(port), threading.Event()
    _pour(outlet, attack.prepare(seconds), _PREPARE_BIT_S, stop)
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    began, before = time.monotonic(), outlet.datagrams
    sent = _pour(outlet, attack.send(seconds), bit_s, stop)
    took = time.monotonic() - began
    print(json.dumps([outlet.datagrams - before, sent / took if took else 0.0, outlet.failed]), flush=True)


class Sender:
    """The attacker's process."""

    def __init__(self, name: str, port: int, seconds: float, bit_s: float) -> None:
        command = [sys.executable, str(Path(__file__)), name, str(port), str(seconds), str(bit_s)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def prepared(self) -> None:
        """Wait until it is ready."""
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def begin(self) -> None:
        """Have it attack."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def stop(self) -> tuple[int, float, int]:
        """End it; datagrams, bits per second, and datagrams that the kernel did not take."""
        try:
            output, _ = self._process.communicate("", timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            output, _ = self._process.communicate()
        lines = [json.loads(line) for line in output.splitlines()]
        found = next((line for line in reversed(lines) if isinstance(line, list)), [0, 0.0, 0])
        return int(found[0]), float(found[1]), int(found[2])


def main() -> None:
    """Attack as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[attack.name for attack in ATTACKS])
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("bit_s", type=float)
    options = parser.parse_args()
    send(options.name, options.port, options.seconds, options.bit_s)


if __name__ == "__main__":
    main()
