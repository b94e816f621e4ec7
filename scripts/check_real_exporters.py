"""Let real exporters export known packets to `millrace serve`, and check every flow that arrives.

softflowd (NetFlow v5, v9, IPFIX) and pmacctd with nfprobe (v5, v9, IPFIX) and sfprobe (sFlow) read one capture
of made packets and send over loopback. What is in `flows` must equal what the packets say: addresses, ports,
protocol, bytes, packets and times.

    .venv/bin/python scripts/check_real_exporters.py
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

MILLRACE = Path(sys.executable).with_name("millrace")

MACS = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
"""How every frame begins: by it frames are found again in exported samples."""

Key = tuple[str, str, int, int, int]
"""Source, destination, source port, destination port, protocol (ICMP without ports)."""


@dataclass
class Truth:
    """What the packets of one flow say."""

    packets: int = 0
    octets: int = 0
    first_ms: float = float("inf")
    last_ms: float = 0.0


@dataclass(frozen=True)
class Exporter:
    """A program, how to start it, and what it can express."""

    name: str
    protocol: str
    command: Callable[[Path, int, Path], list[str]]
    ipv6: bool = True
    tolerance_ms: float = 2.0
    samples: bool = False
    """Sends packet headers (sFlow): no times, and what it leaves unsent when it ends must not be waited for."""


def make_packets(start_s: float, flows: int = 120) -> list[tuple[float, bytes]]:
    """Ethernet frames of TCP, UDP and ICMP flows over IPv4 and IPv6, with capture times in order."""
    rng = random.Random(7)
    frames: list[tuple[float, bytes]] = []
    for number in range(flows):
        begin = start_s + rng.uniform(0, 20)
        frames += [
            (round(begin + index * 0.25, 3), _frame(number, index, rng.randint(0, 1200)))
            for index in range(rng.randint(1, 20))
        ]
    return sorted(frames)


def _frame(number: int, index: int, size: int) -> bytes:
    proto = (6, 17, 1)[number % 3]
    payload = bytes(size)
    if proto == 6:
        l4 = struct.pack("!HHIIBBHHH", 1024 + number, 443, index, 0, 0x50, 0x02 if index == 0 else 0x10, 1000, 0, 0)
    elif proto == 17:
        l4 = struct.pack("!HHHH", 1024 + number, 53, 8 + size, 0)
    else:
        l4 = struct.pack("!BBHHH", 8, 0, 0, number, index)
    if number % 4 == 0 and proto != 1:
        src, dst = (ip_address(f"2001:db8:{net}::{number + 1:x}").packed for net in (1, 2))
        packet = struct.pack("!IHBB16s16s", 6 << 28, len(l4) + size, proto, 60, src, dst)
        ether_type = 0x86DD
    else:
        src, dst = bytes([198, 51, 100, number + 1]), bytes([192, 0, 2, number + 1])
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(l4) + size, number, 0, 60, proto, 0, src, dst)
        packet = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
        ether_type = 0x0800
    return MACS + struct.pack("!H", ether_type) + packet + l4 + payload


def _checksum(header: bytes) -> int:
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def write_pcap(path: Path, frames: list[tuple[float, bytes]]) -> None:
    """Write a microsecond pcap file of Ethernet frames."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for when, frame in frames:
            micro = round(when * 1_000_000)
            file.write(struct.pack("<IIII", micro // 1_000_000, micro % 1_000_000, len(frame), len(frame)) + frame)


def truth_of(frames: list[tuple[float, bytes]]) -> dict[Key, Truth]:
    """Sum the packets of each unidirectional flow."""
    flows: dict[Key, Truth] = defaultdict(Truth)
    for when, frame in frames:
        version6 = frame[12:14] == b"\x86\xdd"
        ip = frame[14:]
        proto, header = (ip[6], 40) if version6 else (ip[9], 20)
        src, dst = (ip[8:24], ip[24:40]) if version6 else (ip[12:16], ip[16:20])
        ports = struct.unpack("!HH", ip[header : header + 4]) if proto in (6, 17) else (0, 0)
        flow = flows[str(ip_address(src)), str(ip_address(dst)), ports[0], ports[1], proto]
        flow.packets += 1
        flow.octets += 40 + struct.unpack("!H", ip[4:6])[0] if version6 else struct.unpack("!H", ip[2:4])[0]
        flow.first_ms = min(flow.first_ms, when * 1000)
        flow.last_ms = max(flow.last_ms, when * 1000)
    return dict(flows)


def _softflowd(version: int) -> Callable[[Path, int, Path], list[str]]:
    def command(pcap: Path, port: int, folder: Path) -> list[str]:  # noqa: ARG001 - softflowd needs no file
        return [
            _program("softflowd"),
            "-d",
            "-r",
            str(pcap),
            "-n",
            f"127.0.0.1:{port}",
            "-v",
            str(version),
            "-A",
            "milli",
        ]

    return command


def _pmacctd(plugin: str, version: int) -> Callable[[Path, int, Path], list[str]]:
    def command(pcap: Path, port: int, folder: Path) -> list[str]:
        lines = [
            "daemonize: false",
            f"pcap_savefile: {pcap}",
            f"plugins: {plugin}",
            f"{plugin}_receiver: 127.0.0.1:{port}",
        ]
        if plugin == "nfprobe":
            lines += [
                "aggregate: src_host,dst_host,src_port,dst_port,proto,tos,tcpflags",
                f"nfprobe_version: {version}",
                "nfprobe_timeouts: tcp=3600:maxlife=3600",
            ]
        else:
            lines += ["sfprobe_agentip: 192.0.2.77", "sampling_rate: 1"]
        path = folder / f"{plugin}-{version}.conf"
        path.write_text("\n".join(lines) + "\n")
        return [_program("pmacctd"), "-f", str(path)]

    return command


def _program(name: str) -> str:
    path = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if path is None:
        raise SystemExit(f"{name} is not installed")
    return path


EXPORTERS = (
    Exporter("softflowd v5", "netflow-v5", _softflowd(5), ipv6=False),
    Exporter("softflowd v9", "netflow-v9", _softflowd(9)),
    Exporter("softflowd IPFIX", "ipfix", _softflowd(10)),
    Exporter("pmacctd nfprobe v5", "netflow-v5", _pmacctd("nfprobe", 5), ipv6=False),
    Exporter("pmacctd nfprobe v9", "netflow-v9", _pmacctd("nfprobe", 9)),
    Exporter("pmacctd nfprobe IPFIX", "ipfix", _pmacctd("nfprobe", 10)),
    Exporter("pmacctd sfprobe", "sflow-v5", _pmacctd("sfprobe", 5), samples=True),
)


def free_port() -> int:
    """A UDP and TCP port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        return int(udp.getsockname()[1])


@contextlib.contextmanager
def collector(folder: Path) -> Iterator[int]:
    """Run `millrace serve` on loopback; gives its UDP port."""
    port = free_port()
    config = folder / "millrace.yaml"
    config.write_text(
        f"data: {folder / 'data'}\nreceive:\n  listeners: ['127.0.0.1:{port}']\napi:\n  port: {free_port()}\n"
    )
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen([MILLRACE, "serve", "-c", str(config)], stdout=log, stderr=log)
        try:
            _wait_for(lambda: (folder / "data" / "millrace.sock").exists(), 30, "millrace serve did not start", folder)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait_for(condition: Callable[[], bool], seconds: float, what: str, folder: Path) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}:\n{(folder / 'serve.log').read_text()}")
        time.sleep(0.1)


def sql(folder: Path, query: str) -> list[dict[str, object]]:
    """Ask the running collector, on this machine."""
    command = [MILLRACE, "sql", "--data", str(folder / "data"), "--format", "JSONEachRow", query]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines() if line]


def export(exporter: Exporter, pcap: Path, port: int, folder: Path) -> None:
    """Run an exporter until it has read the capture and sent everything."""
    process = subprocess.Popen(
        exporter.command(pcap, port, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        # pmacctd goes on after the end of a capture; it sends what is left when told to stop.
        process.send_signal(signal.SIGINT)
        process.wait(10)


def stored_flows(folder: Path, exporter: Exporter, since_ms: int) -> dict[Key, Truth]:
    """Flows of one exporter's run, summed by key."""
    rows = sql(
        folder,
        "SELECT replaceOne(toString(SrcAddr), '::ffff:', '') AS src,"
        " replaceOne(toString(DstAddr), '::ffff:', '') AS dst,"
        " if(Proto IN (6, 17), SrcPort, 0) AS sport, if(Proto IN (6, 17), DstPort, 0) AS dport, Proto AS proto,"
        " toUInt32(sum(Packets)) AS packets, toUInt32(sum(Bytes)) AS octets,"
        " toFloat64(min(toUnixTimestamp64Milli(TimeFlowStart))) AS first,"
        " toFloat64(max(toUnixTimestamp64Milli(TimeFlowEnd))) AS last FROM flows"
        f" WHERE FlowProtocol = '{exporter.protocol}' AND TimeReceived >= fromUnixTimestamp64Milli({since_ms})"
        " GROUP BY src, dst, sport, dport, proto",
    )
    return {
        (str(r["src"]), str(r["dst"]), int(str(r["sport"])), int(str(r["dport"])), int(str(r["proto"]))): Truth(
            int(str(r["packets"])), int(str(r["octets"])), float(str(r["first"])), float(str(r["last"]))
        )
        for r in rows
    }


def compare(exporter: Exporter, truth: dict[Key, Truth], found: dict[Key, Truth]) -> list[str]:
    """What differs, in words."""
    expected = {key: flow for key, flow in truth.items() if exporter.ipv6 or ":" not in key[0]}
    problems = [f"missing {key}" for key in expected.keys() - found.keys()]
    problems += [f"unexpected {key}" for key in found.keys() - expected.keys()]
    for key in expected.keys() & found.keys():
        want, got = expected[key], found[key]
        if (want.packets, want.octets) != (got.packets, got.octets):
            problems.append(f"{key}: {got.packets} packets, {got.octets} bytes; sent {want.packets}, {want.octets}")
        off = max(abs(got.first_ms - want.first_ms), abs(got.last_ms - want.last_ms))
        if not exporter.samples and off > exporter.tolerance_ms:
            problems.append(f"{key}: times off by {off:.0f} ms")
    return problems


@contextlib.contextmanager
def tap(port: int) -> Iterator[tuple[int, list[bytes]]]:
    """Pass datagrams on to the collector and keep them; gives the port to send to, and the datagrams."""
    seen: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inner:
        inner.bind(("127.0.0.1", 0))
        inner.settimeout(0.2)
        done = threading.Event()

        def relay() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    seen.append(inner.recv(65535))
                    inner.sendto(seen[-1], ("127.0.0.1", port))

        thread = threading.Thread(target=relay)
        thread.start()
        try:
            yield inner.getsockname()[1], seen
        finally:
            done.set()
            thread.join()


def exported_frames(datagrams: list[bytes]) -> list[tuple[float, bytes]]:
    """The sampled frames in sFlow datagrams, found by their addresses."""
    return [(0.0, MACS + part) for datagram in datagrams for part in datagram.split(MACS)[1:]]


def check(exporter: Exporter, folder: Path, port: int) -> list[str]:
    """Export, wait until the flows are stored, compare."""
    frames = make_packets(time.time() - 60)
    pcap = folder / "packets.pcap"
    write_pcap(pcap, frames)
    since_ms = int(time.time() * 1000)
    with tap(port) as (tapped_port, datagrams):
        export(exporter, pcap, tapped_port, folder)
        time.sleep(0.5)
    if exporter.samples:
        exported = exported_frames(datagrams)
        if len(exported) < 0.95 * len(frames):
            return [f"only {len(exported)} of {len(frames)} packets were exported"]
        frames = exported
    truth = truth_of(frames)
    problems = ["nothing arrived"]
    end = time.monotonic() + 8
    while problems and time.monotonic() < end:
        time.sleep(1.2)
        problems = compare(exporter, truth, stored_flows(folder, exporter, since_ms))
    return problems


def main() -> int:
    """Check every exporter, or those named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="part of an exporter's name; all if absent")
    wanted = parser.parse_args().only
    failed = False
    with tempfile.TemporaryDirectory(prefix="millrace-exporters-") as name:
        folder = Path(name)
        with collector(folder) as port:
            for exporter in EXPORTERS:
                if wanted and not any(word in exporter.name for word in wanted):
                    continue
                problems = check(exporter, folder, port)
                failed |= bool(problems)
                print(f"{'FAILED' if problems else 'ok':7} {exporter.name}")
                for problem in problems[:10]:
                    print(f"        {problem}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
