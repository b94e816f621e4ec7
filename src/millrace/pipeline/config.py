"""Settings of the pipeline."""

from __future__ import annotations

from pydantic import Field

from millrace.config import Section


class PipelineSettings(Section):
    """How flows travel from the sockets to the store."""

    flush_interval_s: float = Field(default=1.0, ge=0.05, le=60)
    """Longest time, in seconds, that a decoded flow waits before it is stored. A crash loses at most this much."""

    flush_rows: int = Field(default=500_000, ge=1_000, le=5_000_000)
    """Most flows that are stored in one insert."""

    datagram_queue_bytes: int = Field(default=128 * 2**20, ge=2**20)
    """Bound of what waits for the decoder or is in it. When it is full, datagrams are dropped and counted."""

    flow_buffer_bytes: int = Field(default=256 * 2**20, ge=2**20)
    """Bound of decoded flows that wait for the store, names and copies included. When it is full, decoding waits."""

    retry_interval_s: float = Field(default=1.0, ge=0.05, le=60)
    """Seconds between attempts to store when the store refuses (a full disk, say)."""

    stop_timeout_s: float = Field(default=20.0, ge=0, le=3600)
    """Seconds that a stop waits for what was received to be stored; what is given up then is counted and logged."""

    counted_exporters: int = Field(default=10_000, ge=1, le=1_000_000)
    """Exporters that have counts of their own, beside those named in `exporters`; the rest are added up under `::`."""
