"""The collector under test: `millrace serve`, a process that is started, killed and asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from millrace.bench.scraped import Scraped, scraped
from millrace.bench.server import memory_bytes
from soaking.clock import Clock

FLUSH_INTERVAL_S = 1.0

ASKING_S = 120.0
"""How long a statement is tried again."""

# libfaketime 0.9.10 answers EINVAL to clock_nanosleep with an absolute monotonic time, which is Python's time.sleep.
_SERVE = (
    "import select, time\n"
    "time.sleep = lambda seconds: (select.select([], [], [], max(0, seconds)), None)[1]\n"
    "from millrace.cli import main\nmain()\n"
)


class SoakError(Exception):
    """The soak cannot go on."""


class Collector:
    """A `millrace serve` with two listeners: one for the load, one for the floods.

    Parameters
    ----------
    folder : Path
        For its configuration and log.
    data : Path
    clock : Clock
        Its wall clock.
    settings : dict
        Further configuration.
    """

    def __init__(self, folder: Path, data: Path, clock: Clock, settings: dict[str, Any]) -> None:
        self.udp_port, self.flood_port = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_DGRAM)
        self.http_port = _free_port(socket.SOCK_STREAM)
        self.data, self.log = data, folder / "millrace.log"
        self._clock = clock
        self._config = folder / "millrace.yaml"
        self._config.write_text(
            yaml.safe_dump(
                {
                    "data": str(data),
                    "receive": {"listeners": [f"127.0.0.1:{port}" for port in (self.udp_port, self.flood_port)]},
                    "api": {"port": self.http_port},
                    "pipeline": {"flush_interval_s": FLUSH_INTERVAL_S},
                    **settings,
                }
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it may not answer yet."""
        environment = {**os.environ, **self._clock.environment()}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVE, "serve", "-c", str(self._config)], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env=environment,
            )  # fmt: skip

    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def metrics(self, timeout_s: float = 10) -> Scraped | None:
        """What it says of itself; None if it does not answer."""
        moment = time.monotonic()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=timeout_s) as answer:
                return scraped(answer.read().decode(), moment)
        except (OSError, urllib.error.URLError):
            return None

    def health(self) -> dict[str, Any]:
        """What it says of its health; empty if it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/healthz", timeout=5) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except (OSError, ValueError):
            return {}

    def resident_bytes(self) -> int:
        """Memory that it holds; 0 if it does not run."""
        try:
            return memory_bytes("VmRSS", self._process.pid) if self.running() and self._process is not None else 0
        except OSError:
            return 0

    def peak_bytes(self) -> int:
        """Most memory that this process has held."""
        try:
            return memory_bytes("VmHWM", self._process.pid) if self.running() and self._process is not None else 0
        except OSError:
            return 0

    def kill(self) -> float:
        """`kill -9`; the moment of it."""
        assert self._process is not None
        moment = time.monotonic()
        self._process.kill()
        self._process.wait(30)
        return moment

    def stop(self, timeout_s: float = 90) -> int | None:
        """Ask it to end; its exit status, None if it had to be killed."""
        if self._process is None or self._process.poll() is not None:
            return None if self._process is None else self._process.returncode
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(30)
            return None

    def sql(self, statement: str, timeout_s: float = 300) -> list[dict[str, Any]]:
        """Rows of a statement, asked with ``millrace sql`` of the collector or, when it does not run, of its folder.

        Tried again for a while: a kill may have come between, or the load have kept the answer from coming in time.

        Raises
        ------
        SoakError
            If it fails.
        """
        end = time.monotonic() + ASKING_S
        while True:
            try:
                return self._sql(statement, timeout_s)
            except SoakError:
                if time.monotonic() > end:
                    raise
            time.sleep(1)

    def _sql(self, statement: str, timeout_s: float) -> list[dict[str, Any]]:
        command = [sys.executable, "-c", "from millrace.cli import main; main()", "sql", statement]
        command += ["--data", str(self.data), "--format", "JSONEachRow"]
        try:
            done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise SoakError(f"no answer within {timeout_s:.0f} s: {statement}") from None
        if done.returncode:
            raise SoakError(f"{statement}: {done.stderr.strip()[-600:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def log_tail(self) -> str:
        """Last lines of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
