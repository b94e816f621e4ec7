"""A `millrace serve` process to measure, with its figures."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from millrace.bench.result import BenchError
from millrace.bench.scraped import Scraped, scraped

_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 60.0


class Server:
    """`millrace serve` in a process of its own, on free ports of 127.0.0.1.

    Parameters
    ----------
    folder : Path
        Its data and configuration.
    sink : {"store", "null"}
    sockets : int
        Sockets that share the UDP port.
    data : Path, optional
        Data folder, when it is not to be one in `folder`.
    """

    def __init__(self, folder: Path, *, sink: str = "store", sockets: int = 1, data: Path | None = None) -> None:
        self.udp_port = _free_port(socket.SOCK_DGRAM)
        self.http_port = _free_port(socket.SOCK_STREAM)
        self.data = data or folder / "data"
        self._config = folder / "millrace.yaml"
        self._log = folder / "millrace.log"
        settings = {
            "data": str(self.data),
            "sink": sink,
            "receive": {"listeners": [{"address": "127.0.0.1", "port": self.udp_port, "sockets": sockets}]},
            "api": {"port": self.http_port},
        }
        self._config.write_text(yaml.safe_dump(settings))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it may not answer yet."""
        command = [sys.executable, "-c", "from millrace.cli import main; main()", "serve", "-c", str(self._config)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own command

    def __enter__(self) -> Self:
        self.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask the process to end, and wait."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def post(self, path: str, body: bytes) -> bytes:
        """Ask the HTTP interface.

        Raises
        ------
        BenchError
            With what it answers, if that is an error.
        """
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}{path}", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http, as written above
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise BenchError(f"{path}: {error.code} {error.read()[:500].decode(errors='replace')}") from None

    def metrics(self) -> Scraped:
        """What it says of itself.

        Raises
        ------
        BenchError
            If the process has ended.
        OSError
            If it does not answer.
        """
        if self._process is None or self._process.poll() is not None:
            raise BenchError(f"millrace serve ended: {self.log_tail()}")
        moment = time.monotonic()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=10) as answer:
            return scraped(answer.read().decode(), moment)

    def resident_bytes(self) -> int:
        """Memory that the process holds (VmRSS)."""
        assert self._process is not None
        return memory_bytes("VmRSS", self._process.pid)

    def peak_bytes(self) -> int:
        """Most memory that the process has held (VmHWM)."""
        assert self._process is not None
        return memory_bytes("VmHWM", self._process.pid)

    def cpu_seconds(self) -> float:
        """Processor time that the process has used."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_tail(self) -> str:
        """Last lines of its log."""
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                self.metrics()
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return
        raise BenchError(f"millrace serve did not answer within {_START_TIMEOUT_S:.0f} s: {self.log_tail()}")


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def memory_bytes(key: str, pid: int | None = None) -> int:
    """Memory of a process, by default of this one: ``VmRSS`` now, ``VmHWM`` at most so far."""
    for line in Path(f"/proc/{pid or 'self'}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return 0


def reset_peak() -> None:
    """Let ``VmHWM`` of this process begin anew (Linux: ``/proc/self/clear_refs``)."""
    Path("/proc/self/clear_refs").write_text("5")
