"""The shared captures: real exporter packets, outside of the repository.

They belong to other projects and are not part of this one. Tests that need
them are skipped, saying so, where the folder is absent.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from millrace.batch import DatagramBatch, address_bytes
from millrace.receive.capture import read_capture

ROOT = Path(__file__).parents[2] / "shared" / "captures"

FLOW_PROTOCOLS = frozenset({"NetFlow v1", "NetFlow v5", "NetFlow v9", "IPFIX", "sFlow v5"})

needs_captures = pytest.mark.skipif(not ROOT.is_dir(), reason=f"the shared captures are not at {ROOT}")

_EXPORTER = "192.0.2.1"
"""Sender given to files that hold payloads without packet headers."""

_LATER = {"bitkeks+python-netflow-v9-softflowd/_extracted/tests/lib.py/PACKET_IPFIX_PADDING.bin"}
"""Files that define templates of the same numbers anew, years later, and so cannot go first."""

_TIME_NS = 1_700_000_000_000_000_000

_FRAME_BYTES = 42
"""Ethernet, IPv4 and UDP header of the file that holds a frame instead of a payload."""


@dataclass(frozen=True)
class Capture:
    """A capture and what is known about it (a row of `index.json`)."""

    entry: dict[str, Any]

    @property
    def path(self) -> str:
        return self.entry["path"]

    @property
    def protocols(self) -> frozenset[str]:
        return frozenset(self.entry["protocols"])

    @property
    def file(self) -> Path:
        return ROOT / self.path

    def batches(self) -> Iterator[DatagramBatch]:
        """Its datagrams."""
        whole_frame = any("bytes are a whole frame" in text for text in self.entry["peculiarities"])
        for batch in read_capture(self.file):
            yield _as_sent(batch, _FRAME_BYTES if whole_frame else 0)

    def batches_with_templates(self) -> Iterator[tuple[bool, DatagramBatch]]:
        """First the datagrams of the files that carry its templates (False), then its own (True)."""
        for path in self.entry["needs_templates_from"]:
            if path in _LATER:
                continue
            for batch in by_path(path).batches():
                yield False, batch
        for batch in self.batches():
            yield True, batch

    def tshark(self) -> list[dict[str, Any]]:
        """Layers of each frame as TShark 4.0 shows them."""
        return [packet["_source"]["layers"] for packet in read_json(self.entry["tshark"])]

    def goldens(self, ending: str) -> list[str]:
        """Paths of its expected decodes by other programs that end so."""
        return [path for path in self.entry["golden"] if path.endswith(ending) and (ROOT / path).exists()]


def _as_sent(batch: DatagramBatch, skip: int) -> DatagramBatch:
    """Give payloads without packet headers a sender and a time that do not depend on the file system."""
    start = np.minimum(batch.start + skip, batch.stop)
    if batch.source.any():
        return batch
    source = np.tile(np.frombuffer(address_bytes(_EXPORTER), np.uint8), (len(batch), 1))
    return DatagramBatch(
        batch.arena, start, batch.stop, source, batch.source_port, np.full(len(batch), _TIME_NS), batch.port
    )


def read_json(path: str) -> Any:
    """Parsed JSON file of the captures folder, decompressed by its name."""
    file = ROOT / path
    content = file.read_bytes()
    return json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)


@cache
def _index() -> dict[str, Capture]:
    if not ROOT.is_dir():
        return {}
    return {entry["path"]: Capture(entry) for entry in json.loads((ROOT / "index.json").read_text())}


def by_path(path: str) -> Capture:
    """The capture of that path."""
    return _index()[path]


def flow_captures() -> list[Capture]:
    """Every capture that holds NetFlow, IPFIX or sFlow."""
    return [capture for capture in _index().values() if capture.protocols & FLOW_PROTOCOLS]


def ids(captures: list[Capture]) -> list[str]:
    """Short names for parametrised tests."""
    return [capture.path for capture in captures]
