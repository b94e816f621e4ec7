"""Runs `millrace serve` as a process of its own, on loopback, for service tests."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

MILLRACE = Path(sys.executable).with_name("millrace")


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


_CLIENT = httpx.Client()
"""Made once: certificates, which nobody asks for here, take long to load."""


class Collector:
    """A collector process that can be started, stopped and killed."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.folder = folder
        self.data = folder / "data"
        self.udp_port = free_port()
        self.http_port = free_port(socket.SOCK_STREAM)
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.config = folder / "millrace.yaml"
        self.config.write_text(
            f"data: {self.data}\nreceive:\n  listeners: ['127.0.0.1:{self.udp_port}']\n"
            f"api:\n  port: {self.http_port}\n{extra}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_s: float = 60) -> None:
        with (self.folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen([MILLRACE, "serve", "-c", self.config], stdout=log, stderr=log)
        wait_for(self.healthy, timeout_s, lambda: f"serve did not start:\n{self.log()}")

    def healthy(self) -> bool:
        try:
            return _CLIENT.get(f"{self.url}/healthz", timeout=1).status_code in (200, 503)
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def stop(self) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self._process = None

    def sql(self, query: str) -> list[dict[str, object]]:
        command = [MILLRACE, "sql", "--data", self.data, "--format", "JSONEachRow", query]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line]

    def log(self) -> str:
        return (self.folder / "serve.log").read_text()


def wait_for(condition, seconds: float, message="condition not met") -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(message() if callable(message) else message)
        time.sleep(0.05)
