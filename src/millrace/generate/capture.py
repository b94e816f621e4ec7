"""Synthetic exporters into a capture file, for examples and tests without a network."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from millrace.generate.config import USUAL_PORTS, Mix
from millrace.generate.model import Model, ModelExporter, default_model
from millrace.generate.stream import ExporterStream
from millrace.generate.traffic import Traffic, of_exporter

_SLICES = 60
_LINKTYPE_RAW = 101
_COLLECTOR = bytes([192, 0, 2, 250])
_SOURCE_PORT = 50000


def write_capture(
    path: str | Path,
    *,
    flows: int = 5000,
    protocol: Mix = "mix",
    start_s: int = 1_767_225_600,
    seconds: int = 600,
    seed: int = 0,
) -> Path:
    """Write what synthetic routers send in some minutes as a pcap file.

    Parameters
    ----------
    path : str or Path
        Overwritten.
    flows : int
        About how many.
    protocol : str
        As of `GenerateSettings.protocol`.
    start_s, seconds : int
        Unix time of the beginning, and how long.
    seed : int
        Equal arguments give equal files.

    Returns
    -------
    Path
        Of the file.
    """
    model = default_model() if protocol == "mix" else default_model().with_protocol(protocol)
    target = Path(path)
    edges = np.linspace(start_s * 1000, (start_s + seconds) * 1000, _SLICES + 1).astype(np.int64)
    rows = np.diff(np.linspace(0, flows, _SLICES + 1).astype(np.int64))
    streams = [
        ExporterStream(exporter, local_as=model.local_as, start_ns=start_s * 1_000_000_000)
        for exporter in model.exporters
    ]
    with target.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _LINKTYPE_RAW))
        for packet in _packets(model, streams, edges.tolist(), rows.tolist(), seed):
            file.write(packet)
    return target


def _packets(model: Model, streams: list[ExporterStream], edges: list[int], rows: list[int], seed: int) -> list[bytes]:
    traffic = Traffic(model)
    rng = np.random.default_rng(seed)
    packets: list[bytes] = []
    for first_ms, last_ms, amount in zip(edges[:-1], edges[1:], rows, strict=True):
        drawn = traffic.draw(rng, first_ms, last_ms, amount)
        for index, stream in enumerate(streams):
            datagrams = stream.encode(of_exporter(drawn, index), last_ms * 1_000_000)
            packets += [_packet(stream.exporter, payload, last_ms) for payload in datagrams.payloads()]
    return packets


def _packet(exporter: ModelExporter, payload: bytes, time_ms: int) -> bytes:
    """A pcap record: IPv4 and UDP headers before a payload (checksums 0: not computed)."""
    source = bytes(int(part) for part in exporter.address.split("."))
    udp = struct.pack("!HHHH", _SOURCE_PORT, USUAL_PORTS[exporter.protocol], 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, source, _COLLECTOR)
    size = len(ip) + len(udp) + len(payload)
    header = struct.pack("<IIII", time_ms // 1000, time_ms % 1000 * 1000, size, size)
    return header + ip + udp + payload
