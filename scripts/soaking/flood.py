"""Floods of templates and exporters: datagrams from forged addresses of 127.0.0.0/8, in bursts.

Runs as a process of its own until standard input ends, then says on standard output how much it sent.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

_BURST_S, _PAUSE_S = 10.0, 20.0
_TICK_S = 0.02
_ELEMENTS = (
    (1, 4), (2, 4), (4, 1), (5, 1), (7, 2), (8, 4), (10, 4), (11, 2), (12, 4), (14, 4), (16, 4), (17, 4), (27, 16),
    (28, 16), (56, 6), (58, 2), (61, 1), (136, 1), (152, 8), (153, 8), (96, 8), (82, 32),
)  # fmt: skip
"""Numbers of information elements, and their lengths in bytes."""


def _templates(rng: random.Random, version: int, count: int) -> tuple[bytes, int, int]:
    """A set of templates of random fields; the number of the last template and the bytes of its records."""
    body, number, size = b"", 256, 0
    for _ in range(count):
        fields = rng.sample(_ELEMENTS, rng.randint(3, 12))
        number = rng.randint(256, 65_535)
        size = sum(length for _, length in fields)
        body += struct.pack("!HH", number, len(fields)) + b"".join(struct.pack("!HH", *field) for field in fields)
    return struct.pack("!HH", 0 if version == 9 else 2, 4 + len(body)) + body, number, size


def _message(version: int, domain: int, sequence: int, records: int, sets: bytes) -> bytes:
    now = int(time.time())
    if version == 9:
        return struct.pack("!HHIIII", 9, records, 1000, now, sequence, domain) + sets
    return struct.pack("!HHIII", 10, 16 + len(sets), now, sequence, domain) + sets


def _datagrams(rng: random.Random) -> list[bytes]:
    """What one forged exporter sends: templates, data of one of them, of none, cut and overwritten ones, a flow."""
    version, domain = rng.choice((9, 10)), rng.randint(0, 1 << 31)
    templates, number, size = _templates(rng, version, rng.randint(1, 20))
    first = _message(version, domain, 0, 20, templates)
    data = struct.pack("!HH", number, 4 + size) + rng.randbytes(size)
    unknown = struct.pack("!HH", rng.randint(256, 65_535), 4 + 40) + rng.randbytes(40)
    broken = bytearray(first)
    broken[rng.randrange(16, len(broken))] = rng.randrange(256)
    header = struct.pack("!HHIIIIBBH", 5, 1, 1000, int(time.time()), 0, 0, 0, 0, 0)
    v5 = header + rng.randbytes(16) + struct.pack("!IIII", 1, 100, 500, 900) + rng.randbytes(16)
    return [
        first, _message(version, domain, 1, 1, data), _message(version, domain, 2, 1, unknown), bytes(broken),
        first[: rng.randrange(len(first))], v5,
    ]  # fmt: skip


def _send_from(address: str, port: int, datagrams: list[bytes]) -> int:
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outlet:
        outlet.bind((address, 0))
        for datagram in datagrams:
            try:
                outlet.sendto(datagram, ("127.0.0.1", port))
                sent += 1
            except OSError:  # nobody listens at the moment, or the buffer is full
                continue
    return sent


def send(port: int, rate: float, seed: int) -> None:
    """Send until standard input ends."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    rng, sent, exporters = random.Random(seed), 0, 0
    while not stop.wait(_PAUSE_S / 2):
        began, here = time.monotonic(), 0
        while time.monotonic() - began < _BURST_S and not stop.wait(_TICK_S):
            while here < (time.monotonic() - began) * rate:
                address = f"127.{rng.randint(16, 254)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
                made = _send_from(address, port, _datagrams(rng))
                here, exporters = here + max(1, made), exporters + 1
                sent += made
        stop.wait(_PAUSE_S / 2)
    print(json.dumps([sent, exporters]), flush=True)


class Flood:
    """The process that floods."""

    def __init__(self, port: int, rate: float, seed: int) -> None:
        command = [sys.executable, str(Path(__file__)), str(port), str(rate), str(seed)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self) -> tuple[int, int]:
        """End it; datagrams that were sent, and exporters that were forged."""
        try:
            output, _ = self._process.communicate("", timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            output, _ = self._process.communicate()
        sent, exporters = json.loads(output) if output.strip() else (0, 0)
        return int(sent), int(exporters)


def main() -> None:
    """Flood as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=float, help="datagrams per second of a burst")
    parser.add_argument("seed", type=int)
    options = parser.parse_args()
    send(options.port, options.rate, options.seed)


if __name__ == "__main__":
    main()
