"""The first hour of a new user: real exporters send live traffic to a collector, which must raise no false alarm.

softflowd (as the README starts it: v5, v9, IPFIX), pmacctd (nfprobe v9 and IPFIX, sfprobe), Open vSwitch (NetFlow,
IPFIX, sFlow; no kernel module and no root's rights on the network) each send to a fresh `millrace serve`; nothing is
lost on the way, so whatever the exporters page calls an error, and any word of loss, is false. Three capture files can
be given to be replayed likewise.

    .venv/bin/python scripts/check_first_hour.py [--seconds 25] [--captures FILE …] [PART OF A NAME …]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

MILLRACE = Path(sys.executable).with_name("millrace")

TRUE_SENTENCES = ("It tells no sampling rate",)
"""What is rightly said of programs that do not sample."""

FIRST_PORT, PORTS = 20_000, 9000
TRAFFIC = f"udp portrange {FIRST_PORT}-{FIRST_PORT + PORTS - 1}"
"""What exporters look at: not what they, or others at the same time, export."""

MANY_FLOWS = 400
"""Flows each second: some twenty datagrams, so that a judgement from a hundred of them is put to the test."""


@dataclass(frozen=True)
class Peer:
    """A program that exports, run while traffic passes.

    `run` gets the collector's port and a folder, and gives a context in which it runs; `traffic` makes a second of
    traffic for it.
    """

    name: str
    run: Callable[[int, Path], contextlib.AbstractContextManager[Callable[[int], None]]]
    least_flows: int = 100
    allowed: tuple[str, ...] = field(default=TRUE_SENTENCES)


def _loopback_traffic(second: int) -> None:
    """One small UDP packet to each of many ports of this host."""
    began = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(MANY_FLOWS):
            with contextlib.suppress(OSError):  # nobody listens there: the kernel says so
                sender.sendto(
                    b"x" * (20 + number % 800), ("127.0.0.1", FIRST_PORT + (second * MANY_FLOWS + number) % PORTS)
                )
    time.sleep(max(0.0, 1 - (time.monotonic() - began)))


@contextlib.contextmanager
def _running(command: list[str], stop: signal.Signals = signal.SIGINT) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _softflowd(version: int) -> Callable[[int, Path], contextlib.AbstractContextManager[Callable[[int], None]]]:
    @contextlib.contextmanager
    def run(port: int, folder: Path) -> Iterator[Callable[[int], None]]:
        command = [
            program("softflowd"), "-d", "-i", "lo", "-n", f"127.0.0.1:{port}", "-v", str(version), "-A", "milli",
            "-t", "maxlife=5", "-t", "expint=2",
            "-p", str(folder / "softflowd.pid"), "-c", str(folder / "softflowd.ctl"),
            TRAFFIC,
        ]  # fmt: skip
        with _running(command):
            yield _loopback_traffic

    return run


def _pmacctd(
    plugin: str, version: int
) -> Callable[[int, Path], contextlib.AbstractContextManager[Callable[[int], None]]]:
    @contextlib.contextmanager
    def run(port: int, folder: Path) -> Iterator[Callable[[int], None]]:
        lines = [
            "daemonize: false", "pcap_interface: lo", f"pcap_filter: {TRAFFIC}", f"plugins: {plugin}",
            f"{plugin}_receiver: 127.0.0.1:{port}",
        ]  # fmt: skip
        if plugin == "nfprobe":
            lines += [
                "aggregate: src_host,dst_host,src_port,dst_port,proto,tos,tcpflags",
                f"nfprobe_version: {version}",
                "nfprobe_timeouts: general=5:maxlife=10:expint=3",
            ]
        else:
            lines += ["sfprobe_agentip: 192.0.2.77", "sampling_rate: 1"]
        path = folder / "pmacctd.conf"
        path.write_text("\n".join(lines) + "\n")
        with _running([program("pmacctd"), "-f", str(path)]):
            yield _loopback_traffic

    return run


@contextlib.contextmanager
def open_vswitch(port: int, folder: Path) -> Iterator[Callable[[int], None]]:
    """A switch in user space with ports of no hardware, which exports in three protocols at once."""
    del folder  # a socket's path must be short
    sockets = Path(tempfile.mkdtemp(prefix="ovs-"))
    place = {name: str(sockets) for name in ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")}
    environment = {**os.environ, **place}
    database = f"unix:{sockets / 'db.sock'}"

    def tool(name: str, *arguments: str) -> None:
        subprocess.run([program(name), *arguments], check=True, env=environment, capture_output=True, timeout=20)

    def process(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [program(name), *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    control = sockets / "switch.ctl"
    tool("ovsdb-tool", "create", str(sockets / "conf.db"), "/usr/share/openvswitch/vswitch.ovsschema")
    server = process("ovsdb-server", str(sockets / "conf.db"), f"--remote=p{database}")
    wait_for((sockets / "db.sock").exists, 10, "ovsdb-server did not start")
    tool("ovs-vsctl", "--no-wait", f"--db={database}", "init")
    switch = process("ovs-vswitchd", database, "--enable-dummy=override", "--disable-system", f"--unixctl={control}")
    try:
        wait_for(control.exists, 10, "ovs-vswitchd did not start")
        ports = [
            part
            for number in (1, 2)
            for part in (
                "--", "add-port", "br0", f"p{number}",
                "--", "set", "interface", f"p{number}", "type=dummy", f"ofport_request={number}",
            )
        ]  # fmt: skip
        bridge = ["add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", "fail-mode=secure"]
        tool("ovs-vsctl", f"--db={database}", *bridge, *ports)
        tool("ovs-ofctl", "add-flow", f"unix:{sockets / 'br0.mgmt'}", "action=normal")
        target = f'targets="127.0.0.1:{port}"'
        for kind, name, settings in (
            ("NetFlow", "netflow", ["active_timeout=1"]),
            ("sFlow", "sflow", ['agent="127.0.0.1"', "header=128", "sampling=1", "polling=1"]),
            ("IPFIX", "ipfix", ["sampling=1", "cache_active_timeout=1", "cache_max_flows=1000"]),
        ):
            tool(
                "ovs-vsctl", f"--db={database}", "--", "--id=@it", "create", kind, target, *settings,
                "--", "set", "bridge", "br0", f"{name}=@it",
            )  # fmt: skip

        def traffic(second: int) -> None:
            began = time.monotonic()
            for number in range(20):
                packet = (
                    "in_port(1),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x0800),"
                    f"ipv4(src=192.0.2.{1 + number},dst=198.51.100.{1 + second % 200},proto=17,tos=0,ttl=64,frag=no),"
                    f"udp(src={1000 + number},dst=53)"
                )
                tool("ovs-appctl", "-t", str(control), "netdev-dummy/receive", "p1", packet, "--len", "200")
            time.sleep(max(0.0, 1 - (time.monotonic() - began)))

        yield traffic
    finally:
        for child in (switch, server):
            child.terminate()
            child.wait(10)
        shutil.rmtree(sockets, ignore_errors=True)


def _replay(path: Path) -> Peer:
    @contextlib.contextmanager
    def run(port: int, folder: Path) -> Iterator[Callable[[int], None]]:
        del folder
        subprocess.run(
            [MILLRACE, "replay", "--rate", "2000", "--to", f"127.0.0.1:{port}", path], check=True, capture_output=True
        )
        yield lambda _: time.sleep(0.1)

    # The clock of a capture's exporter stands still; it is said, and it is so.
    return Peer(f"replay {path.name}", run, least_flows=1, allowed=(*TRUE_SENTENCES, "Its clock is"))


PEERS = (
    Peer("softflowd v5", _softflowd(5)),
    Peer("softflowd v9", _softflowd(9)),
    Peer("softflowd IPFIX", _softflowd(10)),
    Peer("pmacctd nfprobe v9", _pmacctd("nfprobe", 9)),
    Peer("pmacctd nfprobe IPFIX", _pmacctd("nfprobe", 10)),
    Peer("pmacctd sfprobe", _pmacctd("sfprobe", 5)),
    Peer("Open vSwitch", open_vswitch),
)


def program(name: str) -> str:
    """Path of a program; ends with a message if there is none."""
    path = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if path is None:
        raise SystemExit(f"{name} is not installed")
    return path


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait, or end with a message."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(what)
        time.sleep(0.05)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, question: dict[str, object] | None = None) -> object:
    """Answer of the collector's HTTP interface."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1{path}",
        data=None if question is None else json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def check(peer: Peer, seconds: int, folder: Path) -> tuple[int, list[str], list[str]]:
    """Flows stored, every sentence said about the exporters, and those that are wrong."""
    udp, http = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_STREAM)
    config = folder / "millrace.yaml"
    config.write_text(f"data: {folder / 'data'}\nreceive:\n  listeners: ['127.0.0.1:{udp}']\napi:\n  port: {http}\n")
    with (folder / "serve.log").open("wb") as log, _collector(config, log):
        wait_for(lambda: _answers(http), 40, f"serve did not start:\n{(folder / 'serve.log').read_text()}")
        said: dict[str, str] = {}
        with peer.run(udp, folder) as traffic:
            for second in range(seconds):
                traffic(second)
                said |= _sentences(http)
        time.sleep(3)
        said |= _sentences(http)
        flows = sum(row["points"][0] for row in _flows(http))
    wrong = [
        f"{severity}: {text}"
        for text, severity in said.items()
        if (severity == "error" or "lost" in text) or not text.startswith(peer.allowed)
    ]
    if flows < peer.least_flows:
        wrong.append(f"only {flows:.0f} flows were stored")
    return round(flows), list(said), wrong


