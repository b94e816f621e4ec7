"""Real programs export made packets over loopback; what they send is kept, and TShark says what it means."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from check_first_hour import open_vswitch
from check_real_exporters import EXPORTERS, Exporter, export, make_packets, truth_of, write_pcap

from recording import tshark
from recording.files import NETFLOW_PORT, SFLOW_PORT, Datagram, Recording, Row

_FLOWS, _SAMPLED_FLOWS = 40, 8
"""Made flows for exporters of flows, and for those that send every packet's header."""
_RATE = 4
_SAMPLED = " sampled"
"""How the name of an exporter ends that does not look at every packet."""
_SWITCH_SECONDS = 2
_SWITCH_PROTOCOLS = {b"\0\5": "v5", b"\0\12": "ipfix", b"\0\0": "sflow"}
"""By the first two bytes of what Open vSwitch sends."""
_MADE_BEFORE_S = 60
_STILL_COMING_S = 1.0
_TRANSPORT = (6, 17)

Send = Callable[[int, Path], None]


def names() -> dict[str, Exporter | None]:
    """What can be recorded, with the exporter that reads packets from a file; None: Open vSwitch, a live switch."""
    sampling = [_sampling(exporter) for exporter in EXPORTERS if exporter.name.startswith("softflowd")]
    return {_file_name(exporter): exporter for exporter in (*EXPORTERS, *sampling)} | {"openvswitch": None}


def _file_name(exporter: Exporter) -> str:
    name = exporter.name.lower().replace("nfprobe ", "").replace("sfprobe", "sflow")
    return name.replace(" ", "-")


def _sampling(exporter: Exporter) -> Exporter:
    """Softflowd that looks at one packet in `_RATE`."""

    def command(pcap: Path, port: int, folder: Path) -> list[str]:
        return [*exporter.command(pcap, port, folder), "-s", str(_RATE)]

    return replace(exporter, name=f"{exporter.name}{_SAMPLED}", command=command)


def record(name: str) -> list[Recording]:
    """Have the program of that name export, and decode what it sent.

    Raises
    ------
    SystemExit
        If a program is absent, or TShark's rows and the packets disagree.
    """
    exporter = names()[name]
    return _switch() if exporter is None else [_from_file(name, exporter)]


def _from_file(name: str, exporter: Exporter) -> Recording:
    frames = make_packets(time.time() - _MADE_BEFORE_S, _SAMPLED_FLOWS if exporter.samples else _FLOWS)

    def send(port: int, folder: Path) -> None:
        write_pcap(folder / "packets.pcap", frames)
        export(exporter, folder / "packets.pcap", port, folder)

    recording = tshark.decode(Recording(name, _received(send), []))
    if not exporter.samples and not exporter.name.endswith(_SAMPLED):
        _agree(name, recording.flows, {key: flow for key, flow in _truth(frames).items() if _sent(exporter, key)})
    return recording


def _switch() -> list[Recording]:
    def send(port: int, folder: Path) -> None:
        with open_vswitch(port, folder) as traffic:
            for second in range(_SWITCH_SECONDS):
                traffic(second)

    datagrams = _received(send)
    return [
        tshark.decode(Recording(f"openvswitch-{protocol}", [d for d in datagrams if d.payload[:2] == head], []))
        for head, protocol in _SWITCH_PROTOCOLS.items()
    ]


def _received(send: Send) -> list[Datagram]:
    """What arrives while `send` has a program export to a port of this host."""
    with tempfile.TemporaryDirectory(prefix="millrace-recording-") as folder, _listening() as (port, datagrams):
        send(port, Path(folder))
        time.sleep(_STILL_COMING_S)
    if not datagrams:
        raise SystemExit("the exporter sent nothing")
    return datagrams


@contextlib.contextmanager
def _listening() -> Iterator[tuple[int, list[Datagram]]]:
    """A port, and the datagrams that came to it."""
    datagrams: list[Datagram] = []
    done = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.2)

        def receive() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    payload = receiver.recv(65535)
                    port = SFLOW_PORT if payload[:2] == b"\0\0" else NETFLOW_PORT
                    datagrams.append(Datagram(time.time_ns() // 1000, payload, port))

        thread = threading.Thread(target=receive)
        thread.start()
        try:
            yield int(receiver.getsockname()[1]), datagrams
        finally:
            done.set()
            thread.join()


Key = tuple[str, str, int, int, int]


def _truth(frames: list[tuple[float, bytes]]) -> dict[Key, tuple[int, int]]:
    """Packets and bytes of each flow, by what the packets themselves say."""
    return {key: (flow.packets, flow.octets) for key, flow in truth_of(frames).items()}


def _sent(exporter: Exporter, key: Key) -> bool:
    return exporter.ipv6 or ":" not in key[0]


def _agree(name: str, rows: list[Row], truth: dict[Key, tuple[int, int]]) -> None:
    """End with a message unless TShark's rows add up to the packets: a second oracle for the first."""
    found: dict[Key, tuple[int, int]] = {}
    for row in rows:
        ports = (row["SrcPort"], row["DstPort"]) if row["Proto"] in _TRANSPORT else (0, 0)
        key = (row["SrcAddr"], row["DstAddr"], *ports, row["Proto"])
        packets, octets = found.get(key, (0, 0))
        found[key] = packets + row["Packets"], octets + row["Bytes"]
    if found != truth:
        wrong = [key for key in found.keys() | truth.keys() if found.get(key) != truth.get(key)]
        raise SystemExit(f"{name}: TShark's rows are not what was sent, in {len(wrong)} flows such as {wrong[0]}")