@contextlib.contextmanager
def _collector(config: Path, log: object) -> Iterator[None]:
    process = subprocess.Popen([MILLRACE, "serve", "-c", str(config)], stdout=log, stderr=log)  # type: ignore[call-overload]
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(http: int) -> bool:
    try:
        ask(http, "/exporters")
    except OSError:
        return False
    return True


def _sentences(http: int) -> dict[str, str]:
    """What is said about exporters now: sentence to severity."""
    return {
        problem["what"]: problem["severity"]
        for exporter in ask(http, "/exporters")  # type: ignore[attr-defined]
        for problem in exporter["problems"]
    }


def _flows(http: int) -> list[dict[str, list[float]]]:
    answer = ask(http, "/flows/top", {"dimensions": ["FlowProtocol"], "last_seconds": 3600, "unit": "flows/s"})
    return [{"points": [row["flows"]]} for row in answer["rows"]]  # type: ignore[index]


def main() -> int:
    """Check every exporter, or those named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="part of an exporter's name; all if absent")
    parser.add_argument("--seconds", type=int, default=25, help="how long each exports (default: 25)")
    parser.add_argument("--jobs", type=int, default=1, help="exporters at the same time (default: 1)")
    parser.add_argument("--captures", nargs="*", type=Path, default=[], help="capture files to replay")
    options = parser.parse_args()

    def one(peer: Peer) -> tuple[int, list[str], list[str]]:
        with tempfile.TemporaryDirectory(prefix="millrace-hour-") as name:
            return check(peer, options.seconds, Path(name))

    peers = [*PEERS, *map(_replay, options.captures)]
    if options.only:
        peers = [peer for peer in peers if any(word in peer.name for word in options.only)]
    failed = False
    with ThreadPoolExecutor(options.jobs) as pool:
        for peer, (flows, said, wrong) in zip(peers, pool.map(one, peers), strict=True):
            failed |= bool(wrong)
            print(f"{'FAILED' if wrong else 'ok':7} {peer.name}: {flows} flows", flush=True)
            for sentence in said:
                print(f"        {'WRONG ' if any(sentence in text for text in wrong) else ''}{sentence}", flush=True)
            for text in wrong:
                if text.startswith("only "):
                    print(f"        {text}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
